/* The client library against an agent of a few lines in a thread. */
#include "protocol/client.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "suite.h"

struct server {
    char directory[32];
    char path[64];
    int listening;
    pthread_t thread;
};

static void answer(struct holden_connection *connection, uint16_t type, uint32_t id,
                   const void *message) {
    holden_connection_put(connection, type, id, message, NULL, 0);
}

static void answer_process(struct holden_connection *connection, uint32_t id, uint64_t number) {
    struct holden_exited exited = {0};
    HOLDEN_SET(&exited, exited, name, holden_view("web"));
    HOLDEN_SET(&exited, exited, id, number);
    HOLDEN_SET(&exited, exited, state, HOLDEN_state_EXITED);
    HOLDEN_SET(&exited, exited, cause, HOLDEN_cause_EXITED);
    answer(connection, HOLDEN_MESSAGE_exited, id, &exited);
}

/* ping: done. wait: an answer to somebody else, then this one's. reset: goes away. start: done,
 * after its descriptor was written to. False: closes. */
static bool serve(struct holden_connection *connection, const struct holden_frame *frame) {
    struct holden_done done = {0};
    int fd;
    switch (frame->type) {
    case HOLDEN_MESSAGE_wait:
        answer_process(connection, frame->id + 1000, 1);
        answer_process(connection, frame->id, 2);
        return true;
    case HOLDEN_MESSAGE_start:
        if (holden_connection_take_fds(connection, frame, &fd, 1) == 1) {
            bool written = write(fd, "hello", 5) == 5;
            close(fd);
            if (written)
                answer(connection, HOLDEN_MESSAGE_done, frame->id, &done);
        }
        return true;
    case HOLDEN_MESSAGE_ping:
        answer(connection, HOLDEN_MESSAGE_done, frame->id, &done);
        return true;
    default: return false;
    }
}

static void *run(void *argument) {
    struct server *server = argument;
    struct holden_connection connection;
    holden_connection_open(&connection, accept(server->listening, NULL, NULL));
    struct holden_frame frame;
    const uint8_t *body;
    bool go_on = true;
    while (go_on && holden_connection_receive(&connection) > 0)
        while (go_on && holden_connection_peek(&connection, &frame, &body) == 0) {
            go_on = serve(&connection, &frame);
            holden_connection_taken(&connection, &frame);
            holden_connection_send(&connection);
        }
    holden_connection_close(&connection);
    return NULL;
}

static void start_server(struct server *server, struct holden_client *client) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strcpy(server->directory, "/tmp/holden-unit.XXXXXX");
    assert_non_null(mkdtemp(server->directory));
    snprintf(server->path, sizeof(server->path), "%s/socket", server->directory);
    strcpy(address.sun_path, server->path);
    server->listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(server->listening >= 0);
    assert_int_equal(bind(server->listening, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(server->listening, 1), 0);
    assert_int_equal(pthread_create(&server->thread, NULL, run, server), 0);
    assert_int_equal(holden_client_connect(client, server->path), 0);
}

static void stop_server(struct server *server, struct holden_client *client) {
    holden_client_close(client);
    assert_int_equal(pthread_join(server->thread, NULL), 0);
    close(server->listening);
    unlink(server->path);
    assert_int_equal(rmdir(server->directory), 0);
}

TEST(paths) {
    unsetenv("HOLDEN_SOCKET");
    assert_string_equal(holden_socket_path(NULL), HOLDEN_SOCKET_DEFAULT);
    assert_string_equal(holden_socket_path("/x"), "/x");
    setenv("HOLDEN_SOCKET", "/y", 1);
    assert_string_equal(holden_socket_path(NULL), "/y");
    assert_string_equal(holden_socket_path("/x"), "/x");
    setenv("HOLDEN_SOCKET", "", 1);
    assert_string_equal(holden_socket_path(NULL), HOLDEN_SOCKET_DEFAULT);
    unsetenv("HOLDEN_SOCKET");
}

TEST(nobody_there) {
    struct holden_client client;
    char longest[200];
    memset(longest, 'p', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    assert_int_equal(holden_client_connect(&client, "/nonexistent/socket"), -ENOENT);
    assert_int_equal(holden_client_connect(&client, "/"), -ECONNREFUSED);
    assert_int_equal(holden_client_connect(&client, longest), -ENAMETOOLONG);
}

TEST(asked_and_answered) {
    struct server server;
    struct holden_client client;
    struct holden_reply reply;
    struct holden_ping ping = {0};
    uint32_t first;
    uint32_t second;
    start_server(&server, &client);
    assert_int_equal(holden_client_ask(&client, HOLDEN_MESSAGE_ping, &ping, NULL, 0, &first), 0);
    assert_int_equal(holden_client_ask(&client, HOLDEN_MESSAGE_ping, &ping, NULL, 0, &second), 0);
    assert_int_not_equal(first, second);
    assert_int_equal(holden_client_next(&client, &reply), 0);
    assert_int_equal(reply.frame.id, first);
    assert_int_equal(holden_client_next(&client, &reply), 0);
    assert_int_equal(reply.frame.id, second);
    struct holden_done done;
    assert_int_equal(holden_reply_decode(&reply, &done), 0);
    stop_server(&server, &client);
}

TEST(answers_to_others_are_passed_over) {
    struct server server;
    struct holden_client client;
    struct holden_reply reply;
    struct holden_wait request = {0};
    struct holden_exited exited;
    uint32_t id;
    start_server(&server, &client);
    HOLDEN_SET(&request, wait, name, holden_view("web"));
    assert_int_equal(holden_client_ask(&client, HOLDEN_MESSAGE_wait, &request, NULL, 0, &id), 0);
    assert_int_equal(holden_client_reply(&client, id, &reply), 0);
    assert_int_equal(reply.frame.id, id);
    assert_int_equal(holden_reply_decode(&reply, &exited), 0);
    assert_int_equal(exited.id, 2);
    assert_true(holden_view_is(exited.name, "web"));
    stop_server(&server, &client);
}

TEST(descriptors_go_along) {
    struct server server;
    struct holden_client client;
    struct holden_reply reply;
    struct holden_start start = {0};
    struct holden_view command = holden_view("true");
    int ends[2];
    char text[8] = "";
    uint32_t id;
    start_server(&server, &client);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    HOLDEN_SET(&start, start, argument, (struct holden_repeated){.count = 1, .items = &command});
    HOLDEN_SET(&start, start, output, 0);
    assert_int_equal(holden_client_ask(&client, HOLDEN_MESSAGE_start, &start, &ends[1], 1, &id), 0);
    close(ends[1]);
    assert_int_equal(holden_client_reply(&client, id, &reply), 0);
    assert_int_equal(reply.frame.type, HOLDEN_MESSAGE_done);
    assert_int_equal(read(ends[0], text, sizeof(text)), 5);
    assert_string_equal(text, "hello");
    close(ends[0]);
    stop_server(&server, &client);
}

TEST(an_agent_that_goes_away) {
    struct server server;
    struct holden_client client;
    struct holden_reply reply;
    struct holden_reset reset = {0};
    start_server(&server, &client);
    HOLDEN_SET(&reset, reset, name, holden_view("web"));
    assert_int_equal(holden_client_ask(&client, HOLDEN_MESSAGE_reset, &reset, NULL, 0, NULL), 0);
    assert_int_equal(holden_client_next(&client, &reply), -ECONNRESET);
    stop_server(&server, &client);
}

TEST(requests_that_make_no_sense_are_not_sent) {
    struct server server;
    struct holden_client client;
    struct holden_reset reset = {0};
    start_server(&server, &client);
    assert_int_equal(holden_client_ask(&client, HOLDEN_MESSAGE_reset, &reset, NULL, 0, NULL),
                     -EINVAL);
    stop_server(&server, &client);
}

TEST(unknown_replies_do_not_decode) {
    struct holden_reply reply = {.frame = {.type = 60000}};
    struct holden_done done;
    assert_int_equal(holden_reply_decode(&reply, &done), -EBADMSG);
}

/* A client whose socket does not block waits by itself. */
TEST(sockets_that_do_not_block) {
    struct server server;
    struct holden_client client;
    struct holden_reply reply;
    struct holden_ping ping = {0};
    uint32_t id = 0;
    start_server(&server, &client);
    assert_int_equal(fcntl(client.connection.fd, F_SETFL, O_NONBLOCK), 0);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(holden_client_ask(&client, HOLDEN_MESSAGE_ping, &ping, NULL, 0, &id), 0);
        assert_int_equal(holden_client_reply(&client, id, &reply), 0);
    }
    stop_server(&server, &client);
}

UNIT_MAIN
