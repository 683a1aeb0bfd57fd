/* The commands of a process that run before its main one (ExecCondition= and ExecStartPre=,
 * systemd.service(5)): one after the other, each launched as the main one is, with the same rights
 * and limits and in the process's own cgroup. It is STARTING until the main command runs. Its
 * record says at which command it is, so that a new agent goes on from there. */
#pragma once

#include "agent/process.h"

/* Whether the command of the present launch is one before the main one. */
bool sequence_before_main(const struct process *process);

/* Whether such a command is past its exec, so that there is somebody to signal. */
bool sequence_runs(const struct process *process);

/* Puts the command of the present step in the place of the main one, where it is another. The views
 * are those of `properties`. */
void sequence_command(const struct process *process, const struct holden_properties *properties,
                      struct holden_start *start);

/* The setting that the command of the present step is written in, static; NULL for the main one. */
const char *sequence_setting(const struct process *process,
                             const struct holden_properties *properties);

/* Counts the commands before the main one, for a launch that begins or was found under way: each of
 * them has TimeoutStartSec= from when it was launched. 0, or -errno where there is no timer. */
int sequence_prepare(struct process *process, const struct holden_properties *properties);

/* It has ended, with process->outcome: whether that is good is noted in its launch. Where a command
 * of ExecCondition= has said that the process is not to run, the code of that is SKIPPED. */
void sequence_judge(struct process *process);

/* Whether the next command follows now that nothing is left of the last one. */
bool sequence_goes_on(const struct process *process);

/* Nothing of the sequence is left to be done: its time limit is over. */
void sequence_over(struct process *process);

/* Whether the way that the main command ended is one that counts as success: status 0, what
 * SuccessExitStatus= names, and for one that may fail (the prefix - of ExecStart=) any status or
 * signal. */
bool sequence_success(const struct process *process);
