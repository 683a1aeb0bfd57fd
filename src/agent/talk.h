/* Filters that talk: the listeners of the filters of all processes (seccomp_unotify(2)). A call
 * that a filter refuses waits until the agent has said what the filter itself would have said; so
 * it is known which call it was, with which arguments, made by whom. Calls that are allowed never
 * come here. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <systemd/sd-event.h>

struct agent;
struct process;
struct holden_properties;

struct talk {
    struct agent *agent;
    bool able;                  /* attic_open() has found what it needs */
    int listeners;              /* an epoll of them all; -1 where the agent cannot have any */
    sd_event_source *io;
    sd_event_source *arrivals;
    sd_event_source *again;     /* for want of memory or descriptors it could not be opened yet */
    bool failed;                /* which has been told */
    sd_event_source *rest;      /* the end of a span in which somebody asked too much */
    LIST_HEAD(, process) muted; /* who did */
    uint64_t began, spent;      /* CLOCK_MONOTONIC, microseconds: this span of time, and what of it
                                   went into answers */
    unsigned living;            /* listeners that are needed */
    unsigned needless;          /* how many lie in the attic of processes that have ended */
};

/* Finds out whether children of this agent can have listeners, where `able`, and listens to what
 * they send. Where they cannot, filters do not talk; where only memory or descriptors are wanting,
 * until there are some: it is tried again, then with what talk_recover() does. */
void talk_open(struct talk *talk, struct agent *agent);

/* Closes it; what lies in the attic stays there. */
void talk_close(struct talk *talk);

/* Whether a start with these properties is to talk. */
bool talk_wanted(const struct talk *talk, const struct holden_properties *properties);

/* Takes the listeners that the agent before has left. To be called once, after recovery. */
void talk_recover(struct talk *talk);

/* The process has ended: lets its listener go, if it has one. */
void talk_end(struct process *process);
