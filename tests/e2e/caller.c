/* caller: a client that is somebody else by the time it asks.
 *
 *   caller SOCKET HOW UID GID NAME     as root
 *
 * has a connection made, and asks over it for an end of the process NAME; HOW says who connects,
 * and who asks:
 *
 *   change    root connects, becomes UID, and asks
 *   inherit   root connects and ends; its child, which has become UID, asks
 *   pass      UID, in group GID, connects, passes the connection to root (SCM_RIGHTS) and ends; root
 *             asks
 *   reuse     the same, and the process of root that asks has the pid of the one that connected
 *
 * Prints "done", or the error that comes back. Exit status 0 where an answer came, else 1. */
#include <errno.h>
#include <grp.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "protocol/client.h"

struct task {
    const char *socket, *name;
    uid_t uid;
    gid_t gid;
};

static _Noreturn void fail(const char *what) {
    perror(what);
    _exit(1);
}

static void become(const struct task *task) {
    if (setgroups(1, &task->gid) < 0 || setgid(task->uid) < 0 || setuid(task->uid) < 0)
        fail("setuid");
}

static int connect_now(const struct task *task) {
    struct holden_client client;
    errno = -holden_client_connect(&client, task->socket);
    if (errno != 0)
        fail("connect");
    return client.connection.fd;
}

static void ask(const struct task *task, int fd) {
    struct holden_client client = {0};
    struct holden_stop stop = {0};
    struct holden_reply reply;
    struct holden_error error;
    holden_connection_open(&client.connection, fd);
    HOLDEN_SET(&stop, stop, name, holden_view(task->name));
    errno = -holden_client_ask(&client, HOLDEN_MESSAGE_stop, &stop, NULL, 0, NULL);
    if (errno == 0)
        errno = -holden_client_next(&client, &reply);
    if (errno != 0)
        fail("ask");
    if (reply.frame.type == HOLDEN_MESSAGE_error && holden_reply_decode(&reply, &error) == 0)
        printf("%.*s\n", (int)error.text.size, error.text.data);
    else
        puts(reply.frame.type == HOLDEN_MESSAGE_done ? "done" : "something else");
    fflush(stdout);
}

/* One descriptor with a byte, in or out. */
static void transfer(int end, int *fd, int out) {
    union {
        struct cmsghdr align;
        char space[CMSG_SPACE(sizeof(int))];
    } control = {0};
    char byte = 0;
    struct iovec part = {&byte, 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control.space,
                             .msg_controllen = sizeof(control.space)};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    *header = (struct cmsghdr){CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
    memcpy(CMSG_DATA(header), fd, sizeof(*fd));
    if ((out ? sendmsg(end, &message, 0) : recvmsg(end, &message, 0)) != 1)
        fail("SCM_RIGHTS");
    memcpy(fd, CMSG_DATA(header), sizeof(*fd));
}

/* A connection of that user's, whose process has ended. */
static int connect_as(const struct task *task, pid_t *pid) {
    int ends[2], fd = -1;
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0)
        fail("socketpair");
    *pid = fork();
    if (*pid == 0) {
        become(task);
        fd = connect_now(task);
        transfer(ends[1], &fd, 1);
        _exit(0);
    }
    transfer(ends[0], &fd, 0);
    if (*pid < 0 || waitpid(*pid, NULL, 0) != *pid)
        fail("fork");
    return fd;
}

static void change(const struct task *task) {
    int fd = connect_now(task);
    become(task);
    ask(task, fd);
}

static void inherit(const struct task *task) {
    int fd, ends[2];
    char end;
    if (pipe(ends) < 0)
        fail("pipe");
    pid_t connects = fork();
    if (connects == 0) {
        pid_t own = getpid();
        fd = connect_now(task);
        if (fork() != 0)
            _exit(0);
        become(task);
        while (getppid() == own)
            usleep(1000);
        ask(task, fd);
        _exit(0);
    }
    /* Whoever asks holds the other end until it has. */
    close(ends[1]);
    if (waitpid(connects, NULL, 0) != connects || read(ends[0], &end, 1) != 0)
        fail("wait");
}

static void pass(const struct task *task) {
    pid_t pid;
    ask(task, connect_as(task, &pid));
}

static void reuse(const struct task *task) {
    pid_t pid;
    int fd = connect_as(task, &pid);
    struct clone_args arguments = {
        .exit_signal = SIGCHLD, .set_tid = (uintptr_t)&pid, .set_tid_size = 1};
    long child = syscall(SYS_clone3, &arguments, sizeof(arguments));
    if (child < 0)
        fail("clone3");
    if (child == 0) {
        ask(task, fd);
        _exit(0);
    }
    if (child != pid || waitpid(pid, NULL, 0) != pid)
        fail("another pid");
}

int main(int argc, char **argv) {
    static const struct {
        const char *word;
        void (*run)(const struct task *task);
    } rows[] = {{"change", change}, {"inherit", inherit}, {"pass", pass}, {"reuse", reuse}};
    if (argc != 6)
        return 2;
    const struct task task = {argv[1], argv[5], (uid_t)strtoul(argv[3], NULL, 10),
                              (gid_t)strtoul(argv[4], NULL, 10)};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (strcmp(rows[i].word, argv[2]) == 0) {
            rows[i].run(&task);
            return 0;
        }
    return 2;
}
