/* The namespaces of a child, but for the mounts in its own. */
#pragma once

#include "agent/child.h"

/* The steps; each does nothing where the plan does not ask for it. 0, or -1 with errno.
 *
 * enter makes the namespaces, but for those of users and of PIDs; network enters the one that is
 * named, or makes lo work in a new one; users makes a user namespace in which root and the child's
 * user and group are themselves (the ids are not set yet, the groups are); alone waits until the
 * process that was in it first is gone, which the child goes on beside meanwhile. */
int child_namespace_enter(struct child *child);
int child_namespace_network(struct child *child);
int child_namespace_users(struct child *child);
int child_namespace_alone(struct child *child);
