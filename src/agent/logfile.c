/* A write wakes the agent once, which looks at the size a little later: soon after the first write
 * and while the log grows fast, less and less often while it grows slowly. A head past LogMax= is
 * punched out (fallocate(2)) by a worker (trimmer.h), in whole pages: offsets stay true for whoever
 * reads. Nothing here waits for the lock of a file, which its writer holds while it writes. */
#include "agent/logfile.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/machine.h"
#include "common/cleanup.h"
#include "common/log.h"

/* Microseconds, but for the last. */
enum { LOOK_FIRST = 5000, LOOK_SOON = 2000, LOOK_LAST = 100000, LOOK_UNWATCHED = 1000000,
       TAIL_LINES = 10 };

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

static uint64_t log_max(const struct process *process) {
    struct holden_start start;
    struct holden_properties properties;
    process_request(process, &start, &properties);
    return HOLDEN_HAS(&properties, properties, log_max) ? properties.log_max
                                                        : process->agent->config.log_max;
}

int logfile_check(struct agent *agent, uint64_t most) {
    return most == UINT64_MAX || trimmer_able(&agent->trimmer) ? 0 : -EOPNOTSUPP;
}

int logfile_open(struct process *process, int *fd) {
    int r = logfile_check(process->agent, log_max(process));
    if (r == 0)
        r = open_log(process, O_WRONLY | O_APPEND | O_CREAT, fd);
    if (r == 0)
        process->has_log = true;
    return r;
}

int logfile_read(const struct process *process, int *fd) {
    return process->has_log ? open_log(process, O_RDONLY, fd) : -ENOENT;
}

static void look_in(struct process *process, uint64_t microseconds);

/* Whether more has come than was there when it was last looked at. */
static bool has_grown(const struct process *process) {
    struct stat status;
    char name[24];
    snprintf(name, sizeof(name), "%" PRIu64, process->id);
    return fstatat(process->agent->store.logs, name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
           (uint64_t)status.st_size > process->log_seen;
}

void logfile_ended(struct process *process) {
    if (process->has_log && !process->log_look && !process->log_job && has_grown(process))
        look_in(process, LOOK_FIRST);
}

void logfile_watch(struct process *process) {
    char path[4200];
    if (!process->has_log || process->log_watch >= 0)
        return;
    snprintf(path, sizeof(path), "%s/logs/%" PRIu64, process->agent->store.path, process->id);
    int r = watch_add(&process->agent->watch, process, path, true, &process->log_watch);
    /* What was written before the watch was there, it does not tell of. */
    if (r == 0 && has_grown(process))
        logfile_written(process);
    /* Without a watch (there are only so many: inotify(7)) it is looked at now and again. */
    if (r < 0 && r != -ENOENT && !process->log_look)
        look_in(process, LOOK_UNWATCHED);
}

/* How soon to look again, from how much has come since the last time. */
static void set_pace(struct process *process, uint64_t size, uint64_t most) {
    uint64_t grown = size > process->log_seen ? size - process->log_seen : 0;
    process->log_seen = size;
    if (grown > most / 4)
        process->log_pace = LOOK_SOON;
    else if (process->log_pace < LOOK_LAST)
        process->log_pace *= 2;
}

/* How much of its head it should have given back. The process can make its log shorter. */
static uint64_t head_to_give(struct process *process, int fd) {
    struct stat status;
    uint64_t most = log_max(process);
    if (fstat(fd, &status) < 0)
        return 0;
    uint64_t size = (uint64_t)status.st_size;
    set_pace(process, size, most);
    if (size < process->log_given)
        process->log_given = 0;
    return size > most ? (size - most) - (size - most) % machine_page() : 0;
}

static void complain(struct process *process, int error) {
    if (!process->log_failed)
        log_warning("the log of %s is not kept within LogMax=: %s", process->name,
                    strerror(-error));
    process->log_failed = true;
}

/* What grows fast is looked at again without waiting for a write. */
static void rest(struct process *process) {
    if (process->log_pace == LOOK_SOON)
        look_in(process, LOOK_SOON);
    else if (process_alive(process))
        logfile_watch(process);
    else
        logfile_ended(process);
}

static int on_look(sd_event_source *source, uint64_t now, void *data) {
    (void)now;
    struct process *process = data;
    sd_event_source_unref(source);
    process->log_look = NULL;
    if (process->log_job)
        return 0;
    _cleanup_close_ int fd = -1;
    int r = open_log(process, O_RDWR, &fd);
    if (r == -ENOENT)
        return 0;
    uint64_t head = r < 0 ? 0 : head_to_give(process, fd);
    if (head > process->log_given) {
        r = trimmer_ask(&process->agent->trimmer, process, TAKE_FD(fd), head);
        if (r == 0)
            return 0;
    }
    if (r < 0)
        complain(process, r);
    rest(process);
    return 0;
}

void logfile_trimmed(struct process *process, uint64_t size, int result) {
    if (result < 0)
        complain(process, result);
    else
        process->log_given = size;
    if (!process->log_look)
        rest(process);
}

static void look_in(struct process *process, uint64_t microseconds) {
    sd_event_add_time_relative(process->agent->event, &process->log_look, CLOCK_MONOTONIC,
                               microseconds, microseconds / 4, on_look, process);
}

void logfile_written(struct process *process) {
    watch_remove(&process->agent->watch, &process->log_watch);
    if (process->log_pace == 0)
        process->log_pace = LOOK_FIRST;
    if (process->has_log && !process->log_look && !process->log_job)
        look_in(process, process->log_pace);
}

/* Neither waits for the file's lock, as some file systems do where reading is asked for in the
 * ordinary way, nor for the disk. */
static ssize_t read_now(int fd, void *bytes, size_t size, off_t at) {
    struct iovec part = {bytes, size};
    ssize_t got = preadv2(fd, &part, 1, at, RWF_NOWAIT);
    return got < 0 && errno == EOPNOTSUPP ? pread(fd, bytes, size, at) : got;
}

void logfile_tail(const struct process *process, size_t most, struct buffer *out) {
    _cleanup_close_ int fd = -1;
    struct stat status;
    uint8_t *room;
    if (logfile_read(process, &fd) < 0 || fstat(fd, &status) < 0 ||
        buffer_reserve(out, most, &room) < 0)
        return;
    off_t from = status.st_size > (off_t)most ? status.st_size - (off_t)most : 0;
    ssize_t size = read_now(fd, room, most, from);
    /* What has been given back reads as zeros. */
    ssize_t start = 0;
    while (from > 0 && start < size && room[start] == 0)
        start++;
    if (size <= start)
        return;
    /* From the beginning of the tenth line from the end. */
    ssize_t first = size;
    for (unsigned lines = 0; first > start; first--)
        if (room[first - 1] == '\n' && first < size && ++lines == TAIL_LINES)
            break;
    memmove(room, room + first, (size_t)(size - first));
    buffer_added(out, (size_t)(size - first));
}
