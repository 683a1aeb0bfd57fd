/* What a child may do in the file system. */
#pragma once

#include "agent/child.h"

/* The step: what the plan's rules do not allow is refused from here on, as far as the kernel's
 * Landlock knows of it (landlock(7)): one of version 1 (Linux 5.13) neither moves files between
 * directories, nor, before version 3 (6.2), stops truncate(2). Nothing without rules. 0, or -1 with
 * errno and child->detail: which rule it was, or PLAN_ACCESS_NONE for none of them. */
int child_landlock(struct child *child);
