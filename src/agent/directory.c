#include "agent/directory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/assignment.h"
#include "agent/tree.h"
#include "common/cleanup.h"
#include "common/log.h"
#include "protocol/dynamic_user.h"
#include "protocol/property.h"

#define INDEX(member) HOLDEN_INDEX(properties, member)

enum { MODE_USUAL = 0755 };
#define NONE SIZE_MAX

static const struct kind {
    const char *prefix, *variable;
    size_t names, mode, quota; /* properties, or NONE */
    bool owned;                /* and may be private; else it stays root's, as what an administrator configures is */
} kinds[DIRECTORY_KINDS] = {
    {"/run", "RUNTIME_DIRECTORY", INDEX(runtime_directory), INDEX(runtime_directory_mode), NONE,
     true},
    {"/var/lib", "STATE_DIRECTORY", INDEX(state_directory), INDEX(state_directory_mode),
     INDEX(state_directory_quota), true},
    {"/var/cache", "CACHE_DIRECTORY", INDEX(cache_directory), INDEX(cache_directory_mode),
     INDEX(cache_directory_quota), true},
    {"/var/log", "LOGS_DIRECTORY", INDEX(logs_directory), INDEX(logs_directory_mode),
     INDEX(logs_directory_quota), true},
    {"/etc", "CONFIGURATION_DIRECTORY", INDEX(configuration_directory),
     INDEX(configuration_directory_mode), NONE, false},
};

static const void *member(const struct holden_properties *properties, size_t index) {
    return (const uint8_t *)properties + holden_record_properties.fields[index].offset;
}

const char *directory_quota(const struct holden_properties *properties) {
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        if (kinds[i].quota != NONE && holden_has(properties, kinds[i].names) &&
            holden_has(properties, kinds[i].quota) &&
            *(const uint64_t *)member(properties, kinds[i].quota) != UINT64_MAX)
            return holden_property(kinds[i].quota)->name;
    return NULL;
}

/* ---- the walk ---- */

static bool next_record(struct directory_walk *walk, struct holden_directory *record) {
    struct holden_nested nested;
    struct holden_fault fault;
    return holden_next_record(&walk->left, &nested) &&
           holden_decode(&holden_record_directory, nested.bytes.data, nested.bytes.size, record,
                         &fault) == 0;
}

/* Whether it is below another name of the list. */
static bool is_below_another(struct holden_repeated left, struct holden_view path) {
    struct directory_walk walk = {.left = left};
    struct holden_directory record;
    while (next_record(&walk, &record))
        if (record.name.size < path.size && path.data[record.name.size] == '/' &&
            memcmp(record.name.data, path.data, record.name.size) == 0)
            return true;
    return false;
}

/* What is gone with the process anyway needs nobody kept out. */
static bool is_private(const struct holden_properties *properties, unsigned kind) {
    bool passing = kind == 0 &&
                   (!HOLDEN_HAS(properties, properties, runtime_directory_preserve) ||
                    properties->runtime_directory_preserve == HOLDEN_runtime_preserve_NO);
    return kinds[kind].owned && !passing && holden_dynamic_user(properties);
}

static void fill_quota(const struct holden_properties *properties, const struct kind *kind,
                       struct directory *directory) {
    struct directory_walk walk = {
        .left = *(const struct holden_repeated *)member(properties, kind->names)};
    struct holden_directory first = {0};
    directory->counted = next_record(&walk, &first);
    directory->first = first.name;
    directory->quota = holden_has(properties, kind->quota)
                           ? *(const uint64_t *)member(properties, kind->quota)
                           : UINT64_MAX;
}

static void fill(const struct directory_walk *walk, const struct holden_directory *record,
                 struct directory *directory) {
    const struct kind *kind = &kinds[walk->kind];
    *directory = (struct directory){
        .property = holden_property(kind->names)->name,
        .prefix = kind->prefix,
        .name = record->name,
        .mode = holden_has(walk->properties, kind->mode)
                    ? *(const uint32_t *)member(walk->properties, kind->mode)
                    : MODE_USUAL,
        .owned = kind->owned,
        .passing = walk->kind == 0,
    };
    if (walk->links)
        directory->link = record->link;
    else if (kind->quota != NONE)
        fill_quota(walk->properties, kind, directory);
    directory->private = is_private(walk->properties, walk->kind);
    directory->returns = kind->owned && !directory->private && !walk->links;
    if (directory->private)
        directory->inside = is_below_another(
            *(const struct holden_repeated *)member(walk->properties, kind->names),
            walk->links ? record->link : record->name);
}

bool directory_next(struct directory_walk *walk, struct directory *directory) {
    struct holden_directory record;
    for (;;) {
        while (walk->inside && next_record(walk, &record))
            if (!walk->links || HOLDEN_HAS(&record, directory, link)) {
                fill(walk, &record, directory);
                return true;
            }
        walk->kind += walk->inside;
        walk->inside = false;
        if (walk->kind == DIRECTORY_KINDS && walk->links)
            return false;
        if (walk->kind == DIRECTORY_KINDS) {
            walk->kind = 0;
            walk->links = true;
        }
        size_t index = kinds[walk->kind].names;
        if (!holden_has(walk->properties, index)) {
            walk->kind++;
            continue;
        }
        walk->left = *(const struct holden_repeated *)member(walk->properties, index);
        walk->inside = true;
    }
}

/* ---- checks ---- */

static bool is_name(struct holden_view path) {
    size_t first = 0;
    for (size_t at = 0; at <= path.size;) {
        const char *slash = memchr(path.data + at, '/', path.size - at);
        size_t size = slash ? (size_t)(slash - path.data) - at : path.size - at;
        if (size == 0 || (size <= 2 && memcmp(path.data + at, "..", size) == 0))
            return false;
        first = at == 0 ? size : first;
        at += size + 1;
    }
    return first > 0 && !holden_view_is((struct holden_view){path.data, first}, "private");
}

int directory_check(const struct holden_properties *properties, struct failure *failure) {
    struct directory_walk walk = {.properties = properties};
    struct directory directory;
    while (directory_next(&walk, &directory)) {
        struct holden_view path = walk.links ? directory.link : directory.name;
        if (!is_name(path))
            return failure_set(failure, HOLDEN_code_INVALID, directory.property,
                               "\"%.*s\" is no path below %s: it is relative, does without \".\" "
                               "and \"..\", and does not begin with \"private\"",
                               (int)(path.size < 200 ? path.size : 200), path.data,
                               directory.prefix);
        if (walk.links && !directory.owned)
            return failure_set(failure, HOLDEN_code_INVALID, directory.property,
                               "there is no link to what is in %s", directory.prefix);
    }
    return 0;
}

/* ---- texts ---- */

int directory_link_text(const struct directory *link, struct buffer *out) {
    int r = 0;
    for (size_t i = 0; r == 0 && i < link->link.size; i++)
        if (link->link.data[i] == '/')
            r = buffer_append(out, "../", 3);
    return r < 0 ? r : buffer_append(out, link->name.data, link->name.size);
}

int directory_private_text(const struct directory *directory, struct buffer *out) {
    int r = 0;
    for (size_t i = 0; r == 0 && i < directory->name.size; i++)
        if (directory->name.data[i] == '/')
            r = buffer_append(out, "../", 3);
    return r < 0 ? r
                 : buffer_printf(out, "private/%.*s", (int)directory->name.size,
                                 directory->name.data);
}

/* Whether the list has the same name further on: a directory with several links stands there once
 * for each. */
static bool comes_again(struct holden_repeated left, struct holden_view name) {
    struct directory_walk walk = {.left = left};
    struct holden_directory record;
    while (next_record(&walk, &record))
        if (record.name.size == name.size && memcmp(record.name.data, name.data, name.size) == 0)
            return true;
    return false;
}

int directory_environment(const struct holden_properties *properties, unsigned kind,
                          struct buffer *out) {
    const struct kind *row = &kinds[kind];
    struct directory_walk walk = {.properties = properties};
    struct holden_directory record;
    if (!holden_has(properties, row->names) || assignment_made(properties, row->variable))
        return 0;
    walk.left = *(const struct holden_repeated *)member(properties, row->names);
    const char *before = "=";
    int r = buffer_append(out, row->variable, strlen(row->variable));
    while (r == 0 && next_record(&walk, &record)) {
        if (comes_again(walk.left, record.name))
            continue;
        r = buffer_printf(out, "%s%s/%.*s", before, row->prefix, (int)record.name.size,
                          record.name.data);
        before = ":";
    }
    return r;
}

/* ---- the end ---- */

static void remove_at(const struct directory *directory, const char *between,
                      struct holden_view name, int (*remove)(const char *path)) {
    char path[8300];
    snprintf(path, sizeof(path), "%s%s/%.*s", directory->prefix, between, (int)name.size,
             name.data);
    int r = remove(path);
    if (r < 0 && r != -ENOENT)
        log_warning("%s: %s cannot be removed: %s", directory->property, path, strerror(-r));
}

static void remove_one(const struct directory *directory) {
    const char *between = directory->private ? "/private" : "";
    if (directory->link.size > 0) {
        remove_at(directory, directory->inside ? between : "", directory->link, tree_unlink_link);
        return;
    }
    remove_at(directory, between, directory->name, tree_remove);
    if (directory->private && !directory->inside)
        remove_at(directory, "", directory->name, tree_unlink_link);
}

void directory_remove(const struct holden_properties *properties, bool again) {
    struct directory_walk walk = {.properties = properties};
    struct directory directory;
    uint32_t preserve = HOLDEN_HAS(properties, properties, runtime_directory_preserve)
                            ? properties->runtime_directory_preserve
                            : (uint32_t)HOLDEN_runtime_preserve_NO;
    if (preserve == HOLDEN_runtime_preserve_YES ||
        (again && preserve == HOLDEN_runtime_preserve_RESTART))
        return;
    while (directory_next(&walk, &directory))
        if (directory.passing)
            remove_one(&directory);
}
