#include "controller/log_reader.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"

enum { BLOCK = 65536, PART_MOST = 4096 };

/* Where the next byte is, past a hole; the file's end where there is none. The end is looked at
 * first: what is written between two looks is not behind a hole. */
static off_t next_data(const struct log_reader *reader, off_t from) {
    off_t end = lseek(reader->fd, 0, SEEK_END);
    off_t found = end > from ? lseek(reader->fd, from, SEEK_DATA) : from;
    return found >= 0 ? found : errno == ENXIO ? end : from;
}

/* A hole ends anywhere, so the first line behind it is likely to be a part of one. */
int log_reader_start(struct log_reader *reader) {
    char bytes[PART_MOST];
    reader->at = next_data(reader, 0);
    if (reader->at == 0)
        return 0;
    ssize_t size = pread(reader->fd, bytes, sizeof(bytes), reader->at);
    const char *end = size > 0 ? memchr(bytes, '\n', (size_t)size) : NULL;
    if (end)
        reader->at += end - bytes + 1;
    return size < 0 ? -errno : 0;
}

/* Back from the end, block by block, counting the ends of lines. */
int log_reader_last(struct log_reader *reader, uint64_t lines) {
    char bytes[BLOCK];
    off_t start = reader->at;
    off_t end = lseek(reader->fd, 0, SEEK_END);
    if (end < 0)
        return -errno;
    off_t at = end;
    if (lines == 0)
        reader->at = end;
    while (lines > 0 && at > start) {
        off_t from = at - start > (off_t)sizeof(bytes) ? at - (off_t)sizeof(bytes) : start;
        ssize_t size = pread(reader->fd, bytes, (size_t)(at - from), from);
        if (size < 0)
            return -errno;
        for (ssize_t i = size; i > 0; i--)
            if (bytes[i - 1] == '\n' && from + i < end && lines-- <= 1) {
                reader->at = from + i;
                return 0;
            }
        at = from;
    }
    return 0;
}

/* Goes past what has been given back since. The process can also make its log shorter: what is
 * there then is new. */
static int catch_up(struct log_reader *reader) {
    off_t end = lseek(reader->fd, 0, SEEK_END);
    if (end < 0)
        return -errno;
    if (end < reader->at)
        reader->at = 0;
    off_t found = next_data(reader, reader->at);
    if (found <= reader->at)
        return 0;
    off_t missed = found - reader->at;
    reader->at = found;
    return printer_missed(reader->printer, reader->name, (uint64_t)missed);
}

/* A head goes from its beginning on, and a hole reads as zeros: while there is data at the place
 * where reading began, what was read behind it is what had been written. */
int log_reader_print(struct log_reader *reader) {
    char bytes[BLOCK];
    for (;;) {
        int r = catch_up(reader);
        if (r < 0)
            return r;
        ssize_t size = pread(reader->fd, bytes, sizeof(bytes), reader->at);
        if (size <= 0)
            return size < 0 ? -errno : 0;
        if (next_data(reader, reader->at) != reader->at)
            continue;
        reader->at += size;
        r = printer_bytes(reader->printer, bytes, (size_t)size);
        if (r < 0)
            return r;
    }
}

void log_reader_close(struct log_reader *reader) {
    cleanup_close(&reader->fd);
    reader->fd = -1;
}
