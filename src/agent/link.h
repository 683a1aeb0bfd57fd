/* The agent's end of its channel to the keeper: plans and requests out, answers in. Never blocks:
 * what the channel does not take at once waits in order. */
#pragma once

#include <sys/queue.h>
#include <systemd/sd-event.h>

#include "agent/plan.h"
#include "common/buffer.h"

struct agent;
struct parcel;

struct link {
    int fd;
    sd_event_source *io;
    struct plan_report *reports;     /* shared with keeper, children and later agents */
    uint64_t used[PLAN_REPORTS / 64]; /* which reports are taken, by earlier agents too */
    TAILQ_HEAD(, parcel) parcels;    /* what the channel did not take yet */
    struct agent *agent;
};

/* Takes over the descriptors that the keeper passed. 0 or -errno (-ENOTCONN where the agent was not
 * started by a keeper). */
int link_open(struct link *link, struct agent *agent);

/* Releases all of it. */
void link_close(struct link *link);

/* Takes a free report for the start `token` (not 0) and clears it. 0 with *report; -EBUSY where all
 * are taken. */
int link_take_report(struct link *link, uint64_t token, uint32_t *report);

/* Finds the report of a start that an earlier agent had under way. 0 with *report; -ENOENT. */
int link_find_report(const struct link *link, uint64_t token, uint32_t *report);

/* Gives it back. After link_close(), when an agent ends in the middle of a start, the next one
 * finds it all the same. */
void link_give_report(struct link *link, uint32_t report);

/* Sends a plan (struct plan and its runs) with `count` descriptors, which stay the caller's. 0 or
 * -errno. */
int link_send_plan(struct link *link, const struct buffer *plan, const int *fds, size_t count);

/* Sends a request about `pid`; `token` as struct keeper_request has it. 0 or -errno. */
int link_send_request(struct link *link, enum keeper_request_kind kind, pid_t pid, uint64_t token);

/* Sends KEEPER_ADOPT about `count` pids, KEEPER_ADOPTIONS at most, with `token`: the process that
 * is to have another main process, or 0. 0 or -errno. */
int link_send_adoption(struct link *link, const pid_t *pids, size_t count, uint64_t token);

/* Sends KEEPER_REEXEC: `asker`, which stays the caller's, is to be answered about request `id`. 0
 * or -errno. */
int link_send_asker(struct link *link, int asker, uint32_t id);

/* Waits for the answer to the oldest KEEPER_ADOPT that has none yet, at most 5 s: for recovery,
 * before the loop runs. 0 with *children: bit i is set where the i-th pid is the keeper's child,
 * whose pid is nobody else's until it is released; -ETIMEDOUT, -EPIPE where the keeper does not
 * answer as it should. */
int link_adopted(struct link *link, uint64_t *children);
