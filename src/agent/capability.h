/* Sets of capabilities (capabilities(7)) as bit masks. */
#pragma once

#include <stdbool.h>

#include "daemon/failure.h"

/* All capabilities that the running kernel knows: the bits up to its last one. */
uint64_t capability_all(void);

/* Whether this process has the capability in its effective set. */
bool capability_held(unsigned number);

/* Folds the lists of CapabilityBoundingSet= or AmbientCapabilities= into one mask, as
 * systemd.exec(5) has it: the first list without ~ sets, later ones add; a list with ~ takes away
 * (from all where it comes first); an empty list empties, and an empty one with ~ fills. `step`
 * names the property for the failure. 0 with *mask, or refused with *failure filled: an unknown
 * name. */
int capability_fold(struct holden_repeated lists, const char *step, uint64_t *mask,
                    struct failure *failure);

/* The name of one capability ("CAP_CHOWN"; its number where it has none) into `name` of `space`
 * bytes. Returns `name`. */
const char *capability_name(unsigned number, char *name, size_t space);
