/* Every request of the message table, bent in every way that one change can bend it, sent to a
 * living agent over a connection of its own each. The agent must answer or hang up: within the time
 * limit each connection comes to its end. Exit status 0 if all did.
 *
 *   mutate SOCKET STEP
 *
 * STEP 1 tries all 255 other values for each byte, STEP 16 each sixteenth of them. To be run by a
 * user whom the agent lets do little, since some of the frames still make sense. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../unit/sample.h"
#include "common/cleanup.h"
#include "protocol/client.h"

enum { ANSWER_MOST_MS = 60000, DESCRIPTORS_MOST = 8 };

struct attack {
    const char *socket;
    unsigned step;
    unsigned long sent;
};

/* Passes 8 copies of standard error along with the bytes, or none. */
static ssize_t send_bytes(int fd, const uint8_t *bytes, size_t size, size_t descriptors) {
    union {
        struct cmsghdr align;
        char space[CMSG_SPACE(DESCRIPTORS_MOST * sizeof(int))];
    } control = {0};
    struct iovec part = {(void *)(uintptr_t)bytes, size};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (descriptors > 0) {
        message.msg_control = control.space;
        message.msg_controllen = CMSG_SPACE(descriptors * sizeof(int));
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        *header = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS,
                                   .cmsg_len = CMSG_LEN(descriptors * sizeof(int))};
        for (size_t i = 0; i < descriptors; i++)
            memcpy(CMSG_DATA(header) + i * sizeof(int), &(int){STDERR_FILENO}, sizeof(int));
    }
    return sendmsg(fd, &message, MSG_NOSIGNAL);
}

/* Reads until the agent hangs up, which it does after our own end of the stream. */
static int drain(int fd) {
    uint8_t answer[65536];
    for (;;) {
        struct pollfd polled = {.fd = fd, .events = POLLIN};
        if (poll(&polled, 1, ANSWER_MOST_MS) == 0)
            return -ETIMEDOUT;
        ssize_t size = read(fd, answer, sizeof(answer));
        if (size == 0 || (size < 0 && errno == ECONNRESET))
            return 0;
        if (size < 0)
            return -errno;
    }
}

/* One connection, one broken frame. */
static void attack(struct attack *attack, const uint8_t *bytes, size_t size, size_t descriptors) {
    struct holden_client client;
    int r = holden_client_connect(&client, attack->socket);
    if (r < 0) {
        fprintf(stderr, "mutate: connection %lu: %s\n", attack->sent, strerror(-r));
        exit(1);
    }
    /* Where the agent hangs up early, the rest cannot be sent. */
    send_bytes(client.connection.fd, bytes, size, descriptors);
    shutdown(client.connection.fd, SHUT_WR);
    r = drain(client.connection.fd);
    holden_client_close(&client);
    if (r < 0) {
        fprintf(stderr, "mutate: after frame %lu, of type %u: %s\n", attack->sent,
                holden_get16(bytes + 4), strerror(-r));
        exit(1);
    }
    attack->sent++;
}

static void change_bytes(struct attack *state, uint8_t *bytes, size_t size) {
    for (size_t at = 0; at < size; at++) {
        uint8_t before = bytes[at];
        for (unsigned change = 1 + (unsigned)at % state->step; change < 256;
             change += state->step) {
            bytes[at] = (uint8_t)(before ^ change);
            /* What replaces the agent is no attack. */
            if (holden_get16(bytes + 4) != HOLDEN_MESSAGE_reexec)
                attack(state, bytes, size, 0);
        }
        bytes[at] = before;
    }
}

static void change_lengths(struct attack *state, uint8_t *bytes, size_t size) {
    static const uint32_t lengths[] = {0, 1, 0xffff, HOLDEN_FRAME_MAX, 0x7fffffff, 0x80000000,
                                       0xffffffff - HOLDEN_FRAME_HEADER, 0xffffffff};
    for (size_t at = 8; at + 4 <= size; at += state->step)
        for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
            uint8_t before[4];
            memcpy(before, bytes + at, sizeof(before));
            holden_put32(bytes + at, lengths[i]);
            attack(state, bytes, size, 0);
            memcpy(bytes + at, before, sizeof(before));
        }
}

static void try_message(struct attack *state, const struct holden_message_row *row,
                        enum sample_extent extent) {
    _cleanup_(sample_free) struct sample sample = {.random = 7};
    _cleanup_(buffer_free) struct buffer frame = {0};
    void *message = sample_make(&sample, row->record, extent);
    if (holden_frame_put(&frame, row->number, 1, message) < 0) {
        fprintf(stderr, "mutate: %s does not encode\n", row->record->name);
        exit(1);
    }
    uint8_t *bytes = (uint8_t *)(uintptr_t)buffer_bytes(&frame);
    size_t size = frame.size;
    change_bytes(state, bytes, size);
    change_lengths(state, bytes, size);
    for (size_t cut = 0; cut < size; cut += state->step)
        attack(state, bytes, cut, cut % 2 && cut > 0 ? 1 : 0);
    for (size_t descriptors = 1; descriptors <= DESCRIPTORS_MOST; descriptors++)
        attack(state, bytes, size, descriptors);
}

int main(int argc, char **argv) {
    if (argc != 3) {
        fprintf(stderr, "usage: mutate SOCKET STEP\n");
        return 2;
    }
    struct attack state = {.socket = argv[1], .step = (unsigned)strtoul(argv[2], NULL, 10)};
    size_t count;
    const struct holden_message_row *rows = holden_messages(&count);
    for (size_t i = 0; i < count && state.step > 0; i++)
        for (int extent = SAMPLE_LEAST; extent <= SAMPLE_ALL; extent++)
            if (rows[i].number != HOLDEN_MESSAGE_reexec)
                try_message(&state, &rows[i], extent);
    printf("%lu broken frames, each over a connection of its own\n", state.sent);
    return 0;
}
