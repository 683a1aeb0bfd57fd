/* Starting a process: everything is prepared and every refusal made here, the plan goes to the
 * keeper, and what comes back decides whether it runs. */
#pragma once

#include "agent/process.h"

/* Begins to start a process in state STARTING. 0: the plan is on its way, and launch_spawned() and
 * the status pipe will tell; or refused with *failure filled and all undone but the process itself.
 */
int launch_begin(struct process *process, struct failure *failure);

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
