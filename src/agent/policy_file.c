#include "agent/policy_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"

/* inih cuts off what is longer, and two sections would be one: SECTION_MOST is what it keeps. */
enum { PATH_SPACE = 4096, SECTION_MOST = 49 };

const struct policy_accounts policy_accounts = {.user = group_find_user, .group = group_find};

/* A file that is being read. */
struct source {
    struct policy_reading *reading;
    FILE *file;
    int empty; /* the line of a section that no key has followed yet, or 0 */
};

static int on_key(void *data, const char *section, const char *name, const char *value) {
    struct source *source = data;
    source->empty = 0;
    policy_rule_key(source->reading, section, name, value);
    return 1;
}

static void check_empty(const struct source *source) {
    if (source->empty > 0)
        policy_complain(source->reading, source->empty, "a section without a key; take it out");
}

/* A section is a rule of its own, also where it has the name of the one before. */
static void begin_section(struct source *source, const char *text) {
    struct policy_reading *reading = source->reading;
    check_empty(source);
    policy_rule_end(reading);
    source->empty = reading->line;
    if (strcspn(text + 1, "]") > SECTION_MOST)
        policy_complain(reading, reading->line,
                        "the name is longer than %zu characters; choose a shorter one",
                        SECTION_MOST - strlen("Rule "));
}

/* inih does not tell lines apart from parts of them, nor which one it is at. */
static char *next_line(char *text, int space, void *data) {
    struct source *source = data;
    struct policy_reading *reading = source->reading;
    if (!fgets(text, space, source->file))
        return NULL;
    reading->line++;
    size_t size = strlen(text);
    const char *start = text + strspn(text, " \t");
    if (*start == '[')
        begin_section(source, start);
    if (size + 1 < (size_t)space || text[size - 1] == '\n')
        return text;
    policy_complain(reading, reading->line,
                    "longer than %d characters; write the key several times, each adds to it",
                    space - 2);
    for (int c = 0; c != '\n' && c != EOF;)
        c = fgetc(source->file);
    text[0] = '\0';
    return text;
}

static void parse(struct policy_reading *reading, FILE *file, const char *name) {
    struct source source = {.reading = reading, .file = file};
    reading->path = name;
    reading->line = 0;
    int wrong = ini_parse_stream(next_line, &source, on_key, &source);
    if (wrong != 0)
        policy_complain(reading, wrong > 0 ? wrong : reading->line,
                        "neither [Rule NAME] nor KEY=VALUE");
    if (ferror(file))
        policy_complain(reading, reading->line, "cannot read it: %s", strerror(errno));
    check_empty(&source);
    policy_rule_end(reading);
}

static int end(const struct policy_reading *reading, char first[POLICY_COMPLAINT_MOST]) {
    snprintf(first, POLICY_COMPLAINT_MOST, "%s", reading->first);
    return reading->complaints > 0 ? -EINVAL : 0;
}

int policy_file_parse(struct policy *policy, FILE *file, const char *name,
                      const struct policy_accounts *accounts, char first[POLICY_COMPLAINT_MOST]) {
    struct policy_reading reading = {.policy = policy, .accounts = accounts};
    parse(&reading, file, name);
    return end(&reading, first);
}

/* Whether it is root's alone: the agent's own user's, which in a user namespace is root too. */
static bool check_owner(struct policy_reading *reading, int fd) {
    struct stat status;
    if (fstat(fd, &status) == 0 && status.st_uid == geteuid() && !(status.st_mode & 022))
        return true;
    policy_complain(reading, 0,
                    "must belong to root and be writable by nobody else: chown root, chmod go-w");
    return false;
}

static void read_file(struct policy_reading *reading, int directory, const char *name,
                      const char *path, bool must) {
    int fd = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    reading->path = path;
    if (fd < 0 && errno == ENOENT && !must)
        return;
    FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
    if (!file) {
        policy_complain(reading, 0, "cannot read it: %s", strerror(errno));
        if (fd >= 0)
            close(fd);
        return;
    }
    if (check_owner(reading, fd))
        parse(reading, file, path);
    fclose(file);
}

static int is_rules(const struct dirent *entry) {
    size_t size = strlen(entry->d_name);
    return size > 5 && entry->d_name[0] != '.' && strcmp(entry->d_name + size - 5, ".conf") == 0;
}

static int by_name(const struct dirent **a, const struct dirent **b) {
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void read_directory(struct policy_reading *reading, const char *path) {
    struct dirent **entries = NULL;
    _cleanup_close_ int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    reading->path = path;
    if (directory < 0 && errno == ENOENT)
        return;
    int count = directory < 0 ? -1 : scandirat(directory, ".", &entries, is_rules, by_name);
    if (count < 0) {
        policy_complain(reading, 0, "cannot read it: %s", strerror(errno));
        return;
    }
    bool ours = check_owner(reading, directory);
    for (int i = 0; i < count; i++) {
        char whole[PATH_SPACE + 300];
        snprintf(whole, sizeof(whole), "%s/%s", path, entries[i]->d_name);
        if (ours)
            read_file(reading, directory, entries[i]->d_name, whole, true);
        free(entries[i]);
    }
    free(entries);
}

int policy_file_read(struct policy *policy, const char *path, bool must,
                     const struct policy_accounts *accounts, char first[POLICY_COMPLAINT_MOST]) {
    struct policy_reading reading = {.policy = policy, .accounts = accounts};
    char directory[PATH_SPACE];
    size_t size = strlen(path);
    size_t stem = size > 5 && strcmp(path + size - 5, ".conf") == 0 ? size - 5 : size;
    read_file(&reading, AT_FDCWD, path, path, must);
    if (snprintf(directory, sizeof(directory), "%.*s.d", (int)stem, path) < (int)sizeof(directory))
        read_directory(&reading, directory);
    return end(&reading, first);
}
