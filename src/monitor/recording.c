#include "monitor/recording.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/cleanup.h"

enum { HEADER_MOST = 1 << 16 };

void recording_close(struct recording *recording) {
    cleanup_close(&recording->fd);
    recording->fd = -1;
    buffer_free(&recording->body);
}

__attribute__((format(printf, 3, 4))) static int refuse(char why[RECORDING_WHY], int error,
                                                        const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(why, RECORDING_WHY, format, arguments);
    va_end(arguments);
    return error;
}

/* 0; -ENODATA where the file ends before; -errno. */
static int read_exactly(int fd, void *bytes, size_t size, off_t at) {
    for (size_t done = 0; done < size;) {
        ssize_t r = pread(fd, (char *)bytes + done, size - done, at + (off_t)done);
        if (r == 0)
            return -ENODATA;
        if (r < 0 && errno != EINTR)
            return -errno;
        done += r > 0 ? (size_t)r : 0;
    }
    return 0;
}

static int take_header(struct recording *recording, const uint8_t *bytes, size_t size) {
    if (size < 12)
        return -EBADMSG;
    recording->interval = holden_get64(bytes);
    recording->count = holden_get32(bytes + 8);
    if (recording->count == 0 || recording->count > FLEET_MOST)
        return -EBADMSG;
    size_t at = 12;
    for (size_t i = 0; i < recording->count; i++) {
        uint32_t length = at + 4 <= size ? holden_get32(bytes + at) : UINT32_MAX;
        at += 4;
        if (length >= RECORDING_PATH || length > size - at)
            return -EBADMSG;
        memcpy(recording->paths[i], bytes + at, length);
        recording->paths[i][length] = '\0';
        at += length;
    }
    return 0;
}

static int read_header(struct recording *recording, const char *path, char why[RECORDING_WHY]) {
    uint8_t fixed[RECORDING_HEADER];
    uint8_t bytes[HEADER_MOST];
    int r = read_exactly(recording->fd, fixed, sizeof(fixed), 0);
    if (r < 0 && r != -ENODATA)
        return refuse(why, r, "cannot read %s: %s", path, strerror(-r));
    if (r < 0 || memcmp(fixed, RECORDING_MAGIC, 8) != 0)
        return refuse(why, -EBADMSG, "%s is no recording of the monitor (--record makes one)",
                      path);
    uint32_t version = holden_get32(fixed + 8);
    uint32_t size = holden_get32(fixed + 12);
    if (version != RECORDING_VERSION)
        return refuse(why, -EPROTONOSUPPORT,
                      "%s was written by another version of the monitor: its format is %" PRIu32
                      ", this one reads %d", path, version, RECORDING_VERSION);
    r = size > HEADER_MOST ? -EBADMSG
                           : read_exactly(recording->fd, bytes, size, RECORDING_HEADER);
    if (r == 0)
        r = take_header(recording, bytes, size);
    if (r < 0)
        return refuse(why, r, "%s is cut or damaged in its header", path);
    recording->begin = recording->at = RECORDING_HEADER + (off_t)size;
    return 0;
}

/* The fixed part of the entry at `at`. 0; -ENODATA where the file ends before its body does;
 * -EBADMSG. */
static int read_entry(const struct recording *recording, off_t at, off_t file_size,
                      struct recording_entry *entry) {
    uint8_t bytes[RECORDING_ENTRY];
    int r = read_exactly(recording->fd, bytes, sizeof(bytes), at);
    if (r < 0)
        return r;
    *entry = (struct recording_entry){.tiding = holden_get16(bytes + 4),
                                      .agent = holden_get16(bytes + 6),
                                      .time = holden_get64(bytes + 8),
                                      .body = {NULL, holden_get32(bytes)}};
    if (entry->body.size > RECORDING_BODY)
        return -EBADMSG;
    return at + RECORDING_ENTRY + (off_t)entry->body.size > file_size ? -ENODATA : 0;
}

/* Where whole entries end, and what is in them. */
static int look_through(struct recording *recording) {
    struct stat status;
    struct recording_entry entry;
    off_t at = recording->begin;
    int r;
    if (fstat(recording->fd, &status) < 0)
        return -errno;
    while ((r = read_entry(recording, at, status.st_size, &entry)) == 0) {
        if (entry.tiding == RECORDING_END)
            break;
        at += RECORDING_ENTRY + (off_t)entry.body.size;
        recording->last = entry.time;
        if (entry.tiding == TIDING_END && recording->samples++ == 0)
            recording->first = entry.time;
    }
    recording->cut = r != 0;
    recording->end = at;
    return 0;
}

int recording_open(struct recording *recording, const char *path, char why[RECORDING_WHY]) {
    _cleanup_(recording_close) struct recording opened = {.fd = -1};
    opened.fd = open(path, O_RDONLY | O_CLOEXEC);
    if (opened.fd < 0)
        return refuse(why, -errno, "cannot open the recording %s: %s", path, strerror(errno));
    int r = read_header(&opened, path, why);
    if (r < 0)
        return r;
    r = look_through(&opened);
    if (r < 0)
        return refuse(why, r, "cannot read %s: %s", path, strerror(-r));
    if (opened.samples == 0)
        return refuse(why, -ENODATA, "%s has no whole sample%s", path,
                      opened.cut ? ": it is cut or damaged" : "");
    *recording = opened;
    opened = (struct recording){.fd = -1};
    return 0;
}

int recording_next(struct recording *recording, struct recording_entry *entry) {
    uint8_t *room;
    if (recording->at >= recording->end)
        return -ENODATA;
    int r = read_entry(recording, recording->at, recording->end, entry);
    if (r < 0)
        return r;
    recording->body.size = recording->body.start = 0;
    r = buffer_reserve(&recording->body, entry->body.size, &room);
    if (r == 0)
        r = read_exactly(recording->fd, room, entry->body.size, recording->at + RECORDING_ENTRY);
    if (r < 0)
        return r;
    buffer_added(&recording->body, entry->body.size);
    entry->body.data = (const char *)buffer_bytes(&recording->body);
    recording->at += RECORDING_ENTRY + (off_t)entry->body.size;
    return 0;
}

uint64_t recording_due(const struct recording *recording) {
    struct recording_entry entry;
    if (recording->at >= recording->end ||
        read_entry(recording, recording->at, recording->end, &entry) < 0)
        return UINT64_MAX;
    return entry.time;
}

void recording_rewind(struct recording *recording) {
    recording->at = recording->begin;
}
