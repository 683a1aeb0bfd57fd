/* The last events of one agent, each as one line for people. */
#pragma once

#include "protocol/message.h"

enum { NEWS_KEPT = 512, NEWS_TEXT = 120 };

struct news_item {
    uint64_t id;          /* of the process; 0: of none */
    uint64_t time;        /* microseconds since 1970 */
    char name[65];        /* of the process, or empty */
    char text[NEWS_TEXT]; /* "running (pid 12)" */
};

struct news {
    struct news_item *items; /* a ring; owned, NULL while there are none */
    uint64_t count;          /* of all that came; the last NEWS_KEPT are kept */
    uint64_t sequence;       /* the number of the last event, as the agent counts them */
};

/* Takes an event. One whose number is not above that of the last is known already, unless the agent
 * counts anew. 0 or -ENOMEM. */
int news_take(struct news *news, const struct holden_event *event);

/* The newest one that is older than *at, which is U64_MAX at first, and concerns the process `id`
 * (0: any); *at moves to it. NULL where there is none. */
const struct news_item *news_before(const struct news *news, uint64_t id, uint64_t *at);

/* Frees what is kept. */
void news_free(struct news *news);
