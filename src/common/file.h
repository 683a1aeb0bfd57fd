/* Small files, read and written whole; all relative to a directory descriptor (or AT_FDCWD). */
#pragma once

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/buffer.h"

/* Reads at most `space` - 1 bytes of the file and ends them with a NUL, a final newline removed.
 * Returns the number of bytes before the NUL, or -errno. */
ssize_t file_read(int directory, const char *path, char *text, size_t space);

/* Reads the whole file, at most `most` bytes, to the end of `out`. 0, -EFBIG past the bound, or
 * -errno; on failure `out` holds what it held. */
int file_read_all(int directory, const char *path, size_t most, struct buffer *out);

/* Writes `text` with a single write(2), as the files of cgroupfs and procfs demand. 0 or -errno. */
int file_write(int directory, const char *path, const char *text);

/* Replaces the file by `size` bytes such that a reader sees the old content or the new one, never
 * a part: written under the name PATH.new, then renamed (rename(2)). 0 or -errno. */
int file_replace(int directory, const char *path, const void *bytes, size_t size, mode_t mode);

/* Lists the directory anew: to be read with readdir(3) and closed with closedir(3), which leaves
 * `directory` open. NULL with errno set. */
DIR *file_list(int directory);

/* Whether an entry of a directory is "." or "..". */
static inline bool file_is_dots(const char *name) {
    return name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'));
}

/* Writes all `size` bytes to `fd`, however many write(2) calls that takes. 0 or -errno. */
int file_write_all(int fd, const void *bytes, size_t size);

/* Takes over a socket of `type` that came through exec under that number, to be closed by the next
 * one (fcntl(2), FD_CLOEXEC). 0; -ENOTSOCK where something else or nothing has that number; -errno.
 */
int file_inherit_socket(int fd, int type);
