/* Stopping: a signal, time to comply, then the end of the whole cgroup, tried until it is empty. */
#pragma once

#include "agent/process.h"

struct stop_request {
    int signal;        /* 0: KillSignal= */
    uint64_t timeout;  /* 0 with has_timeout unset: TimeoutStopSec=; UINT64_MAX: never */
    bool has_timeout;
    int64_t by;        /* the user who asked, or -1: the agent */
    uint32_t cause;    /* enum holden_cause_values, for the record */
    bool restart;      /* start it again when it is gone */
    uint64_t restart_token; /* of the request for that, or 0 */
    bool triggered;    /* with the cause WATCHDOG: the process has asked for it */
    bool rest;         /* the main process has ended by itself: only the others are left */
};

/* Begins to stop a living process; one that is being stopped already only gets the new request's
 * signal and, if that is over earlier, its time. What happens next comes through the pidfd, the
 * cgroup's own notification and a timer. 0 or -ENOMEM. */
int stop_begin(struct process *process, const struct stop_request *request);

/* Enters the stop of a process whose main command has ended, so that commands may follow
 * (beside.h): nobody is asked to stop before stop_proceed(). 0 or -ENOMEM. */
int stop_hold(struct process *process);

/* Asks what there is of a process that is being stopped, now that its ExecStop= is over, or that
 * commands which were to follow its end have left something behind. */
void stop_proceed(struct process *process);

/* How long it has to stop, microseconds, UINT64_MAX: for ever; as who asked for the stop under way
 * wants it, where `asked` and somebody has. */
uint64_t stop_timeout(const struct process *process, bool asked);

/* The process has said itself that it stops, STOPPING=1: nobody is sent a signal, but it has
 * TimeoutStopSec= from now on, as systemd has it. For a process that is RUNNING. 0 or -ENOMEM. */
int stop_said(struct process *process);

/* Puts the time to comply off until `until` (CLOCK_MONOTONIC), if that is later and it has not been
 * killed. */
void stop_extend(struct process *process, uint64_t until);

/* Goes on with a stop that an earlier agent had begun (process->stopping, without a timer): asks
 * where that had not been done, and kills at the time that was set, which may be past. */
void stop_resume(struct process *process);

/* Ends all of it at once, and again after growing delays until the cgroup is empty: processes in
 * uninterruptible sleep go when they can. For a process that is being stopped. */
void stop_kill(struct process *process);

/* Its time to comply is over: FinalKillSignal= and later SIGKILL, unless SendSIGKILL=no; then it
 * stays, and who waits for the end of the stop is refused. For a process that is being stopped. */
void stop_expire(struct process *process);

/* Sends a signal to the main process through its pidfd, or to all of the cgroup. 0 or -errno. */
int stop_signal(struct process *process, int signal, bool all);
