/* Requests that are out: each is kept until its last answer, so that it can be sent again to the
 * successor of an agent that died meanwhile, without anything being done twice or told twice. One
 * row per message in pending.c says how. */
#pragma once

#include <sys/queue.h>

#include "protocol/connection.h"

struct holden_pending;
TAILQ_HEAD(holden_pendings, holden_pending); /* oldest first */

/* Keeps a request, with duplicates of its descriptors, and queues it on `connection` unless that is
 * NULL; what identifies it when it comes again is added. 0, -EINVAL for a type that is no request,
 * or as holden_connection_put(). Nothing is kept on failure. */
int holden_pending_add(struct holden_pendings *pendings, struct holden_connection *connection,
                       uint16_t type, uint32_t id, const void *message, const int *fds,
                       size_t count);

/* Queues all of them on a new connection, under their old ids, as they are to be sent again. 0, or
 * as holden_connection_put(). */
int holden_pending_send_again(struct holden_pendings *pendings,
                              struct holden_connection *connection);

/* Whether a reply is not for whoever asked: it tells what a request is about, which is noted, or
 * was handed on before the request was sent again. To be asked once for each. */
bool holden_pending_hides(struct holden_pendings *pendings, const struct holden_frame *frame,
                          const uint8_t *body);

/* Notes a reply that is handed on; with the last one, its request is forgotten. */
void holden_pending_answered(struct holden_pendings *pendings, const struct holden_frame *frame,
                             const uint8_t *body);

/* Forgets them all. */
void holden_pending_free(struct holden_pendings *pendings);
