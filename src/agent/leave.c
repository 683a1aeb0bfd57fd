#include "agent/leave.h"

#include "agent/agent.h"
#include "agent/reexec.h"
#include "agent/waiter.h"
#include "common/log.h"

/* Microseconds. A process that hangs before its exec is no reason to stay for ever. */
enum { LEAVE_MOST = 3000000 };

static void go(struct agent *agent) {
    agent->leave.late = sd_event_source_disable_unref(agent->leave.late);
    agent->leave.check = sd_event_source_disable_unref(agent->leave.check);
    reexec_hand_over(agent);
    sd_event_exit(agent->event, agent->leave.status);
}

static bool owes(struct peer *peer) {
    const struct waiter *waiter;
    if (!peer_is_quiet(peer) || !LIST_EMPTY(&peer->streams))
        return true;
    LIST_FOREACH(waiter, &peer->waiters, of_peer)
        if (waiter->kind == WAITER_START)
            return true;
    return false;
}

static int on_turn(sd_event_source *source, void *data) {
    (void)source;
    struct agent *agent = data;
    struct peer *peer;
    LIST_FOREACH(peer, &agent->listener.peers, entry)
        if (owes(peer))
            return 0;
    if (TAILQ_EMPTY(&agent->link.parcels))
        go(agent);
    return 0;
}

static int on_late(sd_event_source *source, uint64_t now, void *data) {
    (void)source;
    (void)now;
    log_warning("some requests are still unanswered; leaving all the same");
    go(data);
    return 0;
}

void leave_begin(struct agent *agent, int status) {
    bool again = agent->leave.begun;
    agent->leave.status = status;
    agent->leave.begun = true;
    if (again)
        return;
    if (status == AGENT_EXIT_REEXEC)
        notify_reloading();
    listener_drain(&agent->listener);
    if (sd_event_add_time_relative(agent->event, &agent->leave.late, CLOCK_MONOTONIC, LEAVE_MOST, 0,
                                   on_late, agent) < 0 ||
        sd_event_add_post(agent->event, &agent->leave.check, on_turn, agent) < 0)
        go(agent);
    else
        on_turn(NULL, agent);
}
