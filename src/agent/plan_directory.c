/* The part of a plan that is about directories in fixed places. */
#include <string.h>

#include "agent/directory.h"
#include "agent/plan_build.h"
#include "common/cleanup.h"

/* Appends a string behind the rows. Returns its offset in the plan. */
static uint64_t put(struct buffer *texts, struct holden_view text, uint64_t at, int *error) {
    uint64_t offset = at + texts->size;
    if (*error == 0)
        *error = buffer_append(texts, text.data, text.size);
    if (*error == 0)
        *error = buffer_append(texts, "", 1);
    return offset;
}

static uint32_t kind_of(const struct directory *directory) {
    if (directory->link.size > 0)
        return PLAN_DIRECTORY_LINK;
    if (directory->private)
        return PLAN_DIRECTORY_PRIVATE;
    return directory->owned ? PLAN_DIRECTORY_OWN : PLAN_DIRECTORY_PLAIN;
}

static int put_text(const struct directory *directory, struct buffer *text) {
    if (directory->link.size > 0)
        return directory_link_text(directory, text);
    return (directory->private && !directory->inside) || directory->returns
               ? directory_private_text(directory, text)
               : 0;
}

/* From the prefix. A link that is below a private directory is made in there. */
static int put_path(const struct directory *directory, struct buffer *path) {
    bool link = directory->link.size > 0;
    struct holden_view name = link ? directory->link : directory->name;
    int r = directory->private && (!link || directory->inside)
                ? buffer_append(path, PLAN_PRIVATE, strlen(PLAN_PRIVATE))
                : 0;
    return r < 0 ? r : buffer_append(path, name.data, name.size);
}

/* FNV-1a of where the first directory of the setting is: not 0. */
static uint64_t seed_of(const struct directory *directory) {
    const struct holden_view parts[] = {holden_view(directory->prefix), directory->first};
    uint64_t hash = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
        for (size_t at = 0; at < parts[i].size; at++)
            hash = (hash ^ (uint8_t)parts[i].data[at]) * UINT64_C(1099511628211);
    return hash | 1;
}

static struct holden_view view_of(const struct buffer *buffer) {
    return (struct holden_view){(const char *)buffer_bytes(buffer), buffer->size};
}

static int add(const struct directory *directory, uint64_t at, struct buffer *rows,
               struct buffer *texts) {
    _cleanup_(buffer_free) struct buffer text = {0}, path = {0};
    int r = put_text(directory, &text);
    if (r == 0)
        r = put_path(directory, &path);
    struct plan_directory row = {
        .kind = kind_of(directory),
        .mode = directory->mode,
        .seed = directory->counted ? seed_of(directory) : 0,
        .quota = directory->quota,
        .prefix = put(texts, holden_view(directory->prefix), at, &r),
        .path = put(texts, view_of(&path), at, &r),
        .text = put(texts, view_of(&text), at, &r),
    };
    return r < 0 ? r : buffer_append(rows, &row, sizeof(row));
}

int plan_directories(const struct holden_properties *properties, uint32_t at, struct buffer *out,
                     uint32_t *count) {
    struct directory_walk walk = {.properties = properties};
    struct directory directory;
    _cleanup_(buffer_free) struct buffer texts = {0};
    int r = 0;
    *count = 0;
    while (directory_next(&walk, &directory))
        ++*count;
    walk = (struct directory_walk){.properties = properties};
    while (r == 0 && directory_next(&walk, &directory))
        r = add(&directory, at + *count * sizeof(struct plan_directory), out, &texts);
    return r < 0 ? r : buffer_append(out, buffer_bytes(&texts), texts.size);
}
