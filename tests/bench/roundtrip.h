/* A round trip of 32 bytes over a Unix stream socket between two processes: the least that any
 * request to an agent can cost. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

struct roundtrip {
    int fd;
    pid_t server;
};

/* Starts the answering process; with `epoll` it waits in epoll_wait(2) before each read, as an
 * event loop does, without it in read(2). 0, and `*trip` is to be closed with roundtrip_close();
 * or -errno. */
int roundtrip_open(bool epoll, struct roundtrip *trip);

/* Sends one message and reads its answer. 0; -EPIPE when the answering process is gone; or another
 * -errno. */
int roundtrip_once(const struct roundtrip *trip);

/* Ends and collects the answering process. */
void roundtrip_close(struct roundtrip *trip);
