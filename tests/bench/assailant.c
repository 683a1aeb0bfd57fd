#include "assailant.h"

#include "common/cleanup.h"
#include "protocol/client.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    CONNECTIONS = 64,
    REQUESTS = 64,
    AGAIN = 10, /* milliseconds until what could not be opened is tried again */
};

/* What it has open; -1: nothing. */
struct assailant {
    struct sockaddr_un address;
    int fds[CONNECTIONS];
    struct buffer frames; /* what is sent, over and over */
};

/* A connected socket, or -errno. */
static int open_one(const struct assailant *assailant, int flags) {
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&assailant->address,
                          sizeof(assailant->address)) == 0)
        return fd < 0 ? -errno : fd;
    int error = errno;
    close(fd);
    return -error;
}

/* Each returns 0, or -errno where it cannot go on. */
static int connects(struct assailant *assailant) {
    int fd = open_one(assailant, 0);
    if (fd >= 0)
        close(fd);
    return fd < 0 ? fd : 0;
}

/* Keeps the connection open as long as the agent does; each is given half a frame once. */
static int halves(struct assailant *assailant) {
    struct pollfd polled[CONNECTIONS];
    for (size_t i = 0; i < CONNECTIONS; i++) {
        char byte;
        int *fd = &assailant->fds[i];
        if (*fd >= 0 && recv(*fd, &byte, sizeof(byte), MSG_DONTWAIT) == 0)
            close(take_fd(fd));
        if (*fd < 0 && (*fd = open_one(assailant, 0)) >= 0)
            send(*fd, buffer_bytes(&assailant->frames), HOLDEN_FRAME_HEADER / 2, MSG_NOSIGNAL);
        polled[i] = (struct pollfd){.fd = *fd, .events = POLLIN};
    }
    return poll(polled, CONNECTIONS, AGAIN) < 0 ? -errno : 0;
}

/* All that its connections take of the frames, again and again; and reads what comes, or not. */
static int sends(struct assailant *assailant, bool reads) {
    struct pollfd polled[CONNECTIONS];
    static char answers[1 << 16];
    for (size_t i = 0; i < CONNECTIONS; i++) {
        int *fd = &assailant->fds[i];
        if (*fd < 0)
            *fd = open_one(assailant, SOCK_NONBLOCK);
        polled[i] = (struct pollfd){
            .fd = *fd, .events = reads ? POLLIN | POLLOUT : POLLOUT};
    }
    if (poll(polled, CONNECTIONS, AGAIN) < 0)
        return -errno;
    for (size_t i = 0; i < CONNECTIONS; i++) {
        int *fd = &assailant->fds[i];
        bool gone = (polled[i].revents & (POLLHUP | POLLERR)) != 0;
        if (polled[i].revents & POLLIN)
            gone = recv(*fd, answers, sizeof(answers), 0) == 0 || gone;
        if (polled[i].revents & POLLOUT)
            send(*fd, buffer_bytes(&assailant->frames), assailant->frames.size, MSG_NOSIGNAL);
        if (gone)
            close(take_fd(fd));
    }
    return 0;
}

static int floods(struct assailant *assailant) {
    return sends(assailant, true);
}

static int ignores(struct assailant *assailant) {
    return sends(assailant, false);
}

static const struct {
    const char *what;
    int (*attack)(struct assailant *assailant);
    uint16_t request;    /* what it sends */
    uint32_t announced;  /* the size that its frames claim; 0: their own */
} ways[ASSAILANT_WAYS] = {
    [ASSAILANT_CONNECTS] = {"connects and goes, without end", connects, HOLDEN_MESSAGE_ping, 0},
    [ASSAILANT_HALVES] = {"half frames on 64 connections", halves, HOLDEN_MESSAGE_ping, 0},
    [ASSAILANT_FLOODS] = {"64 connections full of requests", floods, HOLDEN_MESSAGE_list, 0},
    [ASSAILANT_IGNORES] = {"the same, answers not read", ignores, HOLDEN_MESSAGE_self, 0},
    [ASSAILANT_ANNOUNCES] = {"frames of 2 GiB announced on 64 connections", floods,
                             HOLDEN_MESSAGE_ping, 1U << 31},
};

const char *assailant_what(enum assailant_way way) {
    return ways[way].what;
}

/* A few frames in a row; those of all requests that are sent have nothing in them. */
static int prepare(struct assailant *assailant, enum assailant_way way, const char *socket) {
    union {
        struct holden_ping ping;
        struct holden_list list;
        struct holden_self self;
    } message = {0};
    enum { SIZE_AT = 8 };
    assailant->address = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (strlen(socket) >= sizeof(assailant->address.sun_path))
        return -ENAMETOOLONG;
    stpcpy(assailant->address.sun_path, socket);
    for (size_t i = 0; i < CONNECTIONS; i++)
        assailant->fds[i] = -1;
    int r = 0;
    for (uint32_t id = 1; r == 0 && id <= REQUESTS; id++) {
        size_t at = assailant->frames.size;
        r = holden_frame_put(&assailant->frames, ways[way].request, id, &message);
        if (r == 0 && ways[way].announced > 0)
            holden_put32((uint8_t *)buffer_bytes(&assailant->frames) + at + SIZE_AT,
                         ways[way].announced);
    }
    return r;
}

/* The agent may be slow to take it, or refuse it: then it tries again. */
static _Noreturn void attack(enum assailant_way way, const char *socket) {
    struct assailant assailant = {0};
    int r = prepare(&assailant, way, socket);
    if (r == 0)
        r = connects(&assailant); /* so that one that may not is told */
    while (r == 0 || r == -EAGAIN || r == -ECONNRESET || r == -EPIPE)
        r = ways[way].attack(&assailant);
    _exit(1);
}

int assailant_start(enum assailant_way way, const char *socket, const cpu_set_t *where,
                    pid_t *pid) {
    static const gid_t group = ASSAILANT_GID;
    *pid = fork();
    if (*pid != 0)
        return *pid < 0 ? -errno : 0;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (sched_setaffinity(0, sizeof(*where), where) == 0 &&
        setgroups(1, &group) == 0 && setresgid(group, group, group) == 0 &&
        setresuid(ASSAILANT_UID, ASSAILANT_UID, ASSAILANT_UID) == 0)
        attack(way, socket);
    _exit(1);
}

int assailant_end(pid_t pid) {
    int status;
    if (waitpid(pid, &status, WNOHANG) == pid)
        return -EPROTO;
    kill(pid, SIGKILL);
    return waitpid(pid, &status, 0) == pid ? 0 : -errno;
}
