/* What a process has said of itself by sd_notify(3), beside READY=1: kept, shown, told by an event
 * when it changes, and in its record, so that the next agent knows it too. Written down and told
 * ten times a second at most, the last of it always. */
#pragma once

#include <systemd/sd-event.h>

#include "agent/notice.h"
#include "protocol/message.h"

struct process;
struct agent;

struct statement {
    uint32_t state;         /* enum holden_notify_state_values */
    uint32_t error;         /* ERRNO=, or 0 */
    char *text;             /* STATUS=; owned, or NULL */
    char *bus_error;        /* BUSERROR=; owned, or NULL */
    uint64_t extended;      /* until when a timer has been put off: CLOCK_MONOTONIC; or 0 */
    uint64_t watchdog;      /* WATCHDOG_USEC=, microseconds; or 0 */
    uint64_t told;          /* when it was last written down: CLOCK_MONOTONIC */
    uint64_t warned;        /* when something of it was last complained of, likewise */
    bool changed;           /* since then, so that an event is due */
    sd_event_source *later; /* until that is to be done, or NULL */
};

/* `pid`, one of its cgroup, has said that: all of it means something where NotifyAccess= has it
 * heard. */
void statement_hear(struct process *process, pid_t pid, const struct notice *notice);

/* The end of a time limit that is at `own` (CLOCK_MONOTONIC), as EXTEND_TIMEOUT_USEC= has put it
 * off. */
uint64_t statement_until(const struct process *process, uint64_t own);

/* Whether there is anything to tell; *out has it then, and borrows. */
bool statement_fill(const struct process *process, struct holden_statement *out);

/* Takes what a record says. 0 or -ENOMEM. */
int statement_take(struct process *process, const struct holden_nested *kept);

/* What is not written down yet is, of all processes: the agent is about to end. */
void statement_settle(struct agent *agent);

/* The process has ended: what it was doing means nothing any more. */
void statement_end(struct process *process);

/* Forgets all of it. */
void statement_drop(struct process *process);
