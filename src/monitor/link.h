/* The connection to one agent, for a program with a loop of its own: nothing here blocks. */
#pragma once

#include "protocol/client.h"

struct link {
    struct holden_connection connection; /* connection.fd is -1 while there is none */
    uint32_t last_id;
};

/* Connects to the agent's socket at `path`. 0; -ENOENT, -ECONNREFUSED where no agent is there,
 * -EACCES where the caller may not, -EAGAIN where too many wait already (unix(7)); -errno. */
int link_open(struct link *link, const char *path);

/* Ends the connection, if there is one, and frees what it holds. */
void link_close(struct link *link);

/* Whether there is a connection. */
bool link_is_open(const struct link *link);

/* What to wait for with poll(2). */
short link_events(const struct link *link);

/* Queues a request and sends what the socket takes; the rest goes with link_receive(). The
 * request's id, never 0, goes to *id. 0, or -errno: the connection is of no more use. */
int link_ask(struct link *link, uint16_t type, const void *message, uint32_t *id);

/* Sends what is queued and reads once. 0; -EAGAIN where there is nothing to read; -ECONNRESET when
 * the agent went away; -errno. */
int link_receive(struct link *link);

/* The next whole frame that has been read, valid until link_taken(). 0; -EAGAIN where there is
 * none; -EPROTO and others of holden_frame_get(). */
int link_next(struct link *link, struct holden_reply *reply);

/* Drops the frame that link_next() showed, with descriptors that came with it. */
void link_taken(struct link *link, const struct holden_reply *reply);
