/* What makes a spawning process large: many descriptors, many children, much memory. */
#pragma once

#include <stddef.h>
#include <sys/types.h>

/* The option by which a benchmark executes itself to become one sleeper. */
#define CROWD_SLEEP_OPTION "--sleep"

struct crowd_fds {
    int *fds;
    size_t count;
};

struct crowd_sleepers {
    pid_t *pids;
    size_t count;
};

struct crowd_memory {
    void *address;
    size_t size; /* bytes */
};

/* Opens /dev/null `count` times, close-on-exec, raising RLIMIT_NOFILE as far as needed. 0, or
 * -errno and nothing is open. Closed with crowd_fds_close(). */
int crowd_fds_open(size_t count, struct crowd_fds *fds);

/* Closes them all; a zeroed crowd is fine too. */
void crowd_fds_close(struct crowd_fds *fds);

/* Starts `count` children of the caller in the cgroup `cgroup_fd`, each executing this program
 * anew to sleep until it is killed or its parent dies. 0, or -errno with those started so far in
 * `*sleepers`. Either way the caller kills the cgroup and then calls crowd_sleepers_reap(). */
int crowd_sleepers_start(size_t count, int cgroup_fd, struct crowd_sleepers *sleepers);

/* Waits for every sleeper, all of them killed already, and frees the list. */
void crowd_sleepers_reap(struct crowd_sleepers *sleepers);

/* The life of a sleeper: ends with its parent. */
_Noreturn void crowd_sleep(void);

/* Maps and touches `size` bytes, in pages of the base size. 0 or -errno. Freed with
 * crowd_memory_free(). */
int crowd_memory_touch(size_t size, struct crowd_memory *memory);

/* Unmaps it; a zeroed one is fine too. */
void crowd_memory_free(struct crowd_memory *memory);
