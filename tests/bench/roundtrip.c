#include "roundtrip.h"

#include "common/cleanup.h"

#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MESSAGE_SIZE = 32 };

static int read_message(int fd, char *message) {
    ssize_t length = recv(fd, message, MESSAGE_SIZE, MSG_WAITALL);
    if (length < 0)
        return -errno;
    return length == MESSAGE_SIZE ? 0 : -EPIPE;
}

static int write_message(int fd, const char *message) {
    ssize_t length = send(fd, message, MESSAGE_SIZE, MSG_NOSIGNAL);
    if (length < 0)
        return -errno;
    return length == MESSAGE_SIZE ? 0 : -EIO;
}

static int watch(int fd, int *epoll_fd) {
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    int opened = epoll_create1(EPOLL_CLOEXEC);
    if (opened < 0 || epoll_ctl(opened, EPOLL_CTL_ADD, fd, &event) < 0)
        return -errno;
    *epoll_fd = opened;
    return 0;
}

static int serve(int fd, bool epoll) {
    char message[MESSAGE_SIZE];
    struct epoll_event event;
    int epoll_fd = -1;
    int r = epoll ? watch(fd, &epoll_fd) : 0;
    while (r == 0) {
        if (epoll && epoll_wait(epoll_fd, &event, 1, -1) < 0)
            return -errno;
        r = read_message(fd, message);
        if (r == 0)
            r = write_message(fd, message);
    }
    return r;
}

int roundtrip_open(bool epoll, struct roundtrip *trip) {
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        return -errno;
    pid_t server = fork();
    if (server == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(pair[0]);
        _exit(serve(pair[1], epoll) == -EPIPE ? 0 : 1);
    }
    int r = server < 0 ? -errno : 0;
    close(pair[1]);
    if (r < 0) {
        close(pair[0]);
        return r;
    }
    *trip = (struct roundtrip){.fd = pair[0], .server = server};
    return 0;
}

int roundtrip_once(const struct roundtrip *trip) {
    char message[MESSAGE_SIZE] = {0};
    int r = write_message(trip->fd, message);
    return r < 0 ? r : read_message(trip->fd, message);
}

void roundtrip_close(struct roundtrip *trip) {
    /* Not close() alone: a process forked later may hold a copy of our end. */
    shutdown(trip->fd, SHUT_RDWR);
    close(trip->fd);
    waitpid(trip->server, NULL, 0);
    *trip = (struct roundtrip){.fd = -1, .server = -1};
}
