/* The step of a child that makes directories in fixed places of the file system. */
#pragma once

#include <errno.h>

#include "agent/child.h"

/* Of a directory for what is private: others than root can get into it. */
#define CHILD_DIRECTORY_EXPOSED EBADE

/* Makes the plan's directories and links. No symbolic link is followed below a directory's prefix.
 * One that is the process's own gets its mode and, unless it belongs to the process's user and
 * group already, is given to them with all that is in it, itself last. 0, or -1 with errno, and in
 * child->detail which of them it is: ENOTDIR where something else is in the way, EEXIST for a link
 * whose name is taken, ENAMETOOLONG for a tree that is too deep, CHILD_DIRECTORY_EXPOSED,
 * CHILD_QUOTA_IMPOSSIBLE. One that
 * has become private, or is so no more (DynamicUser=), is moved to where it is to be, which the
 * report says by its detail. */
int child_directory(struct child *child);
