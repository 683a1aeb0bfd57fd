/* The socket that processes report to (sd_notify(3)): datagrams, at PATH.notify beside the
 * listening one, whose lock keeps others away from this name too. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

struct keeper_notify {
    int fd;       /* see KEEPER_FD_NOTIFY; or -1: there can be none here */
    int next;     /* in its place once an agent-core can take it: the file was gone; or -1 */
    dev_t device; /* of the file */
    ino_t inode;
};

/* Takes over the open socket, or where there is none (-1) makes it, for anybody to write to; the
 * kernel says who did. Where that cannot be, says so on stderr, and there is none. */
void keeper_notify_open(struct keeper_notify *notify, const char *path, int fd);

/* Where the name of its file now means another file or none, makes a new one, as `next`. What was
 * sent to the old one is still in it. True where there is a new one; what goes wrong is said. */
bool keeper_notify_mend(struct keeper_notify *notify, const char *path);

/* Adds its file to what an inotify(7) descriptor watches: that its name goes. */
void keeper_notify_watch(const struct keeper_notify *notify, const char *path, int watch);

/* Puts `next`, where there is one, in the place of `fd`, which is closed: all that was in it has
 * been heard. */
void keeper_notify_renew(struct keeper_notify *notify);

/* Removes the file of `next`, where there is one, which the next keeper is not left. */
void keeper_notify_forsake(const struct keeper_notify *notify, const char *path);

/* Removes its file and closes all descriptors. */
void keeper_notify_close(const struct keeper_notify *notify, const char *path);
