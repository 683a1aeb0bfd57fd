#include "monitor/recorder.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "monitor/recording.h"

/* More is not kept back, even where no sample is whole. */
enum { HELD_MOST = 1 << 20 };

static int put_entry(struct buffer *out, uint16_t tiding, unsigned agent, struct holden_view body,
                     uint64_t time) {
    uint8_t fixed[RECORDING_ENTRY];
    holden_put32(fixed, (uint32_t)body.size);
    holden_put16(fixed + 4, tiding);
    holden_put16(fixed + 6, (uint16_t)agent);
    holden_put64(fixed + 8, time);
    int r = buffer_append(out, fixed, sizeof(fixed));
    return r < 0 ? r : buffer_append(out, body.data, body.size);
}

static void write_out(struct recorder *recorder) {
    if (recorder->error == 0)
        recorder->error = file_write_all(recorder->fd, buffer_bytes(&recorder->out),
                                         recorder->out.size);
    buffer_consume(&recorder->out, recorder->out.size);
}

static void take(void *context, unsigned agent, enum tiding tiding, struct holden_view body,
                 uint64_t time) {
    struct recorder *recorder = context;
    if (recorder->fd < 0 || recorder->error < 0 || body.size > RECORDING_BODY)
        return;
    recorder->time = time;
    int r = put_entry(&recorder->out, (uint16_t)tiding, agent, body, time);
    if (r < 0)
        recorder->error = r;
    if (tiding == TIDING_END || recorder->out.size > HELD_MOST)
        write_out(recorder);
}

static int put_header(struct buffer *out, uint64_t interval, const struct fleet *fleet) {
    uint8_t number[8];
    size_t size = 12;
    for (size_t i = 0; i < fleet->count; i++)
        size += 4 + strlen(fleet->feeds[i].path);
    int r = buffer_append(out, RECORDING_MAGIC, 8);
    holden_put32(number, RECORDING_VERSION);
    holden_put32(number + 4, (uint32_t)size);
    if (r == 0)
        r = buffer_append(out, number, 8);
    holden_put64(number, interval);
    if (r == 0)
        r = buffer_append(out, number, 8);
    holden_put32(number, (uint32_t)fleet->count);
    if (r == 0)
        r = buffer_append(out, number, 4);
    for (size_t i = 0; r == 0 && i < fleet->count; i++) {
        holden_put32(number, (uint32_t)strlen(fleet->feeds[i].path));
        r = buffer_append(out, number, 4);
        if (r == 0)
            r = buffer_append(out, fleet->feeds[i].path, strlen(fleet->feeds[i].path));
    }
    return r;
}

int recorder_open(struct recorder *recorder, const char *path, uint64_t interval,
                  struct fleet *fleet) {
    *recorder = (struct recorder){.path = path, .fd = -1};
    for (size_t i = 0; i < fleet->count; i++)
        if (strlen(fleet->feeds[i].path) >= RECORDING_PATH)
            return -ENAMETOOLONG;
    int r = put_header(&recorder->out, interval, fleet);
    if (r == 0)
        recorder->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (r == 0 && recorder->fd < 0)
        r = -errno;
    if (r < 0) {
        buffer_free(&recorder->out);
        return r;
    }
    fleet->tap = (struct tap){take, recorder};
    return 0;
}

int recorder_close(struct recorder *recorder) {
    if (recorder->fd < 0)
        return 0;
    if (put_entry(&recorder->out, RECORDING_END, 0, holden_view(""), recorder->time) < 0 &&
        recorder->error == 0)
        recorder->error = -ENOMEM;
    write_out(recorder);
    if (close(recorder->fd) < 0 && recorder->error == 0)
        recorder->error = -errno;
    recorder->fd = -1;
    buffer_free(&recorder->out);
    return recorder->error;
}
