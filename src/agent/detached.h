/* Work that may take long, for a process that nobody waits for. */
#pragma once

/* Forks a process that is nobody's child but the keeper's, which reaps it as any orphan. 1 in the
 * caller; 0 in the new process, which is to end with _exit(2) and holds all descriptors; -errno. */
int detached_fork(const char *name);
