/* Process 1 of a PID namespace: what a process is inside of PrivatePIDs=. */
#pragma once

#include "agent/child.h"

/* The step: the child stays as process 1, and one more process goes on with what is left of the
 * steps and becomes the program. Returns only there. 0, or -1 with errno.
 *
 * Process 1 passes on every signal that a process sends to it, reaps whatever ends, and ends as the
 * program does; of a program that a signal has ended, with 128 and its number. The kernel then ends
 * everything else in the namespace (pid_namespaces(7)). */
int child_init(struct child *child);
