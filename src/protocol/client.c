#include "protocol/client.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/cleanup.h"

const char *holden_socket_path(const char *given) {
    if (given)
        return given;
    const char *named = getenv("HOLDEN_SOCKET");
    return named && *named ? named : HOLDEN_SOCKET_DEFAULT;
}

int holden_client_connect(struct holden_client *client, const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof(address.sun_path))
        return -ENAMETOOLONG;
    memcpy(address.sun_path, path, strlen(path) + 1);
    _cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
        return -errno;
    *client = (struct holden_client){0};
    holden_connection_open(&client->connection, TAKE_FD(fd));
    return 0;
}

void holden_client_close(struct holden_client *client) {
    holden_connection_close(&client->connection);
}

/* Where the socket does not block, waits until it is ready for `events`. */
static int await(const struct holden_client *client, short events) {
    struct pollfd poller = {.fd = client->connection.fd, .events = events};
    if (poll(&poller, 1, -1) < 0 && errno != EINTR)
        return -errno;
    return 0;
}

int holden_client_ask(struct holden_client *client, uint16_t type, const void *message,
                      const int *fds, size_t count, uint32_t *id) {
    uint32_t number = ++client->last_id;
    int r = holden_connection_put(&client->connection, type, number, message, fds, count);
    if (r < 0)
        return r;
    while ((r = holden_connection_send(&client->connection)) == -EAGAIN)
        if ((r = await(client, POLLOUT)) < 0)
            return r;
    if (r == 0 && id)
        *id = number;
    return r;
}

static int receive_more(struct holden_client *client) {
    ssize_t size = holden_connection_receive(&client->connection);
    if (size == -EAGAIN)
        return await(client, POLLIN);
    if (size == 0)
        return -ECONNRESET;
    return size < 0 ? (int)size : 0;
}

/* The frame is moved out of the connection only by the next call, so that its body stays in place.
 */
int holden_client_next(struct holden_client *client, struct holden_reply *reply) {
    if (client->holds) {
        holden_connection_taken(&client->connection, &client->taken);
        client->holds = false;
    }
    int r;
    while ((r = holden_connection_peek(&client->connection, &reply->frame, &reply->body)) ==
           -EAGAIN)
        if ((r = receive_more(client)) < 0)
            return r;
    if (r < 0)
        return r;
    client->taken = reply->frame;
    client->holds = true;
    return 0;
}

int holden_client_reply(struct holden_client *client, uint32_t id, struct holden_reply *reply) {
    int r;
    do
        r = holden_client_next(client, reply);
    while (r == 0 && reply->frame.id != id);
    return r;
}

int holden_reply_decode(const struct holden_reply *reply, void *message) {
    const struct holden_message_row *row = holden_message(reply->frame.type);
    struct holden_fault fault;
    if (!row)
        return -EBADMSG;
    return holden_decode(row->record, reply->body, reply->frame.size, message, &fault);
}
