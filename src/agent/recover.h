/* Recovery: every start of the agent takes over what the state directory names, which at first is
 * nothing. */
#pragma once

struct agent;

/* Reads the records, takes over the processes that are still there, settles those that ended
 * meanwhile, and ends cgroups that no record names (starts that were never answered). Before the
 * loop runs. 0 or -errno. */
int recover(struct agent *agent);
