/* What is done while calls fail: the paths, each a few steps that are followed, after a few that
 * are not. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum step_kind {
    STEP_END,
    STEP_CLIENT, /* a controller, waited for */
    STEP_WAITER, /* a controller that goes on beside the next steps */
    STEP_FEED,   /* one line into @/fifo, which ends whoever reads it */
    STEP_PAUSE,  /* the agent proper stands still, */
    STEP_KILL,   /* and is killed */
    STEP_QUIET,  /* what timers do is waited for */
    STEP_READY,  /* until @/ready is there; it is removed */
};

struct step {
    enum step_kind kind;
    const char *const *arguments;
    int status;    /* what a client ends with if nothing fails */
    bool terminal; /* its standard input is one */
};

enum { PATH_STEPS = 6 };

struct path {
    const char *name;
    struct step before[PATH_STEPS];
    struct step steps[PATH_STEPS];
    enum { PATH_ANY, PATH_RUNS, PATH_GONE } then; /* what a success says of the process f */
    bool keeps;  /* f is none of its business: it runs afterwards as before */
    bool limits; /* needs controllers */
};

extern const struct path paths[];
extern const size_t paths_count;
