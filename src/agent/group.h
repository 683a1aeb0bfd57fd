/* Groups of users, and who is in them, as the system's name service knows them. */
#pragma once

#include <stddef.h>
#include <sys/types.h>

enum { GROUP_USER_MOST = 512, GROUP_TEXT_MOST = 256 };

struct group_user {
    uid_t uid;
    gid_t gid;
    gid_t groups[GROUP_USER_MOST]; /* all of its groups, `gid` too */
    size_t count;
    char name[GROUP_TEXT_MOST], home[GROUP_TEXT_MOST]; /* cut where longer */
    char shell[GROUP_TEXT_MOST];                       /* likewise */
};

/* Looks up the number of the group that is called `name` (getgrnam(3)). 0 with the number in *gid;
 * -ENOENT: there is no such group, as far as any source that answers knows; another -errno where it
 * could not be asked, for want of memory, descriptors or processes. Blocks until the name service
 * has answered: for the start, not for the loop. */
int group_find(const char *name, gid_t *gid);

/* Looks up a user by name or number (getpwnam(3), getgrouplist(3)). 0 with *user; -ENOENT: there is
 * no such user; -E2BIG: it is in more than GROUP_USER_MOST groups; another -errno as above, and it
 * blocks likewise. */
int group_find_user(const char *name, struct group_user *user);
