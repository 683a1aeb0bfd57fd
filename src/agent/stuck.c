#include "agent/stuck.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/file.h"

enum { LIST_MOST = 4096, TASKS_MOST = 256 };

/* The state follows the last parenthesis: the name in front of it may hold any. */
static bool sleeps(long task) {
    char path[48], text[512];
    snprintf(path, sizeof(path), "/proc/%ld/stat", task);
    if (file_read(AT_FDCWD, path, text, sizeof(text)) < 0)
        return false;
    const char *name_end = strrchr(text, ')');
    return name_end && strncmp(name_end, ") D", 3) == 0;
}

static void describe(long task, char words[STUCK_WORDS]) {
    char path[48], where[64];
    snprintf(path, sizeof(path), "/proc/%ld/wchan", task);
    if (file_read(AT_FDCWD, path, where, sizeof(where)) <= 0 || strcmp(where, "0") == 0)
        strcpy(where, "the kernel");
    snprintf(words, STUCK_WORDS, "cannot be killed yet: task %ld is in uninterruptible sleep in %s",
             task, where);
}

void stuck_describe(int cgroup, char words[STUCK_WORDS]) {
    char list[LIST_MOST];
    *words = '\0';
    if (file_read(cgroup, "cgroup.threads", list, sizeof(list)) < 0)
        return;
    char *at = list;
    for (unsigned count = 0; *at && count < TASKS_MOST; count++) {
        long task = strtol(at, &at, 10);
        at += strspn(at, "\n");
        if (sleeps(task)) {
            describe(task, words);
            return;
        }
    }
}
