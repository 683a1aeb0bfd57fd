/* bin/agent, the keeper: parent of the agent proper and of everything that it starts.
 *
 * The agent proper (bin/agent-core) thinks; it may crash, be killed or be upgraded at any time. The
 * keeper only holds what must outlive it: the listening socket, in whose backlog clients wait
 * meanwhile, and the processes, whose exit statuses stay in the kernel, as zombies, until an agent
 * has written them down. It is a child subreaper, so what its children leave behind falls to it
 * too, and works as well as process 1 of a container. It reads nothing that a client wrote: plans
 * (plan.h) come from the agent ready to be executed, and go to the child unread. It allocates
 * nothing after its start, holds no descriptor per child, and writes to few pages, because each of
 * them is copied for every child.
 *
 *      clients ──> listening socket ─────────────┐
 *      keeper <── channel: plans, requests ──> agent-core
 *        │  └──── SIGTERM, SIGHUP ─────────────> │
 *        └─ clone3 ─> child.c ─> program         └─ reads what children report (memfd)
 *
 * One thread, one poll(2) over channel and signalfd, one deadline; at rest nothing wakes it. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/arguments.h"
#include "agent/keeper_children.h"
#include "agent/keeper_core.h"
#include "agent/keeper_process.h"
#include "agent/keeper_socket.h"
#include "agent/keeper_spawn.h"
#include "common/cleanup.h"
#include "common/log.h"
#include "common/version.h"

enum {
    EXIT_USAGE = 2,
    SWEEP_DELAY = 200, /* milliseconds from a SIGCHLD to the search for those it did not name */
    SIGNALS_AT_ONCE = 8,
};

struct keeper {
    struct keeper_children children;
    int signals;
    uint64_t
        deadline; /* of the next sweep, or start of agent-core while there is none; 0: neither */
    bool blocked;      /* the last sweep stopped at a main */
    bool stopping;     /* SIGTERM has come */
    bool told;         /* this agent-core knows of it */
    bool reload;       /* SIGHUP has come, for an agent that could not take it yet */
    int ended;         /* exit status, or -1 */
    char resume[64];   /* HOLDEN_KEEPER=…, part of the environment */
    struct child_origin origin;
    struct keeper_socket socket;
    struct keeper_core core;
    struct keeper_packet packet;
};

static void plan_sweep(struct keeper *keeper, uint64_t delay) {
    if (keeper->deadline == 0 && keeper->core.recovered)
        keeper->deadline = keeper_core_clock() + delay;
}

static void start_core(struct keeper *keeper) {
    keeper->deadline = 0;
    keeper->told = false;
    int r;
    if (keeper->core.starts > 0 && keeper_core_replaced(&keeper->core)) {
        r = keeper_process_succeed(
            keeper->core.keeper, keeper->core.argv, keeper->resume,
            (struct keeper_legacy){keeper->socket.fd, keeper->socket.lock, keeper->core.memory});
        log_error("cannot start the new keeper, going on with the old one: %s", strerror(-r));
    }
    r = keeper_core_start(&keeper->core, keeper->socket.fd);
    if (r < 0) {
        log_error("cannot start agent-core: %s", strerror(-r));
        keeper->deadline = keeper_core_clock() + keeper_core_delay(&keeper->core);
        return;
    }
    keeper->origin.reports = keeper->core.reports;
    keeper_children_add(&keeper->children, keeper->core.pid);
}

/* agent-core has ended. One that crashes while it stops everything gets one successor to finish. */
static void lose_core(struct keeper *keeper, const siginfo_t *info) {
    keeper_children_forget(&keeper->children);
    uint64_t delay;
    keeper->ended = keeper_core_judge(&keeper->core, info, &delay);
    keeper->core.recovered = false;
    if (keeper->ended >= 0)
        return;
    if (keeper->stopping && keeper->core.crashes > 1)
        keeper->ended = EXIT_FAILURE;
    else if (delay == 0)
        start_core(keeper);
    else
        keeper->deadline = keeper_core_clock() + delay;
}

/* Its end of the channel closes when it dies, a moment before it can be collected. One that has
 * only closed it can do nothing any more. */
static void end_core(struct keeper *keeper) {
    siginfo_t info;
    if (keeper_core_collect(&keeper->core, true, &info))
        lose_core(keeper, &info);
}

static void answer_status(struct keeper *keeper, const struct keeper_request *request) {
    struct keeper_reply reply = {.kind = KEEPER_STATUS, .pid = request->pid};
    keeper_children_status(&keeper->children, &reply);
    keeper_reply_send(&reply, keeper->core.channel, -1);
}

static void answer_release(struct keeper *keeper, const struct keeper_request *request) {
    struct keeper_reply reply = {
        .kind = KEEPER_RELEASE, .pid = request->pid, .token = request->token};
    keeper_children_release(&keeper->children, request->pid);
    if (request->token != 0)
        keeper_reply_send(&reply, keeper->core.channel, -1);
    if (keeper->blocked)
        plan_sweep(keeper, SWEEP_DELAY);
}

static void answer_adopt(struct keeper *keeper, const struct keeper_request *request) {
    struct keeper_reply reply = {.kind = KEEPER_ADOPT, .pid = request->pid};
    _cleanup_close_ int fd = keeper_children_adopt(&keeper->children, request->pid);
    reply.error = fd < 0 ? -fd : 0;
    keeper_reply_send(&reply, keeper->core.channel, fd);
}

static void answer_recovered(struct keeper *keeper, const struct keeper_request *request) {
    (void)request;
    keeper->core.recovered = keeper->core.established = true;
    plan_sweep(keeper, 0);
    if (keeper->stopping && !keeper->told)
        kill(keeper->core.pid, SIGTERM);
    if (keeper->reload)
        kill(keeper->core.pid, SIGHUP);
    keeper->told = keeper->stopping;
    keeper->reload = false;
}

static void (*const answers[])(struct keeper *keeper, const struct keeper_request *request) = {
    [KEEPER_STATUS] = answer_status,
    [KEEPER_RELEASE] = answer_release,
    [KEEPER_ADOPT] = answer_adopt,
    [KEEPER_RECOVERED] = answer_recovered,
};

/* The answer goes out first: what else there is to do is done while the agent reads it. A child
 * that has ended already does not get lost, since its SIGCHLD is only read after this. */
static void answer_plan(struct keeper *keeper, size_t size) {
    struct keeper_reply reply;
    _cleanup_close_ int fd = keeper_spawn(&keeper->packet, size, &keeper->origin, &reply);
    keeper_reply_send(&reply, keeper->core.channel, fd);
    if (fd >= 0)
        keeper_children_add(&keeper->children, reply.pid);
}

static void read_channel(struct keeper *keeper) {
    ssize_t size = keeper_packet_receive(&keeper->packet, keeper->core.channel);
    const struct keeper_request *request = (const struct keeper_request *)keeper->packet.bytes;
    if (size == -EAGAIN)
        return;
    if (size == -EPROTO || (size > 0 && (size_t)size < sizeof(*request)))
        log_error("agent-core sent a message that cannot be read");
    else if (size <= 0)
        end_core(keeper);
    else if (request->kind == PLAN_MAGIC)
        answer_plan(keeper, (size_t)size);
    else if (request->kind < ARRAY_SIZE(answers) && answers[request->kind])
        answers[request->kind](keeper, request);
    keeper_packet_close(&keeper->packet);
}

static void take_child(struct keeper *keeper, pid_t pid) {
    siginfo_t info;
    if (pid == keeper->core.pid) {
        if (keeper_core_collect(&keeper->core, false, &info))
            lose_core(keeper, &info);
        return;
    }
    if (!keeper->core.recovered)
        return;
    keeper_children_reap(&keeper->children, pid);
    plan_sweep(keeper, SWEEP_DELAY);
}

static void take_signal(struct keeper *keeper, const struct signalfd_siginfo *signal) {
    switch (signal->ssi_signo) {
    case SIGCHLD:
        take_child(keeper, (pid_t)signal->ssi_pid);
        break;
    case SIGHUP:
        if (keeper->core.recovered)
            kill(keeper->core.pid, SIGHUP);
        else
            keeper->reload = true;
        break;
    default:
        keeper->stopping = keeper->told = true;
        if (keeper->core.pid == 0)
            keeper->ended = EXIT_SUCCESS;
        else
            kill(keeper->core.pid, SIGTERM);
    }
}

static void read_signals(struct keeper *keeper) {
    struct signalfd_siginfo signals[SIGNALS_AT_ONCE];
    ssize_t size = read(keeper->signals, signals, sizeof(signals));
    for (size_t i = 0; size > 0 && i < (size_t)size / sizeof(signals[0]); i++)
        if (keeper->ended < 0)
            take_signal(keeper, &signals[i]);
}

/* One orphan at a time, so that a thousand of them do not hold up a start. */
static void meet_deadline(struct keeper *keeper) {
    keeper->deadline = 0;
    if (keeper->core.pid == 0) {
        start_core(keeper);
        return;
    }
    enum keeper_sweep swept = keeper_children_sweep(&keeper->children);
    keeper->blocked = swept == KEEPER_SWEEP_BLOCKED;
    if (swept == KEEPER_SWEEP_REAPED)
        plan_sweep(keeper, 0);
}

/* Milliseconds for poll(2). */
static int remaining(const struct keeper *keeper) {
    if (keeper->deadline == 0)
        return -1;
    uint64_t now = keeper_core_clock();
    return now < keeper->deadline ? (int)(keeper->deadline - now) : 0;
}

static int run(struct keeper *keeper) {
    start_core(keeper);
    keeper_process_shrink();
    while (keeper->ended < 0) {
        struct pollfd polled[] = {{.fd = keeper->core.channel, .events = POLLIN},
                                  {.fd = keeper->signals, .events = POLLIN}};
        if (poll(polled, ARRAY_SIZE(polled), remaining(keeper)) < 0)
            continue;
        if (polled[0].revents)
            read_channel(keeper);
        if (polled[1].revents && keeper->ended < 0)
            read_signals(keeper);
        if (keeper->deadline && remaining(keeper) == 0 && keeper->ended < 0)
            meet_deadline(keeper);
    }
    return keeper->ended;
}

/* 0 or -errno, after one line on stderr. */
static int set_up(struct keeper *keeper, const char *path) {
    struct keeper_legacy legacy;
    const char *recoveries = getenv("HOLDEN_RECOVERIES");
    bool resumed = keeper_process_resumed(&legacy);
    if (!resumed)
        close_range(STDERR_FILENO + 1, ~0U, 0);
    keeper->ended = -1;
    keeper->signals = keeper_process_open_signals();
    if (keeper->signals < 0)
        return keeper->signals;
    if (resumed) {
        keeper_socket_resume(&keeper->socket, path, legacy.socket, legacy.lock);
        keeper_core_resume(&keeper->core, legacy.reports);
        keeper->core.established = true;
        keeper->core.starts = recoveries ? (unsigned)atoi(recoveries) + 1 : 1;
    }
    umask(077);
    putenv(strcpy(keeper->resume, "HOLDEN_KEEPER="));
    putenv(strcpy(keeper->core.recoveries, "HOLDEN_RECOVERIES="));
    child_origin_read(&keeper->origin);
    return resumed ? 0 : keeper_socket_open(&keeper->socket, path);
}

int main(int argc, char **argv) {
    keeper_process_open_streams();
    struct arguments arguments;
    if (arguments_parse(&arguments, argc, argv) < 0)
        return EXIT_USAGE;
    if (arguments.help)
        arguments_help();
    else if (arguments.version)
        puts("agent " HOLDEN_VERSION_TEXT);
    if (arguments.help || arguments.version)
        return EXIT_SUCCESS;
    static struct keeper keeper; /* zeroes: memory only where it is written to */
    if (keeper_core_find(&keeper.core, argv) < 0)
        return EXIT_FAILURE;
    if (arguments.check) {
        keeper_core_become(&keeper.core);
        return EXIT_FAILURE;
    }
    if (set_up(&keeper, arguments.socket) < 0)
        return EXIT_FAILURE;
    int status = run(&keeper);
    keeper_socket_close(&keeper.socket);
    return status;
}
