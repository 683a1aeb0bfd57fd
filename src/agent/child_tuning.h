/* How the kernel treats a child: scheduling, timers, personality, keyring. */
#pragma once

#include "agent/child.h"

/* The steps; each does nothing where the plan does not ask for it. 0, or -1 with errno. The keyring
 * is made when the ids are set, and so belongs to the child's user. */
int child_tuning_policy(struct child *child);
int child_tuning_io_priority(struct child *child);
int child_tuning_slack(struct child *child);
int child_tuning_personality(struct child *child);
int child_tuning_numa(struct child *child);
int child_tuning_keyring(struct child *child);
