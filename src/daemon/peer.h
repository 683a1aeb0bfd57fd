/* A connected client as the daemon sees it: who it is, by the kernel's word at accept, and its
 * connection. Frames are handed on one by one; what is queued for it is bounded. */
#pragma once

#include <stdbool.h>
#include <sys/queue.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

#include "daemon/quota.h"
#include "protocol/connection.h"

struct listener;
struct waiter;
struct stream;
struct order;

struct peer {
    LIST_ENTRY(peer) entry;
    struct listener *listener;
    struct holden_connection connection;
    sd_event_source *io;
    sd_event_source *more;     /* set while whole frames are left for the next turn */
    uid_t uid;
    gid_t gid;
    pid_t pid;
    uint64_t connected;        /* when it was taken: microseconds of CLOCK_BOOTTIME */
    int process;               /* owned: the program's business; -1: nothing */
    gid_t *groups;             /* supplementary, owned */
    size_t group_count;
    bool ended;                /* it sends nothing more; only in a listener that drains */
    bool closing;              /* a protocol error was answered: close once it is sent */
    bool corked;               /* replies are queued only: see peer_cork() */
    struct quota *quota;       /* of its user; NULL: it has no bounds */
    size_t counted;            /* bytes of it that the user's quota counts */
    bool asked;                /* its first request has come: that counts as the connection does */
    bool waits;                /* its user has asked too often: it is not read from for a while */
    bool behind;               /* streams or requests wait for its queue: it is told of room */
    size_t promises;           /* answers that the program owes it */
    LIST_HEAD(, waiter) waiters; /* what the program has promised to answer; its own business */
    LIST_HEAD(, stream) streams; /* what the program still produces for it; likewise */
    LIST_HEAD(, order) orders;   /* what it has asked to be done; likewise */
};

/* What a program does with its peers. */
struct peer_calls {
    /* Whether a client that has connected is taken, by who the kernel says that it is. NULL; or the
     * reason why not, static, for its only answer. */
    const char *(*refuse)(void *program, const struct peer *peer);
    /* A whole frame has come. Replies go through peer_reply(). The descriptors that came with it
     * can be taken with holden_connection_take_fds(). */
    void (*frame)(void *program, struct peer *peer, const struct holden_frame *frame,
                  const uint8_t *body);
    /* A reply to request `id` (0: to none) is about to be sent; may be NULL. */
    void (*answered)(void *program, struct peer *peer, uint16_t type, uint32_t id,
                     const void *message);
    /* Its queue has room again: continue its streams. */
    void (*drained)(void *program, struct peer *peer);
    /* It is about to be freed: forget it. */
    void (*gone)(void *program, struct peer *peer);
};

/* The listening socket and everybody connected. */
struct listener {
    sd_event *event;
    sd_event_source *io;
    sd_event_source *resume;   /* set while peers wait that have asked too often */
    struct quotas quotas;      /* of users; their bounds may be set once it is started */
    sd_event_source *pause;    /* set once no more connections could be taken: the end of a pause */
    const struct peer_calls *calls;
    void *program;             /* handed to the calls */
    bool draining;             /* nothing more is taken */
    LIST_HEAD(, peer) peers;
    size_t count;
    uint64_t refused;          /* connections that got no further than accept */
};

enum {
    PEER_QUEUE_MAX = 1 << 20, /* bytes queued for a peer before its streams and requests wait */
    PEER_FRAMES_PER_TURN = 16,
    PEER_FRAMES_PER_TURN_BOUNDED = 4, /* of a user who has a quota */
    PEER_PROMISES_MAX = 1 << 14, /* answers owed to one peer, each a few dozen bytes of memory */
    PEER_PROMISES_USER = 1 << 16, /* to all peers of a user who has a quota */
};

/* Listens on `fd`, which stays the caller's, until listener_stop(). 0 or -errno. */
int listener_start(struct listener *listener, sd_event *event, int fd,
                   const struct peer_calls *calls, void *program);

/* Listens on `fd`, which becomes the listener's, in place of the socket so far: who has connected
 * to that is taken, then it is closed. */
void listener_replace(struct listener *listener, int fd);

/* Takes no more connections (they wait in the socket's queue) and nothing that peers have not sent
 * yet: their next send fails with EPIPE (shutdown(2)). What they have sent is still handed on. */
void listener_drain(struct listener *listener);

/* In a listener that drains: whether all that the peer has sent was handed on, and all that was
 * replied has been sent. */
bool peer_is_quiet(struct peer *peer);

/* Closes all connections and stops listening. */
void listener_stop(struct listener *listener);

/* Queues a reply to request `id` and sends what the socket takes. A peer that cannot be served any
 * more is closed later by the loop, never inside this call. `fds` stay the caller's; they and the
 * fields that name them are left out where the peer holds up too many and the message allows it. */
void peer_reply(struct peer *peer, uint16_t type, uint32_t id, const void *message, const int *fds,
                size_t count);

/* From here on replies are only queued, until peer_uncork() sends them: for many small ones in a
 * row, each of which would be a system call and a wake-up. */
void peer_cork(struct peer *peer);
void peer_uncork(struct peer *peer);

/* Queues an error reply made from code, step (may be NULL) and text. */
void peer_error(struct peer *peer, uint32_t id, uint32_t code, const char *step, const char *text);

/* Whether the peer's queue is full for now. */
bool peer_full(const struct peer *peer);

/* Takes note of what is owed to the peer: an answer costs one, what costs more time more. False,
 * and nothing noted, where as much is owed to it, or to all of its user's, as may be. */
bool peer_promise(struct peer *peer, unsigned cost);

/* It is not owed any more. */
void peer_kept(struct peer *peer, unsigned cost);

/* Asks for the call of `drained` as soon as the queue is empty, also where it is so already: for a
 * stream that has done its share of this turn. */
void peer_later(struct peer *peer);
