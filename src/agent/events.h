/* What happened, numbered: a ring of the last events, and clients that follow it. A reader that is
 * slower than the ring is told how much it missed; it never holds anything up. */
#pragma once

#include <sys/queue.h>

#include "agent/event_ring.h"
#include "protocol/message.h"

struct agent;
struct peer;
struct process;

struct events {
    struct agent *agent;
    struct event_ring ring;
    LIST_HEAD(, follower) followers;
    int journal; /* socket for entries of the journal, or -1 */
};

/* Goes on with the ring in the agent's state directory, which is locked. 0 or -ENOMEM. */
int events_open(struct events *events, struct agent *agent);

/* Frees the ring and all followers. */
void events_free(struct events *events);

/* Tells of the process's new state. */
void events_state(struct process *process);

/* Tells that something was done to the process, by user `uid`; `text` may be NULL. */
void events_action(struct process *process, uint32_t kind, uint32_t uid, const char *text);

/* Tells what the process says of itself by now. */
void events_said(struct process *process, const char *text);

/* Tells something about the agent itself. */
void events_agent(struct agent *agent, const char *text);

/* Answers a SUBSCRIBE: sends what is kept since `since`, then follows or ends. 0; -EDQUOT for a
 * peer that has too many under way; -ENOMEM. */
int events_subscribe(struct events *events, struct peer *peer, uint32_t id,
                     const struct holden_subscribe *request);

/* The peer's queue has room again. */
void events_drained(struct events *events, struct peer *peer);

/* The peer goes. */
void events_forget(struct events *events, struct peer *peer);
