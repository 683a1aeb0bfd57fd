/* The feed: what it asks, what it makes of the answers, and how it comes back after a loss. The
 * test plays the agent, and the time is its own. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "monitor/feed.h"
#include "monitor_fixture.h"
#include "suite.h"

#define SECOND UINT64_C(1000000)
enum { START = 1000 };

struct fixture {
    char directory[64];
    char path[96];
    int listener;
    struct holden_connection agent; /* the agent's end */
    struct feed feed;
    unsigned answers, losses;
    uint32_t answered;              /* id of the last answer */
};

static void answer(void *context, struct feed *feed, const struct holden_reply *reply) {
    struct fixture *fixture = context;
    assert_ptr_equal(feed, &fixture->feed);
    if (!reply) {
        fixture->losses++;
        return;
    }
    fixture->answers++;
    fixture->answered = reply->frame.id;
}

static void start_listening(struct fixture *fixture) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", fixture->path);
    fixture->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fixture->listener >= 0);
    assert_int_equal(bind(fixture->listener, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fixture->listener, 4), 0);
}

static void stop_listening(struct fixture *fixture) {
    close(fixture->listener);
    unlink(fixture->path);
    fixture->listener = -1;
}

static void begin(struct fixture *fixture) {
    strcpy(fixture->directory, "/tmp/holden-feed-XXXXXX");
    assert_non_null(mkdtemp(fixture->directory));
    snprintf(fixture->path, sizeof(fixture->path), "%s/agent.sock", fixture->directory);
    fixture->agent.fd = -1;
    fixture->feed = (struct feed){.path = fixture->path, .interval = SECOND, .answer = answer,
                                  .context = fixture};
    start_listening(fixture);
    assert_int_equal(feed_open(&fixture->feed, START), 0);
}

static void accept_feed(struct fixture *fixture) {
    int fd = accept4(fixture->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    assert_true(fd >= 0);
    holden_connection_open(&fixture->agent, fd);
}

static void hang_up(struct fixture *fixture) {
    if (fixture->agent.fd >= 0)
        holden_connection_close(&fixture->agent);
}

static void fixture_free(struct fixture *fixture) {
    feed_close(&fixture->feed);
    hang_up(fixture);
    if (fixture->listener >= 0)
        stop_listening(fixture);
    rmdir(fixture->directory);
}

/* The id of the next request, which is of that type; 0 where there is none. */
static uint32_t asked(struct fixture *fixture, uint16_t type) {
    struct holden_frame frame;
    const uint8_t *body;
    int r;
    while ((r = holden_connection_peek(&fixture->agent, &frame, &body)) == -EAGAIN)
        if (holden_connection_receive(&fixture->agent) <= 0)
            return 0;
    assert_int_equal(r, 0);
    assert_int_equal(frame.type, type);
    holden_connection_taken(&fixture->agent, &frame);
    return frame.id;
}

static void reply(struct fixture *fixture, uint16_t type, uint32_t id, const void *message) {
    assert_int_equal(holden_connection_put(&fixture->agent, type, id, message, NULL, 0), 0);
    assert_int_equal(holden_connection_send(&fixture->agent), 0);
}

static void reply_process(struct fixture *fixture, uint32_t list, uint64_t id) {
    struct holden_process process = {0};
    HOLDEN_SET(&process, process, id, id);
    HOLDEN_SET(&process, process, name, holden_view("web"));
    HOLDEN_SET(&process, process, state, HOLDEN_state_RUNNING);
    HOLDEN_SET(&process, process, owner, 0);
    HOLDEN_SET(&process, process, user, 0);
    HOLDEN_SET(&process, process, started, 1);
    HOLDEN_SET(&process, process, runtime, 1);
    reply(fixture, HOLDEN_MESSAGE_process, list, &process);
}

static void reply_end(struct fixture *fixture, uint32_t list) {
    reply(fixture, HOLDEN_MESSAGE_end, list, &(struct holden_end){0});
}

static void reply_error(struct fixture *fixture, uint32_t id, uint32_t code, const char *text) {
    struct holden_error error = {0};
    HOLDEN_SET(&error, error, code, code);
    HOLDEN_SET(&error, error, text, holden_view(text));
    reply(fixture, HOLDEN_MESSAGE_error, id, &error);
}

/* Answers the three first questions; one process, id 1. The id of the subscription. */
static uint32_t make_live(struct fixture *fixture, uint64_t now) {
    struct holden_pong pong = {0};
    accept_feed(fixture);
    uint32_t ping = asked(fixture, HOLDEN_MESSAGE_ping);
    uint32_t events = asked(fixture, HOLDEN_MESSAGE_subscribe);
    uint32_t list = asked(fixture, HOLDEN_MESSAGE_list);
    assert_true(ping && events && list);
    HOLDEN_SET(&pong, pong, version, holden_view("1.2.3"));
    HOLDEN_SET(&pong, pong, pid, 77);
    reply(fixture, HOLDEN_MESSAGE_pong, ping, &pong);
    reply_process(fixture, list, 1);
    reply_end(fixture, list);
    assert_true(feed_work(&fixture->feed, now));
    assert_int_equal(fixture->feed.status, FEED_LIVE);
    return events;
}

TEST(it_asks_and_becomes_live) {
    _cleanup_(fixture_free) struct fixture fixture = {0};
    begin(&fixture);
    assert_int_equal(fixture.feed.status, FEED_WAITING);
    assert_int_equal(feed_silence(&fixture.feed, START + SECOND), SECOND);
    make_live(&fixture, START + 100);
    assert_int_equal(fixture.feed.samples, 1);
    assert_int_equal(fixture.feed.pid, 77);
    assert_string_equal(fixture.feed.version, "1.2.3");
    assert_int_equal(fixture.feed.model.count, 1);
    assert_int_equal(feed_silence(&fixture.feed, START + SECOND), 0);
}

TEST(samples_come_at_the_interval_and_one_at_a_time) {
    _cleanup_(fixture_free) struct fixture fixture = {0};
    begin(&fixture);
    make_live(&fixture, START + 100);
    assert_int_equal(feed_deadline(&fixture.feed), START + SECOND);
    feed_work(&fixture.feed, START + SECOND - 1);
    assert_int_equal(asked(&fixture, HOLDEN_MESSAGE_list), 0);
    feed_work(&fixture.feed, START + SECOND);
    uint32_t list = asked(&fixture, HOLDEN_MESSAGE_list);
    assert_true(list > 0);
    feed_work(&fixture.feed, START + 5 * SECOND);
    assert_int_equal(asked(&fixture, HOLDEN_MESSAGE_list), 0);
    assert_int_equal(feed_silence(&fixture.feed, START + 5 * SECOND), 4 * SECOND);
    reply_end(&fixture, list);
    assert_true(feed_work(&fixture.feed, START + 5 * SECOND));
    assert_int_equal(fixture.feed.model.count, 0);
}

TEST(after_a_late_sample_the_next_keeps_its_distance) {
    _cleanup_(fixture_free) struct fixture fixture = {0};
    begin(&fixture);
    make_live(&fixture, START + 3 * SECOND);
    assert_int_equal(feed_deadline(&fixture.feed), START + 3 * SECOND + SECOND / 2);
}

TEST(an_event_is_seen_at_once_and_brings_the_next_sample_forward) {
    _cleanup_(fixture_free) struct fixture fixture = {0};
    struct holden_event event = {0};
    begin(&fixture);
    uint32_t events = make_live(&fixture, START + 100);
    HOLDEN_SET(&event, event, sequence, 1);
    HOLDEN_SET(&event, event, time, feed_wall_clock());
    HOLDEN_SET(&event, event, kind, HOLDEN_event_kind_FROZEN);
    HOLDEN_SET(&event, event, id, 1);
    reply(&fixture, HOLDEN_MESSAGE_event, events, &event);
    assert_true(feed_work(&fixture.feed, START + 200));
    assert_true(model_find(&fixture.feed.model, 1)->frozen);
    assert_true(feed_deadline(&fixture.feed) < START + SECOND);
    assert_true(feed_deadline(&fixture.feed) >= START + SECOND / 4);
}

TEST(a_slow_sample_is_not_hurried) {
    _cleanup_(fixture_free) struct fixture fixture = {0};
    begin(&fixture);
    make_live(&fixture, START + SECOND / 5);
    uint64_t before = feed_deadline(&fixture.feed);
    feed_hurry(&fixture.feed);
    assert_int_equal(feed_deadline(&fixture.feed), before);
}

TEST(a_lost_agent_leaves_the_rows_and_is_tried_again) {
    _cleanup_(fixture_free) struct fixture fixture = {0};
    uint64_t now = START + SECOND / 2;
    begin(&fixture);
    make_live(&fixture, START + 100);
    stop_listening(&fixture);
    hang_up(&fixture);
    assert_true(feed_work(&fixture.feed, now));
    assert_int_equal(fixture.feed.status, FEED_GONE);
    assert_int_equal(fixture.losses, 1);
    assert_int_equal(fixture.feed.model.count, 1);
    assert_int_equal(feed_fd(&fixture.feed), -1);
    assert_string_equal(fixture.feed.reason, "it went away");
    assert_true(feed_deadline(&fixture.feed) > now &&
                feed_deadline(&fixture.feed) <= now + SECOND / 4);
    assert_false(feed_work(&fixture.feed, now + 1));
    now += SECOND / 4;
    assert_true(feed_work(&fixture.feed, now));
    assert_int_equal(fixture.feed.status, FEED_GONE);
    assert_int_equal(fixture.feed.error, -ENOENT);
    start_listening(&fixture);
    now += SECOND / 4;
    assert_true(feed_work(&fixture.feed, now));
    assert_int_equal(fixture.feed.status, FEED_WAITING);
    make_live(&fixture, now + 100);
    assert_string_equal(fixture.feed.reason, "");
}

TEST(a_sample_cut_off_by_a_loss_is_begun_anew) {
    _cleanup_(fixture_free) struct fixture fixture = {0};
    begin(&fixture);
    make_live(&fixture, START + 100);
    feed_work(&fixture.feed, START + SECOND);
    reply_process(&fixture, asked(&fixture, HOLDEN_MESSAGE_list), 2);
    hang_up(&fixture);
    feed_work(&fixture.feed, START + SECOND + 1);
    assert_int_equal(fixture.feed.status, FEED_GONE);
    assert_int_equal(fixture.feed.model.count, 2);
    feed_work(&fixture.feed, START + 2 * SECOND);
    make_live(&fixture, START + 2 * SECOND + 1);
    assert_int_equal(fixture.feed.model.count, 1);
    assert_non_null(model_find(&fixture.feed.model, 1));
}

TEST(answers_to_other_requests_are_passed_on) {
    _cleanup_(fixture_free) struct fixture fixture = {0};
    struct holden_stop stop = {0};
    uint32_t id;
    begin(&fixture);
    make_live(&fixture, START + 100);
    HOLDEN_SET(&stop, stop, name, holden_view("web"));
    assert_int_equal(feed_ask(&fixture.feed, HOLDEN_MESSAGE_stop, &stop, &id), 0);
    assert_int_equal(asked(&fixture, HOLDEN_MESSAGE_stop), id);
    reply_error(&fixture, id, HOLDEN_code_NOT_PERMITTED, "no");
    assert_true(feed_work(&fixture.feed, START + 200));
    assert_int_equal(fixture.answers, 1);
    assert_int_equal(fixture.answered, id);
    assert_int_equal(fixture.feed.status, FEED_LIVE);
    assert_string_equal(fixture.feed.reason, "");
    hang_up(&fixture);
    feed_work(&fixture.feed, START + 300);
    assert_int_equal(feed_ask(&fixture.feed, HOLDEN_MESSAGE_stop, &stop, &id), -ENOTCONN);
}

TEST(an_agent_that_turns_us_away_is_quoted) {
    _cleanup_(fixture_free) struct fixture fixture = {0};
    begin(&fixture);
    accept_feed(&fixture);
    reply_error(&fixture, 0, HOLDEN_code_NOT_PERMITTED, "you may not");
    hang_up(&fixture);
    assert_true(feed_work(&fixture.feed, START + 100));
    assert_int_equal(fixture.feed.status, FEED_GONE);
    assert_int_equal(fixture.feed.code, HOLDEN_code_NOT_PERMITTED);
    assert_string_equal(fixture.feed.reason, "you may not");
}

TEST(what_is_no_agent_is_left) {
    _cleanup_(fixture_free) struct fixture fixture = {0};
    begin(&fixture);
    accept_feed(&fixture);
    assert_int_equal(send(fixture.agent.fd, "HTTP/1.1 400 Bad Request\r\n", 26, MSG_NOSIGNAL), 26);
    assert_true(feed_work(&fixture.feed, START + 100));
    assert_int_equal(fixture.feed.status, FEED_GONE);
    assert_non_null(strstr(fixture.feed.reason, "protocol"));
}

TEST(without_an_agent_the_reason_is_returned) {
    struct feed feed = {.path = "/nonexistent/agent.sock", .interval = SECOND};
    assert_int_equal(feed_open(&feed, START), -ENOENT);
    assert_int_equal(feed.status, FEED_GONE);
    feed_close(&feed);
}

UNIT_MAIN
