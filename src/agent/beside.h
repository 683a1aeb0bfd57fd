/* The commands of a process that run while its main one does, or after it: ExecStartPost=,
 * ExecReload=, ExecStop=, ExecStopPost= (systemd.service(5)). Those of a phase run one after the
 * other, each as a child of the keeper like the main one, with the same rights and limits and in
 * the process's own cgroup. One that fails ends its phase. Of ExecStartPost= that ends the process,
 * since its start has failed; of ExecReload= it is told to who asked; of the others what follows is
 * the same as when all have ended well, but the process is FAILED in the end, and its record says
 * of which command.
 *
 * Which command is the next is written down before the keeper reaps the last one, and the report of
 * its launch (plan.h) is kept until then: so a new agent finds it running or ended, neither skips
 * one nor runs one twice. */
#pragma once

#include "agent/process.h"

/* In the tokens of their plans and reports, beside the process's id. */
#define BESIDE_TOKEN (UINT64_C(1) << 63)

/* Whether the phase has commands, and has not begun. */
bool beside_due(const struct process *process, enum phase phase);

/* Whether ExecStartPost= has had its turn, and what comes of that for the start has not: an agent
 * was killed between the two. */
bool beside_is_over(const struct process *process);

/* Whether commands follow the end of its main one, or are under way. */
bool beside_follows(const struct process *process);

/* Whether ExecStop= is due before the main command is asked to stop: it has started. */
bool beside_stop_due(const struct process *process);

/* Begins with the first command of a phase that is due, while no other is under way. For ExecStop=
 * and ExecStopPost= the process is being stopped (stop_hold() or stop_begin()). When the last one
 * has ended: ExecStartPost= is followed by launch_ready(), ExecReload= by the answer, ExecStop= by
 * stop_proceed(), and whatever main process ended meanwhile by finish_if_empty(). */
void beside_begin(struct process *process, enum phase phase);

/* The same in two steps: that it begins is part of the record from the first one on; the second one
 * launches. False: the phase is not due, or there is no memory. */
bool beside_choose(struct process *process, enum phase phase);
void beside_run(struct process *process);

/* Whether a command is under way that a stop waits for. */
bool beside_busy(const struct process *process);

/* Gives the command under way until `deadline` (CLOCK_MONOTONIC) at most. */
void beside_hurry(struct process *process, uint64_t deadline);

/* Gives it until then at least, where its time is shorter. */
void beside_extend(struct process *process, uint64_t deadline);

/* Nobody waits for the command under way any more, if there is one, and none of its phase follows:
 * all of the cgroup is about to be ended. */
void beside_abandon(struct process *process);

/* The keeper's answer to the plan of such a command; takes over `pidfd`. */
void beside_spawned(struct agent *agent, const struct keeper_reply *reply, int pidfd);

/* The keeper's answer about a pid. False: it is not that of such a command. */
bool beside_status(struct agent *agent, const struct keeper_reply *reply);

/* Adds one to the process, for its record to fill in: nothing is launched before beside_resume().
 * NULL: no memory. */
struct beside *beside_make(struct process *process, enum phase phase);

/* Goes on with a command that an earlier agent had under way (process->beside, from the record). */
void beside_resume(struct process *process);

/* Releases it. */
void beside_drop(struct process *process);
