/* The states of a process and the one place that changes them. */
#pragma once

#include "agent/process.h"

/* What can happen to a process. */
enum process_event {
    PROCESS_STARTS,      /* it is to be started (again) */
    PROCESS_RUNS,        /* its exec took place */
    PROCESS_STOPS,       /* it was asked to stop, or its main process ended and others are left */
    PROCESS_EXITS,       /* nothing is left, and its status is 0 */
    PROCESS_FAILS,       /* nothing is left, and its status is not 0; or it never came to run */
    PROCESS_IS_STOPPED,  /* nothing is left, because somebody asked */
    PROCESS_EVENTS,
};

/* Applies the event by the table [state][event]; every change is told to subscribers. 0, or -EPERM
 * where the state does not allow it: nothing has changed then. */
int process_event(struct process *process, enum process_event event);

/* Sets the state that a record names, when the process is taken over: no event. */
void state_recover(struct process *process, uint32_t state);

/* Whether a process in that state is alive: something of it is or will be there. */
bool state_alive(uint32_t state);
