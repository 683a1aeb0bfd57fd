/* Delegate=: a process's cgroup that is its own to divide (systemd.resource-control(5),
 * Documentation/admin-guide/cgroup-v2, "Delegation"). */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "agent/cgroup.h"

/* Whether the settings ask for it. */
bool delegate_wanted(const struct holden_properties *properties);

/* Refuses controllers that are named and missing, and what contradicts it. 0; or *failure filled.
 */
int delegate_check(const struct hierarchy *hierarchy, const struct holden_properties *properties,
                   struct failure *failure);

/* Hands the cgroup to the user: its directory, and those of its files that the kernel lists in
 * /sys/kernel/cgroup/delegate; what limits it stays root's. 0 or -errno. */
int delegate_give(int directory, uid_t uid, gid_t gid);

/* Makes or opens the cgroup ".control" below a delegated one, and hands it over likewise: once the
 * process has divided its cgroup, only those below can have processes (cgroups(7)), so the commands
 * beside the main one run there, as with systemd. 0 with *control, owned by the caller; or -errno.
 */
int delegate_control(int directory, uid_t uid, gid_t gid, int *control);
