/* A confined start on the kernel alone: mkdir, limits, clone3 into the cgroup, exec, exit seen,
 * rmdir. What Holden's starts are compared with. */
#pragma once

#include "launch.h"
#include "scratch.h"

#include <stdint.h>

enum bare_stage {
    BARE_MAKE,
    BARE_LIMIT,
    BARE_LAUNCH,
    BARE_EXIT,
    BARE_REMOVE,
    BARE_STAGES,
};

/* A way to start a child from this process: launch_copy() or one that uses a stack. */
typedef int (*bare_launcher)(const struct launch_plan *plan, void *stack,
                             struct launch_child *child);

struct bare {
    const struct scratch *scratch;
    const char *program;          /* what is started, without arguments; borrowed */
    bare_launcher launch;
    void *stack;                  /* handed to `launch` */
    bool limited;                 /* the three limits, or their stand-ins, are written */
    uint64_t stages[BARE_STAGES]; /* nanoseconds that the latest start spent in each */
};

/* The usual launcher: the child is a copy of the caller. 0 or -errno. */
int bare_copy(const struct launch_plan *plan, void *stack, struct launch_child *child);

/* Starts the program once, from mkdir to rmdir. 0, or -errno (-ENOEXEC and -EPROTO as
 * launch_finish()); the leaf is gone either way. */
int bare_start(struct bare *bare);

/* The word for a stage, static. */
const char *bare_stage_name(size_t stage);
