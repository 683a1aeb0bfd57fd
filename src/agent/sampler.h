/* One look at what all processes use, each second, however many ask for it: figures for whoever
 * asks now, and samples for history. Without processes, and with History=0, nothing wakes up. */
#pragma once

#include <sys/queue.h>
#include <systemd/sd-event.h>

#include "agent/history.h"
#include "agent/usage.h"

struct agent;
struct process;
struct samples;

struct sampler {
    struct agent *agent;
    sd_event_source *timer;  /* the next look at all; off while there is nothing to look at */
    sd_event_source *turn;   /* goes on with it in the next turn of the loop */
    TAILQ_HEAD(, samples) watched; /* whom the next look comes to first at the head */
    size_t count;            /* of them */
    size_t left;             /* of this look */
    uint32_t look;           /* its number */
    uint64_t spent;          /* CPU time on it so far, microseconds */
    struct usage_kept kept;  /* files of cgroups that are kept open */
    struct history_pool pool;
};

/* Gets ready, by the agent's configuration, before there are processes. 0 or -errno. */
int sampler_open(struct sampler *sampler, struct agent *agent);

/* The configuration has changed. With History=0 all samples are forgotten. */
void sampler_configure(struct sampler *sampler);

/* Stops looking. Samples go with their processes. */
void sampler_close(struct sampler *sampler);

/* The process has a cgroup and runs, or may; it is looked at from now on. More often is no harm. */
void sampler_watch(struct process *process);

/* It is over; what was seen of it stays, with what process->usage says. */
void sampler_unwatch(struct process *process);

/* Forgets all that was seen of it. */
void sampler_forget(struct process *process);

/* What the process uses now, or did a moment ago (SAMPLER_SHARED) where it is watched. `directory`
 * is its cgroup. */
void sampler_usage(struct process *process, int directory, struct holden_usage *usage);

/* What was seen of it: NULL where that is nothing. */
const struct history *sampler_history(const struct process *process);

/* Microseconds for which a reading serves all who ask. */
enum { SAMPLER_SHARED = 25000 }; /* half of the least interval of a monitor */
