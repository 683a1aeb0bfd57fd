/* The listening socket, and the lock that lets one keeper at a time have its path. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "agent/keeper_notify.h"

struct keeper_socket {
    const char *path; /* the caller's */
    int fd;           /* listening, not blocking */
    int next;         /* in its place once an agent-core can take it: the file was gone; or -1 */
    struct keeper_notify notify;
    int lock;         /* PATH.lock, held by flock(2) */
    int file;         /* O_PATH: the socket file, for its mode and group when its name is gone */
    int watch;        /* inotify(7): readable when something was done to the file; -1: cannot be */
    dev_t device;     /* of the socket file that we made, so that no other is removed */
    ino_t inode;
};

/* Locks PATH.lock and listens on `path`, mode 0600, making missing parent directories (0755). A
 * socket that nobody answers on is replaced; a live one, or anything else in its place, is not. 0;
 * or -errno after one line on stderr, and nothing is held. */
int keeper_socket_open(struct keeper_socket *socket, const char *path);

/* Takes over what an earlier program of this process has opened: the socket and its lock. */
void keeper_socket_resume(struct keeper_socket *socket, const char *path, int fd, int lock);

/* Takes over the socket that processes report to, or makes it (-1): keeper_notify_open(). */
void keeper_socket_notify(struct keeper_socket *socket, int fd);

/* Something was done to one of the files. Where the socket's name now means another file or none,
 * makes a new one there, with the same mode and group, as `next`: clients find the old one no more.
 * The lock still keeps other agents away. Likewise the lock and the socket for notices. What goes
 * wrong is said on stderr. */
void keeper_socket_mend(struct keeper_socket *socket);

/* Puts `next` in the place of `fd`, which is closed. */
void keeper_socket_renew(struct keeper_socket *socket);

/* Removes all its files and closes all descriptors. */
void keeper_socket_close(struct keeper_socket *socket);
