#include "controller/account.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/buffer.h"
#include "common/cleanup.h"
#include "common/unit.h"

enum { GROUPS_MOST = 65536, FIELDS_MOST = 7 };

/* A database: its name for getent(1), its file, and how many fields a line has. Both have the name
 * in the first field and the number in the third. */
static const struct database {
    const char *name;
    const char *file;
    size_t fields;
} users = {"passwd", "/etc/passwd", 7}, groups_of_all = {"group", "/etc/group", 4};

static void close_file(FILE **file) {
    if (*file)
        fclose(*file);
}

/* ---- lines ---- */

/* Cuts the line at its colons. False where it has too few. */
static bool cut(const struct database *database, char *line, char *fields[FIELDS_MOST]) {
    line[strcspn(line, "\n")] = '\0';
    for (size_t i = 0; i < database->fields; i++)
        fields[i] = strsep(&line, ":");
    return fields[database->fields - 1] != NULL;
}

static bool number_of(const char *text, uint32_t *number) {
    uint64_t value;
    if (unit_parse_count(text, &value) < 0 || value >= UINT32_MAX)
        return false;
    *number = (uint32_t)value;
    return true;
}

static bool is_meant(char *const fields[FIELDS_MOST], const char *key, bool by_number) {
    uint32_t wanted = 0, number = 0;
    return by_number ? number_of(key, &wanted) && number_of(fields[2], &number) && wanted == number
                     : strcmp(fields[0], key) == 0;
}

/* The first line of the file that is meant. 0 with *line, cut, and its fields; -ENOENT; -errno. */
static int find(const struct database *database, FILE *file, const char *key, bool by_number,
                char **line, char *fields[FIELDS_MOST]) {
    _cleanup_free_ char *read = NULL;
    size_t space = 0;
    errno = 0;
    while (getline(&read, &space, file) >= 0)
        if (cut(database, read, fields) && is_meant(fields, key, by_number)) {
            *line = TAKE_POINTER(read);
            return 0;
        }
    return errno == ENOMEM ? -ENOMEM : -ENOENT;
}

/* ---- getent ---- */

/* Starts `getent DATABASE KEY`. 0 with its output and its pid; -ENOENT where there is no getent, or
 * where it would take the key for an option. */
static int ask(const char *database, const char *key, FILE **answer, pid_t *pid) {
    char name[] = "getent";
    char *argv[] = {name, (char *)(uintptr_t)database, (char *)(uintptr_t)key, NULL};
    int ends[2];
    if (*key == '-')
        return -ENOENT;
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    int r = posix_spawnp(pid, name, &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    *answer = r == 0 ? fdopen(ends[0], "r") : NULL;
    if (*answer)
        return 0;
    close(ends[0]);
    return r == 0 ? -ENOMEM : -r;
}

/* 0 with the line; -ENOENT: there is none, or no getent. */
static int find_elsewhere(const struct database *database, const char *key, char **line,
                          char *fields[FIELDS_MOST]) {
    _cleanup_(close_file) FILE *answer = NULL;
    pid_t pid = 0;
    int r = ask(database->name, key, &answer, &pid);
    if (r < 0)
        return r;
    uint32_t number;
    r = find(database, answer, key, number_of(key, &number), line, fields);
    waitpid(pid, NULL, 0);
    return r;
}

static int look_up(const struct database *database, const char *key, bool by_number, char **line,
                   char *fields[FIELDS_MOST]) {
    _cleanup_(close_file) FILE *file = fopen(database->file, "re");
    int r = file ? find(database, file, key, by_number, line, fields) : -ENOENT;
    return r == -ENOENT ? find_elsewhere(database, key, line, fields) : r;
}

/* ---- users ---- */

static int user(const char *key, bool by_number, struct account *out) {
    char *fields[FIELDS_MOST];
    _cleanup_free_ char *line = NULL;
    int r = look_up(&users, key, by_number, &line, fields);
    if (r < 0)
        return r;
    struct account found = {.name = fields[0], .home = fields[5], .shell = fields[6]};
    if (!number_of(fields[2], &found.uid) || !number_of(fields[3], &found.gid))
        return -EINVAL;
    found.line = TAKE_POINTER(line);
    *out = found;
    return 0;
}

void account_free(struct account *account) {
    free(account->line);
    *account = (struct account){0};
}

int account_by_name(const char *name, struct account *out) {
    return user(name, false, out);
}

int account_by_uid(uint32_t uid, struct account *out) {
    char key[16];
    snprintf(key, sizeof(key), "%u", uid);
    return user(key, true, out);
}

/* ---- groups ---- */

int account_group(const char *name, uint32_t *gid) {
    char *fields[FIELDS_MOST];
    _cleanup_free_ char *line = NULL;
    int r = look_up(&groups_of_all, name, false, &line, fields);
    if (r < 0)
        return r;
    return number_of(fields[2], gid) ? 0 : -EINVAL;
}

int account_group_name(uint32_t gid, char **name) {
    char key[16], *fields[FIELDS_MOST];
    _cleanup_free_ char *line = NULL;
    snprintf(key, sizeof(key), "%u", gid);
    int r = look_up(&groups_of_all, key, true, &line, fields);
    if (r < 0)
        return r;
    char *copy = strdup(fields[0]);
    if (!copy)
        return -ENOMEM;
    *name = copy;
    return 0;
}

static int add(struct buffer *list, uint32_t gid) {
    const uint32_t *known = (const void *)list->data;
    size_t count = list->size / sizeof(gid);
    for (size_t i = 0; i < count; i++)
        if (known[i] == gid)
            return 0;
    return count < GROUPS_MOST ? buffer_append(list, &gid, sizeof(gid)) : -E2BIG;
}

static bool lists(char *members, const char *name) {
    for (char *member; (member = strsep(&members, ","));)
        if (strcmp(member, name) == 0)
            return true;
    return false;
}

static int add_from_file(const char *name, struct buffer *list) {
    _cleanup_(close_file) FILE *file = fopen(groups_of_all.file, "re");
    _cleanup_free_ char *line = NULL;
    char *fields[FIELDS_MOST];
    size_t space = 0;
    int r = 0;
    uint32_t gid;
    while (r == 0 && file && getline(&line, &space, file) >= 0)
        if (cut(&groups_of_all, line, fields) && number_of(fields[2], &gid) &&
            lists(fields[3], name))
            r = add(list, gid);
    return r == 0 && file && ferror(file) ? -EIO : r;
}

/* Whether nsswitch.conf(5) has more than "files" for groups. Brackets hold no services. */
static bool has_services(void) {
    _cleanup_(close_file) FILE *file = fopen("/etc/nsswitch.conf", "re");
    _cleanup_free_ char *line = NULL;
    size_t space = 0;
    bool more = false;
    while (file && !more && getline(&line, &space, file) >= 0) {
        char *rest = line;
        rest[strcspn(rest, "#\n")] = '\0';
        const char *key = strsep(&rest, ": \t");
        bool bracket = false;
        if (strcmp(key, "group") != 0 && strcmp(key, "initgroups") != 0)
            continue;
        for (char *word; (word = strsep(&rest, ": \t"));) {
            bracket |= *word == '[';
            more |= !bracket && *word && strcmp(word, "files") != 0;
            bracket &= !strchr(word, ']');
        }
    }
    return more;
}

/* `getent initgroups NAME` answers "NAME GID GID …". */
static int add_from_services(const char *name, struct buffer *list) {
    _cleanup_(close_file) FILE *answer = NULL;
    _cleanup_free_ char *line = NULL;
    size_t space = 0;
    pid_t pid = 0;
    int r = ask("initgroups", name, &answer, &pid);
    if (r < 0)
        return r == -ENOENT ? 0 : r;
    uint32_t gid;
    if (getline(&line, &space, answer) >= 0) {
        char *rest = line + strcspn(line, " \n");
        for (char *word; r == 0 && (word = strsep(&rest, " \n"));)
            if (number_of(word, &gid))
                r = add(list, gid);
    }
    waitpid(pid, NULL, 0);
    return r;
}

int account_groups(const char *name, uint32_t gid, uint32_t **groups, size_t *count) {
    _cleanup_(buffer_free) struct buffer list = {0};
    int r = add(&list, gid);
    if (r == 0)
        r = add_from_file(name, &list);
    if (r == 0 && has_services())
        r = add_from_services(name, &list);
    if (r < 0)
        return r;
    uint32_t *copy = malloc(list.size);
    if (!copy)
        return -ENOMEM;
    memcpy(copy, buffer_bytes(&list), list.size);
    *groups = copy;
    *count = list.size / sizeof(gid);
    return 0;
}
