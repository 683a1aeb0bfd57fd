#include "agent/attic.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/plan.h"
#include "common/cleanup.h"
#include "common/file.h"

enum { READING = KEEPER_FD_ATTIC, WRITING = KEEPER_FD_ATTIC + 1 };

union control {
    struct cmsghdr align;
    char space[CMSG_SPACE(sizeof(int))];
};

int attic_open(void) {
    int r = 0;
    for (int fd = KEEPER_FD_ARRIVALS; r == 0 && fd <= WRITING; fd++)
        r = file_inherit_socket(fd, SOCK_DGRAM);
    return r;
}

static int leave(uint64_t id, int fd) {
    union control control;
    struct iovec part = {&id, sizeof(id)};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (fd >= 0) {
        memset(&control, 0, sizeof(control));
        message.msg_control = control.space;
        message.msg_controllen = sizeof(control.space);
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(fd));
        memcpy(CMSG_DATA(header), &fd, sizeof(fd));
    }
    return sendmsg(WRITING, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

int attic_leave(uint64_t id, int fd) {
    return leave(id, fd);
}

/* 0 with *id and, where there is one, *fd; -errno where there is nothing. */
static int take(int from, int flags, uint64_t *id, int *fd) {
    union control control;
    struct iovec part = {id, sizeof(*id)};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control.space,
                             .msg_controllen = sizeof(control.space)};
    *fd = -1;
    *id = 0;
    if (recvmsg(from, &message, flags | MSG_DONTWAIT | MSG_CMSG_CLOEXEC) < 0)
        return -errno;
    const struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (header && header->cmsg_type == SCM_RIGHTS)
        memcpy(fd, CMSG_DATA(header), sizeof(*fd));
    return 0;
}

int attic_look(uint64_t *id, int *fd) {
    return take(KEEPER_FD_ARRIVALS, MSG_PEEK, id, fd);
}

void attic_take(void) {
    uint64_t id;
    (void)recv(KEEPER_FD_ARRIVALS, &id, sizeof(id), MSG_DONTWAIT);
}

/* One at a time, so that hardly ever one is in this agent's hands alone. What comes without a
 * descriptor marks the end of a visit: of this one, or of one that its agent did not finish. */
void attic_visit(enum attic_found (*found)(void *data, uint64_t id, int fd), void *data) {
    const uint64_t mark = (uint64_t)getpid();
    uint64_t id;
    int next;
    if (leave(mark, -1) < 0)
        return;
    while (take(READING, 0, &id, &next) == 0) {
        _cleanup_close_ int fd = next;
        if (fd < 0 && id == mark)
            return;
        enum attic_found what = fd < 0 ? ATTIC_DROP : found(data, id, fd);
        if (what != ATTIC_DROP)
            leave(id, fd);
        if (what == ATTIC_TAKE)
            TAKE_FD(fd);
    }
}
