/* A listener with a program of a few lines, and a client in the same thread. */
#include "daemon/peer.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "suite.h"

struct program {
    struct peer *peer;
    unsigned drained;
};

static void on_frame(void *data, struct peer *peer, const struct holden_frame *frame, const uint8_t *body) {
    struct program *program = data;
    (void)frame, (void)body;
    program->peer = peer;
}

static void on_drained(void *data, struct peer *peer) {
    struct program *program = data;
    (void)peer;
    program->drained++;
}

static void on_gone(void *data, struct peer *peer) {
    (void)data, (void)peer;
}

static const struct peer_calls calls = {.frame = on_frame, .drained = on_drained, .gone = on_gone};

struct fixture {
    sd_event *event;
    struct listener listener;
    struct program program;
    int listening, client;
};

static void turn(struct fixture *fixture) {
    for (unsigned i = 0; i < 10; i++)
        assert_true(sd_event_run(fixture->event, 0) >= 0);
}

/* Connects as root does, or as whoever runs the test, and sends one frame. */
static void set_up(struct fixture *fixture) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    socklen_t size = sizeof(address);
    _cleanup_(buffer_free) struct buffer frame = {0};
    struct holden_ping ping = {0};
    *fixture = (struct fixture){0};
    assert_int_equal(sd_event_new(&fixture->event), 0);
    fixture->listening = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    /* Only the family: the kernel chooses an abstract address (unix(7)). */
    assert_int_equal(bind(fixture->listening, (struct sockaddr *)&address, sizeof(sa_family_t)), 0);
    assert_int_equal(listen(fixture->listening, 8), 0);
    assert_int_equal(getsockname(fixture->listening, (struct sockaddr *)&address, &size), 0);
    assert_int_equal(listener_start(&fixture->listener, fixture->event, fixture->listening, getgid(), &calls,
                                    &fixture->program), 0);
    fixture->client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fixture->client, (struct sockaddr *)&address, size), 0);
    assert_int_equal(fcntl(fixture->client, F_SETFL, O_NONBLOCK), 0);
    assert_int_equal(holden_frame_put(&frame, HOLDEN_MESSAGE_ping, 1, &ping), 0);
    assert_int_equal(write(fixture->client, buffer_bytes(&frame), frame.size), frame.size);
    turn(fixture);
    assert_non_null(fixture->program.peer);
}

static void tear_down(struct fixture *fixture) {
    listener_stop(&fixture->listener);
    close(fixture->listening);
    close(fixture->client);
    sd_event_unref(fixture->event);
}

static void take_all(const struct fixture *fixture) {
    static char bytes[65536];
    while (read(fixture->client, bytes, sizeof(bytes)) > 0)
        ;
}

static void reply(const struct fixture *fixture) {
    struct holden_done done = {0};
    peer_reply(fixture->program.peer, HOLDEN_MESSAGE_done, 2, &done, NULL, 0);
}

TEST(a_full_queue_that_another_answer_empties_is_told_of_as_well) {
    struct fixture fixture;
    set_up(&fixture);
    while (!peer_full(fixture.program.peer))
        reply(&fixture);
    while (fixture.program.peer->connection.out.size > 0) {
        take_all(&fixture);
        reply(&fixture);
    }
    assert_int_equal(fixture.program.drained, 0);
    take_all(&fixture);
    turn(&fixture);
    assert_int_equal(fixture.program.drained, 1);
    tear_down(&fixture);
}

TEST(who_asks_for_a_later_turn_gets_one) {
    struct fixture fixture;
    set_up(&fixture);
    peer_later(fixture.program.peer);
    turn(&fixture);
    assert_int_equal(fixture.program.drained, 1);
    tear_down(&fixture);
}

TEST(an_answer_whose_descriptors_do_not_fit_goes_without_them) {
    struct fixture fixture;
    struct holden_started started = {0};
    set_up(&fixture);
    HOLDEN_SET(&started, started, name, holden_view("web"));
    HOLDEN_SET(&started, started, id, 1);
    HOLDEN_SET(&started, started, pid, 1);
    HOLDEN_SET(&started, started, pidfd, 0);
    for (unsigned i = 0; i < 4000; i++)
        peer_reply(fixture.program.peer, HOLDEN_MESSAGE_started, i, &started, (const int[]){STDIN_FILENO}, 1);
    assert_false(fixture.program.peer->closing);
    tear_down(&fixture);
}

UNIT_MAIN
