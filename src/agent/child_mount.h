/* The mounts of a child: its own mount table, made as the plan says. */
#pragma once

#include "agent/child.h"

/* The step. The mount namespace is the child's own already. Everything that the mounts show is
 * taken hold of first, so that none of them hides what another one shows. 0, or -1 with errno and
 * child->detail. */
int child_mount(struct child *child);
