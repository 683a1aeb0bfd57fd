/* Going over to the programs on disk: they are tried, clients get their answers, the agent ends,
 * and the next one tells who asked how it went. */
#pragma once

#include <stdint.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

#include "daemon/failure.h"

struct agent;
struct peer;

struct reexec {
    struct peer *asker;     /* NULL once they have gone, or nobody has asked */
    uint32_t id;            /* of their request */
    pid_t scout;            /* tries the programs; 0: none does */
    int end;                /* its pidfd */
    int verdict;            /* reading end of a pipe: what is wrong with them */
    sd_event_source *source;
};

/* Tries the programs on disk and goes over to them, or answers why not. 0, the answer is to come;
 * or refused with *failure filled. */
int reexec_begin(struct agent *agent, struct peer *peer, uint32_t id, struct failure *failure);

/* The peer goes: nobody is there to be answered. */
void reexec_forget(struct agent *agent, const struct peer *peer);

/* Gives the connection of who asked to the keeper, for the next agent. */
void reexec_hand_over(struct agent *agent);

/* Tells who asked the last agent, once this one has recovered. */
void reexec_report(struct agent *agent);
