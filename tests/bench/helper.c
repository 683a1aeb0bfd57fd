#include "helper.h"

#include "common/cleanup.h"
#include "crowd.h"
#include "measure.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PLAN_STRINGS = 1000, ARGUMENTS_MAX = 31, HELPER_FD = 3 };

enum request_kind { REQUEST_START, REQUEST_TIME, REQUEST_END, REQUEST_CROWD, REQUEST_DISPERSE };

/* The flat plan: argument strings, then environment strings, each with its end byte. argv[0] is
 * the program. */
struct request {
    uint32_t kind;
    uint32_t number; /* pid for REQUEST_END, count for REQUEST_CROWD */
    uint16_t argc;
    uint16_t envc;
    uint16_t length;
    char strings[PLAN_STRINGS];
};

struct reply {
    int32_t result; /* 0 or -errno */
    int32_t pid;
    struct launch_end end;
    uint64_t ns;
};

struct server {
    int fd;
    int signals;   /* SIGCHLD, or -1 for a helper that is asked */
    pid_t watched; /* the child whose end is to be reported; sleepers are not */
    struct crowd_sleepers sleepers;
};

/* One message with at most one descriptor. `fd` -1: none. */
static int send_message(int socket, const void *message, size_t size, int fd) {
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct iovec part = {.iov_base = (void *)(uintptr_t)message, .iov_len = size};
    struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};
    if (fd >= 0) {
        header.msg_control = &control;
        header.msg_controllen = sizeof(control);
        control.header = (struct cmsghdr){
            .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
        memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
    }
    return sendmsg(socket, &header, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* `*fd` gets the descriptor that came along, or -1. A message of another size is -EPROTO, the end
 * of the connection -EPIPE. */
static int receive_message(int socket, void *message, size_t size, int *fd) {
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec part = {.iov_base = message, .iov_len = size};
    struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control,
                            .msg_controllen = sizeof(control)};
    ssize_t length = recvmsg(socket, &header, MSG_CMSG_CLOEXEC);
    if (length <= 0)
        return length < 0 ? -errno : -EPIPE;
    struct cmsghdr *first = CMSG_FIRSTHDR(&header);
    *fd = -1;
    if (first && first->cmsg_type == SCM_RIGHTS)
        memcpy(fd, CMSG_DATA(first), sizeof(*fd));
    return (size_t)length == size ? 0 : -EPROTO;
}

/* Cuts `count` strings out of the plan, from `*at` on; NULL ends the list. */
static int unpack_strings(struct request *request, size_t count, size_t *at, char **list) {
    if (count > ARGUMENTS_MAX || request->length > sizeof(request->strings))
        return -EPROTO;
    for (size_t i = 0; i < count; i++) {
        char *end = memchr(request->strings + *at, '\0', request->length - *at);
        if (!end)
            return -EPROTO;
        list[i] = request->strings + *at;
        *at = (size_t)(end - request->strings) + 1;
    }
    list[count] = NULL;
    return 0;
}

static int start_plan(struct request *request, int cgroup_fd, struct launch_child *child) {
    char *argv[ARGUMENTS_MAX + 1];
    char *envp[ARGUMENTS_MAX + 1];
    size_t at = 0;
    int r = unpack_strings(request, request->argc, &at, argv);
    if (r == 0)
        r = unpack_strings(request, request->envc, &at, envp);
    if (r < 0 || request->argc == 0)
        return -EPROTO;
    struct launch_plan plan = {argv[0], argv, envp, cgroup_fd};
    return launch_copy(&plan, child);
}

static void answer_start(struct server *server, struct request *request, int cgroup_fd) {
    struct launch_child child = {.pidfd = -1};
    int r = start_plan(request, cgroup_fd, &child);
    server->watched = child.pid;
    struct reply reply = {.result = r, .pid = child.pid};
    send_message(server->fd, &reply, sizeof(reply), child.pidfd);
    cleanup_close(&child.pidfd);
}

static void answer_time(struct server *server, struct request *request, int cgroup_fd) {
    struct launch_child child = {.pidfd = -1};
    uint64_t begun = measure_now();
    int r = start_plan(request, cgroup_fd, &child);
    if (r == 0)
        r = launch_finish(&child);
    struct reply reply = {.result = r, .ns = measure_now() - begun};
    send_message(server->fd, &reply, sizeof(reply), -1);
}

static void answer_end(struct server *server, struct request *request, int fd) {
    (void)fd;
    siginfo_t info = {0};
    int r = waitid(P_PID, request->number, &info, WEXITED | WNOHANG) < 0 ? -errno : 0;
    struct reply reply = {.result = r, .pid = info.si_pid, .end = {info.si_code, info.si_status}};
    send_message(server->fd, &reply, sizeof(reply), -1);
}

static void answer_crowd(struct server *server, struct request *request, int cgroup_fd) {
    int r = crowd_sleepers_start(request->number, cgroup_fd, &server->sleepers);
    struct reply reply = {.result = r};
    send_message(server->fd, &reply, sizeof(reply), -1);
}

static void answer_disperse(struct server *server, struct request *request, int fd) {
    (void)request, (void)fd;
    crowd_sleepers_reap(&server->sleepers);
    struct reply reply = {0};
    send_message(server->fd, &reply, sizeof(reply), -1);
}

static void (*const answers[])(struct server *, struct request *, int) = {
    [REQUEST_START] = answer_start,       [REQUEST_TIME] = answer_time,
    [REQUEST_END] = answer_end,           [REQUEST_CROWD] = answer_crowd,
    [REQUEST_DISPERSE] = answer_disperse,
};

/* The signal names the child, so that finding it does not mean walking through all that live. */
static void report_end(struct server *server) {
    struct signalfd_siginfo signal;
    siginfo_t info = {0};
    if (read(server->signals, &signal, sizeof(signal)) != sizeof(signal) ||
        (pid_t)signal.ssi_pid != server->watched ||
        waitid(P_PID, signal.ssi_pid, &info, WEXITED | WNOHANG) < 0)
        return;
    struct reply reply = {.pid = info.si_pid, .end = {info.si_code, info.si_status}};
    send_message(server->fd, &reply, sizeof(reply), -1);
}

static void serve(struct server *server) {
    struct pollfd entries[] = {{.fd = server->fd, .events = POLLIN},
                               {.fd = server->signals, .events = POLLIN}};
    struct request request;
    while (poll(entries, ARRAY_SIZE(entries), -1) > 0) {
        if (entries[1].revents)
            report_end(server);
        if (!entries[0].revents)
            continue;
        _cleanup_close_ int fd = -1;
        if (receive_message(server->fd, &request, sizeof(request), &fd) < 0 ||
            request.kind >= ARRAY_SIZE(answers))
            return;
        answers[request.kind](server, &request, fd);
    }
}

static _Noreturn void run_server(int fd, bool push) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(fd, HELPER_FD);
    close_range(HELPER_FD + 1, ~0U, 0);
    struct server server = {.fd = HELPER_FD, .signals = -1};
    if (push && sigprocmask(SIG_BLOCK, &set, NULL) == 0)
        server.signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    serve(&server);
    _exit(0);
}

int helper_open(bool push, struct helper *helper) {
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return -errno;
    pid_t pid = fork();
    if (pid == 0)
        run_server(pair[1], push);
    int r = pid < 0 ? -errno : 0;
    close(pair[1]);
    if (r < 0) {
        close(pair[0]);
        return r;
    }
    *helper = (struct helper){.fd = pair[0], .pid = pid};
    return 0;
}

void helper_close(struct helper *helper) {
    if (helper->fd < 0)
        return;
    shutdown(helper->fd, SHUT_RDWR);
    close(helper->fd);
    waitpid(helper->pid, NULL, 0);
    *helper = (struct helper){.fd = -1, .pid = -1};
}

static int pack_strings(char *const *list, struct request *request, uint16_t *count) {
    for (; *list; list++, (*count)++) {
        size_t size = strlen(*list) + 1;
        if (*count == ARGUMENTS_MAX || size > sizeof(request->strings) - request->length)
            return -E2BIG;
        memcpy(request->strings + request->length, *list, size);
        request->length = (uint16_t)(request->length + size);
    }
    return 0;
}

static int send_plan(const struct helper *helper, enum request_kind kind,
                     const struct launch_plan *plan) {
    struct request request = {.kind = kind};
    int r = pack_strings(plan->argv, &request, &request.argc);
    if (r == 0)
        r = pack_strings(plan->envp, &request, &request.envc);
    return r < 0 ? r : send_message(helper->fd, &request, sizeof(request), plan->cgroup_fd);
}

static int receive_reply(const struct helper *helper, struct reply *reply, int *fd) {
    int r = receive_message(helper->fd, reply, sizeof(*reply), fd);
    return r < 0 ? r : reply->result;
}

static int ask(const struct helper *helper, enum request_kind kind, size_t number, int fd,
               struct reply *reply) {
    struct request request = {.kind = kind, .number = (uint32_t)number};
    int none;
    int r = send_message(helper->fd, &request, sizeof(request), fd);
    return r < 0 ? r : receive_reply(helper, reply, &none);
}

int helper_send_start(const struct helper *helper, const struct launch_plan *plan) {
    return send_plan(helper, REQUEST_START, plan);
}

int helper_receive_started(const struct helper *helper, struct launch_child *child) {
    struct reply reply;
    int pidfd = -1;
    int r = receive_reply(helper, &reply, &pidfd);
    if (r < 0)
        return r;
    *child = (struct launch_child){.pid = reply.pid, .pidfd = pidfd};
    return 0;
}

int helper_ask_end(const struct helper *helper, pid_t pid, struct launch_end *end) {
    struct reply reply;
    int r = ask(helper, REQUEST_END, (size_t)pid, -1, &reply);
    if (r == 0)
        *end = reply.end;
    return r;
}

int helper_receive_end(const struct helper *helper, struct launch_end *end) {
    struct reply reply;
    int none;
    int r = receive_reply(helper, &reply, &none);
    if (r == 0)
        *end = reply.end;
    return r;
}

int helper_time_start(const struct helper *helper, const struct launch_plan *plan, uint64_t *ns) {
    struct reply reply;
    int none;
    int r = send_plan(helper, REQUEST_TIME, plan);
    if (r == 0)
        r = receive_reply(helper, &reply, &none);
    if (r == 0)
        *ns = reply.ns;
    return r;
}

int helper_crowd(const struct helper *helper, size_t count, int cgroup_fd) {
    struct reply reply;
    return ask(helper, REQUEST_CROWD, count, cgroup_fd, &reply);
}

int helper_disperse(const struct helper *helper) {
    struct reply reply;
    return ask(helper, REQUEST_DISPERSE, 0, -1, &reply);
}
