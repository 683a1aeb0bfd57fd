#include "agent/link.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/beside.h"
#include "agent/launch.h"
#include "agent/finish.h"
#include "agent/readiness.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "common/log.h"

enum { FDS = 8, ADOPTION_PATIENCE = 5000 /* milliseconds */ };

/* A packet that waits for the channel. */
struct parcel {
    TAILQ_ENTRY(parcel) entry;
    int fds[FDS];         /* owned */
    size_t count;
    size_t size;
    uint8_t bytes[];
};

static int send_packet(int channel, const void *bytes, size_t size, const int *fds, size_t count) {
    union {
        struct cmsghdr align;
        char space[CMSG_SPACE(FDS * sizeof(int))];
    } control;
    struct iovec part = {(void *)(uintptr_t)bytes, size};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (count > 0) {
        memset(&control, 0, sizeof(control));
        message.msg_control = control.space;
        message.msg_controllen = CMSG_SPACE(count * sizeof(int));
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(count * sizeof(int));
        memcpy(CMSG_DATA(header), fds, count * sizeof(int));
    }
    for (;;) {
        if (sendmsg(channel, &message, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
            return 0;
        if (errno != EINTR)
            return -errno;
    }
}

static void parcel_free(struct parcel *parcel) {
    for (size_t i = 0; i < parcel->count; i++)
        close(parcel->fds[i]);
    free(parcel);
}

static int keep(struct link *link, const void *bytes, size_t size, const int *fds, size_t count) {
    struct parcel *parcel = malloc(sizeof(*parcel) + size);
    if (!parcel)
        return -ENOMEM;
    parcel->count = 0;
    parcel->size = size;
    memcpy(parcel->bytes, bytes, size);
    for (; parcel->count < count; parcel->count++) {
        parcel->fds[parcel->count] = fcntl(fds[parcel->count], F_DUPFD_CLOEXEC, 3);
        if (parcel->fds[parcel->count] < 0) {
            int error = errno;
            parcel_free(parcel);
            return -error;
        }
    }
    TAILQ_INSERT_TAIL(&link->parcels, parcel, entry);
    return sd_event_source_set_io_events(link->io, EPOLLIN | EPOLLOUT);
}

/* What is lost here is waited for for ever, so what there is no memory for is tried again too. */
static bool for_later(int error) {
    return error == -EAGAIN || error == -ENOMEM || error == -ENOBUFS || error == -ETOOMANYREFS;
}

static int lose_keeper(struct link *link) {
    log_error("the keeper is gone; processes go on without an agent");
    return sd_event_exit(link->agent->event, AGENT_EXIT_REFUSED);
}

static int dispatch(struct link *link, const void *bytes, size_t size, const int *fds,
                    size_t count) {
    if (count > FDS)
        return -EINVAL;
    if (!TAILQ_EMPTY(&link->parcels))
        return keep(link, bytes, size, fds, count);
    int r = send_packet(link->fd, bytes, size, fds, count);
    if (for_later(r))
        return keep(link, bytes, size, fds, count);
    if (r == -EPIPE || r == -ECONNRESET)
        lose_keeper(link);
    return r;
}

/* A plan that no packet holds travels in a memfd, behind the others. */
static int dispatch_large(struct link *link, const struct buffer *plan, const int *fds,
                          size_t count) {
    int all[FDS];
    if (count >= FDS)
        return -EINVAL;
    _cleanup_close_ int memory = memfd_create("holden-plan", MFD_CLOEXEC);
    if (memory < 0)
        return -errno;
    const uint8_t *bytes = buffer_bytes(plan);
    for (size_t at = 0; at < plan->size;) {
        ssize_t written = write(memory, bytes + at, plan->size - at);
        if (written < 0)
            return -errno;
        at += (size_t)written;
    }
    memcpy(all, fds, count * sizeof(int));
    all[count] = memory;
    return dispatch(link, bytes, sizeof(struct plan), all, count + 1);
}

int link_send_plan(struct link *link, const struct buffer *plan, const int *fds, size_t count) {
    return plan->size > KEEPER_PACKET_MAX
               ? dispatch_large(link, plan, fds, count)
               : dispatch(link, buffer_bytes(plan), plan->size, fds, count);
}

int link_send_request(struct link *link, enum keeper_request_kind kind, pid_t pid, uint64_t token) {
    struct keeper_request request = {.kind = kind, .pid = pid, .token = token};
    return dispatch(link, &request, sizeof(request), NULL, 0);
}

int link_send_adoption(struct link *link, const pid_t *pids, size_t count, uint64_t token) {
    struct keeper_adoption adoption = {
        .request = {.kind = KEEPER_ADOPT, .pid = (int32_t)count, .token = token}};
    memcpy(adoption.pids, pids, count * sizeof(*pids));
    return dispatch(link, &adoption, sizeof(adoption), NULL, 0);
}

int link_send_asker(struct link *link, int asker, uint32_t id) {
    struct keeper_request request = {.kind = KEEPER_REEXEC, .token = id};
    return dispatch(link, &request, sizeof(request), &asker, 1);
}

/* One packet in. The number of bytes; 0 at the keeper's end; -errno. *fd is -1 or what came along.
 */
static ssize_t receive(int channel, struct keeper_reply *reply, int *fd, int flags) {
    union {
        struct cmsghdr align;
        char space[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec part = {reply, sizeof(*reply)};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1,
                             .msg_control = control.space, .msg_controllen = sizeof(control.space)};
    *fd = -1;
    ssize_t size = recvmsg(channel, &message, MSG_CMSG_CLOEXEC | flags);
    if (size < 0)
        return -errno;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS)
        memcpy(fd, CMSG_DATA(header), sizeof(int));
    return size;
}

static void handle(struct agent *agent, const struct keeper_reply *reply, int pidfd) {
    if (reply->kind == KEEPER_SPAWNED && reply->token & BESIDE_TOKEN)
        beside_spawned(agent, reply, pidfd);
    else if (reply->kind == KEEPER_SPAWNED)
        launch_spawned(agent, reply, pidfd);
    else if (reply->kind == KEEPER_STATUS && !beside_status(agent, reply))
        finish_status(agent, reply);
    else if (reply->kind == KEEPER_RELEASE)
        finish_released(agent, reply->token);
    else if (reply->kind == KEEPER_ADOPT)
        readiness_adopted(agent, reply, pidfd);
    else if (reply->kind == KEEPER_LISTEN && pidfd >= 0)
        listener_replace(&agent->listener, pidfd);
    else if (reply->kind == KEEPER_NOTIFY && pidfd >= 0)
        notices_replace(&agent->notices, agent, pidfd);
    else if (pidfd >= 0)
        close(pidfd);
}

static void flush(struct link *link) {
    while (!TAILQ_EMPTY(&link->parcels)) {
        struct parcel *parcel = TAILQ_FIRST(&link->parcels);
        int r = send_packet(link->fd, parcel->bytes, parcel->size, parcel->fds, parcel->count);
        if (for_later(r))
            return;
        TAILQ_REMOVE(&link->parcels, parcel, entry);
        parcel_free(parcel);
    }
    sd_event_source_set_io_events(link->io, EPOLLIN);
}

static int on_channel(sd_event_source *source, int fd, uint32_t events, void *data) {
    (void)source;
    struct link *link = data;
    if (events & EPOLLOUT)
        flush(link);
    for (unsigned turn = 0; turn < 64; turn++) {
        struct keeper_reply reply;
        int pidfd;
        ssize_t size = receive(fd, &reply, &pidfd, MSG_DONTWAIT);
        if (size == -EINTR || for_later((int)size))
            return 0;
        if (size != sizeof(reply))
            return lose_keeper(link);
        handle(link->agent, &reply, pidfd);
    }
    return 0;
}

int link_open(struct link *link, struct agent *agent) {
    *link = (struct link){.fd = KEEPER_FD_CHANNEL, .agent = agent};
    TAILQ_INIT(&link->parcels);
    int r = file_inherit_socket(KEEPER_FD_CHANNEL, SOCK_SEQPACKET);
    if (r < 0)
        return r == -ENOTSOCK ? -ENOTCONN : r;
    for (int fd = KEEPER_FD_LISTEN; fd <= KEEPER_FD_REPORTS; fd++)
        if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
            return -ENOTCONN;
    void *reports = mmap(NULL, PLAN_REPORTS * sizeof(struct plan_report), PROT_READ | PROT_WRITE,
                         MAP_SHARED, KEEPER_FD_REPORTS, 0);
    if (reports == MAP_FAILED)
        return -errno;
    link->reports = reports;
    for (uint32_t i = 0; i < PLAN_REPORTS; i++)
        if (link->reports[i].token != 0)
            link->used[i / 64] |= UINT64_C(1) << (i % 64);
    return sd_event_add_io(agent->event, &link->io, link->fd, EPOLLIN, on_channel, link);
}

void link_close(struct link *link) {
    while (!TAILQ_EMPTY(&link->parcels)) {
        struct parcel *parcel = TAILQ_FIRST(&link->parcels);
        TAILQ_REMOVE(&link->parcels, parcel, entry);
        parcel_free(parcel);
    }
    link->io = sd_event_source_disable_unref(link->io);
    if (link->reports)
        munmap(link->reports, PLAN_REPORTS * sizeof(struct plan_report));
    link->reports = NULL;
}

int link_take_report(struct link *link, uint64_t token, uint32_t *report) {
    for (uint32_t word = 0; word < PLAN_REPORTS / 64; word++) {
        if (link->used[word] == UINT64_MAX)
            continue;
        uint32_t bit = (uint32_t)__builtin_ctzll(~link->used[word]);
        link->used[word] |= UINT64_C(1) << bit;
        *report = word * 64 + bit;
        struct plan_report *taken = &link->reports[*report];
        taken->reached = PLAN_STEP_CLONE;
        taken->error = 0;
        taken->detail = 0;
        taken->pid = 0;
        taken->token = token;
        return 0;
    }
    return -EBUSY;
}

int link_find_report(const struct link *link, uint64_t token, uint32_t *report) {
    for (uint32_t word = 0; word < PLAN_REPORTS / 64; word++)
        for (uint64_t left = link->used[word]; left != 0; left &= left - 1) {
            uint32_t at = word * 64 + (uint32_t)__builtin_ctzll(left);
            if (link->reports[at].token == token) {
                *report = at;
                return 0;
            }
        }
    return -ENOENT;
}

void link_give_report(struct link *link, uint32_t report) {
    if (link->reports)
        link->reports[report].token = 0;
    link->used[report / 64] &= ~(UINT64_C(1) << (report % 64));
}

/* What the channel did not take goes out as the keeper reads. */
static bool wait_for_keeper(struct link *link) {
    short events = TAILQ_EMPTY(&link->parcels) ? POLLIN : POLLIN | POLLOUT;
    struct pollfd poller = {.fd = link->fd, .events = events};
    if (poll(&poller, 1, ADOPTION_PATIENCE) <= 0)
        return false;
    if (poller.revents & POLLOUT)
        flush(link);
    return true;
}

int link_adopted(struct link *link, uint64_t *children) {
    for (;;) {
        struct keeper_reply reply;
        int fd;
        ssize_t size = receive(link->fd, &reply, &fd, MSG_DONTWAIT);
        if (size == sizeof(reply) && reply.kind == KEEPER_ADOPT && reply.token == 0 && fd < 0) {
            *children = reply.children;
            return 0;
        }
        if (size == sizeof(reply))
            handle(link->agent, &reply, fd);
        else if (size == -EAGAIN && !wait_for_keeper(link))
            return -ETIMEDOUT;
        else if (size != -EAGAIN && size != -EINTR)
            return -EPIPE;
    }
}
