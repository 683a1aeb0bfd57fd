#include "common/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/cleanup.h"

ssize_t file_read(int directory, const char *path, char *text, size_t space) {
    _cleanup_close_ int fd = openat(directory, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    ssize_t size = read(fd, text, space - 1);
    if (size < 0)
        return -errno;
    while (size > 0 && text[size - 1] == '\n')
        size--;
    text[size] = '\0';
    return size;
}

int file_read_all(int directory, const char *path, size_t most, struct buffer *out) {
    _cleanup_close_ int fd = openat(directory, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    size_t before = out->size;
    for (;;) {
        uint8_t *room;
        int r = buffer_reserve(out, 4096, &room);
        ssize_t size = r < 0 ? r : read(fd, room, 4096);
        if (size < 0) {
            out->size = before;
            return r < 0 ? r : -errno;
        }
        if (size == 0)
            return 0;
        buffer_added(out, (size_t)size);
        if (out->size - before > most) {
            out->size = before;
            return -EFBIG;
        }
    }
}

DIR *file_list(int directory) {
    _cleanup_close_ int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *entries = fd < 0 ? NULL : fdopendir(fd);
    if (entries)
        TAKE_FD(fd);
    return entries;
}

int file_write(int directory, const char *path, const char *text) {
    _cleanup_close_ int fd = openat(directory, path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    return write(fd, text, strlen(text)) < 0 ? -errno : 0;
}

int file_write_all(int fd, const void *bytes, size_t size) {
    const uint8_t *at = bytes;
    while (size > 0) {
        ssize_t written = write(fd, at, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return -errno;
        at += written;
        size -= (size_t)written;
    }
    return 0;
}

int file_replace(int directory, const char *path, const void *bytes, size_t size, mode_t mode) {
    char fresh[256];
    int length = snprintf(fresh, sizeof(fresh), "%s.new", path);
    if (length < 0 || (size_t)length >= sizeof(fresh))
        return -ENAMETOOLONG;
    _cleanup_close_ int fd = openat(directory, fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
                                    mode);
    if (fd < 0)
        return -errno;
    int r = file_write_all(fd, bytes, size);
    if (r == 0 && renameat(directory, fresh, directory, path) < 0)
        r = -errno;
    if (r < 0)
        unlinkat(directory, fresh, 0);
    return r;
}

int file_inherit_socket(int fd, int type) {
    int found;
    socklen_t size = sizeof(found);
    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &found, &size) < 0)
        return errno == EBADF ? -ENOTSOCK : -errno;
    if (found != type)
        return -ENOTSOCK;
    return fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 ? -errno : 0;
}
