/* A connection that receives any bytes in any portions, some with descriptors. An input is a row of
 * portions: one byte with its size, whose top bit sends a descriptor along; then the bytes. */
#include "protocol/connection.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fuzz.h"
#include "records.h"

static void send_portion(int socket, const uint8_t *bytes, size_t size, bool with_fd) {
    union {
        struct cmsghdr align;
        char space[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct iovec part = {(void *)(uintptr_t)bytes, size};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (with_fd) {
        message.msg_control = control.space;
        message.msg_controllen = sizeof(control.space);
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        *header = (struct cmsghdr){CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
        memcpy(CMSG_DATA(header), &socket, sizeof(socket));
    }
    EXPECT(sendmsg(socket, &message, 0) == (ssize_t)size);
}

/* Does with every whole frame what the agent does. False: the connection would be closed. */
static bool take_frames(struct holden_connection *connection) {
    struct holden_frame frame;
    const uint8_t *body;
    int r;
    while ((r = holden_connection_peek(connection, &frame, &body)) == 0) {
        union record_space message;
        struct holden_fault fault;
        const struct holden_message_row *row = holden_message(frame.type);
        if (row)
            (void)!holden_decode(row->record, body, frame.size, &message, &fault);
        int fd;
        if (frame.id % 2 == 0 && holden_connection_take_fds(connection, &frame, &fd, 1) == 1)
            close(fd);
        holden_connection_taken(connection, &frame);
    }
    return r == -EAGAIN;
}

/* Receives all there is. False: the connection would be closed. */
static bool receive(struct holden_connection *connection) {
    ssize_t got;
    while ((got = holden_connection_receive(connection)) > 0)
        if (!take_frames(connection))
            return false;
    EXPECT(got == -EAGAIN || got == -EMFILE);
    return got == -EAGAIN;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    int ends[2];
    EXPECT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0);
    struct holden_connection connection;
    holden_connection_open(&connection, ends[0]);
    bool alive = true;
    while (alive && size > 1) {
        size_t portion = data[0] & 0x7f;
        if (portion == 0 || portion > size - 1)
            portion = size - 1;
        send_portion(ends[1], data + 1, portion, data[0] & 0x80);
        data += 1 + portion;
        size -= 1 + portion;
        alive = receive(&connection);
    }
    close(ends[1]);
    holden_connection_close(&connection);
    return 0;
}
