/* Two pairs of sockets that the keeper only holds open: through the first, children hand the
 * listeners of their filters to agent-core; in the second, agents leave them to their successors
 * (attic.h). */
#pragma once

#include <stdbool.h>

#include "agent/keeper_process.h"

struct keeper_attic {
    int fds[KEEPER_ATTIC_FDS]; /* where listeners arrive, where children send them, and both ends of
                                  the second pair; -1: there are none */
    bool inherited;            /* from the keeper before, which thus knows what they are */
};

/* Takes over what the keeper before has left (NULL: nothing), or makes the pairs; where that fails
 * there are none, and filters will not talk. */
void keeper_attic_open(struct keeper_attic *attic, const struct keeper_legacy *legacy);

/* Leaves them to a keeper that is gone over to, or where `back` gone back to. */
void keeper_attic_leave(const struct keeper_attic *attic, bool back, struct keeper_legacy *legacy);
