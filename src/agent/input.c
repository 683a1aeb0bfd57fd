#include "agent/input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/cleanup.h"

static int fill(int fd, struct holden_view data) {
    for (size_t at = 0; at < data.size;) {
        ssize_t n = write(fd, data.data + at, data.size - at);
        if (n < 0)
            return -errno;
        at += (size_t)n;
    }
    const int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
    return fcntl(fd, F_ADD_SEALS, seals) < 0 ? -errno : 0;
}

/* Opened a second time, since the first descriptor is one to be written to. */
int input_open(struct holden_view data, int *fd) {
    char path[48];
    _cleanup_close_ int made = memfd_create("data-fd", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (made < 0)
        return -errno;
    int r = fill(made, data);
    if (r < 0)
        return r;
    snprintf(path, sizeof(path), "/proc/self/fd/%d", made);
    r = open(path, O_RDONLY | O_CLOEXEC);
    if (r < 0)
        return -errno;
    *fd = r;
    return 0;
}
