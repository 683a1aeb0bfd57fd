/* A connection to the agent, for verbs: whatever goes wrong is said on stderr as one line, here,
 * and the exit status returned. Functions return STATUS_DONE or that status. It outlives the agent
 * (holden_client_keep()): a verb sees the answers to its requests, whichever agent gives them. */
#pragma once

#include "controller/options.h"
#include "controller/status.h"
#include "protocol/client.h"

struct session {
    struct holden_client client;
    const char *path;  /* of the socket */
};

/* Connects to the agent that the options or the environment name. Released by session_close(). */
int session_open(struct session *session, const struct options *options);
void session_close(struct session *session);

/* Sends a request with `count` descriptors. *id may be NULL. */
int session_ask(struct session *session, uint16_t type, const void *message, const int *fds,
                size_t count, uint32_t *id);

/* Waits for the next frame. That the agent went away and none came in its place is
 * STATUS_NO_AGENT. A complaint about the connection as such (an error under id 0) ends with its
 * status. */
int session_next(struct session *session, struct holden_reply *reply);

/* For verbs that wait for other things too: what to poll for input (-1 while there is no agent),
 * and for how many milliseconds at most (-1: for ever). */
int session_fd(const struct session *session);
int session_pause(const struct session *session);

/* Then, in place of a blocking wait: reads what there is, or looks for the next agent. */
int session_turn(struct session *session);

/* Whether a whole frame is here already, so that session_next() will not wait. Ends the life of the
 * last reply. */
bool session_has_frame(struct session *session);

/* Decodes a reply that must be of this type; an error in its place is said as "WHAT: …". `what` is
 * such as "cannot stop web". */
int session_take(const struct holden_reply *reply, uint16_t type, void *message, const char *what);

/* Says an error as session_take() does. The exit status that goes with its code. */
int session_refused(const struct holden_error *error, const char *what);

enum { SESSION_SKIPPED = 1700 };

/* Whether the reply says that the process NAME is skipped (ExecCondition=), which is no failure:
 * then `text` says so in one line. To be asked before session_take(). */
bool session_skipped(const struct holden_reply *reply, const char *name,
                     char text[SESSION_SKIPPED]);

/* One request, one answer. */
int session_call(struct session *session, uint16_t request, const void *message, uint16_t answer,
                 void *into, const char *what);
