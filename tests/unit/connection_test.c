#include "protocol/connection.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sample.h"
#include "suite.h"

/* ---- two ends ---- */

struct pair {
    struct holden_connection here;
    struct holden_connection there;
    unsigned open_before;
};

static unsigned open_fds(void) {
    unsigned count = 0;
    DIR *directory = opendir("/proc/self/fd");
    assert_non_null(directory);
    while (readdir(directory))
        count++;
    closedir(directory);
    return count;
}

static void open_pair(struct pair *pair) {
    int fds[2];
    pair->open_before = open_fds();
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
    holden_connection_open(&pair->here, fds[0]);
    holden_connection_open(&pair->there, fds[1]);
}

/* Nothing may be left open; what is left allocated, a sanitizer tells. */
static void close_pair(struct pair *pair) {
    holden_connection_close(&pair->here);
    holden_connection_close(&pair->there);
    assert_int_equal(open_fds(), pair->open_before);
}

static int new_file(void) {
    int fd = memfd_create("passed", MFD_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

static ino_t file_of(int fd) {
    struct stat status;
    assert_int_equal(fstat(fd, &status), 0);
    return status.st_ino;
}

static int put_name(struct holden_connection *connection, uint32_t id, const char *name,
                    const int *fds, size_t count) {
    struct holden_wait message = {0};
    HOLDEN_SET(&message, wait, name, holden_view(name));
    return holden_connection_put(connection, HOLDEN_MESSAGE_wait, id, &message, fds, count);
}

/* The next frame of the connection, received as far as needed. */
static void next(struct holden_connection *connection, struct holden_frame *frame) {
    const uint8_t *body;
    int r;
    while ((r = holden_connection_peek(connection, frame, &body)) == -EAGAIN)
        assert_true(holden_connection_receive(connection) > 0);
    assert_int_equal(r, 0);
}

/* Sends raw bytes with descriptors, as no well-behaved peer does. */
static void send_raw(int socket, const void *bytes, size_t size, const int *fds, size_t count) {
    union {
        struct cmsghdr align;
        char space[CMSG_SPACE(253 * sizeof(int))];
    } control = {0};
    struct iovec part = {(void *)(uintptr_t)bytes, size};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (count > 0) {
        message.msg_control = control.space;
        message.msg_controllen = CMSG_SPACE(count * sizeof(int));
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        *header = (struct cmsghdr){CMSG_LEN(count * sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
        memcpy(CMSG_DATA(header), fds, count * sizeof(int));
    }
    assert_int_equal(sendmsg(socket, &message, 0), size);
}

/* ---- frames ---- */

TEST(a_frame_crosses) {
    struct pair pair;
    struct holden_frame frame;
    const uint8_t *body;
    open_pair(&pair);
    assert_int_equal(holden_connection_receive(&pair.there), -EAGAIN);
    assert_int_equal(put_name(&pair.here, 5, "web", NULL, 0), 0);
    assert_int_equal(holden_connection_peek(&pair.there, &frame, &body), -EAGAIN);
    assert_int_equal(holden_connection_send(&pair.here), 0);
    next(&pair.there, &frame);
    assert_int_equal(frame.id, 5);
    assert_int_equal(holden_connection_peek(&pair.there, &frame, &body), 0);
    assert_memory_equal(body + HOLDEN_TLV_HEADER, "web", 3);
    holden_connection_taken(&pair.there, &frame);
    assert_int_equal(holden_connection_peek(&pair.there, &frame, &body), -EAGAIN);
    close_pair(&pair);
}

TEST(frames_byte_by_byte) {
    struct pair pair;
    struct holden_frame frame;
    const uint8_t *body;
    open_pair(&pair);
    for (uint32_t id = 1; id < 4; id++)
        assert_int_equal(put_name(&pair.here, id, "byte", NULL, 0), 0);
    size_t one = pair.here.out.size / 3;
    for (size_t i = 0; i < pair.here.out.size; i++) {
        send_raw(pair.here.fd, buffer_bytes(&pair.here.out) + i, 1, NULL, 0);
        assert_int_equal(holden_connection_receive(&pair.there), 1);
        int r = holden_connection_peek(&pair.there, &frame, &body);
        assert_int_equal(r, (i + 1) % one == 0 ? 0 : -EAGAIN);
        if (r == 0) {
            assert_int_equal(frame.id, (i + 1) / one);
            holden_connection_taken(&pair.there, &frame);
        }
    }
    close_pair(&pair);
}

TEST(the_end_of_the_stream) {
    struct pair pair;
    open_pair(&pair);
    send_raw(pair.here.fd, "Hd", 2, NULL, 0);
    shutdown(pair.here.fd, SHUT_WR);
    assert_int_equal(holden_connection_receive(&pair.there), 2);
    assert_int_equal(holden_connection_receive(&pair.there), 0);
    close_pair(&pair);
}

TEST(a_peer_that_is_gone) {
    struct pair pair;
    open_pair(&pair);
    assert_int_equal(put_name(&pair.here, 1, "x", NULL, 0), 0);
    close(pair.there.fd);
    pair.there.fd = -1;
    assert_int_equal(holden_connection_send(&pair.here), -EPIPE);
    close_pair(&pair);
}

TEST(malformed_headers) {
    struct pair pair;
    struct holden_frame frame;
    const uint8_t *body;
    open_pair(&pair);
    send_raw(pair.here.fd, "GET / HTTP/1.1\r\nHost: x", 23, NULL, 0);
    assert_int_equal(holden_connection_receive(&pair.there), 23);
    assert_int_equal(holden_connection_peek(&pair.there, &frame, &body), -EPROTO);
    close_pair(&pair);
}

/* A frame near the bound arrives in many parts, and its memory goes when it is taken. */
TEST(a_frame_of_megabytes) {
    struct pair pair;
    struct holden_frame frame;
    const uint8_t *body;
    static char longest[131071];
    static struct holden_view views[30];
    open_pair(&pair);
    memset(longest, 'a', sizeof(longest));
    for (size_t i = 0; i < ARRAY_SIZE(views); i++)
        views[i] = (struct holden_view){longest, sizeof(longest)};
    struct holden_start start = {0};
    HOLDEN_SET(&start, start, argument,
               (struct holden_repeated){.count = ARRAY_SIZE(views), .items = views});
    assert_int_equal(holden_connection_put(&pair.here, HOLDEN_MESSAGE_start, 9, &start, NULL, 0),
                     0);
    assert_int_equal(holden_connection_send(&pair.here), -EAGAIN);
    while (holden_connection_peek(&pair.there, &frame, &body) == -EAGAIN) {
        ssize_t size = holden_connection_receive(&pair.there);
        assert_true(size > 0 || size == -EAGAIN);
        int r = holden_connection_send(&pair.here);
        assert_true(r == 0 || r == -EAGAIN);
    }
    assert_int_equal(frame.id, 9);
    struct holden_fault fault;
    assert_int_equal(holden_decode(&holden_record_start, body, frame.size, &start, &fault), 0);
    assert_int_equal(start.argument.count, ARRAY_SIZE(views));
    holden_connection_taken(&pair.there, &frame);
    assert_int_equal(pair.there.in.space, 0);
    assert_int_equal(pair.here.out.space, 0);
    close_pair(&pair);
}

/* ---- descriptors ---- */

TEST(descriptors_arrive_with_their_frame) {
    enum { FRAMES = 20 };
    struct pair pair;
    ino_t files[FRAMES] = {0};
    open_pair(&pair);
    for (uint32_t id = 0; id < FRAMES; id++) {
        int fd = id % 3 == 0 ? new_file() : -1;
        assert_int_equal(put_name(&pair.here, id, "pipelined", &fd, fd >= 0), 0);
        if (fd >= 0) {
            files[id] = file_of(fd);
            close(fd);
        }
    }
    assert_int_equal(holden_connection_send(&pair.here), 0);
    for (uint32_t id = 0; id < FRAMES; id++) {
        struct holden_frame frame;
        int fds[4];
        next(&pair.there, &frame);
        assert_int_equal(frame.id, id);
        size_t count = holden_connection_take_fds(&pair.there, &frame, fds, 4);
        assert_int_equal(count, id % 3 == 0);
        if (count) {
            assert_int_equal(file_of(fds[0]), files[id]);
            assert_int_equal(fcntl(fds[0], F_GETFD), FD_CLOEXEC);
            close(fds[0]);
        }
        holden_connection_taken(&pair.there, &frame);
    }
    close_pair(&pair);
}

TEST(several_descriptors_keep_their_order) {
    struct pair pair;
    struct holden_frame frame;
    int fds[HOLDEN_FDS_PER_SEND];
    int got[HOLDEN_FDS_PER_SEND];
    open_pair(&pair);
    for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
        fds[i] = new_file();
    assert_int_equal(put_name(&pair.here, 1, "many", fds, ARRAY_SIZE(fds)), 0);
    assert_int_equal(holden_connection_send(&pair.here), 0);
    next(&pair.there, &frame);
    assert_int_equal(holden_connection_take_fds(&pair.there, &frame, got, 3), 3);
    assert_int_equal(holden_connection_take_fds(&pair.there, &frame, got + 3, 100),
                     ARRAY_SIZE(fds) - 3);
    for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
        assert_int_equal(file_of(got[i]), file_of(fds[i]));
        close(got[i]);
        close(fds[i]);
    }
    holden_connection_taken(&pair.there, &frame);
    close_pair(&pair);
}

TEST(descriptors_that_nobody_takes_are_closed_with_their_frame) {
    struct pair pair;
    struct holden_frame frame;
    int fd = new_file();
    int got;
    open_pair(&pair);
    assert_int_equal(put_name(&pair.here, 1, "with", &fd, 1), 0);
    assert_int_equal(put_name(&pair.here, 2, "without", NULL, 0), 0);
    assert_int_equal(holden_connection_send(&pair.here), 0);
    next(&pair.there, &frame);
    holden_connection_taken(&pair.there, &frame);
    next(&pair.there, &frame);
    assert_int_equal(frame.id, 2);
    assert_int_equal(holden_connection_take_fds(&pair.there, &frame, &got, 1), 0);
    close_pair(&pair);
    close(fd);
}

/* Sent in the middle of a stream of two frames, with the bytes of both. */
TEST(descriptors_sent_across_frames_belong_to_one_of_them) {
    struct pair pair;
    struct holden_frame frame;
    int fd = new_file();
    int got;
    open_pair(&pair);
    for (uint32_t id = 1; id < 4; id++)
        assert_int_equal(put_name(&pair.here, id, "x", NULL, 0), 0);
    size_t one = pair.here.out.size / 3;
    send_raw(pair.here.fd, buffer_bytes(&pair.here.out), one / 2, NULL, 0);
    send_raw(pair.here.fd, buffer_bytes(&pair.here.out) + one / 2, one, &fd, 1);
    send_raw(pair.here.fd, buffer_bytes(&pair.here.out) + one / 2 + one, 2 * one - one / 2, NULL,
             0);
    size_t total = 0;
    for (uint32_t id = 1; id < 4; id++) {
        next(&pair.there, &frame);
        assert_int_equal(frame.id, id);
        size_t count = holden_connection_take_fds(&pair.there, &frame, &got, 1);
        assert_true(count == 0 || id < 3);
        if (count)
            close(got);
        total += count;
        holden_connection_taken(&pair.there, &frame);
    }
    assert_int_equal(total, 1);
    close_pair(&pair);
    close(fd);
}

TEST(surplus_descriptors_are_closed) {
    struct pair pair;
    int fds[HOLDEN_FDS_MAX];
    open_pair(&pair);
    for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
        fds[i] = pair.here.fd;
    unsigned before = open_fds();
    send_raw(pair.here.fd, "H", 1, fds, ARRAY_SIZE(fds));
    assert_int_equal(holden_connection_receive(&pair.there), 1);
    assert_int_equal(open_fds(), before + HOLDEN_FDS_MAX);
    send_raw(pair.here.fd, "d", 1, fds, 10);
    assert_int_equal(holden_connection_receive(&pair.there), -EMFILE);
    assert_int_equal(open_fds(), before + HOLDEN_FDS_MAX);
    close_pair(&pair);
}

TEST(more_descriptors_than_fit_in_one_message) {
    struct pair pair;
    int fds[200];
    open_pair(&pair);
    for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
        fds[i] = pair.here.fd;
    send_raw(pair.here.fd, "H", 1, fds, ARRAY_SIZE(fds));
    assert_int_equal(holden_connection_receive(&pair.there), -EMFILE);
    close_pair(&pair);
}

TEST(too_many_to_send_are_refused) {
    struct pair pair;
    int fds[HOLDEN_FDS_PER_SEND + 1];
    open_pair(&pair);
    for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
        fds[i] = pair.here.fd;
    assert_int_equal(put_name(&pair.here, 1, "x", fds, ARRAY_SIZE(fds)), -EMFILE);
    assert_int_equal(pair.here.out.size, 0);
    for (int i = 0; i < HOLDEN_FDS_MAX / HOLDEN_FDS_PER_SEND; i++)
        assert_int_equal(put_name(&pair.here, 1, "x", fds, HOLDEN_FDS_PER_SEND), 0);
    assert_int_equal(put_name(&pair.here, 1, "x", fds, 1), -EMFILE);
    assert_int_equal(put_name(&pair.here, 1, "x", NULL, 0), 0);
    close_pair(&pair);
}

TEST(what_cannot_be_put_leaves_no_descriptor) {
    struct pair pair;
    struct holden_wait nameless = {0};
    int fd = new_file();
    int bad = -1;
    open_pair(&pair);
    assert_int_equal(holden_connection_put(&pair.here, HOLDEN_MESSAGE_wait, 1, &nameless, &fd, 1),
                     -EINVAL);
    assert_int_equal(put_name(&pair.here, 1, "x", &bad, 1), -EBADF);
    assert_int_equal(put_name(&pair.here, 1, "x", (int[]){fd, -1}, 2), -EBADF);
    assert_int_equal(pair.here.out.size, 0);
    assert_int_equal(pair.here.outgoing_count, 0);
    close_pair(&pair);
    close(fd);
}

/* ---- a slow reader ---- */

/* Random frames, with descriptors or without, through a socket that takes little at a time. */
TEST(a_full_socket_keeps_the_order) {
    enum { FRAMES = 3000 };
    struct pair pair;
    _cleanup_(sample_free) struct sample sample = {.random = 11};
    static ino_t files[FRAMES];
    static char text[5000];
    int small = 4096;
    uint32_t sent = 0;
    open_pair(&pair);
    memset(text, 't', sizeof(text) - 1);
    assert_int_equal(setsockopt(pair.here.fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)), 0);
    for (uint32_t received = 0; received < FRAMES;) {
        while (sent < FRAMES && pair.here.out.size < 100000 &&
               pair.here.outgoing_count < HOLDEN_FDS_MAX) {
            int fd = sample_random(&sample, 3) == 0 ? new_file() : -1;
            struct holden_error message = {0};
            HOLDEN_SET(&message, error, code, HOLDEN_code_FAILED);
            HOLDEN_SET(&message, error, text,
                       (struct holden_view){text, sample_random(&sample, sizeof(text))});
            assert_int_equal(holden_connection_put(&pair.here, HOLDEN_MESSAGE_error, sent, &message,
                                                   &fd, fd >= 0),
                             0);
            files[sent++] = fd >= 0 ? file_of(fd) : 0;
            if (fd >= 0)
                close(fd);
        }
        int r = holden_connection_send(&pair.here);
        assert_true(r == 0 || r == -EAGAIN);
        ssize_t size = holden_connection_receive(&pair.there);
        assert_true(size > 0 || size == -EAGAIN);
        struct holden_frame frame;
        const uint8_t *body;
        while (holden_connection_peek(&pair.there, &frame, &body) == 0) {
            int got;
            assert_int_equal(frame.id, received);
            size_t count = holden_connection_take_fds(&pair.there, &frame, &got, 1);
            assert_int_equal(count, files[received] != 0);
            if (count) {
                assert_int_equal(file_of(got), files[received]);
                close(got);
            }
            holden_connection_taken(&pair.there, &frame);
            received++;
        }
    }
    close_pair(&pair);
}

UNIT_MAIN
