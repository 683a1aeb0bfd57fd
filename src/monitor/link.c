#include "monitor/link.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "common/cleanup.h"

int link_open(struct link *link, const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof(address.sun_path))
        return -ENAMETOOLONG;
    memcpy(address.sun_path, path, strlen(path) + 1);
    _cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
        return -errno;
    holden_connection_open(&link->connection, TAKE_FD(fd));
    return 0;
}

void link_close(struct link *link) {
    if (link_is_open(link))
        holden_connection_close(&link->connection);
}

bool link_is_open(const struct link *link) {
    return link->connection.fd >= 0;
}

short link_events(const struct link *link) {
    return link->connection.out.size > 0 ? POLLIN | POLLOUT : POLLIN;
}

static int send_queued(struct link *link) {
    int r = holden_connection_send(&link->connection);
    return r == -EAGAIN ? 0 : r;
}

int link_ask(struct link *link, uint16_t type, const void *message, uint32_t *id) {
    uint32_t number = ++link->last_id ? link->last_id : ++link->last_id;
    int r = holden_connection_put(&link->connection, type, number, message, NULL, 0);
    if (r < 0)
        return r;
    *id = number;
    return send_queued(link);
}

/* An agent that turns a client away says why and closes: what it said is read even when nothing can
 * be sent any more. */
int link_receive(struct link *link) {
    int sent = send_queued(link);
    ssize_t size = holden_connection_receive(&link->connection);
    if (size == 0)
        return -ECONNRESET;
    if (size == -EAGAIN && sent < 0)
        return sent;
    return size < 0 ? (int)size : 0;
}

int link_next(struct link *link, struct holden_reply *reply) {
    return holden_connection_peek(&link->connection, &reply->frame, &reply->body);
}

void link_taken(struct link *link, const struct holden_reply *reply) {
    holden_connection_taken(&link->connection, &reply->frame);
}
