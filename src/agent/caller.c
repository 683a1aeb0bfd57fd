#include "agent/caller.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "agent/task.h"
#include "common/cleanup.h"

int caller_open(pid_t pid, uint64_t connected, int *fd) {
    char path[32];
    uint64_t born;
    if (pid <= 0)
        return -ESRCH;
    snprintf(path, sizeof(path), "/proc/%d", (int)pid);
    _cleanup_close_ int opened = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (opened < 0)
        return errno == ENOENT ? -ESRCH : -errno;
    /* Who has the pid now, and was born before the connection, is who connected: if it is gone by
     * now and this is a third one, then nothing more is read by way of the directory. */
    int r = task_born(pid, &born);
    if (r < 0 || born > connected)
        return r < 0 ? r : -ESRCH;
    *fd = TAKE_FD(opened);
    return 0;
}

size_t caller_program(int fd, char *path, size_t space) {
    ssize_t size = fd < 0 ? 0 : readlinkat(fd, "exe", path, space);
    return size < 0 || (size_t)size >= space ? 0 : (size_t)size;
}
