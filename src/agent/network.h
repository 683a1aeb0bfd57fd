/* Bytes that a process has received and sent, where it has a network namespace of its own: only
 * then are those of the namespace's interfaces the process's (network_namespaces(7)). */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Whether the process is in another network namespace than the agent; false also where that cannot
 * be told. */
bool network_is_own(pid_t pid);

/* Reads the counts of its namespace, summed over all interfaces but lo. 0, or -errno. The pid may
 * have become another's: who asks has to know. */
int network_read(pid_t pid, uint64_t *received, uint64_t *sent);

/* The same from the text of a file /proc/PID/net/dev (proc(5)). */
void network_sum(const char *text, uint64_t *received, uint64_t *sent);
