/* What of the agent under test can be seen from outside. */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "subject.h"

enum { LINES = 512 };

struct lines {
    size_t count;
    char text[LINES][160];
};

static char *next(struct lines *lines) {
    return lines->text[lines->count < LINES - 1 ? lines->count++ : LINES - 1];
}

/* Numbers of sockets and pipes differ from one to the next. The loop makes its timers when it first
 * needs them. */
static void look_at_descriptors(struct lines *lines, const char *who, pid_t pid) {
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
    DIR *entries = opendir(path);
    for (struct dirent *entry; entries && (entry = readdir(entries));) {
        char link[100];
        ssize_t size = readlinkat(dirfd(entries), entry->d_name, link, sizeof(link) - 1);
        if (size < 0)
            continue;
        link[size] = '\0';
        if (strstr(link, "timerfd"))
            continue;
        char *number = strchr(link, '[');
        if (number && isdigit((unsigned char)number[1]))
            *number = '\0';
        snprintf(next(lines), 160, "%s has open: %s", who, link);
    }
    if (entries)
        closedir(entries);
}

/* The ids' reservation is made at the first start. */
static void look_in_directory(struct lines *lines, const char *what, const char *path,
                              bool cgroups) {
    DIR *entries = opendir(path);
    for (struct dirent *entry; entries && (entry = readdir(entries));)
        if (entry->d_name[0] != '.' && strcmp(entry->d_name, "next-id") != 0 &&
            (!cgroups || (entry->d_type == DT_DIR && isdigit((unsigned char)entry->d_name[0]))))
            snprintf(next(lines), 160, "%s: %.100s", what, entry->d_name);
    if (entries)
        closedir(entries);
}

static void look_at_process(struct lines *lines, const struct subject *subject, const char *pid) {
    char path[300], text[512], name[64], state;
    int parent;
    snprintf(path, sizeof(path), "/proc/%s/stat", pid);
    if (file_read(AT_FDCWD, path, text, sizeof(text)) < 0 ||
        sscanf(text, "%*d (%63[^)]) %c %d", name, &state, &parent) != 3)
        return;
    if (parent == subject->keeper && atoi(pid) != subject->core)
        snprintf(next(lines), 160, "child of the keeper: %s, %c", name, state);
    else if (parent == subject->core)
        snprintf(next(lines), 160, "child of the agent: %s, %c", name, state);
}

static bool look_at_children_of(struct lines *lines, const struct subject *subject, pid_t pid) {
    char path[64], text[1024];
    snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)pid);
    if (file_read(AT_FDCWD, path, text, sizeof(text)) < 0)
        return false;
    char *rest = text;
    for (char *word; (word = strsep(&rest, " "));)
        if (*word)
            look_at_process(lines, subject, word);
    return true;
}

/* Not every kernel lists children. */
static void look_at_children(struct lines *lines, const struct subject *subject) {
    if (look_at_children_of(lines, subject, subject->keeper)) {
        look_at_children_of(lines, subject, subject->core);
        return;
    }
    DIR *entries = opendir("/proc");
    for (struct dirent *entry; entries && (entry = readdir(entries));)
        if (isdigit((unsigned char)entry->d_name[0]))
            look_at_process(lines, subject, entry->d_name);
    if (entries)
        closedir(entries);
}

static int in_order(const void *a, const void *b) {
    return strcmp(a, b);
}

void subject_look(const struct subject *subject, struct buffer *out) {
    static struct lines lines;
    char path[160];
    lines.count = 0;
    look_at_descriptors(&lines, "keeper", subject->keeper);
    look_at_descriptors(&lines, "agent", subject->core);
    look_in_directory(&lines, "cgroup", subject->cgroup, true);
    look_in_directory(&lines, "state", subject->state, false);
    snprintf(path, sizeof(path), "%s/records", subject->state);
    look_in_directory(&lines, "record", path, false);
    snprintf(path, sizeof(path), "%s/logs", subject->state);
    look_in_directory(&lines, "log", path, false);
    snprintf(path, sizeof(path), "%s/refused", subject->state);
    look_in_directory(&lines, "refused", path, false);
    look_at_children(&lines, subject);
    qsort(lines.text, lines.count, sizeof(lines.text[0]), in_order);
    for (size_t i = 0; i < lines.count; i++)
        buffer_printf(out, "%s\n", lines.text[i]);
}

static size_t memory_of(pid_t pid) {
    char path[64], text[4096];
    snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    if (file_read(AT_FDCWD, path, text, sizeof(text)) < 0)
        return 0;
    const char *line = strstr(text, "\nRssAnon:");
    return line ? strtoul(line + strlen("\nRssAnon:"), NULL, 10) * 1024 : 0;
}

size_t subject_memory(const struct subject *subject) {
    return memory_of(subject->keeper) + memory_of(subject->core);
}
