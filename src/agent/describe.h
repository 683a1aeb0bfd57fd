/* A process as clients see it, and streams of them. */
#pragma once

#include <sys/queue.h>

#include "agent/process.h"

struct peer;

/* A LIST under way: goes on when the peer's queue has room. In the peer's list of streams. */
struct stream {
    LIST_ENTRY(stream) entry;
    struct peer *peer;
    uint32_t id;
    uint64_t after;    /* id of the process sent last */
    uint64_t *ids;     /* owned: only these, in this order; NULL: all */
    size_t count, next; /* of ids */
    bool ended, usage, detail;
};

/* Queues one `process` frame under `id`. */
void describe_send(struct process *process, struct peer *peer, uint32_t id, bool usage,
                   bool detail);

/* Answers a LIST: a stream of the `count` processes with these ids (allocated; taken over, also on
 * failure) or, where `ids` is NULL, of all that the peer may see; then `end`. 0 or -ENOMEM. */
int describe_stream(struct agent *agent, struct peer *peer, uint32_t id,
                    const struct holden_list *request, uint64_t *ids, size_t count);

/* The peer's queue has room again; or it goes. */
void describe_drained(struct agent *agent, struct peer *peer);
void describe_forget(struct peer *peer);
