#include "agent/watch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/finish.h"
#include "agent/logfile.h"
#include "common/buffer.h"
#include "common/cleanup.h"

/* Which process a watch number belongs to. The kernel counts the numbers up without end, so they
 * are hashed, not an index. */
struct watched {
    LIST_ENTRY(watched) entry;
    int number;
    struct process *process;
};

static struct watched *find(struct watch *watch, int number) {
    struct watched *watched;
    LIST_FOREACH(watched, &watch->buckets[number % WATCH_BUCKETS], entry)
        if (watched->number == number)
            return watched;
    return NULL;
}

static void handle(struct watch *watch, int number) {
    struct watched *watched = number < 0 ? NULL : find(watch, number);
    if (!watched)
        return;
    struct process *process = watched->process;
    if (number == process->cgroup_watch)
        finish_if_empty(process);
    else if (number == process->log_watch)
        logfile_written(process);
}

/* The kernel had no room for some events, which could be anybody's. */
static void handle_all(struct watch *watch) {
    _cleanup_(buffer_free) struct buffer numbers = {0};
    const struct watched *watched;
    for (size_t i = 0; i < WATCH_BUCKETS; i++)
        LIST_FOREACH(watched, &watch->buckets[i], entry)
            if (buffer_append(&numbers, &watched->number, sizeof(watched->number)) < 0)
                return;
    for (size_t at = 0; at < numbers.size; at += sizeof(int)) {
        int number;
        memcpy(&number, buffer_bytes(&numbers) + at, sizeof(number));
        handle(watch, number);
    }
}

static int on_inotify(sd_event_source *source, int fd, uint32_t events, void *data) {
    (void)source;
    (void)events;
    union {
        struct inotify_event align;
        char bytes[8192];
    } buffer;
    ssize_t size = read(fd, buffer.bytes, sizeof(buffer.bytes));
    for (ssize_t at = 0; at + (ssize_t)sizeof(struct inotify_event) <= size;) {
        struct inotify_event event;
        memcpy(&event, buffer.bytes + at, sizeof(event));
        at += (ssize_t)sizeof(event) + event.len;
        if (event.mask & IN_Q_OVERFLOW)
            handle_all(data);
        else if (!(event.mask & IN_IGNORED))
            handle(data, event.wd);
    }
    return 0;
}

int watch_open(struct watch *watch, struct agent *agent) {
    *watch = (struct watch){.agent = agent, .fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK)};
    if (watch->fd < 0)
        return -errno;
    return sd_event_add_io(agent->event, &watch->io, watch->fd, EPOLLIN, on_inotify, watch);
}

void watch_close(struct watch *watch) {
    for (size_t i = 0; i < WATCH_BUCKETS; i++)
        while (!LIST_EMPTY(&watch->buckets[i])) {
            struct watched *watched = LIST_FIRST(&watch->buckets[i]);
            LIST_REMOVE(watched, entry);
            free(watched);
        }
    watch->io = sd_event_source_disable_unref(watch->io);
    if (watch->fd >= 0)
        close(watch->fd);
    watch->fd = -1;
}

int watch_add(struct watch *watch, struct process *process, const char *path, bool once,
              int *number) {
    struct watched *watched = malloc(sizeof(*watched));
    if (!watched)
        return -ENOMEM;
    int wd = inotify_add_watch(watch->fd, path, IN_MODIFY | (once ? IN_ONESHOT : 0));
    if (wd < 0) {
        free(watched);
        return -errno;
    }
    *watched = (struct watched){.number = wd, .process = process};
    LIST_INSERT_HEAD(&watch->buckets[wd % WATCH_BUCKETS], watched, entry);
    *number = wd;
    return 0;
}

void watch_remove(struct watch *watch, int *number) {
    struct watched *watched = *number < 0 ? NULL : find(watch, *number);
    if (!watched)
        return;
    inotify_rm_watch(watch->fd, *number);
    LIST_REMOVE(watched, entry);
    free(watched);
    *number = -1;
}
