/* The agents that are shown together, and the machine that the monitor runs on. They are either
 * there, or told of by a recording. */
#pragma once

#include "monitor/feed.h"
#include "monitor/machine.h"

enum { FLEET_MOST = 16, FLEET_LABEL = 32 };

struct fleet {
    struct feed feeds[FLEET_MOST];
    size_t count;
    char labels[FLEET_MOST][FLEET_LABEL]; /* what sets each apart, for a column of the table */
    struct machine machine;
    struct tap tap;                       /* of all feeds; take is NULL where nobody listens */
};

/* Names the agents' sockets (at most FLEET_MOST, borrowed), before anything else; the fleet is
 * released by fleet_close(). What the feeds do otherwise is up to the caller, who fills their first
 * members in. */
void fleet_name(struct fleet *fleet, const char *const *paths, size_t count);

/* Makes the first try to connect to each. 0; -errno of the first where none of them is there, as
 * feed_open(). */
int fleet_open(struct fleet *fleet, uint64_t now);

/* Ends all connections and frees what the feeds hold. */
void fleet_close(struct fleet *fleet);

/* Does all that is due. Returns whether something changed that a user sees. */
bool fleet_work(struct fleet *fleet, uint64_t now);

/* When fleet_work() is wanted at the latest, whatever the descriptors do. */
uint64_t fleet_deadline(const struct fleet *fleet);

/* Takes a tiding about that agent, as feed_tell(). */
bool fleet_tell(struct fleet *fleet, unsigned agent, enum tiding tiding, struct holden_view body,
                uint64_t time);

/* Forgets all that has been told. */
void fleet_forget(struct fleet *fleet);

/* The time of the last thing told of any, microseconds since 1970; 0: nothing was. */
uint64_t fleet_time(const struct fleet *fleet);

/* The feed that tells of the row. */
struct feed *fleet_feed(struct fleet *fleet, const struct row *row);
