/* What a process has beside its cgroup and its log, and what is to be gone with it: directories
 * that only it needed, credentials, IPC, and a user that was made up. */
#pragma once

#include "agent/process.h"

/* Notes whether there will be such: for a process that is about to be launched, or was found. */
void remains_expect(struct process *process, const struct holden_properties *properties);

/* It has ended, with nothing left in its cgroup: takes away what is to be gone. `again` means that
 * it is about to be started again. May be called again; costs nothing where nothing is expected. */
void remains_clear(struct process *process, bool again);
