/* The labels that a child gets with its program. */
#pragma once

#include "agent/child.h"

/* The step: tells the kernel's modules which label is to come with exec (apparmor(7), selinux(8),
 * /proc/PID/attr of proc(5)). What may be impossible is passed over. 0, or -1 with errno and
 * child->detail, which label it was (enum label). */
int child_label(struct child *child);
