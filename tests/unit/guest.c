#include "guest.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "suite.h"

enum { TURNS_MOST = 1000000 };

int guest_listen(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    assert_true(strlen(path) < sizeof(address.sun_path));
    strcpy(address.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fd, 64), 0);
    return fd;
}

unsigned guest_turn(sd_event *event) {
    unsigned turns = 0;
    while (sd_event_run(event, 0) > 0)
        assert_true(++turns < TURNS_MOST);
    return turns;
}

void guest_open(struct guest *guest, struct listener *host, const char *path, uid_t uid) {
    *guest = (struct guest){.host = host};
    size_t before = host->count;
    assert_int_equal(holden_client_connect(&guest->client, path), 0);
    assert_int_equal(fcntl(guest->client.connection.fd, F_SETFL, O_NONBLOCK), 0);
    GUEST_UNTIL(host->event, host->count > before);
    guest->peer = LIST_FIRST(&host->peers);
    guest->peer->uid = uid;
}

void guest_close(struct guest *guest) {
    holden_client_close(&guest->client);
    guest_turn(guest->host->event);
}

uint32_t guest_ask(struct guest *guest, uint16_t type, const void *message, const int *fds,
                   size_t count) {
    struct holden_connection *connection = &guest->client.connection;
    uint32_t id = ++guest->client.last_id;
    assert_int_equal(holden_connection_put(connection, type, id, message, fds, count), 0);
    int r;
    for (int waited = 0; (r = holden_connection_send(connection)) == -EAGAIN; waited++) {
        assert_true(waited < 20000);
        if (guest_turn(guest->host->event) == 0)
            poll(NULL, 0, 1);
    }
    assert_int_equal(r, 0);
    return id;
}

void guest_send(struct guest *guest, const void *bytes, size_t size) {
    assert_int_equal(send(guest->client.connection.fd, bytes, size, MSG_NOSIGNAL), size);
}

bool guest_hears(struct guest *guest, struct holden_reply *reply) {
    struct holden_client *client = &guest->client;
    if (client->holds)
        holden_connection_taken(&client->connection, &client->taken);
    client->holds = false;
    for (;;) {
        int r = holden_connection_peek(&client->connection, &reply->frame, &reply->body);
        assert_true(r == 0 || r == -EAGAIN);
        if (r == 0) {
            client->taken = reply->frame;
            client->holds = true;
            return true;
        }
        if (guest->gone)
            return false;
        unsigned turns = guest_turn(guest->host->event);
        ssize_t size = holden_connection_receive(&client->connection);
        if (size == -EAGAIN && turns == 0)
            return false;
        guest->gone = size == 0 || size == -ECONNRESET;
        assert_true(size > 0 || size == -EAGAIN || guest->gone);
    }
}

void guest_expect(struct guest *guest, uint16_t type, uint32_t id, void *message) {
    struct holden_reply reply;
    uint64_t space[512];
    assert_true(guest_hears(guest, &reply));
    if (reply.frame.type == HOLDEN_MESSAGE_error && type != HOLDEN_MESSAGE_error) {
        struct holden_error error;
        assert_int_equal(holden_reply_decode(&reply, &error), 0);
        print_message("refused: %.*s\n", (int)error.text.size, error.text.data);
    }
    assert_int_equal(reply.frame.type, type);
    assert_int_equal(reply.frame.id, id);
    assert_true(holden_message(type)->record->size <= sizeof(space));
    assert_int_equal(holden_reply_decode(&reply, message ? message : space), 0);
}

void guest_refused(struct guest *guest, uint32_t id, uint32_t code, const char *words) {
    struct holden_error error;
    guest_expect(guest, HOLDEN_MESSAGE_error, id, &error);
    if (error.code != code || !memmem(error.text.data, error.text.size, words, strlen(words)))
        fail_msg("refused with code %u: %.*s", error.code, (int)error.text.size, error.text.data);
}

void guest_silent(struct guest *guest) {
    struct holden_reply reply;
    if (guest_hears(guest, &reply))
        fail_msg("a frame of type %u", reply.frame.type);
    assert_false(guest->gone);
}

void guest_ended(struct guest *guest) {
    struct holden_reply reply;
    if (guest_hears(guest, &reply))
        fail_msg("a frame of type %u", reply.frame.type);
    assert_true(guest->gone);
}
