/* A client that outlives the agent, against an agent that lives several lives: what comes again,
 * and what the caller sees of it. */
#include "protocol/pending.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "protocol/client.h"
#include "sample.h"
#include "suite.h"

enum { LIVES_MOST = 12, SEEN_MOST = 16, PATIENCE = 20000000 };

/* What an agent did with one request: its answers, before it takes the next or dies. */
typedef void answers(struct holden_connection *connection, uint32_t id);

struct seen {
    uint16_t type;
    uint32_t id;
    size_t size;
    uint8_t body[256];
    size_t fds;
};

struct server {
    char directory[32], path[64];
    int listening;
    answers *const *lives; /* of each, what is done with its one request; NULL ends the list */
    struct seen seen[SEEN_MOST];
    size_t count;
    pthread_t thread;
};

static void receive_one(struct server *server, struct holden_connection *connection,
                        answers *answer) {
    struct holden_frame frame;
    const uint8_t *body;
    int fds[4];
    while (holden_connection_peek(connection, &frame, &body) < 0)
        if (holden_connection_receive(connection) <= 0)
            return;
    struct seen *seen = &server->seen[server->count++];
    *seen = (struct seen){.type = frame.type, .id = frame.id, .size = frame.size};
    memcpy(seen->body, body, frame.size);
    seen->fds = holden_connection_take_fds(connection, &frame, fds, ARRAY_SIZE(fds));
    for (size_t i = 0; i < seen->fds; i++)
        close(fds[i]);
    answer(connection, frame.id);
    holden_connection_send(connection);
}

static void *live(void *argument) {
    struct server *server = argument;
    for (answers *const *life = server->lives; *life; life++) {
        struct holden_connection connection;
        holden_connection_open(&connection, accept(server->listening, NULL, NULL));
        receive_one(server, &connection, *life);
        holden_connection_close(&connection);
    }
    return NULL;
}

static void open_server(struct server *server, answers *const *lives,
                        struct holden_client *client) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    *server = (struct server){.directory = "/tmp/holden-unit.XXXXXX", .lives = lives};
    assert_non_null(mkdtemp(server->directory));
    snprintf(server->path, sizeof(server->path), "%s/socket", server->directory);
    strcpy(address.sun_path, server->path);
    server->listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(server->listening >= 0);
    assert_int_equal(bind(server->listening, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(server->listening, 4), 0);
    assert_int_equal(holden_client_connect(client, server->path), 0);
    assert_int_equal(holden_client_keep(client, server->path, PATIENCE), 0);
    assert_int_equal(pthread_create(&server->thread, NULL, live, server), 0);
}

static void close_server(struct server *server, struct holden_client *client) {
    assert_int_equal(pthread_join(server->thread, NULL), 0);
    holden_client_close(client);
    close(server->listening);
    unlink(server->path);
    assert_int_equal(rmdir(server->directory), 0);
}

#define LIVES(...) ((answers *const[]){__VA_ARGS__, NULL})

/* What the server saw as its N-th request, decoded; its views live as long as the server. */
#define SEEN(server, n, type_, message)                                                            \
    ({                                                                                             \
        struct holden_fault fault;                                                                 \
        const struct seen *request = &(server)->seen[n];                                           \
        assert_true((n) < (server)->count);                                                        \
        assert_int_equal(request->type, HOLDEN_MESSAGE_##type_);                                   \
        assert_int_equal(holden_decode(&holden_record_##type_, request->body, request->size,       \
                                       message, &fault),                                           \
                         0);                                                                       \
        request->id;                                                                               \
    })

static void put(struct holden_connection *connection, uint16_t type, uint32_t id,
                const void *message) {
    holden_connection_put(connection, type, id, message, NULL, 0);
}

static void nothing(struct holden_connection *connection, uint32_t id) {
    (void)connection;
    (void)id;
}

static void done(struct holden_connection *connection, uint32_t id) {
    put(connection, HOLDEN_MESSAGE_done, id, &(struct holden_done){0});
}

static void target(struct holden_connection *connection, uint32_t id) {
    struct holden_target message = {0};
    HOLDEN_SET(&message, target, id, 40);
    put(connection, HOLDEN_MESSAGE_target, id, &message);
}

static void target_and_done(struct holden_connection *connection, uint32_t id) {
    target(connection, id);
    done(connection, id);
}

static void started(struct holden_connection *connection, uint32_t id) {
    struct holden_started message = {0};
    HOLDEN_SET(&message, started, name, holden_view("web"));
    HOLDEN_SET(&message, started, id, 9);
    HOLDEN_SET(&message, started, pid, 99);
    put(connection, HOLDEN_MESSAGE_started, id, &message);
}

static void exited(struct holden_connection *connection, uint32_t id) {
    struct holden_exited message = {0};
    HOLDEN_SET(&message, exited, name, holden_view("web"));
    HOLDEN_SET(&message, exited, id, 9);
    HOLDEN_SET(&message, exited, state, HOLDEN_state_EXITED);
    HOLDEN_SET(&message, exited, cause, HOLDEN_cause_EXITED);
    put(connection, HOLDEN_MESSAGE_exited, id, &message);
}

static void process(struct holden_connection *connection, uint32_t id, uint64_t number) {
    struct holden_process message = {0};
    HOLDEN_SET(&message, process, name, holden_view("web"));
    HOLDEN_SET(&message, process, id, number);
    HOLDEN_SET(&message, process, state, HOLDEN_state_RUNNING);
    HOLDEN_SET(&message, process, owner, 0);
    HOLDEN_SET(&message, process, user, 0);
    HOLDEN_SET(&message, process, started, 0);
    HOLDEN_SET(&message, process, runtime, 0);
    put(connection, HOLDEN_MESSAGE_process, id, &message);
}

static void end(struct holden_connection *connection, uint32_t id) {
    put(connection, HOLDEN_MESSAGE_end, id, &(struct holden_end){0});
}

static void expect(struct holden_client *client, uint32_t id, uint16_t type, void *message) {
    struct holden_reply reply;
    assert_int_equal(holden_client_next(client, &reply), 0);
    assert_int_equal(reply.frame.type, type);
    assert_int_equal(reply.frame.id, id);
    if (message)
        assert_int_equal(holden_reply_decode(&reply, message), 0);
}

#define ASK(client, type, message)                                                                 \
    ({                                                                                             \
        uint32_t asked;                                                                            \
        assert_int_equal(                                                                          \
            holden_client_ask(client, HOLDEN_MESSAGE_##type, message, NULL, 0, &asked), 0);        \
        asked;                                                                                     \
    })

/* ---- the table ---- */

TEST(every_request_can_come_again) {
    struct sample sample = {.random = 3};
    struct holden_pendings pendings;
    size_t count;
    const struct holden_message_row *rows = holden_messages(&count);
    TAILQ_INIT(&pendings);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(holden_pending_add(&pendings, NULL, rows[i].number, (uint32_t)i,
                                            sample_make(&sample, rows[i].record, SAMPLE_ALL), NULL,
                                            0),
                         rows[i].request ? 0 : -EINVAL);
    assert_int_equal(holden_pending_add(&pendings, NULL, 60000, 1, &sample, NULL, 0), -EINVAL);
    holden_pending_free(&pendings);
    assert_true(TAILQ_EMPTY(&pendings));
    sample_free(&sample);
}

/* ---- what comes again ---- */

TEST(a_stop_stays_with_the_process_that_it_meant) {
    struct server server;
    struct holden_client client;
    struct holden_stop stop = {0}, seen;
    open_server(&server, LIVES(nothing, target, target_and_done), &client);
    HOLDEN_SET(&stop, stop, name, holden_view("web"));
    HOLDEN_SET(&stop, stop, signal, 7);
    uint32_t id = ASK(&client, stop, &stop);
    expect(&client, id, HOLDEN_MESSAGE_done, NULL);
    close_server(&server, &client);
    assert_int_equal(server.count, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(SEEN(&server, i, stop, &seen), id);
        assert_true(seen.tell);
        assert_true(holden_view_is(seen.name, "web"));
        assert_int_equal(seen.signal, 7);
        /* Before it is known which one that is, the name says so. */
        assert_int_equal(HOLDEN_HAS(&seen, stop, id), i == 2);
    }
    assert_int_equal(seen.id, 40);
}

TEST(a_start_keeps_its_token_and_ends_as_a_wait) {
    struct server server;
    struct holden_client client;
    struct holden_start start = {0}, first, second;
    struct holden_wait wait;
    struct holden_view command = holden_view("true");
    int ends[2];
    char byte;
    uint32_t id;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    open_server(&server, LIVES(nothing, started, nothing, exited), &client);
    HOLDEN_SET(&start, start, argument, (struct holden_repeated){.count = 1, .items = &command});
    HOLDEN_SET(&start, start, wait, true);
    HOLDEN_SET(&start, start, output, 0);
    assert_int_equal(holden_client_ask(&client, HOLDEN_MESSAGE_start, &start, &ends[1], 1, &id), 0);
    close(ends[1]);
    expect(&client, id, HOLDEN_MESSAGE_started, NULL);
    /* The descriptor has gone where it belongs, and nowhere else. */
    assert_int_equal(read(ends[0], &byte, 1), 0);
    expect(&client, id, HOLDEN_MESSAGE_exited, NULL);
    close_server(&server, &client);
    close(ends[0]);
    assert_int_equal(SEEN(&server, 0, start, &first), id);
    assert_int_equal(SEEN(&server, 1, start, &second), id);
    assert_true(first.token != 0);
    assert_int_equal(first.token, second.token);
    assert_int_equal(server.seen[0].fds, 1);
    assert_int_equal(server.seen[1].fds, 1);
    for (size_t i = 2; i < 4; i++) {
        assert_int_equal(SEEN(&server, i, wait, &wait), id);
        assert_int_equal(wait.id, 9);
        assert_true(holden_view_is(wait.name, "web"));
    }
}

TEST(a_token_of_the_callers_own) {
    struct server server;
    struct holden_client client;
    struct holden_restart restart = {0}, seen;
    open_server(&server, LIVES(nothing, started), &client);
    HOLDEN_SET(&restart, restart, name, holden_view("web"));
    HOLDEN_SET(&restart, restart, token, 5);
    uint32_t id = ASK(&client, restart, &restart);
    expect(&client, id, HOLDEN_MESSAGE_started, NULL);
    close_server(&server, &client);
    for (size_t i = 0; i < 2; i++) {
        SEEN(&server, i, restart, &seen);
        assert_int_equal(seen.token, 5);
    }
}

static void processes_3_5(struct holden_connection *connection, uint32_t id) {
    process(connection, id, 3);
    process(connection, id, 5);
}

static void process_8_end(struct holden_connection *connection, uint32_t id) {
    process(connection, id, 8);
    end(connection, id);
}

TEST(a_list_goes_on_where_it_was) {
    static const uint64_t all[] = {3, 5, 8};
    struct server server;
    struct holden_client client;
    struct holden_list list = {0}, seen;
    struct holden_process told;
    open_server(&server, LIVES(processes_3_5, process_8_end), &client);
    uint32_t id = ASK(&client, list, &list);
    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        expect(&client, id, HOLDEN_MESSAGE_process, &told);
        assert_int_equal(told.id, all[i]);
    }
    expect(&client, id, HOLDEN_MESSAGE_end, NULL);
    close_server(&server, &client);
    SEEN(&server, 1, list, &seen);
    assert_int_equal(seen.after, 5);
}

static void event(struct holden_connection *connection, uint32_t id, uint64_t sequence) {
    struct holden_event message = {0};
    HOLDEN_SET(&message, event, sequence, sequence);
    HOLDEN_SET(&message, event, time, 0);
    HOLDEN_SET(&message, event, kind, HOLDEN_event_kind_AGENT);
    put(connection, HOLDEN_MESSAGE_event, id, &message);
}

static void event_41(struct holden_connection *connection, uint32_t id) {
    event(connection, id, 41);
}

static void event_42_end(struct holden_connection *connection, uint32_t id) {
    event(connection, id, 42);
    end(connection, id);
}

TEST(events_go_on_even_before_the_first) {
    struct server server;
    struct holden_client client;
    struct holden_subscribe subscribe = {0}, seen;
    struct holden_event told;
    open_server(&server, LIVES(target, event_41, event_42_end), &client);
    HOLDEN_SET(&subscribe, subscribe, follow, true);
    uint32_t id = ASK(&client, subscribe, &subscribe);
    for (uint64_t sequence = 41; sequence <= 42; sequence++) {
        expect(&client, id, HOLDEN_MESSAGE_event, &told);
        assert_int_equal(told.sequence, sequence);
    }
    expect(&client, id, HOLDEN_MESSAGE_end, NULL);
    close_server(&server, &client);
    SEEN(&server, 0, subscribe, &seen);
    assert_false(HOLDEN_HAS(&seen, subscribe, since));
    for (size_t i = 1; i < 3; i++) {
        SEEN(&server, i, subscribe, &seen);
        assert_int_equal(seen.since, 39 + i);
    }
}

static void check(struct holden_connection *connection, uint32_t id, const char *name) {
    struct holden_check message = {0};
    HOLDEN_SET(&message, check, name, holden_view(name));
    HOLDEN_SET(&message, check, severity, HOLDEN_severity_OK);
    put(connection, HOLDEN_MESSAGE_check, id, &message);
}

static void checks_a_b(struct holden_connection *connection, uint32_t id) {
    check(connection, id, "a");
    check(connection, id, "b");
}

static void checks_a_b_c_end(struct holden_connection *connection, uint32_t id) {
    checks_a_b(connection, id);
    check(connection, id, "c");
    end(connection, id);
}

TEST(what_was_told_is_not_told_twice) {
    struct server server;
    struct holden_client client;
    struct holden_check told;
    open_server(&server, LIVES(checks_a_b, checks_a_b, checks_a_b_c_end), &client);
    uint32_t id = ASK(&client, doctor, &(struct holden_doctor){0});
    for (char name[] = "a"; name[0] <= 'c'; name[0]++) {
        expect(&client, id, HOLDEN_MESSAGE_check, &told);
        assert_true(holden_view_is(told.name, name));
    }
    expect(&client, id, HOLDEN_MESSAGE_end, NULL);
    close_server(&server, &client);
}

/* ---- a loop of one's own ---- */

TEST(a_client_that_polls) {
    struct server server;
    struct holden_client client;
    open_server(&server, LIVES(target, target_and_done), &client);
    struct holden_reset reset = {0};
    HOLDEN_SET(&reset, reset, name, holden_view("web"));
    uint32_t id = ASK(&client, reset, &reset);
    for (int turns = 0; !holden_client_has(&client); turns++) {
        struct pollfd polled = {.fd = client.connection.fd, .events = POLLIN};
        assert_true(turns < 1000);
        poll(&polled, 1, polled.fd < 0 ? 1 : -1);
        assert_int_equal(holden_client_turn(&client), 0);
    }
    expect(&client, id, HOLDEN_MESSAGE_done, NULL);
    assert_false(holden_client_has(&client));
    close_server(&server, &client);
}

/* ---- when it is over ---- */

TEST(ten_agents_without_a_word_are_enough) {
    struct server server;
    struct holden_client client;
    struct holden_reply reply;
    open_server(&server,
                LIVES(nothing, nothing, nothing, nothing, nothing, nothing, nothing, nothing,
                      nothing, nothing),
                &client);
    ASK(&client, ping, &(struct holden_ping){0});
    assert_int_equal(holden_client_next(&client, &reply), -ECONNRESET);
    close_server(&server, &client);
}

TEST(a_word_begins_the_count_anew) {
    struct server server;
    struct holden_client client;
    open_server(&server,
                LIVES(nothing, nothing, nothing, nothing, nothing, nothing, target, nothing,
                      nothing, nothing, nothing, done),
                &client);
    struct holden_stop stop = {0};
    HOLDEN_SET(&stop, stop, name, holden_view("web"));
    uint32_t id = ASK(&client, stop, &stop);
    expect(&client, id, HOLDEN_MESSAGE_done, NULL);
    close_server(&server, &client);
}

/* Whoever listens is gone, and with it, or not, its socket: for how long that is borne. */
static void expect_over(bool unlinked, uint64_t patience, int error) {
    struct server server;
    struct holden_client client;
    struct holden_reply reply;
    open_server(&server, LIVES(nothing), &client);
    holden_client_close(&client);
    assert_int_equal(pthread_join(server.thread, NULL), 0);
    assert_int_equal(holden_client_connect(&client, server.path), 0);
    assert_int_equal(holden_client_keep(&client, server.path, patience), 0);
    close(server.listening);
    if (unlinked)
        unlink(server.path);
    ASK(&client, ping, &(struct holden_ping){0});
    assert_int_equal(holden_client_next(&client, &reply), error);
    /* Nor later; a request is still only noted. */
    ASK(&client, ping, &(struct holden_ping){0});
    assert_int_equal(holden_client_turn(&client), error);
    holden_client_close(&client);
    unlink(server.path);
    assert_int_equal(rmdir(server.directory), 0);
}

TEST(an_agent_that_took_its_socket_along) {
    expect_over(true, PATIENCE, -ENOENT);
}

TEST(an_agent_whose_socket_nobody_serves) {
    expect_over(false, 100000, -ECONNREFUSED);
}

UNIT_MAIN
