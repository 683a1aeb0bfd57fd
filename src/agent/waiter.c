#include "agent/waiter.h"

#include <errno.h>
#include <stdlib.h>

#include "daemon/peer.h"

int waiter_add(struct process *process, struct peer *peer, uint32_t id, enum waiter_kind kind) {
    if (!peer_promise(peer, 1))
        return -EDQUOT;
    struct waiter *waiter = malloc(sizeof(*waiter));
    if (!waiter) {
        peer_kept(peer, 1);
        return -ENOMEM;
    }
    *waiter = (struct waiter){.process = process, .peer = peer, .id = id, .kind = kind};
    LIST_INSERT_HEAD(&process->waiters, waiter, of_process);
    LIST_INSERT_HEAD(&peer->waiters, waiter, of_peer);
    return 0;
}

static void drop(struct waiter *waiter) {
    peer_kept(waiter->peer, 1);
    LIST_REMOVE(waiter, of_process);
    LIST_REMOVE(waiter, of_peer);
    free(waiter);
}

bool waiter_any(const struct process *process, enum waiter_kind kind) {
    const struct waiter *waiter;
    LIST_FOREACH(waiter, &process->waiters, of_process)
        if (waiter->kind == kind)
            return true;
    return false;
}

/* The first that waits for `kind`, taken out of the lists into *taken. */
static bool take(struct process *process, enum waiter_kind kind, struct waiter *taken) {
    struct waiter *waiter;
    LIST_FOREACH(waiter, &process->waiters, of_process)
        if (waiter->kind == kind) {
            *taken = *waiter;
            drop(waiter);
            return true;
        }
    return false;
}

void waiter_answer(struct process *process, enum waiter_kind kind, uint16_t type,
                   const void *message, const int *fds, size_t count) {
    for (struct waiter waiter; take(process, kind, &waiter);)
        peer_reply(waiter.peer, type, waiter.id, message, fds, count);
}

/* Drops the other promises of the same request: an error is its last answer. */
static void drop_request(struct process *process, const struct waiter *refused) {
    struct waiter *waiter, *next;
    for (waiter = LIST_FIRST(&process->waiters); waiter; waiter = next) {
        next = LIST_NEXT(waiter, of_process);
        if (waiter->peer == refused->peer && waiter->id == refused->id)
            drop(waiter);
    }
}

void waiter_refuse(struct process *process, enum waiter_kind kind, const struct failure *failure) {
    for (struct waiter waiter; take(process, kind, &waiter);) {
        drop_request(process, &waiter);
        peer_error(waiter.peer, waiter.id, failure->code, failure->step, failure->text);
    }
}

void waiter_drop_all(struct process *process) {
    while (!LIST_EMPTY(&process->waiters))
        drop(LIST_FIRST(&process->waiters));
}

void waiter_drop_peer(struct peer *peer) {
    while (!LIST_EMPTY(&peer->waiters))
        drop(LIST_FIRST(&peer->waiters));
}
