/* The child between clone and exec: one flat list of steps, each a few system calls that are safe
 * after a fork (signal-safety(7)), in memory that is already its own. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "agent/child_quota.h"
#include "agent/plan.h"

/* What a child has from the keeper, read once at the keeper's start. */
struct child_origin {
    struct plan_report *reports;
    int arrivals;       /* where listeners of filters are sent; or -1 */
    uint64_t bounding;  /* the keeper's bounding set */
    uint64_t permitted; /* and its permitted capabilities */
    uint64_t known;     /* all that the kernel has */
};

struct child {
    const struct child_origin *origin;
    struct plan *plan;
    const int *fds; /* of the packet */
    size_t count;
    enum plan_step step; /* the one being done */
    uint32_t detail;     /* which of its things */
    bool moved;          /* a directory, between its private and its public place */
    struct child_quota quota; /* of the directories that were made last */
    bool mute;           /* its filter asks a listener that nobody else has */
    int proc;            /* the /proc from before its mounts, where that is needed, or -1 */
    pid_t first_user;    /* who was in its user namespace before it, until that one is gone; or 0 */
    _Alignas(16) unsigned char first_user_stack[1024];
};

/* The element at which a run of the child's plan begins. */
static inline void *child_run_at(const struct child *child, struct plan_run run) {
    return (unsigned char *)child->plan + run.at;
}

/* Reads the capabilities of the calling process into `origin`. */
void child_origin_read(struct child_origin *origin);

/* Does the plan, which is then the child's to write to; `fds` are the packet's. Does not return: it
 * becomes the program, or ends with 127 and has said why in its report. */
_Noreturn void child_run(const struct child_origin *origin, struct plan *plan, const int *fds,
                         size_t count);
