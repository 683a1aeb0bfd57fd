/* Sentences in place of a table, for who has it read aloud: one for each process at first, then
 * only what changes. */
#pragma once

#include "monitor/fleet.h"

struct lines {
    uint64_t told[FLEET_MOST]; /* of each agent, the events told so far */
};

/* Appends what is to be said of the agent after a sample: at the first one a sentence for each
 * process, later for those that are new, or come near a limit or leave it; and all events since.
 * 0 or -ENOMEM. */
int lines_put(struct lines *lines, struct fleet *fleet, size_t agent, struct buffer *out);
