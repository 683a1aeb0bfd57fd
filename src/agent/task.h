/* What the kernel says of one task, living or dead. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Whether the task has executed a program since it was forked: the flag PF_FORKNOEXEC of
 * /proc/PID/stat (proc(5)), which exec takes away where it can no longer fail, before it closes
 * descriptors, and which stays as it is when the task dies. The caller keeps the pid from being
 * reaped. 0 with *executed, or -errno (-ENOENT: no such task; -EINVAL: not as proc(5) has it). */
int task_executed(pid_t pid, bool *executed);

/* Its parent's pid. As above, but nobody need keep it. */
int task_parent(pid_t pid, pid_t *parent);

/* When the task was born: microseconds of CLOCK_BOOTTIME, rounded down to the kernel's tick. As
 * above. */
int task_born(pid_t pid, uint64_t *born);
