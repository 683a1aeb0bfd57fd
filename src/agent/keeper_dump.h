/* Where the core of a crashed agent-core went. */
#pragma once

#include <sys/types.h>

enum { KEEPER_DUMP_PLACE = 300 };

/* Words to go behind the signal, such as " (core dumped: /var/crash/core.12)", by core_pattern as
 * it is now (core(5)); allocates nothing. The process is taken to have had our directory. */
void keeper_dump_place(pid_t pid, int signal, char place[KEEPER_DUMP_PLACE]);
