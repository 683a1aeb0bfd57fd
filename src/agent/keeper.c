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
 * One thread, one poll(2) over channel, signalfd and the socket's file, one deadline; at rest
 * nothing wakes it. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/arguments.h"
#include "agent/keeper.h"
#include "common/cleanup.h"
#include "common/log.h"
#include "common/text.h"

enum {
    EXIT_USAGE = 2,
    SIGNALS_AT_ONCE = 8,
    PAUSE_MOST = 500, /* milliseconds */
};

void keeper_plan_sweep(struct keeper *keeper, uint64_t delay) {
    if (keeper->deadline == 0 && keeper->core.recovered)
        keeper->deadline = keeper_core_clock() + delay;
}

static void start_core(struct keeper *keeper) {
    keeper->deadline = 0;
    keeper->told = false;
    keeper_upgrade_become(&keeper->core, keeper->resume, &keeper->socket);
    int r = keeper_core_start(&keeper->core, keeper->socket.fd, keeper->socket.notify.fd);
    if (r < 0) {
        keeper->deadline = keeper_core_clock() + keeper_core_delay(&keeper->core, r);
        return;
    }
    if (keeper_upgrade_on_trial(&keeper->core.upgrade))
        keeper->deadline = keeper_core_clock() + KEEPER_UPGRADE_PATIENCE;
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
    if (keeper->succeeded)
        keeper->ended = EXIT_FAILURE;
    else if (delay == 0)
        start_core(keeper);
    else
        keeper->deadline = keeper_core_clock() + delay;
    keeper->succeeded = keeper->stopping;
}

/* Its end of the channel closes when it dies, a moment before it can be collected. One that has
 * only closed it can do nothing any more. */
void keeper_end_core(struct keeper *keeper) {
    siginfo_t info;
    if (keeper_core_collect(&keeper->core, true, &info))
        lose_core(keeper, &info);
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
    keeper_plan_sweep(keeper, KEEPER_SWEEP_DELAY);
}

/* One that has yet to recover would die of it, and is told once it has; unless somebody insists. */
static void take_end(struct keeper *keeper) {
    bool again = keeper->stopping;
    keeper->stopping = true;
    if (keeper->core.pid == 0)
        keeper->ended = EXIT_SUCCESS;
    else if (keeper->core.recovered || again) {
        keeper->told = true;
        kill(keeper->core.pid, SIGTERM);
    }
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
        take_end(keeper);
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
    if (!keeper->core.recovered) {
        log_error("the new agent-core has not recovered within %d s; killing it",
                  KEEPER_UPGRADE_PATIENCE / 1000);
        keeper_end_core(keeper);
        return;
    }
    enum keeper_sweep swept = keeper_children_sweep(&keeper->children);
    keeper->blocked = swept == KEEPER_SWEEP_BLOCKED;
    if (swept == KEEPER_SWEEP_REAPED)
        keeper_plan_sweep(keeper, 0);
}

/* Milliseconds for poll(2). */
static int remaining(const struct keeper *keeper) {
    if (keeper->deadline == 0)
        return -1;
    uint64_t now = keeper_core_clock();
    return now < keeper->deadline ? (int)(keeper->deadline - now) : 0;
}

void keeper_pass_socket(struct keeper *keeper) {
    static const struct keeper_reply listen = {.kind = KEEPER_LISTEN};
    static const struct keeper_reply notify = {.kind = KEEPER_NOTIFY};
    if (!keeper->core.recovered)
        return;
    if (keeper->socket.next >= 0) {
        keeper_reply_send(&listen, keeper->core.channel, keeper->socket.next);
        keeper_socket_renew(&keeper->socket);
    }
    if (keeper->socket.notify.next >= 0)
        keeper_reply_send(&notify, keeper->core.channel, keeper->socket.notify.next);
}

static void mend_socket(struct keeper *keeper) {
    keeper_socket_mend(&keeper->socket);
    keeper_pass_socket(keeper);
}

/* poll(2) fails for want of memory, and where RLIMIT_NOFILE is below the number of descriptors.
 * Then all are looked at, which none minds, after a pause that grows as long as that lasts. */
static void await(struct keeper *keeper, struct pollfd *polled, nfds_t count) {
    if (poll(polled, count, remaining(keeper)) >= 0 || errno == EINTR) {
        keeper->pause = 0;
        return;
    }
    if (keeper->pause == 0)
        log_error("cannot wait for events, and looks for them now and then: %s", strerror(errno));
    keeper->pause = keeper->pause == 0 ? 1 : keeper->pause * 2;
    if (keeper->pause > PAUSE_MOST)
        keeper->pause = PAUSE_MOST;
    usleep(keeper->pause * 1000);
    for (nfds_t i = 0; i < count; i++)
        polled[i].revents = polled[i].fd >= 0 ? POLLIN : 0;
}

static int run(struct keeper *keeper) {
    start_core(keeper);
    text_shrink();
    while (keeper->ended < 0) {
        struct pollfd polled[] = {{.fd = keeper->core.channel, .events = POLLIN},
                                  {.fd = keeper->signals, .events = POLLIN},
                                  {.fd = keeper->socket.watch, .events = POLLIN}};
        await(keeper, polled, ARRAY_SIZE(polled));
        if (polled[0].revents)
            keeper_answer(keeper);
        if (polled[1].revents && keeper->ended < 0)
            read_signals(keeper);
        if (polled[2].revents && keeper->ended < 0)
            mend_socket(keeper);
        if (keeper->deadline && remaining(keeper) == 0 && keeper->ended < 0)
            meet_deadline(keeper);
    }
    return keeper->ended;
}

/* 0 or -errno, after one line on stderr. */
static int set_up(struct keeper *keeper, const char *path, const struct keeper_legacy *legacy) {
    const char *recoveries = getenv("HOLDEN_RECOVERIES");
    bool resumed = legacy;
    if (!resumed)
        close_range(STDERR_FILENO + 1, ~0U, 0);
    keeper->ended = -1;
    keeper->signals = keeper_process_open_signals();
    if (keeper->signals < 0)
        return keeper->signals;
    if (resumed) {
        keeper_socket_resume(&keeper->socket, path, legacy->socket, legacy->lock);
        keeper_core_resume(&keeper->core, legacy->reports);
        keeper->core.established = true;
        keeper->core.starts = recoveries ? (unsigned)atoi(recoveries) + 1 : 1;
    }
    umask(077);
    keeper_upgrade_open(&keeper->core.upgrade, legacy);
    keeper_attic_open(&keeper->core.attic, legacy);
    putenv(strcpy(keeper->resume, "HOLDEN_KEEPER="));
    putenv(strcpy(keeper->core.recoveries, "HOLDEN_RECOVERIES="));
    child_origin_read(&keeper->origin);
    keeper->origin.arrivals = keeper->core.attic.fds[1];
    int r = resumed ? 0 : keeper_socket_open(&keeper->socket, path);
    if (r == 0)
        keeper_socket_notify(&keeper->socket, resumed ? legacy->notify : -1);
    return r;
}

int main(int argc, char **argv) {
    keeper_process_open_streams();
    prctl(PR_SET_NAME, "agent"); /* started by descriptor it would be called after that */
    struct arguments arguments;
    if (arguments_parse(&arguments, argc, argv) < 0)
        return EXIT_USAGE;
    if (arguments_answered(&arguments))
        return EXIT_SUCCESS;
    static struct keeper keeper; /* zeroes: memory only where it is written to */
    struct keeper_legacy legacy;
    bool resumed = keeper_process_resumed(&legacy);
    if (keeper_core_find(&keeper.core, argv, resumed) < 0)
        return EXIT_FAILURE;
    if (arguments.check || arguments.probe) {
        keeper_core_become(&keeper.core);
        return EXIT_FAILURE;
    }
    if (set_up(&keeper, arguments.socket, resumed ? &legacy : NULL) < 0)
        return EXIT_FAILURE;
    int status = run(&keeper);
    keeper_socket_close(&keeper.socket);
    return status;
}
