/* The ways of starting /bin/true in a cgroup that the spawner benchmark compares. */
#pragma once

#include "helper.h"
#include "launch.h"

#include <stddef.h>
#include <stdint.h>

/* What the ways need, prepared once. */
struct way_context {
    struct helper tiny;    /* never has a child that stays */
    struct helper asked;
    struct helper pushing;
    struct launch_plan plan;
    void *stack; /* for a child that shares our memory */
};

struct way_sample {
    uint64_t total; /* nanoseconds from the wish to the exit seen */
    uint64_t held;  /* of these, those until the call that starts it comes back */
    uint64_t cpu;   /* processor time that all of it costs the caller */
};

struct way {
    const char *name;
    const char *what;
    /* Starts /bin/true once, sees its exit, leaves nothing. 0 and the sample, or -errno. */
    int (*once)(struct way_context *context, struct way_sample *sample);
};

enum { WAY_COUNT = 6 };

/* The first way is the base of all ratios. */
extern const struct way ways[WAY_COUNT];

/* Forks the helpers; call it early, while the caller is small. 0, or -errno and nothing is left;
 * closed with ways_close(). The caller sets the plan. */
int ways_open(struct way_context *context);

/* Ends the helpers, frees the stack. A context of which ways_open() failed is fine too. */
void ways_close(struct way_context *context);
