#include "controller/unit_path.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "controller/words.h"

/* The system's directories, the first before the others; /lib is /usr/lib on a merged system. */
static const char *const directories[] = {
    "/etc/systemd/system", "/run/systemd/system",     "/usr/local/lib/systemd/system",
    "/lib/systemd/system", "/usr/lib/systemd/system",
};

struct search {
    struct arena *arena;
    struct unit_paths *paths;
    const char *const *directories;
    size_t count;
};

static bool is_there(const char *path) {
    return access(path, F_OK) == 0;
}

/* "DIRECTORY/NAME" in the arena, made absolute. NULL without memory. */
static const char *join(struct arena *arena, const char *directory, const char *name) {
    char text[PATH_MAX];
    int size = snprintf(text, sizeof(text), "%s/%s", directory, name);
    return size < 0 || (size_t)size >= sizeof(text) ? NULL
                                                    : arena_copy(arena, text, (size_t)size);
}

/* The file of the unit or of its template in one directory; *path stays NULL where there is none.
 */
static int look_in(struct arena *arena, const char *directory, const struct unit_name *name,
                   const char **path) {
    char template[UNIT_NAME_SIZE];
    const char *names[] = {name->full, name->instance[0] ? unit_name_template(name, template) : ""};
    *path = NULL;
    for (size_t i = 0; i < ARRAY_SIZE(names) && *names[i]; i++) {
        const char *found = join(arena, directory, names[i]);
        if (!found)
            return -ENAMETOOLONG;
        if (is_there(found)) {
            *path = found;
            return 0;
        }
    }
    return 0;
}

/* ---- drop-ins ---- */

static const char *last_part(const char *path) {
    return strrchr(path, '/') + 1;
}

/* Keeps a file unless one of that name has been found before it. */
static int keep(struct search *search, const char *directory, const char *file) {
    struct unit_paths *paths = search->paths;
    for (size_t i = 0; i < paths->count; i++)
        if (strcmp(last_part(paths->drop_ins[i]), file) == 0)
            return 0;
    if (paths->count == UNIT_PATH_DROP_INS)
        return -E2BIG;
    const char *path = join(search->arena, directory, file);
    if (!path)
        return -ENAMETOOLONG;
    paths->drop_ins[paths->count++] = path;
    return 0;
}

static int scan(struct search *search, const char *directory) {
    DIR *open = opendir(directory);
    int r = 0;
    if (!open)
        return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
    for (const struct dirent *entry; r == 0 && (entry = readdir(open));) {
        size_t size = strlen(entry->d_name);
        if (entry->d_name[0] != '.' && size > 5 && strcmp(entry->d_name + size - 5, ".conf") == 0)
            r = keep(search, directory, entry->d_name);
    }
    closedir(open);
    return r;
}

static int scan_name(struct search *search, const char *directory, const char *name) {
    char text[PATH_MAX];
    int size = snprintf(text, sizeof(text), "%s/%s.d", directory, name);
    return size < 0 || (size_t)size >= sizeof(text) ? -ENAMETOOLONG : scan(search, text);
}

/* The directories of a name: its own, then those of the name cut after each dash, the longest
 * first; the instance stays. */
static int scan_cut(struct search *search, const char *directory, const struct unit_name *name,
                    const char *instance) {
    char prefix[UNIT_NAME_SIZE];
    snprintf(prefix, sizeof(prefix), "%s", name->prefix);
    for (;;) {
        char text[2 * UNIT_NAME_SIZE + 16];
        snprintf(text, sizeof(text), "%s%s%s.%s", prefix, name->templated ? "@" : "", instance,
                 unit_name_kind(name));
        int r = scan_name(search, directory, text);
        if (r < 0)
            return r;
        size_t size = strlen(prefix);
        while (size > 0 && prefix[size - 1] == '-')
            prefix[--size] = '\0';
        char *dash = strrchr(prefix, '-');
        if (!dash)
            return 0;
        dash[1] = '\0';
    }
}

static int compare(const void *one, const void *other) {
    return strcmp(last_part(*(const char *const *)one), last_part(*(const char *const *)other));
}

static int find_drop_ins(struct search *search) {
    const struct unit_name *name = &search->paths->name;
    int r = 0;
    for (size_t i = 0; r == 0 && i < search->count; i++) {
        r = scan_cut(search, search->directories[i], name, name->instance);
        if (r == 0 && name->instance[0])
            r = scan_cut(search, search->directories[i], name, "");
    }
    for (size_t i = 0; r == 0 && i < search->count; i++)
        r = scan_name(search, search->directories[i], unit_name_kind(name));
    qsort(search->paths->drop_ins, search->paths->count, sizeof(search->paths->drop_ins[0]),
          compare);
    return r;
}

/* ---- the file ---- */

static int refuse(char wrong[512], const char *what, const char *why, int error) {
    char shown[WORDS_SHOWN];
    snprintf(wrong, 512, "%s: %s", words_show(what, shown), why);
    return error;
}

/* The directory that a path names, absolute; in `text` of PATH_MAX bytes. */
static const char *directory_of(const char *argument, char *text) {
    char given[PATH_MAX];
    const char *slash = strrchr(argument, '/');
    size_t size = slash ? (size_t)(slash - argument) : 0;
    if (!slash)
        return getcwd(text, PATH_MAX);
    if (size == 0)
        return strcpy(text, "");
    if (size >= sizeof(given)) {
        errno = ENAMETOOLONG;
        return NULL;
    }
    memcpy(given, argument, size);
    given[size] = '\0';
    return realpath(given, text);
}

static int find_beside(const struct search *search, const char *argument, char wrong[512]) {
    char text[PATH_MAX];
    const char *directory = directory_of(argument, text);
    if (!directory)
        return refuse(wrong, argument, strerror(errno), -errno);
    struct search beside = *search;
    beside.directories = &directory;
    beside.count = 1;
    int r = look_in(search->arena, directory, &search->paths->name, &search->paths->fragment);
    if (r == 0 && search->paths->fragment)
        r = find_drop_ins(&beside);
    return r < 0 ? refuse(wrong, argument, strerror(-r), r) : 0;
}

static int find_installed(struct search *search, const char *argument, char wrong[512]) {
    int r = 0;
    search->directories = directories;
    search->count = ARRAY_SIZE(directories);
    for (size_t i = 0; r == 0 && i < search->count && !search->paths->fragment; i++)
        r = look_in(search->arena, directories[i], &search->paths->name,
                    &search->paths->fragment);
    if (r == 0 && search->paths->fragment)
        r = find_drop_ins(search);
    return r < 0 ? refuse(wrong, argument, strerror(-r), r) : 0;
}

int unit_path_find(struct arena *arena, const char *argument, struct unit_paths *paths,
                   char wrong[512]) {
    struct search search = {.arena = arena, .paths = paths};
    const char *slash = strrchr(argument, '/');
    paths->fragment = NULL;
    paths->count = 0;
    if (!*argument)
        return refuse(wrong, "''", "an empty name; name a unit, such as web.service or web.slice",
                      -EINVAL);
    if (unit_name_parse(slash ? slash + 1 : argument, &paths->name) < 0)
        return refuse(wrong, argument,
                      "not the name of a service or slice, such as web.service or web.slice",
                      -EINVAL);
    if (paths->name.templated && !paths->name.instance[0])
        return refuse(wrong, argument,
                      "a template; name an instance of it, such as web@1.service", -EINVAL);
    int r = find_beside(&search, argument, wrong);
    if (r == 0 && !paths->fragment && !slash)
        r = find_installed(&search, argument, wrong);
    if (r == 0 && !paths->fragment)
        r = refuse(wrong, argument, "no such file", -ENOENT);
    return r;
}
