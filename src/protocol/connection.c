#include "protocol/connection.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/cleanup.h"

/* What one receive asks for: enough for any usual frame, grown to a large frame's rest. */
enum { RECEIVE_STEP = 4096, RECEIVE_MOST = 65536 };

void holden_connection_open(struct holden_connection *connection, int fd) {
    *connection = (struct holden_connection){.fd = fd};
}

/* Closes and forgets the first `count` of a queue of descriptors. */
static void drop_passed(struct holden_passed **queue, uint32_t *held, uint32_t count, bool shut) {
    if (count == 0)
        return;
    for (uint32_t i = 0; shut && i < count; i++)
        close((*queue)[i].fd);
    *held -= count;
    memmove(*queue, *queue + count, *held * sizeof(**queue));
    if (*held > 0)
        return;
    free(*queue);
    *queue = NULL;
}

void holden_connection_close(struct holden_connection *connection) {
    drop_passed(&connection->incoming, &connection->incoming_count, connection->incoming_count,
                true);
    drop_passed(&connection->outgoing, &connection->outgoing_count, connection->outgoing_count,
                true);
    /* A queue that holds nothing may still have room, after a frame that could not be queued. */
    free(connection->outgoing);
    connection->outgoing = NULL;
    buffer_free(&connection->in);
    buffer_free(&connection->out);
    if (connection->fd >= 0)
        close(connection->fd);
    connection->fd = -1;
}

/* Keeps the descriptors of one control message as those that came with byte `at`; those past the
 * bound are closed. */
static int keep_fds(struct holden_connection *connection, const struct cmsghdr *control,
                    size_t at) {
    size_t count = (control->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    int fds[HOLDEN_FDS_MAX];
    if (count > HOLDEN_FDS_MAX)
        count = HOLDEN_FDS_MAX;
    memcpy(fds, CMSG_DATA(control), count * sizeof(int));
    size_t keep = HOLDEN_FDS_MAX - connection->incoming_count;
    if (keep > count)
        keep = count;
    struct holden_passed *held = NULL;
    if (keep > 0)
        held = realloc(connection->incoming, (connection->incoming_count + keep) * sizeof(*held));
    if (held)
        connection->incoming = held;
    else
        keep = 0;
    for (size_t i = 0; i < keep; i++)
        held[connection->incoming_count++] = (struct holden_passed){at, fds[i]};
    for (size_t i = keep; i < count; i++)
        close(fds[i]);
    return keep == count ? 0 : -EMFILE;
}

static int take_control(struct holden_connection *connection, struct msghdr *message, size_t size) {
    int r = message->msg_flags & MSG_CTRUNC ? -EMFILE : 0;
    size_t last = connection->taken + connection->in.size + size - 1;
    for (struct cmsghdr *control = CMSG_FIRSTHDR(message); control;
         control = CMSG_NXTHDR(message, control))
        if (control->cmsg_level == SOL_SOCKET && control->cmsg_type == SCM_RIGHTS &&
            keep_fds(connection, control, last) < 0)
            r = -EMFILE;
    return r;
}

/* How much to ask for: the rest of a frame whose header is here, otherwise a step. */
static size_t wanted(const struct holden_connection *connection) {
    struct holden_frame frame;
    if (holden_frame_get(buffer_bytes(&connection->in), connection->in.size, &frame) < 0)
        return RECEIVE_STEP;
    size_t whole = HOLDEN_FRAME_HEADER + (size_t)frame.size;
    size_t missing = whole > connection->in.size ? whole - connection->in.size : 0;
    if (missing < RECEIVE_STEP)
        return RECEIVE_STEP;
    return missing < RECEIVE_MOST ? missing : RECEIVE_MOST;
}

ssize_t holden_connection_receive(struct holden_connection *connection) {
    size_t want = wanted(connection);
    uint8_t *room;
    int r = buffer_reserve(&connection->in, want, &room);
    if (r < 0)
        return r;
    union {
        struct cmsghdr align;
        char space[CMSG_SPACE(HOLDEN_FDS_MAX * sizeof(int))];
    } control;
    struct iovec part = {room, want};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1,
                             .msg_control = control.space, .msg_controllen = sizeof(control.space)};
    ssize_t size;
    do
        size = recvmsg(connection->fd, &message, MSG_CMSG_CLOEXEC);
    while (size < 0 && errno == EINTR);
    if (size < 0) {
        int error = errno;
        buffer_consume(&connection->in, 0);
        return error == EWOULDBLOCK ? -EAGAIN : -error;
    }
    r = take_control(connection, &message, (size_t)size);
    buffer_added(&connection->in, (size_t)size);
    return r < 0 ? r : size;
}

int holden_connection_peek(struct holden_connection *connection, struct holden_frame *frame,
                           const uint8_t **body) {
    const uint8_t *bytes = buffer_bytes(&connection->in);
    int r = holden_frame_get(bytes, connection->in.size, frame);
    if (r < 0)
        return r;
    if (connection->in.size - HOLDEN_FRAME_HEADER < frame->size)
        return -EAGAIN;
    *body = bytes + HOLDEN_FRAME_HEADER;
    return 0;
}

/* How many of the received descriptors came with the frame at the head of the input. */
static uint32_t frame_fds(const struct holden_connection *connection,
                          const struct holden_frame *frame) {
    size_t end = connection->taken + HOLDEN_FRAME_HEADER + frame->size;
    uint32_t count = 0;
    while (count < connection->incoming_count && connection->incoming[count].at < end)
        count++;
    return count;
}

size_t holden_connection_take_fds(struct holden_connection *connection,
                                  const struct holden_frame *frame, int *fds, size_t space) {
    uint32_t count = frame_fds(connection, frame);
    if (count > space)
        count = (uint32_t)space;
    for (uint32_t i = 0; i < count; i++)
        fds[i] = connection->incoming[i].fd;
    drop_passed(&connection->incoming, &connection->incoming_count, count, false);
    return count;
}

void holden_connection_taken(struct holden_connection *connection,
                             const struct holden_frame *frame) {
    drop_passed(&connection->incoming, &connection->incoming_count, frame_fds(connection, frame),
                true);
    connection->taken += HOLDEN_FRAME_HEADER + (size_t)frame->size;
    buffer_consume(&connection->in, HOLDEN_FRAME_HEADER + (size_t)frame->size);
}

/* Queues duplicates of `fds` at the output's present end. */
static int queue_fds(struct holden_connection *connection, const int *fds, size_t count) {
    if (count > HOLDEN_FDS_PER_SEND || connection->outgoing_count + count > HOLDEN_FDS_MAX)
        return -EMFILE;
    if (count == 0)
        return 0;
    struct holden_passed *queue = realloc(
        connection->outgoing, (connection->outgoing_count + count) * sizeof(*queue));
    if (!queue)
        return -ENOMEM;
    connection->outgoing = queue;
    for (size_t i = 0; i < count; i++) {
        int fd = fcntl(fds[i], F_DUPFD_CLOEXEC, 3);
        if (fd < 0) {
            int error = errno;
            for (; i > 0; i--)
                close(queue[--connection->outgoing_count].fd);
            return -error;
        }
        queue[connection->outgoing_count++] =
            (struct holden_passed){connection->sent + connection->out.size, fd};
    }
    return 0;
}

int holden_connection_put(struct holden_connection *connection, uint16_t type, uint32_t id,
                          const void *message, const int *fds, size_t count) {
    uint32_t before = connection->outgoing_count;
    int r = queue_fds(connection, fds, count);
    if (r < 0)
        return r;
    r = holden_frame_put(&connection->out, type, id, message);
    if (r < 0)
        while (connection->outgoing_count > before)
            close(connection->outgoing[--connection->outgoing_count].fd);
    return r;
}

/* The descriptors that leave with the first queued byte, and how many bytes may go with them: their
 * own frame where there are any, otherwise all up to the next frame that has some. */
static uint32_t due_fds(const struct holden_connection *connection, size_t *size) {
    uint32_t count = 0;
    *size = connection->out.size;
    while (count < connection->outgoing_count && connection->outgoing[count].at == connection->sent)
        count++;
    struct holden_frame frame;
    if (count > 0 &&
        holden_frame_get(buffer_bytes(&connection->out), connection->out.size, &frame) == 0)
        *size = HOLDEN_FRAME_HEADER + (size_t)frame.size;
    else if (connection->outgoing_count > 0)
        *size = connection->outgoing[0].at - connection->sent;
    return count;
}

static ssize_t send_once(struct holden_connection *connection) {
    union {
        struct cmsghdr align;
        char space[CMSG_SPACE(HOLDEN_FDS_PER_SEND * sizeof(int))];
    } control;
    size_t size;
    uint32_t count = due_fds(connection, &size);
    struct iovec part = {buffer_bytes(&connection->out), size};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (count > 0) {
        memset(&control, 0, sizeof(control));
        message.msg_control = control.space;
        message.msg_controllen = CMSG_SPACE(count * sizeof(int));
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(count * sizeof(int));
        int *fds = (int *)(void *)CMSG_DATA(header);
        for (uint32_t i = 0; i < count; i++)
            fds[i] = connection->outgoing[i].fd;
    }
    ssize_t sent = sendmsg(connection->fd, &message, MSG_NOSIGNAL);
    if (sent < 0)
        return errno == EWOULDBLOCK ? -EAGAIN : -errno;
    drop_passed(&connection->outgoing, &connection->outgoing_count, count, true);
    return sent;
}

int holden_connection_send(struct holden_connection *connection) {
    while (connection->out.size > 0) {
        ssize_t sent = send_once(connection);
        if (sent == -EINTR)
            continue;
        if (sent < 0)
            return (int)sent;
        connection->sent += (size_t)sent;
        buffer_consume(&connection->out, (size_t)sent);
    }
    return 0;
}
