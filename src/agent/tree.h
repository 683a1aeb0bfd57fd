/* Removing what somebody else has filled. */
#pragma once

/* Removes a directory with all that is in it, or whatever else has that name. No symbolic link is
 * followed, not even on the way, and no other file system is gone into. A large one is gone from
 * its place at once, under another name; a process of its own then takes it apart, so that nobody
 * waits. 0, also where there is none; -EBUSY where something is mounted in it; -errno. */
int tree_remove(const char *path);

/* Removes a symbolic link, and nothing else. 0; -EINVAL where it is none; -errno. */
int tree_unlink_link(const char *path);
