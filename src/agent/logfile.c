/* A write wakes the agent once, which looks a tenth of a second later: at once again while the log
 * outruns its bound, otherwise not before the next write. A head past LogMax= is punched out
 * (fallocate(2)), in whole pages: offsets stay true for whoever reads. */
#include "agent/logfile.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/machine.h"
#include "common/cleanup.h"

enum { LOOK_FIRST = 100000, LOOK_SOON = 5000, TAIL_LINES = 10 };

static int open_log(const struct process *process, int flags, int *fd) {
    char name[32];
    snprintf(name, sizeof(name), "%" PRIu64, process->id);
    int opened = openat(process->agent->store.logs, name, flags | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW,
                        0600);
    if (opened < 0)
        return -errno;
    *fd = opened;
    return 0;
}

int logfile_open(struct process *process, int *fd) {
    int r = open_log(process, O_WRONLY | O_APPEND | O_CREAT, fd);
    if (r == 0)
        process->has_log = true;
    return r;
}

int logfile_read(const struct process *process, int *fd) {
    return process->has_log ? open_log(process, O_RDONLY, fd) : -ENOENT;
}

void logfile_watch(struct process *process) {
    char path[4200];
    if (!process->has_log || process->log_watch >= 0)
        return;
    snprintf(path, sizeof(path), "%s/logs/%" PRIu64, process->agent->store.path, process->id);
    watch_add(&process->agent->watch, process, path, &process->log_watch);
}

static uint64_t log_max(const struct process *process) {
    struct holden_start start;
    struct holden_properties properties;
    process_request(process, &start, &properties);
    return HOLDEN_HAS(&properties, properties, log_max) ? properties.log_max
                                                        : process->agent->config.log_max;
}

/* Gives back the head past the bound. True where so much had come that it should be looked at
 * soon. */
static bool trim(const struct process *process, int fd) {
    struct stat status;
    uint64_t most = log_max(process);
    if (fstat(fd, &status) < 0 || (uint64_t)status.st_size <= most)
        return false;
    uint64_t head = (uint64_t)status.st_size - most;
    head -= head % machine_page();
    if (head > 0)
        fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, (off_t)head);
    return (uint64_t)status.st_blocks * 512 > 2 * most;
}

static void look_in(struct process *process, uint64_t microseconds);

static int on_look(sd_event_source *source, uint64_t now, void *data) {
    (void)now;
    struct process *process = data;
    sd_event_source_unref(source);
    process->log_look = NULL;
    _cleanup_close_ int fd = -1;
    if (open_log(process, O_RDWR, &fd) == 0 && trim(process, fd))
        look_in(process, LOOK_SOON);
    else if (process_alive(process))
        logfile_watch(process);
    return 0;
}

static void look_in(struct process *process, uint64_t microseconds) {
    sd_event_add_time_relative(process->agent->event, &process->log_look, CLOCK_MONOTONIC,
                               microseconds, microseconds / 4, on_look, process);
}

void logfile_written(struct process *process) {
    watch_remove(&process->agent->watch, &process->log_watch);
    if (!process->log_look)
        look_in(process, LOOK_FIRST);
}

void logfile_tail(const struct process *process, size_t most, struct buffer *out) {
    _cleanup_close_ int fd = -1;
    struct stat status;
    uint8_t *room;
    if (logfile_read(process, &fd) < 0 || fstat(fd, &status) < 0 ||
        buffer_reserve(out, most, &room) < 0)
        return;
    off_t from = status.st_size > (off_t)most ? status.st_size - (off_t)most : 0;
    off_t data = lseek(fd, from, SEEK_DATA);
    ssize_t size = data < 0 ? 0 : pread(fd, room, most, data);
    if (size <= 0)
        return;
    /* From the beginning of the tenth line from the end. */
    ssize_t start = size;
    for (unsigned lines = 0; start > 0; start--)
        if (room[start - 1] == '\n' && start < size && ++lines == TAIL_LINES)
            break;
    memmove(room, room + start, (size_t)(size - start));
    buffer_added(out, (size_t)(size - start));
}
