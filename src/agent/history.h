/* What processes have used over the last while: samples in little memory. A sample is kept as what
 * differs from the one before, so that a process that stands still costs nothing; samples lie in
 * chunks, each of which can be read, and dropped, without the others. All chunks of all processes
 * together have a bound: beyond it the oldest goes, whosever it is. */
#pragma once

#include <stdbool.h>
#include <sys/queue.h>

#include "protocol/message.h"

struct history_chunk;

/* The chunks of all processes. All zero with `most` set will do, after history_pool_init(). */
struct history_pool {
    TAILQ_HEAD(, history_chunk) chunks; /* the one that was begun first at the head */
    size_t bytes;                       /* of memory, as allocated */
    size_t most;                        /* the bound */
};

/* Of one process. All zero is an empty one. */
struct history {
    struct history_chunk *first, *last; /* owned, linked; NULL: none */
    struct holden_usage *now; /* owned: the last sample; NULL: the last chunk has it */
    uint64_t seen; /* when the figures were last seen, as in the last sample */
};

/* An empty pool of at most so many bytes. */
void history_pool_init(struct history_pool *pool, size_t most);

/* Another bound: what is beyond it goes at once. */
void history_pool_bound(struct history_pool *pool, size_t most);

/* Keeps a sample, of which every field is a number of 64 bits; its `at` is later than that of any
 * before it. What is older than `span` microseconds then goes, except for the last sample before
 * that. Without memory the sample is lost. */
void history_add(struct history_pool *pool, struct history *history,
                 const struct holden_usage *usage, uint64_t span);

/* The last sample is not going to be followed by one soon: gives back what makes that fast. */
void history_rest(struct history *history);

/* Takes one sample; false: no more are wanted. */
typedef bool history_take(void *data, const struct holden_usage *usage);

/* Hands on, in their order, the samples later than `after` (CLOCK_MONOTONIC, microseconds), the
 * last one again with the time at which it still held. */
void history_walk(const struct history *history, uint64_t after, history_take *take, void *data);

/* Forgets all of it. */
void history_free(struct history_pool *pool, struct history *history);
