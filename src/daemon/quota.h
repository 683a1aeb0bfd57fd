/* What one user may take of the agent: connections, requests in a second, bytes that wait to be
 * read or handled. Others are not held up by one who takes all of that. Root has no bounds. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

/* 0 and UINT64_MAX: no bound. */
struct quota_bounds {
    uint64_t connections;
    uint64_t requests; /* a second */
    uint64_t burst;    /* as many may come at once after a rest */
    uint64_t queue;    /* bytes */
};

/* A user with connections, or whose last requests still count. */
struct quota {
    LIST_ENTRY(quota) entry;
    uid_t uid;
    uint64_t connections;
    uint64_t queued;  /* bytes, of all connections */
    uint64_t promises; /* what is owed to all connections: peer_promise() */
    uint64_t refused; /* connections and requests, since it is here */
    uint64_t debt;    /* when all that it has asked would have been asked at the rate that it may:
                       * nanoseconds of CLOCK_MONOTONIC */
};

struct quotas {
    struct quota_bounds bounds;
    LIST_HEAD(, quota) users;
};

/* The user, or NULL where nothing is known of it. */
struct quota *quota_find(const struct quotas *quotas, uid_t uid);

/* One connection more of the user: 0 with *out; -EDQUOT where it has as many as it may; -EBUSY
 * where it asks too often; -ENOMEM. Root's is NULL. `now` is in microseconds of CLOCK_MONOTONIC.
 * Both refusals are counted. */
int quota_connect(struct quotas *quotas, uid_t uid, uint64_t now, struct quota **out);

/* One connection less. NULL is nobody. */
void quota_disconnect(struct quota *quota);

/* One request more at `now`. False, and counted, where the user asks too often. NULL may all. */
bool quota_request(const struct quotas *quotas, struct quota *quota, uint64_t now);

/* How many bytes may wait on one of the user's connections, at most `most`: what all of them may
 * together is shared. */
uint64_t quota_share(const struct quotas *quotas, const struct quota *quota, uint64_t most);

/* Whether more waits than may on all connections of the user. */
bool quota_overfull(const struct quotas *quotas, const struct quota *quota);

/* Frees all. */
void quotas_free(struct quotas *quotas);
