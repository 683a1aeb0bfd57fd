/* WatchdogSec= (systemd.service(5)): a process that does not say WATCHDOG=1 (sd_notify(3)) in time
 * is ended by WatchdogSignal=, as a failure. It is watched once it has started, or from its first
 * WATCHDOG=1 on, until it ends or is stopped; while it is frozen its time stands still. A new agent
 * gives it all of its time once more. */
#pragma once

#include "agent/process.h"

/* How long it may be silent, microseconds, by its settings and what it has said since; 0: as long
 * as it likes. */
uint64_t watchdog_time(const struct process *process);

/* Its time begins, or begins anew, where it has one. A process that is not RUNNING yet, though it
 * runs, may be given one too. */
void watchdog_begin(struct process *process);

/* It has said WATCHDOG=trigger: it is ended at once, whether it has a time or not. */
void watchdog_trigger(struct process *process);

/* It is not watched any more. */
void watchdog_end(struct process *process);
