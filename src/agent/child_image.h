/* The root of a child that is a file system in a file (RootImage=). */
#pragma once

#include "agent/child.h"

/* Mounts what is in the file that the plan's root names, by a loop device (loop(4)) that is gone
 * with the last mount of it; one that shows the file already is used again, since the kernel may
 * see one file system only once. A block device is mounted as it is. Whatever cannot be written
 * to, or is not to be, is mounted read-only. Returns the mount, which is nowhere yet; or -1 with
 * errno and in child->detail one of enum plan_root_fault. Nothing is left of it then. */
int child_image_mount(struct child *child);
