/* What a child that shares its parent's memory (CLONE_VM) can do to the parent by accident. Each
 * check runs in a sacrificial process of its own. */
#pragma once

#include "launch.h"
#include "scratch.h"

#include <stdbool.h>

enum hazard_way { HAZARD_COPY, HAZARD_VFORK, HAZARD_SHARE, HAZARD_WAYS };

struct hazard_score {
    int before; /* the parent's oom_score_adj */
    int after;  /* the same, after its child wrote its own */
};

struct hazard_oom {
    bool parent_killed;
    bool child_killed;
    long kills; /* oom_kill of the child's cgroup, memory.events */
};

/* The name of a way of starting. */
const char *hazard_way_name(enum hazard_way way);

/* The value that the child writes into its own /proc/self/oom_score_adj in hazard_score(). */
int hazard_score_written(void);

/* Lets a child started in this way write its own oom_score_adj, and reads the parent's. 0 or
 * -errno. */
int hazard_score(enum hazard_way way, struct hazard_score *score);

/* Starts a child in this way into a cgroup with too little memory for its arguments, so that the
 * kernel kills it for lack of memory inside execve(2), while it still shares the parent's memory.
 * The parent is in another cgroup, without that limit. 0; -EOPNOTSUPP without a memory controller;
 * or -errno. */
int hazard_oom(const struct scratch *scratch, enum hazard_way way, struct hazard_oom *oom);
