/* Changing the limits of a live process: all of them or none, read back, and taken back by itself
 * after a time where that is asked for. */
#pragma once

#include "agent/process.h"
#include "common/buffer.h"

struct constraint {
    const struct holden_properties *wanted;
    bool dry_run;
    uint64_t duration;  /* microseconds; 0: for good */
    uint32_t by;        /* the user who asked */
};

/* Changes the process's limits. The named limits as they were and as they are (or, in a dry run,
 * would be) go to *before and *after; values of variable length in them live in `memory`, an array
 * of two buffers that the caller frees. 0; or refused with *failure filled and nothing changed. */
int constrain_apply(struct process *process, const struct constraint *constraint,
                    struct holden_properties *before, struct holden_properties *after,
                    struct buffer *memory, struct failure *failure);

/* Goes on with a constraint of an earlier agent (process->temporary, without a timer): takes it
 * back at its time; at once where that is past, or where the change was not completed. 0 or -errno.
 */
int constrain_resume(struct process *process);

/* The properties in force: those of the request, with what the kernel has for each cgroup limit.
 * The views live in the process's request and in `memory`, which the caller frees. */
void constrain_read(const struct process *process, struct holden_properties *now,
                    struct buffer *memory);
