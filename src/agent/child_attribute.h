/* What may be written to and executed in the mounts of a child, once all of them are there. */
#pragma once

#include <stddef.h>

#include "agent/child.h"

/* Sets the bits of each mount, and of those below it as far as no other of these mounts is nearer
 * to them; what those have already is never taken away, but for EXEC. child->proc is only needed
 * where there are mounts inside of mounts. 0, or -1 with errno. */
int child_attribute_set(struct child *child, const struct plan_mount *mounts, size_t count);
