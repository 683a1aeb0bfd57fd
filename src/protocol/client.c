#include "protocol/client.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "protocol/pending.h"

enum {
    RETRY = 50,             /* milliseconds between tries to connect */
    GONE_PATIENCE = 2000000, /* microseconds, where not even the socket is there */
    BRIEF = 10000000,       /* a connection that lasted less, without a word, counts as fruitless */
    FRUITLESS_MOST = 10,
};

/* What outlives a connection. */
struct holden_keeping {
    char *path; /* owned */
    uint64_t patience;
    struct holden_pendings pendings;
    uint64_t since; /* CLOCK_MONOTONIC, microseconds: when it was connected, or broke */
    bool heard;     /* something has come over this connection */
    unsigned fruitless;
};

const char *holden_socket_path(const char *given) {
    if (given)
        return given;
    const char *named = getenv("HOLDEN_SOCKET");
    return named && *named ? named : HOLDEN_SOCKET_DEFAULT;
}

int holden_credentials_path(const char *socket, char *path, size_t space) {
    char parent[PATH_MAX], resolved[PATH_MAX];
    const char *slash = strrchr(socket, '/');
    int size = slash ? (int)(slash - socket) + (slash == socket) : 1;
    if ((size_t)snprintf(parent, sizeof(parent), "%.*s", size, slash ? socket : ".") >=
        sizeof(parent))
        return -ENAMETOOLONG;
    /* Where there is no agent yet, the place is as it is written. */
    if (!realpath(parent, resolved)) {
        if (errno != ENOENT || parent[0] != '/')
            return -errno;
        strcpy(resolved, parent);
    }
    int used = snprintf(path, space, "%s/credentials", resolved[1] ? resolved : "");
    return (size_t)used < space ? 0 : -ENAMETOOLONG;
}

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_nsec / 1000;
}

static int connect_to(const char *path, int *out) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof(address.sun_path))
        return -ENAMETOOLONG;
    memcpy(address.sun_path, path, strlen(path) + 1);
    _cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
        return -errno;
    *out = TAKE_FD(fd);
    return 0;
}

int holden_client_connect(struct holden_client *client, const char *path) {
    int fd = -1;
    int r = connect_to(path, &fd);
    if (r < 0)
        return r;
    *client = (struct holden_client){0};
    holden_connection_open(&client->connection, fd);
    return 0;
}

void holden_client_close(struct holden_client *client) {
    holden_connection_close(&client->connection);
    if (!client->keeping)
        return;
    holden_pending_free(&client->keeping->pendings);
    free(client->keeping->path);
    free(client->keeping);
    client->keeping = NULL;
}

int holden_client_keep(struct holden_client *client, const char *path, uint64_t patience) {
    struct holden_keeping *keeping = calloc(1, sizeof(*keeping));
    if (!keeping || !(keeping->path = strdup(path))) {
        free(keeping);
        return -ENOMEM;
    }
    keeping->patience = patience;
    keeping->since = now();
    TAILQ_INIT(&keeping->pendings);
    client->keeping = keeping;
    return 0;
}

/* Whether that is how a connection breaks whose agent has died. */
static bool is_loss(int error) {
    return error == -ECONNRESET || error == -EPIPE;
}

/* The connection has broken: what is to be sent again is known, the rest of it is worth nothing. */
static void lose(struct holden_client *client) {
    struct holden_keeping *keeping = client->keeping;
    uint64_t moment = now();
    bool fruitless = !keeping->heard && moment - keeping->since < BRIEF;
    keeping->fruitless = fruitless ? keeping->fruitless + 1 : 0;
    keeping->since = moment;
    client->holds = false;
    holden_connection_close(&client->connection);
}

/* Why it is time to give up, or -EAGAIN. */
static int judge(const struct holden_keeping *keeping, int error) {
    uint64_t patience = keeping->patience;
    if (error == -EINTR)
        return -EAGAIN;
    if (error != -ENOENT && error != -ECONNREFUSED)
        return error;
    if (error == -ENOENT && patience > GONE_PATIENCE)
        patience = GONE_PATIENCE;
    return now() - keeping->since >= patience ? error : -EAGAIN;
}

static int send_all(struct holden_client *client);

/* One try to connect and send again. 0; -EAGAIN: not yet; otherwise it is over. */
static int come_back(struct holden_client *client) {
    struct holden_keeping *keeping = client->keeping;
    if (keeping->fruitless >= FRUITLESS_MOST)
        return -ECONNRESET;
    int fd = -1;
    int r = connect_to(keeping->path, &fd);
    if (r < 0)
        return judge(keeping, r);
    holden_connection_open(&client->connection, fd);
    keeping->since = now();
    keeping->heard = false;
    r = holden_pending_send_again(&keeping->pendings, &client->connection);
    if (r == 0)
        r = send_all(client);
    if (!is_loss(r))
        return r;
    lose(client);
    return -EAGAIN;
}

/* Tries until there is an agent, or it is over. */
static int come_back_at_last(struct holden_client *client) {
    int r;
    while ((r = come_back(client)) == -EAGAIN)
        poll(NULL, 0, RETRY);
    return r;
}

/* Where the socket does not block, waits until it is ready for `events`. */
static int await(const struct holden_client *client, short events) {
    struct pollfd poller = {.fd = client->connection.fd, .events = events};
    if (poll(&poller, 1, -1) < 0 && errno != EINTR)
        return -errno;
    return 0;
}

static int send_all(struct holden_client *client) {
    int r;
    while ((r = holden_connection_send(&client->connection)) == -EAGAIN)
        if ((r = await(client, POLLOUT)) < 0)
            return r;
    return r;
}

/* What cannot be sent is sent again when the break is noticed, which is after the last words of
 * whoever broke it have been read. */
static int ask_kept(struct holden_client *client, uint16_t type, const void *message,
                    const int *fds, size_t count, uint32_t id) {
    bool open = client->connection.fd >= 0;
    int r = holden_pending_add(&client->keeping->pendings, open ? &client->connection : NULL, type,
                               id, message, fds, count);
    if (r == 0 && open)
        r = send_all(client);
    return is_loss(r) ? 0 : r;
}

int holden_client_ask(struct holden_client *client, uint16_t type, const void *message,
                      const int *fds, size_t count, uint32_t *id) {
    uint32_t number = ++client->last_id;
    int r;
    if (client->keeping)
        r = ask_kept(client, type, message, fds, count, number);
    else {
        r = holden_connection_put(&client->connection, type, number, message, fds, count);
        if (r == 0)
            r = send_all(client);
    }
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
static void let_go(struct holden_client *client) {
    if (client->holds)
        holden_connection_taken(&client->connection, &client->taken);
    client->holds = false;
}

/* Looks for a reply among what is here; those that are not for the caller are passed over. */
static int look(struct holden_client *client, struct holden_reply *reply) {
    struct holden_keeping *keeping = client->keeping;
    int r;
    while ((r = holden_connection_peek(&client->connection, &reply->frame, &reply->body)) == 0) {
        if (!keeping || !holden_pending_hides(&keeping->pendings, &reply->frame, reply->body))
            return 0;
        keeping->heard = true;
        holden_connection_taken(&client->connection, &reply->frame);
    }
    return r;
}

/* Waits for more, from the next agent where this one has gone. */
static int wait_for_more(struct holden_client *client) {
    int r = client->keeping && client->connection.fd < 0 ? -ECONNRESET : receive_more(client);
    if (!client->keeping || !is_loss(r))
        return r;
    if (client->connection.fd >= 0)
        lose(client);
    return come_back_at_last(client);
}

int holden_client_next(struct holden_client *client, struct holden_reply *reply) {
    int r;
    let_go(client);
    while ((r = look(client, reply)) == -EAGAIN)
        if ((r = wait_for_more(client)) < 0)
            return r;
    if (r < 0)
        return r;
    if (client->keeping) {
        client->keeping->heard = true;
        holden_pending_answered(&client->keeping->pendings, &reply->frame, reply->body);
    }
    client->taken = reply->frame;
    client->holds = true;
    return 0;
}

bool holden_client_has(struct holden_client *client) {
    struct holden_reply reply;
    let_go(client);
    /* What is malformed is there too: the next call tells. */
    return look(client, &reply) != -EAGAIN;
}

int holden_client_turn(struct holden_client *client) {
    int r;
    let_go(client);
    if (client->connection.fd < 0) {
        r = come_back(client);
        return r == -EAGAIN ? 0 : r;
    }
    r = receive_more(client);
    if (!is_loss(r))
        return r;
    lose(client);
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
