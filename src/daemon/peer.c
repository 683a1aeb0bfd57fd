/* Accept, read, hand on, send. A protocol error ends the peer after one answer; a refused request
 * answers and the peer lives. Nobody's slowness is felt by others: reads and writes never block,
 * one turn handles a few frames, and a peer that does not read its answers is not read from either.
 */
#include "daemon/peer.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/log.h"

/* Microseconds, but for the last: whoever connects without end gets one turn, as others do. */
enum { PAUSE = 1000000, WAIT = 50000, CONNECTIONS_PER_TURN = 1 };

static void peer_free(struct peer *peer) {
    struct listener *listener = peer->listener;
    listener->calls->gone(listener->program, peer);
    if (peer->quota)
        peer->quota->queued -= peer->counted;
    quota_disconnect(peer->quota);
    LIST_REMOVE(peer, entry);
    listener->count--;
    sd_event_source_disable_unref(peer->io);
    sd_event_source_disable_unref(peer->more);
    holden_connection_close(&peer->connection);
    cleanup_close(&peer->process);
    free(peer->groups);
    free(peer);
}

bool peer_full(const struct peer *peer) {
    return peer->connection.out.size >
           quota_share(&peer->listener->quotas, peer->quota, PEER_QUEUE_MAX);
}

static uint64_t now(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_nsec / 1000;
}

bool peer_promise(struct peer *peer, unsigned cost) {
    if (peer->promises >= PEER_PROMISES_MAX ||
        (peer->quota && peer->quota->promises >= PEER_PROMISES_USER))
        return false;
    peer->promises += cost;
    if (peer->quota)
        peer->quota->promises += cost;
    return true;
}

void peer_kept(struct peer *peer, unsigned cost) {
    peer->promises -= cost;
    if (peer->quota)
        peer->quota->promises -= cost;
}

/* What waits on its connection, as a part of what waits on all of its user's. */
static void count_queued(struct peer *peer) {
    if (!peer->quota)
        return;
    size_t size = peer->connection.in.size + peer->connection.out.size;
    peer->quota->queued += size - peer->counted;
    peer->counted = size;
}

/* Waits for what is possible: reading unless the queue is full, writing while there is a queue. */
static void update_events(struct peer *peer) {
    uint32_t events = 0;
    count_queued(peer);
    if (!peer_full(peer) && !peer->closing && !peer->ended && !peer->waits)
        events |= EPOLLIN;
    peer->behind |= peer_full(peer);
    if (peer->connection.out.size > 0 || peer->closing || peer->behind)
        events |= EPOLLOUT;
    uint32_t now;
    if (sd_event_source_get_io_events(peer->io, &now) >= 0 && now != events)
        sd_event_source_set_io_events(peer->io, events);
}

void peer_later(struct peer *peer) {
    peer->behind = true;
    update_events(peer);
}

/* For a peer that has not taken the descriptors sent before: a message for which they are optional
 * goes without. */
static int put_without_fds(struct peer *peer, uint16_t type, uint32_t id, const void *message) {
    const struct holden_record *record = holden_message(type)->record;
    union {
        uint64_t align;
        uint8_t space[512];
    } copy;
    if (record->size > sizeof(copy))
        return -EMFILE;
    memcpy(copy.space, message, record->size);
    for (size_t i = 0; i < record->count; i++) {
        if (record->fields[i].type == HOLDEN_TYPE_FD && record->fields[i].required)
            return -EMFILE;
        if (record->fields[i].type == HOLDEN_TYPE_FD)
            holden_unmark(&copy, i);
    }
    return holden_connection_put(&peer->connection, type, id, &copy, NULL, 0);
}

static void send_queue(struct peer *peer) {
    int r = holden_connection_send(&peer->connection);
    if (r < 0 && r != -EAGAIN)
        peer->closing = true;
}

void peer_reply(struct peer *peer, uint16_t type, uint32_t id, const void *message, const int *fds,
                size_t count) {
    struct listener *listener = peer->listener;
    if (listener->calls->answered)
        listener->calls->answered(listener->program, peer, type, id, message);
    int r = holden_connection_put(&peer->connection, type, id, message, fds, count);
    if (r == -EMFILE)
        r = put_without_fds(peer, type, id, message);
    peer->behind |= peer_full(peer);
    if (r == -EMSGSIZE && type != HOLDEN_MESSAGE_error) {
        peer_error(peer, id, HOLDEN_code_TOO_MANY, NULL,
                   "the answer is longer than a frame may be");
        return;
    }
    if (r < 0) {
        log_warning("reply of type %u to pid %d dropped: %s", type, (int)peer->pid, strerror(-r));
        peer->closing = true;
    } else if (!peer->corked)
        send_queue(peer);
    update_events(peer);
}

void peer_cork(struct peer *peer) {
    peer->corked = true;
}

void peer_uncork(struct peer *peer) {
    peer->corked = false;
    send_queue(peer);
    update_events(peer);
}

void peer_error(struct peer *peer, uint32_t id, uint32_t code, const char *step, const char *text) {
    struct holden_error error = {0};
    HOLDEN_SET(&error, error, code, code);
    HOLDEN_SET(&error, error, text, holden_view(text));
    if (step)
        HOLDEN_SET(&error, error, step, holden_view(step));
    peer_reply(peer, HOLDEN_MESSAGE_error, id, &error, NULL, 0);
}

/* The one answer to bytes that break the protocol. */
static void protocol_error(struct peer *peer, uint32_t id, const char *text) {
    peer_error(peer, id, HOLDEN_code_MALFORMED, NULL, text);
    peer->closing = true;
    update_events(peer);
}

static const char *header_fault(int error) {
    switch (error) {
    case -EPROTONOSUPPORT: return "this agent speaks another version of the protocol";
    case -EMSGSIZE: return "the frame is longer than 4 MiB";
    default: return "this is no Holden frame";
    }
}

static void serve(struct peer *peer);

static int on_resume(sd_event_source *source, uint64_t at, void *data) {
    (void)source;
    (void)at;
    struct listener *listener = data;
    struct peer *peer, *next;
    listener->resume = sd_event_source_disable_unref(listener->resume);
    for (peer = LIST_FIRST(&listener->peers); peer; peer = next) {
        next = LIST_NEXT(peer, entry);
        if (!peer->waits)
            continue;
        peer->waits = false;
        serve(peer);
    }
    return 0;
}

static void refuse_often(struct peer *peer, uint32_t id) {
    char text[200];
    snprintf(text, sizeof(text),
             "user %u asks more than %" PRIu64 " times a second (UserRequestsPerSec= of the "
             "agent's configuration); ask again in a moment", (unsigned)peer->uid,
             peer->listener->quotas.bounds.requests);
    peer_error(peer, id, HOLDEN_code_TOO_MANY, NULL, text);
}

/* One request is refused; what follows on that connection is not read until a little later, so that
 * refusing costs others nothing either. */
static void hold_back(struct peer *peer, uint32_t id) {
    struct listener *listener = peer->listener;
    refuse_often(peer, id);
    peer->waits = listener->resume ||
                  sd_event_add_time_relative(listener->event, &listener->resume, CLOCK_MONOTONIC,
                                             WAIT, 0, on_resume, listener) >= 0;
}

/* Of more bytes that wait than its user may have, the connection that adds a part of a frame has to
 * go: nothing else would end that. */
static void refuse_overfull(struct peer *peer) {
    char text[200];
    snprintf(text, sizeof(text),
             "more than %" PRIu64 " bytes wait on the connections of user %u (UserQueueMax= of the "
             "agent's configuration); read the answers, or send whole requests",
             peer->listener->quotas.bounds.queue, (unsigned)peer->uid);
    peer->quota->refused++;
    peer_error(peer, 0, HOLDEN_code_TOO_MANY, NULL, text);
    peer->closing = true;
}

static void take_frame(struct peer *peer, const struct holden_frame *frame, const uint8_t *body) {
    struct listener *listener = peer->listener;
    bool free_one = !peer->quota || !peer->asked;
    peer->asked = true;
    if (free_one || quota_request(&listener->quotas, peer->quota, now(CLOCK_MONOTONIC)))
        listener->calls->frame(listener->program, peer, frame, body);
    else
        hold_back(peer, frame->id);
    holden_connection_taken(&peer->connection, frame);
}

/* Hands on the frames that are whole, a few at most. True where some are left. */
static bool hand_on(struct peer *peer) {
    unsigned most = peer->quota ? PEER_FRAMES_PER_TURN_BOUNDED : PEER_FRAMES_PER_TURN;
    for (unsigned turn = 0; turn < most; turn++) {
        struct holden_frame frame;
        const uint8_t *body;
        if (peer->closing || peer->waits || peer_full(peer))
            return false;
        int r = holden_connection_peek(&peer->connection, &frame, &body);
        if (r == -EAGAIN && quota_overfull(&peer->listener->quotas, peer->quota) &&
            peer->connection.in.size > 0)
            refuse_overfull(peer);
        if (r == -EAGAIN)
            return false;
        if (r < 0) {
            protocol_error(peer, frame.id, header_fault(r));
            return false;
        }
        take_frame(peer, &frame, body);
    }
    return true;
}

static int on_more(sd_event_source *source, void *data) {
    struct peer *peer = data;
    if (!hand_on(peer))
        sd_event_source_set_enabled(source, SD_EVENT_OFF);
    update_events(peer);
    return 0;
}

static void serve(struct peer *peer) {
    count_queued(peer);
    if (hand_on(peer)) {
        if (!peer->more &&
            sd_event_add_defer(peer->listener->event, &peer->more, on_more, peer) < 0)
            peer->closing = true;
        if (peer->more)
            sd_event_source_set_enabled(peer->more, SD_EVENT_ON);
    }
    update_events(peer);
}

/* False where the peer has ended. */
static bool receive(struct peer *peer) {
    ssize_t size = holden_connection_receive(&peer->connection);
    if (size == -EMFILE) {
        protocol_error(peer, 0, "too many descriptors");
        return true;
    }
    if (size == 0 && peer->listener->draining)
        peer->ended = true;
    else if (size == 0 || (size < 0 && size != -EAGAIN))
        return false;
    return true;
}

static int on_io(sd_event_source *source, int fd, uint32_t events, void *data) {
    (void)source;
    (void)fd;
    struct peer *peer = data;
    if (events & EPOLLOUT) {
        int r = holden_connection_send(&peer->connection);
        if ((r < 0 && r != -EAGAIN) || (r == 0 && peer->closing)) {
            peer_free(peer);
            return 0;
        }
        if (r == 0) {
            peer->behind = false;
            peer->listener->calls->drained(peer->listener->program, peer);
        }
    }
    if (events & EPOLLIN && !peer->closing && !receive(peer)) {
        peer_free(peer);
        return 0;
    }
    if (events & (EPOLLHUP | EPOLLERR) && !(events & (EPOLLIN | EPOLLOUT))) {
        peer_free(peer);
        return 0;
    }
    serve(peer);
    return 0;
}

/* Who it is: SO_PEERCRED and SO_PEERGROUPS (unix(7), socket(7)), from the kernel at connect. */
static int identify(struct peer *peer) {
    int fd = peer->connection.fd;
    struct ucred credentials;
    socklen_t size = sizeof(credentials);
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) < 0)
        return -errno;
    peer->uid = credentials.uid;
    peer->gid = credentials.gid;
    peer->pid = credentials.pid;
    gid_t groups[256];
    size = sizeof(groups);
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) < 0)
        return -errno;
    peer->group_count = size / sizeof(gid_t);
    if (peer->group_count > 0 && !(peer->groups = malloc(size)))
        return -ENOMEM;
    if (peer->group_count > 0)
        memcpy(peer->groups, groups, size);
    return 0;
}

/* A user who has as many connections as it may, or asks too often, has no further one. */
static int admit(struct peer *peer) {
    struct quotas *quotas = &peer->listener->quotas;
    char text[200];
    int r = quota_connect(quotas, peer->uid, now(CLOCK_MONOTONIC), &peer->quota);
    if (r == -EDQUOT)
        snprintf(text, sizeof(text),
                 "user %u has %" PRIu64 " connections already (UserConnectionsMax= of the agent's "
                 "configuration); close some first", (unsigned)peer->uid,
                 quotas->bounds.connections);
    if (r == -EDQUOT)
        peer_error(peer, 0, HOLDEN_code_TOO_MANY, NULL, text);
    if (r == -EBUSY)
        refuse_often(peer, 0);
    return r;
}

static int peer_new(struct listener *listener, int fd) {
    struct peer *peer = calloc(1, sizeof(*peer));
    if (!peer) {
        close(fd);
        return -ENOMEM;
    }
    peer->listener = listener;
    peer->process = -1;
    peer->connected = now(CLOCK_BOOTTIME);
    holden_connection_open(&peer->connection, fd);
    LIST_INSERT_HEAD(&listener->peers, peer, entry);
    listener->count++;
    int r = identify(peer);
    /* Quotas come first: also who is refused costs time, and a line of the audit trail. */
    if (r == 0)
        r = admit(peer);
    const char *why = r == 0 ? listener->calls->refuse(listener->program, peer) : NULL;
    if (why) {
        /* Who the socket's mode stops is told by the kernel; others got here by another way. */
        peer_error(peer, 0, HOLDEN_code_NOT_PERMITTED, NULL, why);
        r = -EACCES;
    }
    if (r == 0)
        r = sd_event_add_io(listener->event, &peer->io, fd, EPOLLIN, on_io, peer);
    if (r < 0) {
        listener->refused++;
        peer_free(peer);
    }
    return r;
}

static int on_pause_over(sd_event_source *source, uint64_t now, void *data) {
    (void)source;
    (void)now;
    struct listener *listener = data;
    listener->pause = sd_event_source_disable_unref(listener->pause);
    return sd_event_source_set_enabled(listener->io, SD_EVENT_ON);
}

/* Without descriptors or memory the socket stays readable: it is not looked at for a while, so that
 * the lack does not cost all of a CPU and of the log too. */
static void pause_listening(struct listener *listener, int error) {
    log_warning("cannot take another client: %s; trying again in a second", strerror(error));
    if (!listener->pause &&
        sd_event_add_time_relative(listener->event, &listener->pause, CLOCK_MONOTONIC, PAUSE, 0,
                                   on_pause_over, listener) >= 0)
        sd_event_source_set_enabled(listener->io, SD_EVENT_OFF);
}

/* -errno where there is nobody, or they cannot be taken. */
static int take_connection(struct listener *listener, int fd) {
    int connected = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (connected < 0)
        return -errno;
    peer_new(listener, connected);
    return 0;
}

static int on_connection(sd_event_source *source, int fd, uint32_t events, void *data) {
    (void)source;
    (void)events;
    struct listener *listener = data;
    for (unsigned turn = 0; turn < CONNECTIONS_PER_TURN; turn++) {
        int r = take_connection(listener, fd);
        if (r == -EMFILE || r == -ENFILE || r == -ENOMEM || r == -ENOBUFS)
            pause_listening(listener, -r);
        if (r < 0)
            return 0;
    }
    return 0;
}

void listener_replace(struct listener *listener, int fd) {
    int before = sd_event_source_get_io_fd(listener->io);
    sd_event_source *io;
    int r = sd_event_add_io(listener->event, &io, fd, EPOLLIN, on_connection, listener);
    if (r < 0) {
        log_error("cannot listen on the new socket: %s", strerror(-r));
        close(fd);
        return;
    }
    while (take_connection(listener, before) == 0)
        ;
    int enabled;
    if (sd_event_source_get_enabled(listener->io, &enabled) >= 0)
        sd_event_source_set_enabled(io, enabled);
    sd_event_source_disable_unref(listener->io);
    listener->io = io;
    close(before);
}

int listener_start(struct listener *listener, sd_event *event, int fd,
                   const struct peer_calls *calls, void *program) {
    *listener = (struct listener){.event = event, .calls = calls, .program = program};
    LIST_INIT(&listener->peers);
    return sd_event_add_io(event, &listener->io, fd, EPOLLIN, on_connection, listener);
}

void listener_drain(struct listener *listener) {
    struct peer *peer;
    listener->draining = true;
    listener->pause = sd_event_source_disable_unref(listener->pause);
    sd_event_source_set_enabled(listener->io, SD_EVENT_OFF);
    LIST_FOREACH(peer, &listener->peers, entry)
        shutdown(peer->connection.fd, SHUT_RD);
}

bool peer_is_quiet(struct peer *peer) {
    struct holden_frame frame;
    const uint8_t *body;
    return peer->closing || (peer->ended && peer->connection.out.size == 0 &&
                             holden_connection_peek(&peer->connection, &frame, &body) == -EAGAIN);
}

void listener_stop(struct listener *listener) {
    while (!LIST_EMPTY(&listener->peers))
        peer_free(LIST_FIRST(&listener->peers));
    quotas_free(&listener->quotas);
    listener->io = sd_event_source_disable_unref(listener->io);
    listener->resume = sd_event_source_disable_unref(listener->resume);
    listener->pause = sd_event_source_disable_unref(listener->pause);
}
