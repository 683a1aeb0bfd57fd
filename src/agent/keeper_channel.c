#include "agent/keeper_channel.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { RETRY_DELAY = 1 }; /* milliseconds */

/* What is over once somebody has given back memory or descriptors, or read what was sent before. */
static bool passes(int error) {
    return error == EAGAIN || error == EINTR || error == ENOMEM || error == ENOBUFS ||
           error == ETOOMANYREFS;
}

ssize_t keeper_packet_receive(struct keeper_packet *packet, int channel) {
    union {
        struct cmsghdr header;
        unsigned char bytes[CMSG_SPACE(sizeof(packet->fds))];
    } control;
    struct iovec part = {.iov_base = packet->bytes, .iov_len = sizeof(packet->bytes)};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control,
                             .msg_controllen = sizeof(control)};
    packet->count = 0;
    ssize_t size = recvmsg(channel, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    if (size < 0)
        return passes(errno) ? -EAGAIN : -errno;
    struct cmsghdr *first = CMSG_FIRSTHDR(&message);
    if (first && first->cmsg_level == SOL_SOCKET && first->cmsg_type == SCM_RIGHTS) {
        packet->count = (unsigned)((first->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        memcpy(packet->fds, CMSG_DATA(first), packet->count * sizeof(int));
    }
    /* Without room for all of its descriptors it has none; then a plan is refused. */
    if (message.msg_flags & MSG_CTRUNC)
        keeper_packet_close(packet);
    return message.msg_flags & MSG_TRUNC ? -EPROTO : size;
}

void keeper_packet_close(struct keeper_packet *packet) {
    for (unsigned i = 0; i < packet->count; i++)
        close(packet->fds[i]);
    packet->count = 0;
}

void keeper_reply_send(const struct keeper_reply *reply, int channel, int fd) {
    union {
        struct cmsghdr header;
        unsigned char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec part = {.iov_base = (void *)(uintptr_t)reply, .iov_len = sizeof(*reply)};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (fd >= 0) {
        memset(&control, 0, sizeof(control));
        control.header = (struct cmsghdr){
            .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
        memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
        message.msg_control = &control;
        message.msg_controllen = sizeof(control);
    }
    while (sendmsg(channel, &message, MSG_NOSIGNAL) < 0) {
        /* An answer that got lost would be waited for for ever: who cannot be answered is as good
         * as gone, and so finds that the channel has ended. */
        if (!passes(errno)) {
            shutdown(channel, SHUT_RDWR);
            return;
        }
        poll(NULL, 0, RETRY_DELAY);
    }
}
