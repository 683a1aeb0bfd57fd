/* Standard input, output and error of a child. */
#pragma once

#include "agent/child.h"

/* Steps, for child->step from PLAN_STEP_STDIN to PLAN_STEP_STDERR: the stream's descriptor is put
 * in its place, by the first where that can be done with the agent's rights, else by the second,
 * with the process's own. 0, or -1 with errno. */
int child_stream_before_ids(struct child *child);
int child_stream_after_ids(struct child *child);

/* Steps of PLAN_HAS_TERMINAL, likewise: standard input becomes the controlling terminal. */
int child_stream_terminal_before_ids(struct child *child);
int child_stream_terminal_after_ids(struct child *child);
