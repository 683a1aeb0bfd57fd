#include "agent/events.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/journal.h"
#include "agent/machine.h"
#include "agent/permit.h"
#include "common/cleanup.h"

/* A client that follows: the ring is its queue, it only has a position in it. */
struct follower {
    LIST_ENTRY(follower) entry;
    struct peer *peer;
    uint32_t id;
    uint64_t next;    /* sequence number of the next event to send */
    bool follow;      /* goes on after the newest */
};

/* A follower is served with every event, so a peer may have few. */
enum { FOLLOWER_COST = PEER_PROMISES_MAX / 64 };

int events_open(struct events *events, struct agent *agent) {
    *events = (struct events){.agent = agent};
    LIST_INIT(&events->followers);
    events->journal = journal_socket();
    return event_ring_open(&events->ring, &agent->store);
}

static void drop(struct follower *follower) {
    peer_kept(follower->peer, FOLLOWER_COST);
    LIST_REMOVE(follower, entry);
    free(follower);
}

void events_free(struct events *events) {
    while (!LIST_EMPTY(&events->followers))
        drop(LIST_FIRST(&events->followers));
    event_ring_close(&events->ring);
    if (events->journal >= 0)
        close(TAKE_FD(events->journal));
}

/* The first event from `number` on that is kept, or the number behind the last. */
static uint64_t next_kept(const struct events *events, uint64_t number, uint32_t *owner,
                          struct holden_event *event) {
    const struct event_ring *ring = &events->ring;
    struct holden_fault fault;
    struct holden_view body;
    uint64_t at = event_ring_first(ring);
    for (at = number > at ? number : at; at <= ring->last; at++)
        if (event_ring_get(ring, at, owner, &body) &&
            holden_decode(&holden_record_event, body.data, body.size, event, &fault) == 0)
            break;
    return at;
}

/* What is about no process is everybody's. */
static bool may_see(const struct events *events, const struct peer *peer, uint32_t owner,
                    const struct holden_event *event) {
    const struct policy_target target = {owner, event->name};
    return permit(events->agent, peer, HOLDEN_MESSAGE_subscribe,
                  owner == UINT32_MAX ? NULL : &target, NULL) == 0;
}

static void send_missed(struct follower *follower, uint64_t first) {
    struct holden_event missed = {0};
    HOLDEN_SET(&missed, event, sequence, first - 1);
    HOLDEN_SET(&missed, event, time, machine_realtime());
    HOLDEN_SET(&missed, event, kind, HOLDEN_event_kind_DROPPED);
    HOLDEN_SET(&missed, event, missed, first - follower->next);
    peer_reply(follower->peer, HOLDEN_MESSAGE_event, follower->id, &missed, NULL, 0);
    follower->next = first;
}

/* Sends what the follower has not seen, as far as its queue takes it. False when it has ended. */
static bool serve(struct events *events, struct follower *follower) {
    while (follower->next <= events->ring.last && !peer_full(follower->peer)) {
        struct holden_event event;
        uint32_t owner = 0;
        uint64_t at = next_kept(events, follower->next, &owner, &event);
        if (at > follower->next) {
            send_missed(follower, at);
            continue;
        }
        if (may_see(events, follower->peer, owner, &event))
            peer_reply(follower->peer, HOLDEN_MESSAGE_event, follower->id, &event, NULL, 0);
        follower->next++;
    }
    if (follower->follow || follower->next <= events->ring.last)
        return true;
    struct holden_end end = {0};
    peer_reply(follower->peer, HOLDEN_MESSAGE_end, follower->id, &end, NULL, 0);
    return false;
}

static void serve_all(struct events *events, const struct peer *peer) {
    struct follower *follower, *next;
    for (follower = LIST_FIRST(&events->followers); follower; follower = next) {
        next = LIST_NEXT(follower, entry);
        if ((!peer || follower->peer == peer) && !serve(events, follower))
            drop(follower);
    }
}

/* Numbers the event, keeps it in place of the oldest, and serves who follows. Without memory the
 * event is lost, its number is not: readers are told that they missed one. */
static void add(struct events *events, struct holden_event *event, uint32_t owner) {
    _cleanup_(buffer_free) struct buffer body = {0};
    HOLDEN_SET(event, event, sequence, events->ring.last + 1);
    HOLDEN_SET(event, event, time, machine_realtime());
    if (holden_encode(&holden_record_event, event, &body) < 0)
        body.size = 0;
    event_ring_put(&events->ring, owner,
                   (struct holden_view){(const char *)buffer_bytes(&body), body.size});
    serve_all(events, NULL);
    /* Where nobody listens, or does not read, the event is in the ring all the same. */
    if (events->journal >= 0)
        (void)journal_event(events->journal, events->agent->arguments.socket, event);
}

static void describe(const struct process *process, struct holden_event *event) {
    HOLDEN_SET(event, event, name, holden_view(process->name));
    HOLDEN_SET(event, event, id, process->id);
    HOLDEN_SET(event, event, state, process->state);
    if (process->pid > 0)
        HOLDEN_SET(event, event, pid, (uint32_t)process->pid);
}

void events_state(struct process *process) {
    struct holden_event event = {0};
    HOLDEN_SET(&event, event, kind, HOLDEN_event_kind_STATE);
    describe(process, &event);
    if (!process_alive(process)) {
        HOLDEN_SET(&event, event, cause, process->outcome.cause);
        if (process->outcome.code == CLD_EXITED)
            HOLDEN_SET(&event, event, status, (uint32_t)process->outcome.status);
        else if (process->outcome.code)
            HOLDEN_SET(&event, event, signal, (uint32_t)process->outcome.status);
        if (process->outcome.explanation)
            HOLDEN_SET(&event, event, text, holden_view(process->outcome.explanation));
    }
    add(&process->agent->events, &event, process->owner);
}

void events_action(struct process *process, uint32_t kind, uint32_t uid, const char *text) {
    struct holden_event event = {0};
    HOLDEN_SET(&event, event, kind, kind);
    describe(process, &event);
    HOLDEN_SET(&event, event, uid, uid);
    if (text)
        HOLDEN_SET(&event, event, text, holden_view(text));
    add(&process->agent->events, &event, process->owner);
}

void events_said(struct process *process, const char *text) {
    struct holden_event event = {0};
    HOLDEN_SET(&event, event, kind, HOLDEN_event_kind_SAID);
    describe(process, &event);
    HOLDEN_SET(&event, event, text, holden_view(text));
    add(&process->agent->events, &event, process->owner);
}

void events_agent(struct agent *agent, const char *text) {
    struct holden_event event = {0};
    HOLDEN_SET(&event, event, kind, HOLDEN_event_kind_AGENT);
    HOLDEN_SET(&event, event, text, holden_view(text));
    add(&agent->events, &event, UINT32_MAX);
}

int events_subscribe(struct events *events, struct peer *peer, uint32_t id,
                     const struct holden_subscribe *request) {
    if (!peer_promise(peer, FOLLOWER_COST))
        return -EDQUOT;
    struct follower *follower = malloc(sizeof(*follower));
    if (!follower) {
        peer_kept(peer, FOLLOWER_COST);
        return -ENOMEM;
    }
    bool since = HOLDEN_HAS(request, subscribe, since);
    *follower = (struct follower){
        .peer = peer, .id = id,
        .follow = HOLDEN_HAS(request, subscribe, follow) && request->follow,
        .next = since && request->since < events->ring.last ? request->since + 1
                                                           : events->ring.last + 1,
    };
    /* Without a number, a reader that does not follow wants all that is kept. */
    struct holden_event event;
    uint32_t owner;
    if (!since && !follower->follow)
        follower->next = next_kept(events, 1, &owner, &event);
    LIST_INSERT_HEAD(&events->followers, follower, entry);
    if (HOLDEN_HAS(request, subscribe, tell) && request->tell) {
        struct holden_target target = {0};
        HOLDEN_SET(&target, target, id, follower->next - 1);
        peer_reply(peer, HOLDEN_MESSAGE_target, id, &target, NULL, 0);
    }
    if (!serve(events, follower))
        drop(follower);
    return 0;
}

void events_drained(struct events *events, struct peer *peer) {
    serve_all(events, peer);
}

void events_forget(struct events *events, struct peer *peer) {
    struct follower *follower, *next;
    for (follower = LIST_FIRST(&events->followers); follower; follower = next) {
        next = LIST_NEXT(follower, entry);
        if (follower->peer == peer)
            drop(follower);
    }
}
