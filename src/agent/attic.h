/* Where listeners of filters outlive the agent: in flight between sockets that the keeper holds
 * open but never reads (unix(7), SCM_RIGHTS). They arrive from children on one pair; agents leave
 * them in another. While no agent is there, who waits for an answer goes on waiting; the next agent
 * takes the listeners out, and puts those back that are still needed. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Takes over what the keeper has passed for this. To be called before anything else is opened,
 * which could get the same numbers. 0; -ENOTSOCK where it has passed nothing; -errno. */
int attic_open(void);

/* What has arrived first and not been taken yet: 0 with the id of its process and a descriptor of
 * the caller's (-1 where it is none); -EAGAIN where there is nothing; -errno. */
int attic_look(uint64_t *id, int *fd);

/* Takes that away. */
void attic_take(void);

/* Leaves a duplicate of `fd` in the attic as that of process `id`. 0 or -errno. */
int attic_leave(uint64_t id, int fd);

enum attic_found {
    ATTIC_DROP,  /* nobody needs it */
    ATTIC_LEAVE, /* to be left there again */
    ATTIC_TAKE,  /* to be left there again; and the descriptor is the caller's now */
};

/* Takes out everything that has been left there, one after the other, and asks what to do with it.
 */
void attic_visit(enum attic_found (*found)(void *data, uint64_t id, int fd), void *data);
