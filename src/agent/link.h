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
    struct plan_report *reports;     /* shared with every child */
    uint64_t used[PLAN_REPORTS / 64]; /* which reports are taken */
    TAILQ_HEAD(, parcel) parcels;    /* what the channel did not take yet */
    struct agent *agent;
};

/* Takes over the descriptors that the keeper passed. 0 or -errno (-ENOTCONN where the agent was not
 * started by a keeper). */
int link_open(struct link *link, struct agent *agent);

/* Releases all of it. */
void link_close(struct link *link);

/* Takes a free report, zeroed. 0 with *report; -EBUSY where all are taken. */
int link_take_report(struct link *link, uint32_t *report);

/* Gives it back. */
void link_give_report(struct link *link, uint32_t report);

/* Sends a plan (struct plan and its runs) with `count` descriptors, which stay the caller's. 0 or
 * -errno. */
int link_send_plan(struct link *link, const struct buffer *plan, const int *fds, size_t count);

/* Sends a request about `pid`; `token` as struct keeper_request has it. 0 or -errno. */
int link_send_request(struct link *link, enum keeper_request_kind kind, pid_t pid, uint64_t token);

/* Asks KEEPER_ADOPT about `pid` and waits for its answer, at most 5 s: for recovery, before the
 * loop runs. 0 with *pidfd, the caller's; -ECHILD; -errno. */
int link_adopt(struct link *link, pid_t pid, int *pidfd);
