#include "agent/state.h"

#include <errno.h>

#include "agent/agent.h"
#include "agent/events.h"
#include "common/log.h"

enum { NO = 0x80 };
#define TO(state) HOLDEN_state_##state

/* Rows are states, columns events. An entry that is not named would be STARTING by accident, so
 * every one is. */
static const uint8_t next[][PROCESS_EVENTS] = {
    /*                          STARTS        RUNS         STOPS         EXITS       FAILS       IS_STOPPED */
    [HOLDEN_state_STARTING] = {NO,           TO(RUNNING), TO(STOPPING), TO(EXITED), TO(FAILED), TO(STOPPED)},
    [HOLDEN_state_RUNNING]  = {NO,           NO,          TO(STOPPING), TO(EXITED), TO(FAILED), TO(STOPPED)},
    [HOLDEN_state_STOPPING] = {TO(STARTING), NO,          NO,           TO(EXITED), TO(FAILED), TO(STOPPED)},
    [HOLDEN_state_BACKOFF]  = {TO(STARTING), NO,          TO(STOPPING), NO,         TO(FAILED), TO(STOPPED)},
    [HOLDEN_state_EXITED]   = {TO(STARTING), NO,          NO,           NO,         NO,         NO},
    [HOLDEN_state_FAILED]   = {TO(STARTING), NO,          NO,           NO,         NO,         NO},
    [HOLDEN_state_STOPPED]  = {TO(STARTING), NO,          NO,           NO,         NO,         NO},
};

bool state_alive(uint32_t state) {
    return state <= HOLDEN_state_BACKOFF;
}

/* The one writer of a member that is const for everybody else. */
static void set(struct process *process, uint32_t to) {
    struct processes *table = &process->agent->processes;
    bool before = state_alive(process->state), after = state_alive(to);
    *(uint32_t *)(uintptr_t)&process->state = to;
    if (to == HOLDEN_state_RUNNING || to == HOLDEN_state_STOPPING)
        sampler_watch(process);
    else
        sampler_unwatch(process);
    if (before == after)
        return;
    process_set_ended(process, before);
    table->alive += after ? 1 : -1UL;
}

void state_recover(struct process *process, uint32_t state) {
    set(process, state);
}

int process_event(struct process *process, enum process_event event) {
    uint8_t to = next[process->state][event];
    if (to == NO)
        return -EPERM;
    set(process, to);
    if (!state_alive(to) && process->outcome.cause < CAUSES_MOST)
        process->agent->ends[process->outcome.cause]++;
    events_state(process);
    return 0;
}
