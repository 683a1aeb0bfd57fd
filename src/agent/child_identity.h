/* Who a child is and what it may do: ids and capabilities (credentials(7), capabilities(7)). */
#pragma once

#include "agent/child.h"

/* Steps in this order; 0, or -1 with errno. Where the plan does not have what a step is for, it
 * does nothing. */
int child_identity_bounding(struct child *child);
int child_identity_groups(struct child *child);
int child_identity_gid(struct child *child);
int child_identity_uid(struct child *child);
int child_identity_capabilities(struct child *child);
int child_identity_ambient(struct child *child);
int child_identity_secure_bits(struct child *child);
