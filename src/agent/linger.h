/* A process whose main one has ended and that counts as running all the same: what else is in its
 * cgroup runs on (ExitType=cgroup, GuessMainPID=no), or its end was a good one and is to count as
 * being there (RemainAfterExit=), systemd.service(5). It has no pid then, and is RUNNING until it
 * is stopped, or until the last of its cgroup has ended. All of it is in its record. */
#pragma once

#include "agent/process.h"

/* The main process has ended, nobody stops it, and of its commands none is under way: whether it
 * goes on without it. Then all of that has been seen to: it is written down, the keeper has been
 * told, and who waits for its start or, with RemainAfterExit=, for its end has been answered. */
bool linger(struct process *process);

/* Whether the main process has ended so that RemainAfterExit= holds it; works out its outcome. */
bool linger_remains(struct process *process);
