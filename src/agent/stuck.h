/* Why a process that was sent SIGKILL is still there. */
#pragma once

#include <stddef.h>

enum { STUCK_WORDS = 160 };

/* Looks for a task of the cgroup (a few hundred at most) that is in uninterruptible sleep, and says
 * where in the kernel it sleeps (proc(5): stat, wchan). Empty where none is; never blocks. */
void stuck_describe(int cgroup, char words[STUCK_WORDS]);
