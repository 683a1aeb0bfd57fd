#include "agent/task.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"

/* From the kernel's include/linux/sched.h: forked, but did not exec. */
static const unsigned long fork_no_exec = 0x40;

/* Fields between the command's closing parenthesis and the one that is meant. */
enum { PARENT = 2, FLAGS = 7, START_TIME = 20 };

static int read_field(pid_t pid, unsigned field, uint64_t *value) {
    char path[32], text[1024];
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    ssize_t size = file_read(AT_FDCWD, path, text, sizeof(text));
    if (size < 0)
        return (int)size;
    /* The command may hold anything, parentheses too. */
    const char *at = strrchr(text, ')');
    for (unsigned i = 0; at && i < field; i++)
        at = strchr(at + 1, ' ');
    char *end = NULL;
    uint64_t number = at ? strtoull(at + 1, &end, 10) : 0;
    if (!end || *end != ' ')
        return -EINVAL;
    *value = number;
    return 0;
}

int task_executed(pid_t pid, bool *executed) {
    uint64_t flags;
    int r = read_field(pid, FLAGS, &flags);
    if (r == 0)
        *executed = !(flags & fork_no_exec);
    return r;
}

int task_parent(pid_t pid, pid_t *parent) {
    uint64_t number;
    int r = read_field(pid, PARENT, &number);
    if (r == 0)
        *parent = (pid_t)number;
    return r;
}

int task_born(pid_t pid, uint64_t *born) {
    uint64_t ticks;
    int r = read_field(pid, START_TIME, &ticks);
    if (r == 0)
        *born = ticks * (1000000 / (uint64_t)sysconf(_SC_CLK_TCK));
    return r;
}
