/* The part of a plan that is about directories in fixed places. */
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

static int add(const struct directory *directory, uint64_t at, struct buffer *rows,
               struct buffer *texts) {
    _cleanup_(buffer_free) struct buffer held = {0};
    bool link = directory->link.size > 0;
    int r = link ? directory_link_text(directory, &held) : 0;
    struct plan_directory row = {
        .kind = link               ? PLAN_DIRECTORY_LINK
                : directory->owned ? PLAN_DIRECTORY_OWN
                                   : PLAN_DIRECTORY_PLAIN,
        .mode = directory->mode,
        .prefix = put(texts, holden_view(directory->prefix), at, &r),
        .path = put(texts, link ? directory->link : directory->name, at, &r),
        .text = put(texts, (struct holden_view){(const char *)buffer_bytes(&held), held.size}, at,
                    &r),
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
