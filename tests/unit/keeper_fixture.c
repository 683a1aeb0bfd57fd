#include "keeper_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <dirent.h>

#include "suite.h"

#define CONTROL "HOLDEN_TEST_CONTROL"

/* ---- the puppet ---- */

struct greeting {
    pid_t pid;
    unsigned recoveries;
    uint64_t blocked; /* its signal mask */
    uint32_t open;    /* bit N: descriptor N was open at its start */
};

struct order {
    int status; /* to exit with, */
    int signal; /* or to die by */
};

static int control_socket(const char *path, bool listens) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "%.107s", path);
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    int r = listens ? bind(fd, (struct sockaddr *)&address, sizeof(address))
                    : connect(fd, (struct sockaddr *)&address, sizeof(address));
    if (r < 0 || (listens && listen(fd, 8) < 0))
        return -1;
    return fd;
}

static ssize_t send_fds(int socket, const void *bytes, size_t size, const int *fds, size_t count) {
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int) * PLAN_FDS_MAX)];
    } control = {0};
    struct iovec part = {(void *)(uintptr_t)bytes, size};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (count > 0) {
        control.header = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(int) * count),
                                          .cmsg_level = SOL_SOCKET,
                                          .cmsg_type = SCM_RIGHTS};
        memcpy(CMSG_DATA(&control.header), fds, sizeof(int) * count);
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * count);
    }
    return sendmsg(socket, &message, MSG_NOSIGNAL);
}

static ssize_t receive_fds(int socket, void *bytes, size_t size, int *fds, size_t *count) {
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int) * PLAN_FDS_MAX)];
    } control = {0};
    struct iovec part = {bytes, size};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control,
                             .msg_controllen = sizeof(control)};
    ssize_t received = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    struct cmsghdr *first = received >= 0 ? CMSG_FIRSTHDR(&message) : NULL;
    *count = first ? (first->cmsg_len - CMSG_LEN(0)) / sizeof(int) : 0;
    if (*count > 0)
        memcpy(fds, CMSG_DATA(first), *count * sizeof(int));
    return received;
}

static uint64_t blocked_signals(void) {
    uint64_t mask = 0;
    syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &mask, sizeof(mask));
    return mask;
}

static uint32_t open_descriptors(void) {
    uint32_t open = 0;
    for (int fd = 0; fd < 32; fd++)
        open |= (uint32_t)(fcntl(fd, F_GETFD) >= 0) << fd;
    return open;
}

static int obey(const struct order *order) {
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    signal(order->signal, SIG_DFL);
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_UNBLOCK, &all, NULL);
    if (order->signal)
        raise(order->signal);
    _exit(order->status);
}

static int puppet(void) {
    const char *recoveries = getenv("HOLDEN_RECOVERIES");
    struct greeting greeting = {.pid = getpid(),
                                .recoveries = recoveries ? (unsigned)atoi(recoveries) : ~0U,
                                .blocked = blocked_signals(),
                                .open = open_descriptors()};
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGHUP);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    int received = signalfd(-1, &signals, SFD_CLOEXEC);
    int control = control_socket(getenv(CONTROL), false);
    int fds[] = {KEEPER_FD_LISTEN, KEEPER_FD_CHANNEL, KEEPER_FD_REPORTS};
    if (control < 0 || send_fds(control, &greeting, sizeof(greeting), fds, 3) < 0)
        return 0;
    for (;;) {
        struct pollfd polled[] = {{control, POLLIN, 0}, {received, POLLIN, 0}};
        struct signalfd_siginfo info;
        struct order order;
        if (poll(polled, 2, -1) < 0)
            return 0;
        if (polled[1].revents && read(received, &info, sizeof(info)) == sizeof(info))
            send_fds(control, &info.ssi_signo, sizeof(info.ssi_signo), NULL, 0);
        if (polled[0].revents) {
            if (read(control, &order, sizeof(order)) != sizeof(order))
                return 0;
            obey(&order);
        }
    }
}

/* ---- the program ---- */

static void remove_all(const char *directory) {
    DIR *entries = opendir(directory);
    if (!entries)
        return;
    for (struct dirent *entry; (entry = readdir(entries));) {
        char path[512];
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
        if (entry->d_type == DT_DIR)
            remove_all(path);
        else
            unlink(path);
    }
    closedir(entries);
    rmdir(directory);
}

/* What failed tests did not come to remove. */
static void remove_remains(void) {
    char prefix[64], path[512];
    snprintf(prefix, sizeof(prefix), "keeper-test-%d-", getpid());
    DIR *entries = opendir("/tmp");
    for (struct dirent *entry; entries && (entry = readdir(entries));) {
        snprintf(path, sizeof(path), "/tmp/%s", entry->d_name);
        if (strncmp(entry->d_name, prefix, strlen(prefix)) == 0)
            remove_all(path);
    }
    closedir(entries);
}

/* Whether it is only tried, as before an upgrade. */
static bool is_probe(void) {
    char arguments[256];
    int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
    ssize_t size = read(fd, arguments, sizeof(arguments));
    close(fd);
    return size > 8 && memmem(arguments, (size_t)size, "--probe", sizeof("--probe"));
}

int fixture_main(void) {
    if (is_probe()) {
        puts("agent-core puppet");
        return 0;
    }
    if (getenv(CONTROL))
        return puppet();
    prctl(PR_SET_CHILD_SUBREAPER, 1); /* what a killed keeper leaves behind is ours to collect */
    int failed = _cmocka_run_group_tests(
        "tests", __start_unit_tests, (size_t)(__stop_unit_tests - __start_unit_tests), NULL, NULL);
    remove_remains();
    return failed;
}

/* ---- the keeper ---- */

static void copy_program(const char *from, const char *directory, const char *name) {
    char to[128], fresh[160];
    struct stat size;
    snprintf(to, sizeof(to), "%s/%s", directory, name);
    snprintf(fresh, sizeof(fresh), "%s.new", to);
    int in = open(from, O_RDONLY | O_CLOEXEC);
    int out = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
    assert_true(in >= 0 && out >= 0);
    assert_int_equal(fstat(in, &size), 0);
    while (sendfile(out, in, NULL, (size_t)size.st_size) > 0)
        ;
    close(in);
    close(out);
    assert_int_equal(rename(fresh, to), 0);
}

void fixture_install(const struct fixture *fixture) {
    char program[256];
    const char *bin = getenv("HOLDEN_BIN");
    snprintf(program, sizeof(program), "%s/agent", bin ? bin : "bin");
    copy_program(program, fixture->directory, "agent");
}

void fixture_open(struct fixture *fixture) {
    *fixture = (struct fixture){.control = -1, .puppet = -1, .listening = -1, .channel = -1};
    snprintf(fixture->directory, sizeof(fixture->directory), "/tmp/keeper-test-%d-XXXXXX",
             getpid());
    assert_non_null(mkdtemp(fixture->directory));
    assert_int_equal(chmod(fixture->directory, 0755), 0);
    fixture_install(fixture);
    copy_program("/proc/self/exe", fixture->directory, "agent-core");
    char path[96];
    snprintf(path, sizeof(path), "%s/control", fixture->directory);
    fixture->control = control_socket(path, true);
    assert_true(fixture->control >= 0);
    snprintf(fixture->socket, sizeof(fixture->socket), "%s/run/agent.sock", fixture->directory);
    snprintf(fixture->output, sizeof(fixture->output), "%s/output", fixture->directory);
}

static _Noreturn void become_keeper(const struct fixture *fixture) {
    char program[96], control[96];
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    snprintf(program, sizeof(program), "%s/agent", fixture->directory);
    snprintf(control, sizeof(control), "%s/control", fixture->directory);
    setenv(CONTROL, control, 1);
    int output = open(fixture->output, O_WRONLY | O_CREAT | O_APPEND, 0600);
    dup2(output, STDERR_FILENO);
    signal(SIGUSR1, SIG_IGN); /* to be seen by no child */
    execl(program, "agent", "--socket", fixture->socket, NULL);
    _exit(126);
}

void fixture_start(struct fixture *fixture, bool first) {
    long flags = SIGCHLD | (first ? CLONE_NEWPID : 0);
    pid_t pid = (pid_t)syscall(SYS_clone, flags, 0, 0, 0, 0);
    assert_true(pid >= 0);
    if (pid == 0)
        become_keeper(fixture);
    fixture->keeper = pid;
}

void fixture_meet(struct fixture *fixture, bool recovered) {
    struct pollfd polled = {fixture->control, POLLIN, 0};
    assert_int_equal(poll(&polled, 1, FIXTURE_PATIENCE), 1);
    fixture->puppet = accept4(fixture->control, NULL, NULL, SOCK_CLOEXEC);
    assert_true(fixture->puppet >= 0);
    struct greeting greeting;
    int fds[3];
    size_t count;
    assert_int_equal(receive_fds(fixture->puppet, &greeting, sizeof(greeting), fds, &count),
                     sizeof(greeting));
    assert_int_equal(count, 3);
    assert_int_equal(greeting.blocked, 0);
    bool notify = strlen(fixture->socket) + sizeof(".notify") <=
                  sizeof(((struct sockaddr_un *)NULL)->sun_path);
    assert_int_equal(greeting.open, 0x3f | 1 << KEEPER_FD_ARRIVALS | 3 << KEEPER_FD_ATTIC |
                                        (notify ? 1 << KEEPER_FD_NOTIFY : 0));
    fixture->core = greeting.pid;
    fixture->recoveries = greeting.recoveries;
    fixture->listening = fds[0];
    fixture->channel = fds[1];
    fixture->reports = mmap(NULL, PLAN_REPORTS * sizeof(struct plan_report), PROT_READ | PROT_WRITE,
                            MAP_SHARED, fds[2], 0);
    assert_true(fixture->reports != MAP_FAILED);
    close(fds[2]);
    if (recovered)
        fixture_ask(fixture, KEEPER_RECOVERED, 0);
}

void fixture_run(struct fixture *fixture) {
    fixture_open(fixture);
    fixture_start(fixture, false);
    fixture_meet(fixture, true);
}

static void forget(struct fixture *fixture) {
    if (fixture->puppet < 0)
        return;
    close(fixture->puppet);
    close(fixture->listening);
    close(fixture->channel);
    munmap(fixture->reports, PLAN_REPORTS * sizeof(struct plan_report));
    fixture->puppet = -1;
}

static void command(struct fixture *fixture, struct order order) {
    assert_int_equal(write(fixture->puppet, &order, sizeof(order)), sizeof(order));
    forget(fixture);
}

void fixture_exit(struct fixture *fixture, int status) {
    command(fixture, (struct order){.status = status});
}

void fixture_die(struct fixture *fixture, int signal) {
    command(fixture, (struct order){.signal = signal});
}

int fixture_signal(struct fixture *fixture) {
    uint32_t number = 0;
    struct pollfd polled = {fixture->puppet, POLLIN, 0};
    assert_int_equal(poll(&polled, 1, FIXTURE_PATIENCE), 1);
    assert_int_equal(read(fixture->puppet, &number, sizeof(number)), sizeof(number));
    return (int)number;
}

int fixture_end(struct fixture *fixture) {
    int status = 0;
    pid_t pid = 0;
    EVENTUALLY((pid = waitpid(fixture->keeper, &status, WNOHANG)) != 0);
    assert_int_equal(pid, fixture->keeper);
    fixture->keeper = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

void fixture_close(struct fixture *fixture) {
    if (fixture->puppet >= 0)
        fixture_exit(fixture, AGENT_EXIT_STOPPED);
    if (fixture->keeper > 0)
        assert_int_equal(fixture_end(fixture), 0);
    close(fixture->control);
    assert_int_not_equal(access(fixture->socket, F_OK), 0);
    remove_all(fixture->directory);
}

bool fixture_said(struct fixture *fixture, const char *text) {
    char said[4096];
    int fd = open(fixture->output, O_RDONLY | O_CLOEXEC);
    ssize_t size = fd < 0 ? 0 : read(fd, said, sizeof(said) - 1);
    close(fd);
    said[size > 0 ? size : 0] = '\0';
    return strstr(said, text) != NULL;
}

/* ---- plans ---- */

struct plan_run draft_add(struct draft *draft, const void *bytes, size_t size, uint32_t count) {
    uint32_t at = (draft->plan.size + 7) & ~7U;
    assert_true(at + size <= sizeof(draft->bytes));
    if (size > 0)
        memcpy(draft->bytes + at, bytes, size);
    draft->plan.size = (uint32_t)(at + size);
    return (struct plan_run){at, count};
}

struct plan_run draft_strings(struct draft *draft, const char *const *strings) {
    uint64_t at[64] = {0};
    uint32_t count = 0;
    for (; strings[count]; count++) {
        assert_true(count < 63);
        at[count] = draft_add(draft, strings[count], strlen(strings[count]) + 1, 1).at;
    }
    return draft_add(draft, at, (count + 1) * sizeof(at[0]), count);
}

void draft_open(struct draft *draft, const char *program, ...) {
    memset(&draft->plan, 0, sizeof(draft->plan));
    draft->plan.magic = PLAN_MAGIC;
    draft->plan.size = sizeof(draft->plan);
    draft->plan.token = 0x1122334455667788;
    draft->plan.report = 7;
    draft->plan.umask = 022;
    const char *arguments[32] = {program};
    va_list list;
    va_start(list, program);
    for (int i = 1; (arguments[i] = va_arg(list, const char *)); i++)
        assert_true(i < 30);
    va_end(list);
    draft->plan.paths = draft_strings(draft, (const char *const[]){program, NULL});
    draft->plan.arguments = draft_strings(draft, arguments);
    draft->plan.environment = draft_strings(draft, (const char *const[]){NULL});
    int pair[2];
    assert_int_equal(pipe2(pair, O_CLOEXEC), 0);
    draft->status = pair[0];
    draft->fds[PLAN_FD_CGROUP] = open("/dev/null", O_RDONLY | O_CLOEXEC);
    draft->fds[PLAN_FD_STATUS] = pair[1];
    draft->count = PLAN_FD_STREAMS;
}

void draft_pass(struct draft *draft, unsigned stream, int fd) {
    draft->plan.stream[stream] = (struct plan_stream){.source = PLAN_SOURCE_PASSED,
                                                      .passed = draft->count};
    draft->fds[draft->count++] = fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

/* The packet, or its head with the rest in a memfd. */
static void send_plan(struct draft *draft, struct fixture *fixture) {
    size_t size = draft->plan.size;
    if (size > KEEPER_PACKET_MAX) {
        int memory = memfd_create("plan", MFD_CLOEXEC);
        assert_int_equal(write(memory, draft->bytes, size), size);
        draft->fds[draft->count++] = memory;
        size = sizeof(draft->plan);
    }
    assert_int_equal(send_fds(fixture->channel, draft->bytes, size, draft->fds, draft->count),
                     size);
    for (unsigned i = 0; i < draft->count; i++)
        close(draft->fds[i]);
}

int draft_spawn(struct draft *draft, struct fixture *fixture, struct keeper_reply *reply) {
    int pidfd = -1;
    struct plan_report *report = fixture_report(fixture);
    report->reached = 0;
    report->error = 0;
    send_plan(draft, fixture);
    *reply = fixture_answer(fixture, &pidfd);
    assert_int_equal(reply->kind, KEEPER_SPAWNED);
    struct pollfd polled = {draft->status, POLLIN, 0};
    assert_int_equal(poll(&polled, 1, FIXTURE_PATIENCE), 1);
    assert_int_equal(polled.revents, POLLHUP);
    close(draft->status);
    return pidfd;
}

struct plan_report *fixture_report(struct fixture *fixture) {
    return &fixture->reports[7];
}

struct keeper_reply draft_finish(struct draft *draft, struct fixture *fixture) {
    struct keeper_reply reply;
    int pidfd = draft_spawn(draft, fixture, &reply);
    assert_int_equal(reply.error, 0);
    assert_int_equal(reply.token, 0x1122334455667788);
    assert_true(pidfd >= 0);
    struct pollfd polled = {pidfd, POLLIN, 0};
    assert_int_equal(poll(&polled, 1, FIXTURE_PATIENCE), 1);
    close(pidfd);
    pid_t pid = reply.pid;
    reply = fixture_status(fixture, pid);
    fixture_ask(fixture, KEEPER_RELEASE, pid);
    return reply;
}

struct keeper_reply draft_output(struct draft *draft, struct fixture *fixture, char *text,
                                 size_t space) {
    int pair[2];
    assert_int_equal(pipe2(pair, O_CLOEXEC), 0);
    draft_pass(draft, STDOUT_FILENO, pair[1]);
    close(pair[1]);
    draft->plan.stream[STDERR_FILENO].source = PLAN_SOURCE_OUTPUT;
    struct keeper_reply reply = draft_finish(draft, fixture);
    size_t used = 0;
    for (ssize_t size;
         used < space - 1 && (size = read(pair[0], text + used, space - 1 - used)) > 0;)
        used += (size_t)size;
    text[used] = '\0';
    close(pair[0]);
    return reply;
}

void fixture_ask(struct fixture *fixture, uint32_t kind, pid_t pid) {
    struct keeper_request request = {.kind = kind, .pid = pid};
    assert_int_equal(send(fixture->channel, &request, sizeof(request), MSG_NOSIGNAL),
                     sizeof(request));
}

uint64_t fixture_adopt(struct fixture *fixture, const pid_t *pids, size_t count) {
    struct keeper_adoption adoption = {.request = {.kind = KEEPER_ADOPT, .pid = (int32_t)count}};
    memcpy(adoption.pids, pids, count * sizeof(*pids));
    assert_int_equal(send(fixture->channel, &adoption, sizeof(adoption), MSG_NOSIGNAL),
                     sizeof(adoption));
    struct keeper_reply reply = fixture_answer(fixture, NULL);
    assert_int_equal(reply.kind, KEEPER_ADOPT);
    return reply.children;
}

struct keeper_reply fixture_answer(struct fixture *fixture, int *fd) {
    struct keeper_reply reply;
    int fds[PLAN_FDS_MAX];
    size_t count;
    struct pollfd polled = {fixture->channel, POLLIN, 0};
    assert_int_equal(poll(&polled, 1, FIXTURE_PATIENCE), 1);
    assert_int_equal(receive_fds(fixture->channel, &reply, sizeof(reply), fds, &count),
                     sizeof(reply));
    assert_int_equal(count, fd && reply.error == 0 ? 1 : 0);
    if (count > 0)
        *fd = fds[0];
    return reply;
}

struct keeper_reply fixture_status(struct fixture *fixture, pid_t pid) {
    struct keeper_reply reply;
    for (int waited = 0;; waited++) {
        fixture_ask(fixture, KEEPER_STATUS, pid);
        reply = fixture_answer(fixture, NULL);
        assert_int_equal(reply.kind, KEEPER_STATUS);
        assert_int_equal(reply.pid, pid);
        if (reply.error != EAGAIN)
            return reply;
        assert_true(waited < FIXTURE_PATIENCE);
        poll(NULL, 0, 1);
    }
}

/* ---- processes ---- */

/* The parent and the state letter of a process; false where there is none. */
static bool look_up(pid_t pid, pid_t *parent, char *state) {
    char path[32], text[512];
    snprintf(path, sizeof(path), "/proc/%d/stat", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
    if (fd >= 0)
        close(fd);
    if (size <= 0)
        return false;
    text[size] = '\0';
    char *after = strrchr(text, ')');
    return after && sscanf(after, ") %c %d", state, parent) == 2;
}

bool fixture_is_zombie(pid_t pid) {
    pid_t parent;
    char state;
    return look_up(pid, &parent, &state) && state == 'Z';
}

void fixture_gone(pid_t pid) {
    EVENTUALLY(kill(pid, 0) < 0 && errno == ESRCH);
}

void fixture_zombie(pid_t pid) {
    EVENTUALLY(fixture_is_zombie(pid));
}

unsigned fixture_children(const struct fixture *fixture) {
    unsigned count = 0;
    DIR *entries = opendir("/proc");
    for (struct dirent *entry; (entry = readdir(entries));) {
        pid_t parent;
        char state;
        if (atoi(entry->d_name) > 0 && look_up(atoi(entry->d_name), &parent, &state))
            count += parent == fixture->keeper;
    }
    closedir(entries);
    return count;
}
