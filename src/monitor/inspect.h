/* Asks an agent about one process beyond its row, again and again: its settings, and its log, whose
 * end is read as it grows. What comes of it is told to the feed. */
#pragma once

#include "monitor/feed.h"

struct inspect {
    struct feed *feed;     /* that is asked; borrowed; NULL: none */
    uint64_t id;           /* of the process; 0: none */
    uint32_t list, log;    /* ids of the requests under way; 0: none */
    uint64_t due;          /* when to ask again: feed_now() */
    int fd;                /* its log, or -1; owned */
    uint64_t size, looked; /* of the log when it was last read; when it was looked at */
};

/* Turns to a process of that feed; `id` 0: to none. */
void inspect_select(struct inspect *inspect, struct feed *feed, uint64_t id);

/* Does what is due. Returns whether a user sees a difference. */
bool inspect_work(struct inspect *inspect, uint64_t now);

/* When inspect_work() is wanted at the latest. */
uint64_t inspect_deadline(const struct inspect *inspect);

/* Takes the reply of that feed, or (NULL) the loss of its connection. Returns whether it was for a
 * request of this. */
bool inspect_answer(struct inspect *inspect, const struct feed *feed,
                    const struct holden_reply *reply);

/* Closes the log. */
void inspect_close(struct inspect *inspect);
