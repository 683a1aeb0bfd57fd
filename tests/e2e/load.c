/* Load on an agent, for the end-to-end tests: each mode does one thing, checks every answer, and
 * says in one line what came of it. Exit status 0 only if every answer was right.
 *
 *   load SOCKET starts CLIENTS EACH COMMAND [ARG…]   start and wait, EACH times by every client
 *   load SOCKET missing EACH PATH                    starts that must fail at exec, naming the path
 *   load SOCKET idle CLIENTS COMMAND…                holds CLIENTS connections while COMMAND runs
 *   load SOCKET crowd PROCESSES EACH                 as many processes connect EACH times at once,
 *                                                    ask over all, and keep all until all are answered
 *   load SOCKET garbage FRAMES SEED                  random and broken frames, over and over
 *   load SOCKET slow                                 asks for much and reads nothing until its
 * input ends */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "protocol/client.h"

enum { ARGUMENTS_MOST = 16 };

static int ask_start(struct holden_client *client, int argc, char **argv, uint32_t *id) {
    struct holden_view arguments[ARGUMENTS_MOST];
    struct holden_start start = {0};
    uint32_t count = 0;
    for (; count < ARGUMENTS_MOST && (int)count < argc; count++)
        arguments[count] = holden_view(argv[count]);
    HOLDEN_SET(&start, start, argument,
               (struct holden_repeated){.count = count, .items = arguments});
    HOLDEN_SET(&start, start, wait, true);
    return holden_client_ask(client, HOLDEN_MESSAGE_start, &start, NULL, 0, id);
}

/* Says what came in place of the answer; false. */
static bool complain(const struct holden_reply *reply, int error) {
    struct holden_error refused;
    if (error < 0)
        fprintf(stderr, "load: no answer: %s\n", strerror(-error));
    else if (reply->frame.type == HOLDEN_MESSAGE_error && holden_reply_decode(reply, &refused) == 0)
        fprintf(stderr, "load: refused: %.*s\n", (int)refused.text.size, refused.text.data);
    else
        fprintf(stderr, "load: an answer of type %u\n", reply->frame.type);
    return false;
}

/* Waits for an answer of this type to the request. */
static bool expect(struct holden_client *client, uint32_t id, uint16_t type,
                   struct holden_reply *reply) {
    int r = holden_client_reply(client, id, reply);
    return r == 0 && reply->frame.type == type ? true : complain(reply, r);
}

/* One start and its end. True where both answers are there and the status is 0. */
static bool start_once(struct holden_client *client, int argc, char **argv) {
    struct holden_reply reply;
    struct holden_exited exited;
    uint32_t id;
    if (ask_start(client, argc, argv, &id) < 0 ||
        !expect(client, id, HOLDEN_MESSAGE_started, &reply) ||
        !expect(client, id, HOLDEN_MESSAGE_exited, &reply) ||
        holden_reply_decode(&reply, &exited) < 0)
        return false;
    if (exited.state == HOLDEN_state_EXITED && HOLDEN_HAS(&exited, exited, status) &&
        exited.status == 0)
        return true;
    fprintf(stderr, "load: %.*s: %.*s\n", (int)exited.name.size, exited.name.data,
            (int)exited.explanation.size, exited.explanation.data);
    return false;
}

static int connect_or_die(struct holden_client *client, const char *socket) {
    int r = holden_client_connect(client, socket);
    if (r < 0) {
        fprintf(stderr, "load: %s: %s\n", socket, strerror(-r));
        exit(1);
    }
    return 0;
}

static int many_starts(const char *socket, long each, int argc, char **argv) {
    struct holden_client client;
    long wrong = 0;
    connect_or_die(&client, socket);
    for (long i = 0; i < each; i++)
        wrong += !start_once(&client, argc, argv);
    holden_client_close(&client);
    if (wrong > 0)
        fprintf(stderr, "load: %ld of %ld starts came out wrong\n", wrong, each);
    return wrong > 0;
}

static int starts(const char *socket, int argc, char **argv) {
    long clients = strtol(argv[0], NULL, 10), each = strtol(argv[1], NULL, 10);
    int failed = 0, status;
    for (long i = 0; i < clients; i++)
        if (fork() == 0)
            _exit(many_starts(socket, each, argc - 2, argv + 2));
    while (wait(&status) > 0)
        failed += status != 0;
    printf("%ld starts by %ld clients: %s\n", clients * each, clients,
           failed ? "some wrong" : "all right");
    return failed > 0;
}

static int missing(const char *socket, int argc, char **argv) {
    long each = strtol(argv[0], NULL, 10), right = 0;
    struct holden_client client;
    connect_or_die(&client, socket);
    for (long i = 0; i < each; i++) {
        struct holden_reply reply;
        struct holden_error error;
        uint32_t id;
        if (ask_start(&client, argc - 1, argv + 1, &id) < 0 ||
            holden_client_reply(&client, id, &reply) < 0)
            break;
        right += reply.frame.type == HOLDEN_MESSAGE_error &&
                 holden_reply_decode(&reply, &error) == 0 && HOLDEN_HAS(&error, error, step) &&
                 holden_view_is(error.step, "exec") &&
                 memmem(error.text.data, error.text.size, argv[1], strlen(argv[1]));
    }
    holden_client_close(&client);
    printf("%ld of %ld missing binaries refused with step and path\n", right, each);
    return right != each;
}

static int idle(const char *socket, int argc, char **argv) {
    long clients = strtol(argv[0], NULL, 10);
    int status;
    struct holden_client *all = calloc((size_t)clients, sizeof(*all));
    if (!all || argc < 2)
        return 1;
    for (long i = 0; i < clients; i++)
        connect_or_die(&all[i], socket);
    pid_t child = fork();
    if (child == 0) {
        execvp(argv[1], argv + 1);
        _exit(127);
    }
    waitpid(child, &status, 0);
    for (long i = 0; i < clients; i++)
        holden_client_close(&all[i]);
    free(all);
    return status != 0;
}

/* Connects as often as told, asks over each, and has every answer before the first is closed. */
static int crowd_in(const char *socket, long each, int ready) {
    char byte;
    struct holden_client *all = calloc((size_t)each, sizeof(*all));
    long wrong = all ? 0 : each;
    struct holden_ping ping = {0};
    struct holden_reply reply;
    if (read(ready, &byte, 1) < 0) /* its end is the sign to begin */
        return 1;
    for (long i = 0; all && i < each; i++) {
        connect_or_die(&all[i], socket);
        wrong += holden_client_ask(&all[i], HOLDEN_MESSAGE_ping, &ping, NULL, 0, NULL) < 0;
    }
    for (long i = 0; all && i < each; i++)
        wrong += holden_client_next(&all[i], &reply) < 0 ||
                 reply.frame.type != HOLDEN_MESSAGE_pong;
    for (long i = 0; all && i < each; i++)
        holden_client_close(&all[i]);
    free(all);
    return wrong > 0;
}

static int crowd(const char *socket, int argc, char **argv) {
    (void)argc;
    long processes = strtol(argv[0], NULL, 10), each = strtol(argv[1], NULL, 10);
    int ready[2], failed = 0, status;
    if (pipe2(ready, O_CLOEXEC) < 0)
        return 1;
    for (long i = 0; i < processes; i++)
        if (fork() == 0) {
            close(ready[1]);
            _exit(crowd_in(socket, each, ready[0]));
        }
    close(ready[0]);
    close(ready[1]);
    while (wait(&status) > 0)
        failed += status != 0;
    printf("%ld connections at once: %s\n", processes * each,
           failed ? "some wrong" : "all answered");
    return failed > 0;
}

/* xorshift: the same bytes for the same seed, everywhere. */
static uint32_t next_random(uint32_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

/* A frame that is broken in one of many ways, or not at all. Returns its size. */
static size_t make_garbage(uint32_t *state, uint8_t *bytes, size_t space) {
    size_t size = next_random(state) % 200;
    for (size_t i = 0; i < size + HOLDEN_FRAME_HEADER && i < space; i++)
        bytes[i] = (uint8_t)next_random(state);
    if (next_random(state) % 8 == 0)
        return HOLDEN_FRAME_HEADER + size;
    memset(bytes, 0, HOLDEN_FRAME_HEADER);
    bytes[0] = 'H';
    bytes[1] = 'd';
    bytes[2] = HOLDEN_VERSION;
    uint16_t type = (uint16_t)(next_random(state) % 80);
    /* Not the one request that is whole without a body and ends the agent as it should. */
    holden_put16(bytes + 4, type == HOLDEN_MESSAGE_reexec ? 0 : type);
    holden_put32(bytes + 8, next_random(state) % 16 == 0 ? next_random(state) : (uint32_t)size);
    holden_put32(bytes + 12, next_random(state));
    /* TLV headers that make some sense reach deeper into the decoder. */
    for (size_t at = HOLDEN_FRAME_HEADER; at + HOLDEN_TLV_HEADER <= HOLDEN_FRAME_HEADER + size;) {
        uint32_t length = next_random(state) % 16;
        holden_put16(bytes + at, (uint16_t)(next_random(state) % 24));
        holden_put32(bytes + at + 2, length);
        at += HOLDEN_TLV_HEADER + length;
    }
    return HOLDEN_FRAME_HEADER + size;
}

/* Descriptors where none belong go with some of them. */
static bool send_garbage(int fd, const uint8_t *bytes, size_t size, bool with_fds) {
    union {
        struct cmsghdr align;
        char space[CMSG_SPACE(3 * sizeof(int))];
    } control = {0};
    struct iovec part = {(void *)(uintptr_t)bytes, size};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (with_fds) {
        message.msg_control = control.space;
        message.msg_controllen = sizeof(control.space);
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(3 * sizeof(int));
        memcpy(CMSG_DATA(header), (const int[]){0, 1, 2}, 3 * sizeof(int));
    }
    return sendmsg(fd, &message, MSG_NOSIGNAL) == (ssize_t)size;
}

static int garbage(const char *socket, int argc, char **argv) {
    long frames = strtol(argv[0], NULL, 10), connections = 0;
    uint32_t state = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) | 1 : 1;
    uint8_t bytes[512], answer[65536];
    for (long sent = 0; sent < frames;) {
        struct holden_client client;
        connect_or_die(&client, socket);
        connections++;
        for (unsigned i = 0; i < 64 && sent < frames; i++, sent++) {
            size_t size = make_garbage(&state, bytes, sizeof(bytes));
            if (!send_garbage(client.connection.fd, bytes, size, next_random(&state) % 16 == 0))
                break;
            while (recv(client.connection.fd, answer, sizeof(answer), MSG_DONTWAIT) > 0)
                continue;
        }
        holden_client_close(&client);
    }
    printf("%ld broken frames over %ld connections\n", frames, connections);
    return 0;
}

static int slow(const char *socket, int argc, char **argv) {
    (void)argc;
    (void)argv;
    struct holden_client client;
    struct holden_list list = {0};
    char byte;
    connect_or_die(&client, socket);
    HOLDEN_SET(&list, list, ended, true);
    HOLDEN_SET(&list, list, detail, true);
    for (unsigned i = 0; i < 2000; i++)
        if (holden_connection_put(&client.connection, HOLDEN_MESSAGE_list, i, &list, NULL, 0) < 0)
            return 1;
    while (client.connection.out.size > 0) {
        ssize_t size = send(client.connection.fd, buffer_bytes(&client.connection.out),
                            client.connection.out.size, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (size < 0)
            break;
        buffer_consume(&client.connection.out, (size_t)size);
    }
    printf("asked\n");
    fflush(stdout);
    while (read(STDIN_FILENO, &byte, 1) > 0)
        continue;
    holden_client_close(&client);
    return 0;
}

static const struct {
    const char *name;
    int least;
    int (*run)(const char *socket, int argc, char **argv);
} modes[] = {
    {"starts", 3, starts},   {"missing", 2, missing}, {"idle", 2, idle},
    {"crowd", 2, crowd},
    {"garbage", 1, garbage}, {"slow", 0, slow},
};

int main(int argc, char **argv) {
    for (size_t i = 0; argc > 2 && i < ARRAY_SIZE(modes); i++)
        if (strcmp(argv[2], modes[i].name) == 0 && argc - 3 >= modes[i].least)
            return modes[i].run(argv[1], argc - 3, argv + 3);
    fprintf(stderr, "usage: load SOCKET MODE …; see the head of load.c\n");
    return 2;
}
