/* A client of an agent: connect, ask, read the answers. Blocking calls, for programs; a program
 * with a loop of its own polls client->connection.fd and uses holden_connection_* directly. */
#pragma once

#include "protocol/connection.h"

#define HOLDEN_SOCKET_DEFAULT "/run/holden/agent.sock"

struct holden_client {
    struct holden_connection connection;
    uint32_t last_id;
    struct holden_frame taken; /* the frame that the last reply shows */
    bool holds;                /* there is one */
    struct holden_keeping *keeping; /* owned; NULL unless holden_client_keep() was called */
};

/* A reply: its frame, and its body decoded on demand by holden_reply_decode(). Valid until the next
 * call on the client. */
struct holden_reply {
    struct holden_frame frame;
    const uint8_t *body;
};

/* The socket's path: `given` unless NULL, else $HOLDEN_SOCKET unless empty, else the default. */
const char *holden_socket_path(const char *given);

/* The directory in which the agent with that socket keeps credentials, one directory for each
 * process that has some, called after it: "credentials" beside the socket, symbolic links resolved.
 * 0 with the path; -ENAMETOOLONG; -errno of realpath(3). */
int holden_credentials_path(const char *socket, char *path, size_t space);

/* Connects to the agent's socket at `path`. 0; -ENOENT, -ECONNREFUSED where no agent is there;
 * -EACCES where the caller may not; -errno. Released by holden_client_close(). */
int holden_client_connect(struct holden_client *client, const char *path);

/* Ends the connection and frees what the client holds. */
void holden_client_close(struct holden_client *client);

/* Queues a request and sends all that is queued; `fds` go with it and stay the caller's. The
 * request's id goes to *id (may be NULL). 0, or as holden_connection_put() and
 * holden_connection_send(). */
int holden_client_ask(struct holden_client *client, uint16_t type, const void *message,
                      const int *fds, size_t count, uint32_t *id);

/* Waits for the next frame, of whichever request. 0; -ECONNRESET when the agent went away;
 * -errno. */
int holden_client_next(struct holden_client *client, struct holden_reply *reply);

/* Waits for the next frame with this id; frames with other ids are dropped, so it is for clients
 * with one request in flight. As holden_client_next(). */
int holden_client_reply(struct holden_client *client, uint32_t id, struct holden_reply *reply);

/* From now on the client outlives the agent: when the connection breaks (the agent was killed, or
 * replaced by `reexec`), it connects to `path` again and sends again what is not fully answered,
 * under the same ids, so that the caller sees nothing but a pause. A start is not done twice, a
 * stop or wait stays with the process that it meant, and streams go on where they were; only a
 * signal that was being sent may arrive twice. For `patience` microseconds at most a new agent is
 * waited for, and 2 s where the socket is gone, since an agent that ends in order takes it away.
 *
 * Then holden_client_ask() succeeds while there is no agent, and holden_client_next() and
 * holden_client_reply() fail for this reason only with -ECONNREFUSED or -ENOENT (no agent came in
 * time) or -ECONNRESET (ten agents in a row went away within ten seconds and without a word).
 * Descriptors passed with a start are kept open here until it is answered. To be called before the
 * first request. 0 or -ENOMEM. */
int holden_client_keep(struct holden_client *client, const char *path, uint64_t patience);

/* For a program with a loop of its own and a client that outlives the agent, in place of a blocking
 * wait: to be called when client->connection.fd, which changes, is readable, and every so often (50
 * ms) while it is -1, for want of an agent. Reads once, or tries once to connect. 0, or -errno when
 * it is over, as above. Then holden_client_next() does not wait while holden_client_has(). */
int holden_client_turn(struct holden_client *client);

/* Whether a whole reply is here already. Ends the life of the last reply. */
bool holden_client_has(struct holden_client *client);

/* Decodes the reply's body as its own type; `message` must be that type's struct. 0 or -EBADMSG. */
int holden_reply_decode(const struct holden_reply *reply, void *message);
