/* What a start waits for once exec has taken place, by Type= (systemd.service(5)). A process that
 * is not ready yet is STARTING, though it runs; it has TimeoutStartSec= from its launch to become
 * RUNNING, and who asked for it is answered then. All of it is in its record, so that a new agent
 * goes on waiting. */
#pragma once

#include "agent/process.h"

/* Whether its type is one that has to report to us: notify. */
bool readiness_notifies(const struct holden_properties *properties);

/* Whether what it says has to come to us: that, and WatchdogSec=. */
bool readiness_must_hear(const struct holden_properties *properties);

/* Whether somebody of it is heard by NotifyAccess=, and so is told where. */
bool readiness_listens(const struct holden_properties *properties);

/* Whether `pid`, one of its cgroup, is heard by NotifyAccess=. One that is not, and is `ready`, is
 * named where a start waits for that in vain. */
bool readiness_hears(struct process *process, pid_t pid, bool ready);

/* Whether what is waited for is its end: Type=oneshot. It is RUNNING until then. */
bool readiness_is_end(const struct holden_properties *properties);

/* Whether it has ended only with the last of its cgroup: ExitType=cgroup, or Type=forking whose
 * main process is neither named (PIDFile=) nor guessed (GuessMainPID=no). */
bool readiness_by_cgroup(const struct holden_properties *properties);

/* Whether it is ready now, its first process having ended well: the last of those. */
bool readiness_without_main(const struct process *process);

/* Begins to wait, for a process that is past its exec or was found so, where its type asks for it:
 * process->readiness is set then, but for Type=oneshot. From now on TimeoutStartSec= counts. 0;
 * -ENOMEM; -errno where there is no timer. */
int readiness_begin(struct process *process, const struct holden_properties *properties);

/* Nothing is waited for any more. */
void readiness_end(struct process *process);

/* The main process has ended and others of its cgroup have not: whether one of them takes its
 * place, as those of Type=forking leave one behind. It is looked for from then on. */
bool readiness_seeks(struct process *process);

/* It has said MAINPID= (sd_notify(3)), by somebody who is heard: that one, if it is of the
 * process's cgroup, is the main process from now on, and its end is what counts. Before it is known
 * that the process runs, this is put off until then. NULL, also where it is so already; or why it
 * is refused, static. */
const char *readiness_named(struct process *process, pid_t pid);

/* It has said READY=1 (sd_notify(3)), by somebody who is heard. */
void readiness_said(struct process *process);

/* The keeper's answer to a question about the process that is to take its place; takes over
 * `pidfd`, or -1. */
void readiness_adopted(struct agent *agent, const struct keeper_reply *reply, int pidfd);

/* Whether it was ended since it took longer than TimeoutStartSec=. */
bool readiness_late(const struct process *process);

/* It has ended before it was ready, and not because somebody stopped it: turns its outcome, which
 * has been explained, into that of a start that failed, and says so in *refused. */
void readiness_failed(struct process *process, struct failure *refused);
