/* Recovery: every start of the agent takes over what the state directory names, which at first is
 * nothing. */
#pragma once

struct agent;

/* Reads the records; takes over the processes that are still there, with what was under way for
 * them; settles those that ended meanwhile, and starts whose outcome nobody has seen yet; removes
 * empty cgroups that no record names. Before the loop runs. 0; or -errno where it could not be
 * completed: nothing is lost then, and the next agent tries again. */
int recover(struct agent *agent);
