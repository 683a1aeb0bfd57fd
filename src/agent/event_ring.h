/* The last events, encoded, in memory that outlives the agent: the file DIR/events, mapped. What is
 * stored in it is there for the next agent, whenever this one dies; that costs a copy for each
 * event and no system call. Numbers of events are never used again, also where the file is lost. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "protocol/codec.h"

struct store;
struct event_memory;

enum { EVENTS_KEPT = 1024 };

struct event_ring {
    struct event_memory *memory; /* mapped */
    struct {
        uint8_t *body;           /* owned: of one that is too large for the file, or NULL */
        uint32_t size;
    } large[EVENTS_KEPT];        /* lost with the agent */
    uint64_t last;               /* number of the newest event */
};

/* Opens the file in the state directory, which is locked, or makes it. What is not an agent's is
 * set aside, and events are numbered from a number that none can have had. Without room for the
 * file they are kept in memory only, after a line on stderr. 0 or -ENOMEM. */
int event_ring_open(struct event_ring *ring, struct store *store);

/* Unmaps it; the file stays. One that is all zero will do. */
void event_ring_close(struct event_ring *ring);

/* Keeps an event in place of the oldest, as number ring->last + 1. Without memory for it its number
 * is used all the same. */
void event_ring_put(struct event_ring *ring, uint32_t owner, struct holden_view body);

/* Event `number`: false where it is not kept. The view lasts until the next event_ring_put(); what
 * an earlier agent left need not decode. */
bool event_ring_get(const struct event_ring *ring, uint64_t number, uint32_t *owner,
                    struct holden_view *body);

/* The first number that may still be kept. */
uint64_t event_ring_first(const struct event_ring *ring);
