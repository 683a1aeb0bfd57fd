/* The properties that forbid single deeds by a filter: Restrict*=, LockPersonality=,
 * MemoryDenyWriteExecute=, and the halves of Protect*= and PrivateDevices= that are system calls,
 * as systemd.exec(5) has them. */
#pragma once

#include "agent/program.h"
#include "daemon/failure.h"

/* Marks in *only those of these properties that are set in *properties. */
void restrict_mark(const struct holden_properties *properties, struct holden_properties *only);

/* Whether the properties ask for any of it. */
bool restrict_wanted(const struct holden_properties *properties);

/* Which of the properties refuses the native call, as the line that would let it pass, into `text`.
 */
void restrict_remedy(const struct holden_properties *properties, const struct seccomp_data *call,
                     char *text, size_t space);

/* Compiles what they ask for. Where `native`, for the native architecture alone; otherwise for
 * every one whose calls this kernel takes. Calls that nothing is asked about are allowed. 0 with
 * *program; or refused with *failure filled. */
int restrict_compile(const struct holden_properties *properties, bool native,
                     struct program *program, struct failure *failure);
