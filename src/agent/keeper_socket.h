/* The listening socket, and the lock that lets one keeper at a time have its path. */
#pragma once

#include <sys/types.h>

struct keeper_socket {
    const char *path; /* the caller's */
    int fd;           /* listening, not blocking */
    int lock;         /* PATH.lock, held by flock(2) */
    dev_t device;     /* of the socket file that we made, so that no other is removed */
    ino_t inode;
};

/* Locks PATH.lock and listens on `path`, mode 0600, making missing parent directories (0755). A
 * socket that nobody answers on is replaced; a live one, or anything else in its place, is not. 0;
 * or -errno after one line on stderr, and nothing is held. */
int keeper_socket_open(struct keeper_socket *socket, const char *path);

/* Takes over what an earlier program of this process has opened: the socket and its lock. */
void keeper_socket_resume(struct keeper_socket *socket, const char *path, int fd, int lock);

/* Removes both files and closes both descriptors. */
void keeper_socket_close(struct keeper_socket *socket);
