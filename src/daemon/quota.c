#include "daemon/quota.h"

#include <errno.h>
#include <stdlib.h>

/* So that the last of many connections can still take a request, and an answer. */
enum { SHARE_LEAST = 16 << 10, NANOSECONDS = 1000 };
static const uint64_t second = 1000000000;

static bool is_bound(uint64_t bound) {
    return bound > 0 && bound < UINT64_MAX;
}

static bool is_idle(const struct quota *quota, uint64_t now) {
    return quota->connections == 0 && quota->debt <= now * NANOSECONDS;
}

struct quota *quota_find(const struct quotas *quotas, uid_t uid) {
    struct quota *quota;
    LIST_FOREACH(quota, &quotas->users, entry)
        if (quota->uid == uid)
            return quota;
    return NULL;
}

static void drop(struct quota *quota) {
    LIST_REMOVE(quota, entry);
    free(quota);
}

/* Those that have gone stay until what they asked no longer counts: nobody gets rid of that by
 * connecting again. */
static struct quota *new(struct quotas *quotas, uid_t uid, uint64_t now) {
    struct quota *quota, *next;
    for (quota = LIST_FIRST(&quotas->users); quota; quota = next) {
        next = LIST_NEXT(quota, entry);
        if (is_idle(quota, now))
            drop(quota);
    }
    quota = calloc(1, sizeof(*quota));
    if (quota) {
        quota->uid = uid;
        LIST_INSERT_HEAD(&quotas->users, quota, entry);
    }
    return quota;
}

/* Each request adds what one may take at the rate; a burst is that much ahead of the clock. */
bool quota_request(const struct quotas *quotas, struct quota *quota, uint64_t now) {
    const struct quota_bounds *bounds = &quotas->bounds;
    if (!quota || !is_bound(bounds->requests))
        return true;
    uint64_t each = second / bounds->requests;
    uint64_t burst = bounds->burst > 0 ? bounds->burst : 1, at = now * NANOSECONDS;
    uint64_t debt = quota->debt > at ? quota->debt - at : 0;
    if (each > 0 && (debt + each - 1) / each >= burst) {
        quota->refused++;
        return false;
    }
    quota->debt = at + debt + each;
    return true;
}

int quota_connect(struct quotas *quotas, uid_t uid, uint64_t now, struct quota **out) {
    const struct quota_bounds *bounds = &quotas->bounds;
    *out = NULL;
    if (uid == 0)
        return 0;
    struct quota *quota = quota_find(quotas, uid);
    if (!quota && !(quota = new(quotas, uid, now)))
        return -ENOMEM;
    if (is_bound(bounds->connections) && quota->connections >= bounds->connections) {
        quota->refused++;
        return -EDQUOT;
    }
    if (!quota_request(quotas, quota, now))
        return -EBUSY;
    quota->connections++;
    *out = quota;
    return 0;
}

void quota_disconnect(struct quota *quota) {
    if (quota)
        quota->connections--;
}

uint64_t quota_share(const struct quotas *quotas, const struct quota *quota, uint64_t most) {
    if (!quota || !is_bound(quotas->bounds.queue))
        return most;
    uint64_t share = quotas->bounds.queue / (quota->connections ? quota->connections : 1);
    if (share < SHARE_LEAST)
        share = SHARE_LEAST;
    return share < most ? share : most;
}

bool quota_overfull(const struct quotas *quotas, const struct quota *quota) {
    return quota && is_bound(quotas->bounds.queue) && quota->queued > quotas->bounds.queue;
}

void quotas_free(struct quotas *quotas) {
    while (!LIST_EMPTY(&quotas->users))
        drop(LIST_FIRST(&quotas->users));
}
