#include "daemon/peer.h"

#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "guest.h"
#include "scratch.h"
#include "suite.h"

/* A daemon that writes down what it gets, and answers each frame with `answer` bytes of text,
 * unless that is 0. */
struct host {
    struct scratch scratch;
    char path[64];
    sd_event *event;
    int socket;
    struct listener listener;
    unsigned descriptors;
    size_t answer;
    unsigned frames, drained, gone;
    unsigned turn_of_frame[4096];
    unsigned turn;
    uint32_t last_type, last_size;
    int taken; /* a descriptor taken off a frame, where `take` is set */
    bool take;
    const char *text;
    gid_t group; /* whose members are taken, beside root */
    unsigned asked; /* how often it was asked whom to take */
};

static void on_frame(void *program, struct peer *peer, const struct holden_frame *frame,
                     const uint8_t *body) {
    struct host *host = program;
    (void)body;
    host->turn_of_frame[host->frames++ % ARRAY_SIZE(host->turn_of_frame)] = host->turn;
    host->last_type = frame->type;
    host->last_size = frame->size;
    if (host->take)
        holden_connection_take_fds(&peer->connection, frame, &host->taken, 1);
    if (host->answer == 0)
        return;
    struct holden_error error = {0};
    HOLDEN_SET(&error, error, code, HOLDEN_code_FAILED);
    HOLDEN_SET(&error, error, text, (struct holden_view){host->text, host->answer});
    peer_reply(peer, HOLDEN_MESSAGE_error, frame->id, &error, NULL, 0);
}

static void on_drained(void *program, struct peer *peer) {
    (void)peer;
    ((struct host *)program)->drained++;
}

static void on_gone(void *program, struct peer *peer) {
    (void)peer;
    ((struct host *)program)->gone++;
}

/* As the programs do: root, and members of a group. */
static const char *refuse(void *program, const struct peer *peer) {
    struct host *host = program;
    host->asked++;
    bool taken = peer->uid == 0 || peer->gid == host->group;
    for (size_t i = 0; !taken && i < peer->group_count; i++)
        taken = peer->groups[i] == host->group;
    return taken ? NULL : "not you";
}

static const struct peer_calls calls = {
    .refuse = refuse, .frame = on_frame, .drained = on_drained, .gone = on_gone};

static void host_open(struct host *host, gid_t group) {
    static char text[8001];
    memset(text, 't', sizeof(text) - 1);
    *host = (struct host){.descriptors = scratch_descriptors(), .text = text, .taken = -1,
                          .group = group};
    scratch_open(&host->scratch);
    snprintf(host->path, sizeof(host->path), "%s/socket", host->scratch.path);
    host->socket = guest_listen(host->path);
    assert_int_equal(sd_event_new(&host->event), 0);
    assert_int_equal(
        listener_start(&host->listener, host->event, host->socket, &calls, host), 0);
}

static void host_close(struct host *host) {
    listener_stop(&host->listener);
    assert_int_equal(host->listener.count, 0);
    sd_event_unref(host->event);
    close(host->socket);
    scratch_close(&host->scratch);
    assert_int_equal(scratch_descriptors(), host->descriptors);
}

static void host_guest(struct host *host, struct guest *guest) {
    guest_open(guest, &host->listener, host->path, getuid());
}

static uint32_t ping(struct guest *guest) {
    return guest_ask(guest, HOLDEN_MESSAGE_ping, &(struct holden_ping){0}, NULL, 0);
}

TEST(who_it_is_comes_from_the_kernel) {
    static struct host host;
    struct guest guest;
    gid_t groups[256];
    host_open(&host, getgid());
    host_guest(&host, &guest);
    int count = getgroups((int)ARRAY_SIZE(groups), groups);
    assert_int_equal(guest.peer->uid, getuid());
    assert_int_equal(guest.peer->gid, getgid());
    assert_int_equal(guest.peer->pid, getpid());
    assert_int_equal(guest.peer->group_count, count);
    assert_true(count == 0 ||
                memcmp(guest.peer->groups, groups, (size_t)count * sizeof(gid_t)) == 0);
    guest_close(&guest);
    assert_int_equal(host.gone, 1);
    assert_int_equal(host.listener.count, 0);
    host_close(&host);
}

/* As `uid` and `gid` in a child, since that cannot be undone; what it hears goes to its exit
 * status. */
static bool is_heard(struct host *host, uid_t uid, gid_t gid, gid_t more) {
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct holden_client client;
        struct holden_reply reply;
        if (setgroups(more ? 1 : 0, &more) < 0 || setgid(gid) < 0 || setuid(uid) < 0 ||
            holden_client_connect(&client, host->path) < 0)
            _exit(2);
        struct holden_error error;
        holden_client_ask(&client, HOLDEN_MESSAGE_ping, &(struct holden_ping){0}, NULL, 0, NULL);
        if (holden_client_next(&client, &reply) < 0)
            _exit(3);
        /* Who is not let in is told why. */
        bool refused = reply.frame.type == HOLDEN_MESSAGE_error &&
                       holden_reply_decode(&reply, &error) == 0 &&
                       (error.code == HOLDEN_code_NOT_PERMITTED ||
                        error.code == HOLDEN_code_TOO_MANY);
        _exit(refused ? 1 : 0);
    }
    int status = -1;
    GUEST_UNTIL(host->event, waitpid(child, &status, WNOHANG) == child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) < 2);
    return WEXITSTATUS(status) == 0;
}

TEST(whom_the_program_refuses_gets_no_further_than_accept) {
    static struct host host;
    if (geteuid() != 0)
        skip();
    host_open(&host, 4242);
    host.answer = 1;
    assert_int_equal(chmod(host.scratch.path, 0755), 0);
    assert_int_equal(chmod(host.path, 0777), 0);
    assert_true(is_heard(&host, 0, 0, 0));
    assert_true(is_heard(&host, 65534, 4242, 0));
    assert_true(is_heard(&host, 65534, 65534, 4242));
    assert_int_equal(host.listener.refused, 0);
    assert_false(is_heard(&host, 65534, 65534, 0));
    assert_false(is_heard(&host, 65534, 0, 0));
    assert_int_equal(host.listener.refused, 2);
    host.group = (gid_t)-1;
    assert_false(is_heard(&host, 65534, 4242, 0));
    assert_true(is_heard(&host, 0, 0, 0));
    host_close(&host);
}

TEST(whom_the_program_refuses_has_a_quota_too) {
    static struct host host;
    if (geteuid() != 0)
        skip();
    host_open(&host, 4242);
    host.listener.quotas.bounds = (struct quota_bounds){.requests = 1, .burst = 2};
    assert_int_equal(chmod(host.scratch.path, 0755), 0);
    assert_int_equal(chmod(host.path, 0777), 0);
    for (unsigned i = 0; i < 20; i++)
        assert_false(is_heard(&host, 65534, 65534, 0));
    assert_int_equal(host.listener.refused, 20);
    assert_in_range(host.asked, 2, 10);
    host_close(&host);
}

TEST(what_is_owed_to_all_connections_of_a_user_has_a_bound) {
    struct quota quota = {0};
    struct peer peers[5], root = {0};
    unsigned last = PEER_PROMISES_USER / PEER_PROMISES_MAX;
    assert_int_equal(last, ARRAY_SIZE(peers) - 1);
    for (unsigned i = 0; i <= last; i++)
        peers[i] = (struct peer){.quota = &quota};
    for (unsigned i = 0; i < last; i++) {
        for (unsigned count = 0; count < PEER_PROMISES_MAX; count++)
            assert_true(peer_promise(&peers[i], 1));
        assert_false(peer_promise(&peers[i], 1));
    }
    assert_false(peer_promise(&peers[last], 1));
    assert_int_equal(peers[last].promises, 0);
    peer_kept(&peers[0], 1);
    assert_true(peer_promise(&peers[last], 1));
    assert_true(peer_promise(&root, 1));
    peer_kept(&root, 1);
    assert_int_equal(root.promises, 0);
}

TEST(a_frame_in_parts_is_handed_on_whole) {
    static struct host host;
    struct guest guest;
    struct buffer frame = {0};
    struct holden_wait message = {0};
    host_open(&host, getgid());
    host_guest(&host, &guest);
    HOLDEN_SET(&message, wait, name, holden_view("web"));
    assert_int_equal(holden_frame_put(&frame, HOLDEN_MESSAGE_wait, 1, &message), 0);
    for (size_t i = 0; i < frame.size; i++) {
        assert_int_equal(host.frames, 0);
        guest_send(&guest, buffer_bytes(&frame) + i, 1);
        guest_turn(host.event);
    }
    assert_int_equal(host.frames, 1);
    assert_int_equal(host.last_type, HOLDEN_MESSAGE_wait);
    assert_int_equal(host.last_size, frame.size - HOLDEN_FRAME_HEADER);
    buffer_free(&frame);
    guest_close(&guest);
    host_close(&host);
}

TEST(one_idle_peer_and_one_half_frame_hold_nobody_up) {
    static struct host host;
    struct guest idle, half, busy;
    host_open(&host, getgid());
    host.answer = 1;
    host_guest(&host, &idle);
    host_guest(&host, &half);
    host_guest(&host, &busy);
    guest_send(&half, "Hd\1", 3);
    for (unsigned i = 0; i < 100; i++)
        guest_expect(&busy, HOLDEN_MESSAGE_error, ping(&busy), NULL);
    guest_close(&idle);
    guest_close(&half);
    guest_close(&busy);
    host_close(&host);
}

TEST(a_peer_has_few_frames_a_turn) {
    static struct host host;
    struct guest many, one;
    struct buffer frames = {0};
    host_open(&host, getgid());
    host_guest(&host, &many);
    host_guest(&host, &one);
    for (uint32_t id = 0; id < 100; id++)
        assert_int_equal(
            holden_frame_put(&frames, HOLDEN_MESSAGE_ping, id, &(struct holden_ping){0}), 0);
    guest_send(&many, buffer_bytes(&frames), frames.size);
    while (host.frames < 100) {
        unsigned before = host.frames;
        host.turn++;
        assert_true(host.turn < 1000);
        assert_true(sd_event_run(host.event, 1000000) >= 0);
        assert_true(host.frames - before <= PEER_FRAMES_PER_TURN);
    }
    guest_turn(host.event);
    assert_int_equal(host.frames, 100);
    assert_true(host.turn >= 100 / PEER_FRAMES_PER_TURN);
    buffer_free(&frames);
    guest_close(&many);
    guest_close(&one);
    host_close(&host);
}

TEST(a_peer_that_does_not_read_is_not_read_from) {
    static struct host host;
    struct guest silent, other;
    struct buffer frames = {0};
    enum { ASKED = 2000 };
    host_open(&host, getgid());
    host.answer = 8000;
    host_guest(&host, &silent);
    host_guest(&host, &other);
    for (uint32_t id = 1; id <= ASKED; id++)
        assert_int_equal(
            holden_frame_put(&frames, HOLDEN_MESSAGE_ping, id, &(struct holden_ping){0}), 0);
    guest_send(&silent, buffer_bytes(&frames), frames.size);
    buffer_free(&frames);
    guest_turn(host.event);
    assert_true(host.frames < ASKED);
    assert_true(peer_full(silent.peer));
    assert_true(silent.peer->connection.out.size < PEER_QUEUE_MAX + 2 * host.answer);
    host.answer = 1;
    guest_expect(&other, HOLDEN_MESSAGE_error, ping(&other), NULL);
    host.answer = 8000;
    for (uint32_t id = 1; id <= ASKED; id++)
        guest_expect(&silent, HOLDEN_MESSAGE_error, id, NULL);
    guest_silent(&silent);
    assert_int_equal(host.frames, ASKED + 1);
    assert_true(host.drained > 0);
    guest_close(&silent);
    guest_close(&other);
    host_close(&host);
}

/* Bytes that are no frame: one answer, then the end, and nobody else notices. */
static void breaks_the_protocol(const void *bytes, size_t size, uint32_t id, const char *words) {
    static struct host host;
    struct guest broken, other;
    host_open(&host, getgid());
    host.answer = 1;
    host_guest(&host, &broken);
    host_guest(&host, &other);
    guest_send(&broken, bytes, size);
    guest_refused(&broken, id, HOLDEN_code_MALFORMED, words);
    guest_ended(&broken);
    assert_int_equal(host.gone, 1);
    assert_int_equal(host.frames, 0);
    guest_expect(&other, HOLDEN_MESSAGE_error, ping(&other), NULL);
    guest_close(&broken);
    guest_close(&other);
    host_close(&host);
}

TEST(bytes_that_are_no_frame_end_the_connection) {
    static const uint8_t stranger[64] = "GET / HTTP/1.1\r\nHost: here\r\n\r\n";
    struct buffer good = {0};
    holden_frame_put(&good, HOLDEN_MESSAGE_ping, 77, &(struct holden_ping){0});
    uint8_t frame[2 * HOLDEN_FRAME_HEADER];
    memcpy(frame, buffer_bytes(&good), HOLDEN_FRAME_HEADER);
    memcpy(frame + HOLDEN_FRAME_HEADER, frame, HOLDEN_FRAME_HEADER);
    frame[2]++;
    breaks_the_protocol(frame, sizeof(frame), 77, "another version");
    frame[2]--;
    frame[3] = 1;
    breaks_the_protocol(frame, sizeof(frame), 77, "no Holden frame");
    frame[3] = 0;
    holden_put32(frame + 8, HOLDEN_FRAME_MAX);
    breaks_the_protocol(frame, sizeof(frame), 77, "longer than 4 MiB");
    breaks_the_protocol(stranger, sizeof(stranger), holden_get32(stranger + 12), "no Holden frame");
    buffer_free(&good);
}

TEST(descriptors_that_nobody_takes_are_closed) {
    static struct host host;
    struct guest guest;
    host_open(&host, getgid());
    host_guest(&host, &guest);
    int file = memfd_create("passed", MFD_CLOEXEC);
    const int fds[] = {file, file, file};
    unsigned before = scratch_descriptors();
    guest_ask(&guest, HOLDEN_MESSAGE_ping, &(struct holden_ping){0}, fds, 3);
    guest_turn(host.event);
    assert_int_equal(host.frames, 1);
    assert_int_equal(scratch_descriptors(), before);
    host.take = true;
    guest_ask(&guest, HOLDEN_MESSAGE_ping, &(struct holden_ping){0}, fds, 3);
    guest_turn(host.event);
    assert_int_equal(scratch_descriptors(), before + 1);
    close(host.taken);
    close(file);
    guest_close(&guest);
    host_close(&host);
}

TEST(too_many_descriptors_end_the_connection) {
    static struct host host;
    struct guest guest;
    union {
        struct cmsghdr align;
        char space[CMSG_SPACE(HOLDEN_FDS_MAX * sizeof(int))];
    } control;
    int fds[HOLDEN_FDS_MAX];
    host_open(&host, getgid());
    host_guest(&host, &guest);
    for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
        fds[i] = host.socket;
    struct iovec part = {(void *)(uintptr_t) "Hd", 1};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.space,
                             .msg_controllen = sizeof(control.space)};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    *header = (struct cmsghdr){CMSG_LEN(sizeof(fds)), SOL_SOCKET, SCM_RIGHTS};
    memcpy(CMSG_DATA(header), fds, sizeof(fds));
    unsigned before = scratch_descriptors();
    assert_int_equal(sendmsg(guest.client.connection.fd, &message, 0), 1);
    guest_turn(host.event);
    assert_int_equal(scratch_descriptors(), before + HOLDEN_FDS_MAX);
    part.iov_base = (void *)(uintptr_t) "d";
    assert_int_equal(sendmsg(guest.client.connection.fd, &message, 0), 1);
    guest_refused(&guest, 0, HOLDEN_code_MALFORMED, "too many descriptors");
    guest_ended(&guest);
    assert_int_equal(scratch_descriptors(), before - 1);
    guest_close(&guest);
    host_close(&host);
}

TEST(a_peer_may_go_at_any_time) {
    static struct host host;
    struct guest guest;
    host_open(&host, getgid());
    host.answer = 8000;
    for (unsigned asked = 0; asked < 300; asked += 50) {
        host_guest(&host, &guest);
        for (unsigned i = 0; i < asked; i++)
            ping(&guest);
        guest_close(&guest);
        GUEST_UNTIL(host.event, host.listener.count == 0);
    }
    assert_int_equal(host.gone, 6);
    host_close(&host);
}

TEST(a_reply_that_cannot_be_made_ends_the_peer) {
    static struct host host;
    static char longest[9000];
    struct guest guest;
    struct holden_error error = {0};
    host_open(&host, getgid());
    host_guest(&host, &guest);
    memset(longest, 'x', sizeof(longest));
    HOLDEN_SET(&error, error, code, HOLDEN_code_FAILED);
    HOLDEN_SET(&error, error, text, (struct holden_view){longest, sizeof(longest)});
    peer_reply(guest.peer, HOLDEN_MESSAGE_error, 1, &error, NULL, 0);
    guest_ended(&guest);
    guest_close(&guest);
    host_close(&host);
}

/* ---- what waits for room in the queue ---- */

static void reply_done(struct peer *peer) {
    peer_reply(peer, HOLDEN_MESSAGE_done, 2, &(struct holden_done){0}, NULL, 0);
}

/* Reads what is there, without letting the loop turn. */
static void take_all(struct guest *guest) {
    struct holden_connection *connection = &guest->client.connection;
    while (holden_connection_receive(connection) > 0)
        buffer_consume(&connection->in, connection->in.size);
}

TEST(a_full_queue_that_another_answer_empties_is_told_of_as_well) {
    static struct host host;
    struct guest guest;
    host_open(&host, getgid());
    host_guest(&host, &guest);
    while (!peer_full(guest.peer))
        reply_done(guest.peer);
    while (guest.peer->connection.out.size > 0) {
        take_all(&guest);
        reply_done(guest.peer);
    }
    assert_int_equal(host.drained, 0);
    take_all(&guest);
    guest_turn(host.event);
    assert_int_equal(host.drained, 1);
    guest_close(&guest);
    host_close(&host);
}

TEST(who_asks_for_a_later_turn_gets_one) {
    static struct host host;
    struct guest guest;
    host_open(&host, getgid());
    host_guest(&host, &guest);
    peer_later(guest.peer);
    guest_turn(host.event);
    assert_int_equal(host.drained, 1);
    guest_close(&guest);
    host_close(&host);
}

TEST(an_answer_whose_descriptors_do_not_fit_goes_without_them) {
    static struct host host;
    struct guest guest;
    struct holden_started started = {0};
    host_open(&host, getgid());
    host_guest(&host, &guest);
    HOLDEN_SET(&started, started, name, holden_view("web"));
    HOLDEN_SET(&started, started, id, 1);
    HOLDEN_SET(&started, started, pid, 1);
    HOLDEN_SET(&started, started, pidfd, 0);
    for (unsigned i = 0; i < 4000; i++)
        peer_reply(guest.peer, HOLDEN_MESSAGE_started, i, &started, &host.socket, 1);
    assert_false(guest.peer->closing);
    guest_close(&guest);
    host_close(&host);
}

TEST(stopping_closes_everybody) {
    static struct host host;
    struct guest one, two;
    host_open(&host, getgid());
    host_guest(&host, &one);
    host_guest(&host, &two);
    listener_stop(&host.listener);
    guest_ended(&one);
    guest_ended(&two);
    assert_int_equal(host.gone, 2);
    guest_close(&one);
    guest_close(&two);
    host_close(&host);
}

UNIT_MAIN
