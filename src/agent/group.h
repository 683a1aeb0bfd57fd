/* Groups of users, as the system's name service knows them. */
#pragma once

#include <sys/types.h>

/* Looks up the number of the group that is called `name` (getgrnam(3)). 0 with the number in *gid;
 * -ENOENT: there is no such group, as far as any source that answers knows; another -errno where it
 * could not be asked, for want of memory, descriptors or processes. Blocks until the name service
 * has answered: for the start, not for the loop. */
int group_find(const char *name, gid_t *gid);
