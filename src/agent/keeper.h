/* The keeper's state, and what its loop and its answers to agent-core have in common. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "agent/child.h"
#include "agent/keeper_channel.h"
#include "agent/keeper_children.h"
#include "agent/keeper_core.h"
#include "agent/keeper_process.h"
#include "agent/keeper_socket.h"

/* Milliseconds from a SIGCHLD to the search for those it did not name. */
enum { KEEPER_SWEEP_DELAY = 200 };

struct keeper {
    struct keeper_children children;
    int signals;
    uint64_t deadline; /* of the next sweep; of the start of agent-core while there is none; of its
                          recovery while one is on trial; 0: none of these */
    unsigned pause;    /* milliseconds, while poll(2) fails; 0 while it works */
    bool blocked;      /* the last sweep stopped at a main */
    bool stopping;     /* SIGTERM has come */
    bool told;         /* this agent-core knows of it */
    bool succeeded;    /* this agent-core is the successor of one that was to stop everything */
    bool reload;       /* SIGHUP has come, for an agent that could not take it yet */
    int ended;         /* exit status, or -1 */
    char resume[KEEPER_RESUME]; /* HOLDEN_KEEPER=…, part of the environment */
    struct child_origin origin;
    struct keeper_socket socket;
    struct keeper_core core;
    struct keeper_packet packet;
};

/* Looks for orphans that have ended, that many milliseconds from now at the latest, unless
 * agent-core has yet to say which children are none. */
void keeper_plan_sweep(struct keeper *keeper, uint64_t delay);

/* Ends agent-core and goes on as if it had crashed. */
void keeper_end_core(struct keeper *keeper);

/* Gives agent-core the new sockets, if there are any and it can take them. */
void keeper_pass_socket(struct keeper *keeper);

/* Reads and does one message of agent-core. */
void keeper_answer(struct keeper *keeper);
