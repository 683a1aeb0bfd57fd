#include "agent/task.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/file.h"

/* From the kernel's include/linux/sched.h: forked, but did not exec. */
static const unsigned long fork_no_exec = 0x40;

enum { FLAGS = 7 }; /* fields between the command's closing parenthesis and the flags */

int task_executed(pid_t pid, bool *executed) {
    char path[32], text[1024];
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    ssize_t size = file_read(AT_FDCWD, path, text, sizeof(text));
    if (size < 0)
        return (int)size;
    /* The command may hold anything, parentheses too. */
    const char *at = strrchr(text, ')');
    for (unsigned field = 0; at && field < FLAGS; field++)
        at = strchr(at + 1, ' ');
    char *end = NULL;
    unsigned long flags = at ? strtoul(at + 1, &end, 10) : 0;
    if (!end || *end != ' ')
        return -EINVAL;
    *executed = !(flags & fork_no_exec);
    return 0;
}
