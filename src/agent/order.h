/* What becomes of requests, for the audit trail: each order (messages.def) leaves one line there,
 * with its result, before its answer is sent; and so does whatever is refused before it is one. */
#pragma once

#include <sys/queue.h>

#include "protocol/message.h"

struct agent;
struct peer;
struct process;

/* A request that is to be answered. */
struct order {
    LIST_ENTRY(order) of_peer;
    struct peer *peer;
    const struct holden_message_row *row; /* NULL: no request that is known */
    uint32_t request;                     /* its id */
    bool settled;                         /* its line is written */
    struct holden_operation operation;    /* what is known of it already */
};

/* One while it is being handled, with what its operation refers to. */
struct order_now {
    struct order order;
    char name[256];
    char exe[4096];
};

/* A frame of `peer` is about to be handled; `row` is NULL for a type that is not known. `now` stays
 * where it is until order_end(). */
void order_begin(struct order_now *now, struct agent *agent, struct peer *peer, uint32_t request,
                 const struct holden_message_row *row);

/* Its body has been decoded into `message`, which stays as it is until order_end(). */
void order_says(struct order_now *now, const void *message);

/* It is about that process. Nothing where no request is being handled. */
void order_about(struct agent *agent, const struct process *process);

/* It has been handled. One that is still to be answered is kept with its peer. */
void order_end(struct order_now *now, struct agent *agent);

/* Called by the daemon before each reply, with its decoded form. */
void order_answered(void *program, struct peer *peer, uint16_t type, uint32_t id,
                    const void *message);

/* The peer goes: what it has ordered is answered to nobody. */
void order_drop_peer(struct agent *agent, struct peer *peer);

/* Somebody else will answer that request, and write its line. */
void order_hand_over(struct peer *peer, uint32_t id);

/* An agent before has been asked for a reexec by who is connected by `fd`, and this one answers:
 * `why` is "", or why it came to nothing. */
void order_reexec(struct agent *agent, int fd, const char *why);
