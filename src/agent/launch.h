/* Starting a process: everything is prepared and every refusal made here, the plan goes to the
 * keeper, and what comes back decides whether it runs. */
#pragma once

#include "agent/process.h"

/* Begins to start a process in state STARTING. 0: the plan is on its way, and launch_spawned() and
 * the status pipe will tell; or refused with *failure filled and all undone but the process itself.
 */
int launch_begin(struct process *process, struct failure *failure);

/* Takes a report for `token` and makes a status pipe, whose end calls `on_pipe_end` with the
 * process. 0 with *out, which goes by process_drop_launch(), and *pipe_end, the child's, the
 * caller's to close; or refused with *failure, where *out may be set all the same. */
int launch_open(struct process *process, uint64_t token, sd_event_io_handler_t on_pipe_end,
                struct launch **out, int *pipe_end, struct failure *failure);

/* The status pipe has ended. Nothing where that is known already. */
void launch_end_pipe(struct launch *launch);

/* Whether the child that wrote this report has become its program. The report says that exec was
 * tried and did not fail; but the kernel may have killed it there, for want of memory most likely.
 * Without proc(5) the report has to do, and where it was not the child itself that tried. */
bool launch_executed(const struct process *process, const struct plan_report *report, pid_t pid);

/* The keeper's answer to a plan; takes over `pidfd` (-1 where it could not clone). */
void launch_spawned(struct agent *agent, const struct keeper_reply *reply, int pidfd);

/* The keeper could not clone the process: all is undone, and who waits is told. */
void launch_unborn(struct process *process, int error);

/* The status pipe has ended, or the process has, and the pipe with it: decides whether it came to
 * run. Nothing where that is decided already. */
void launch_settle(struct process *process);

/* Fills a message that tells that it runs, or ran, as `pid`; without a pidfd. */
void launch_describe(const struct process *process, pid_t pid, struct holden_started *message);

/* Tells who asked for it that it runs, or ran, as `pid`; `pidfd` stays the caller's. */
void launch_tell(struct process *process, pid_t pid, int pidfd);

/* It is ready: from now on it is RUNNING, written down, and who asked for it is told. */
void launch_ready(struct process *process);

/* Watches the pidfd of a process that is known to be this one, and its time limit: for a process
 * that was started, or recovered. 0 or -errno. */
int launch_attend(struct process *process);

/* (Re)arms the timer of RuntimeMaxSec=, counted from the start. 0 or -errno (the old one stays). */
int launch_limit_runtime(struct process *process, const struct holden_properties *properties);
