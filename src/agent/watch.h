/* One inotify for everything that is waited for in files: cgroups that become empty, logs that
 * grow. */
#pragma once

#include <stdbool.h>
#include <sys/queue.h>
#include <systemd/sd-event.h>

struct agent;
struct process;
struct watched;

enum { WATCH_BUCKETS = 1024 };

struct watch {
    int fd;
    sd_event_source *io;
    struct agent *agent;
    LIST_HEAD(, watched) buckets[WATCH_BUCKETS]; /* by watch number */
};

/* Makes the inotify instance. 0 or -errno. */
int watch_open(struct watch *watch, struct agent *agent);

/* Ends all watches. */
void watch_close(struct watch *watch);

/* Watches the file for changes (IN_MODIFY, inotify(7)) in the name of the process, or for `once`
 * only the next one: the kernel then queues no more of them. The watch's number goes to *number. 0
 * or -errno. */
int watch_add(struct watch *watch, struct process *process, const char *path, bool once,
              int *number);

/* Ends a watch; -1 is allowed; *number becomes -1. */
void watch_remove(struct watch *watch, int *number);
