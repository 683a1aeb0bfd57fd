#include "agent/keeper_channel.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { RETRY_DELAY = 1 }; /* milliseconds */

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
        return -errno;
    struct cmsghdr *first = CMSG_FIRSTHDR(&message);
    if (first && first->cmsg_level == SOL_SOCKET && first->cmsg_type == SCM_RIGHTS) {
        packet->count = (unsigned)((first->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        memcpy(packet->fds, CMSG_DATA(first), packet->count * sizeof(int));
    }
    return (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) ? -EPROTO : size;
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
    /* An answer that got lost would be waited for for ever. */
    while (sendmsg(channel, &message, MSG_NOSIGNAL) < 0 &&
           (errno == ENOMEM || errno == ENOBUFS || errno == EINTR))
        poll(NULL, 0, RETRY_DELAY);
}
