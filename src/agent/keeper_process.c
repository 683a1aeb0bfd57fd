#include "agent/keeper_process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/log.h"

void keeper_process_open_streams(void) {
    int fd;
    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    cleanup_close(&fd);
}

/* The bare call, because the C library keeps its own two signals (32 and 33) to itself, and a
 * parent that used posix_spawn(3) leaves them ignored. */
static void reset(int number) {
    const struct {
        uintptr_t handler;
        unsigned long flags;
        uintptr_t restorer;
        uint64_t mask;
    } action = {(uintptr_t)SIG_DFL, SA_NOCLDSTOP, 0, 0};
    syscall(SYS_rt_sigaction, number, &action, NULL, sizeof(action.mask));
}

/* A process 1 does not get signals that it neither handles nor blocks (pid_namespaces(7)). Children
 * that stop are nobody's business here. */
int keeper_process_open_signals(void) {
    sigset_t signals;
    sigfillset(&signals);
    sigdelset(&signals, SIGABRT); /* a watchdog that gives us up */
    sigprocmask(SIG_SETMASK, &signals, NULL);
    for (int number = 1; number < _NSIG; number++)
        reset(number);
    sigemptyset(&signals);
    sigaddset(&signals, SIGCHLD);
    sigaddset(&signals, SIGHUP);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    int fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd >= 0 && prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0)
        return fd;
    log_error("cannot receive signals: %s", strerror(errno));
    return -errno;
}

static void keep_over_exec(const struct keeper_legacy *legacy, bool keep) {
    const int fds[] = {legacy->socket,   legacy->lock,     legacy->keeper,   legacy->core,
                       legacy->asker,    legacy->reports,  legacy->notify,   legacy->attic[0],
                       legacy->attic[1], legacy->attic[2], legacy->attic[3]};
    for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
        if (fds[i] >= 0)
            fcntl(fds[i], F_SETFD, keep ? 0 : FD_CLOEXEC);
}

/* The process id tells the successor from whoever else inherits the environment. */
int keeper_process_succeed(int program, char *const *argv, char resume[KEEPER_RESUME],
                           const struct keeper_legacy *legacy) {
    snprintf(resume, KEEPER_RESUME, "HOLDEN_KEEPER=%d:%d:%d:%d:%d:%d:%d:%d:%d:%d:%d:%d", getpid(),
             legacy->socket, legacy->lock, legacy->keeper, legacy->core, legacy->asker,
             legacy->reports, legacy->notify, legacy->attic[0], legacy->attic[1], legacy->attic[2],
             legacy->attic[3]);
    keep_over_exec(legacy, true);
    execveat(program, "", argv, environ, AT_EMPTY_PATH);
    int r = -errno;
    keep_over_exec(legacy, false);
    return r;
}

/* A keeper of an older release leaves no attic. */
bool keeper_process_resumed(struct keeper_legacy *legacy) {
    int pid;
    const char *resume = getenv("HOLDEN_KEEPER");
    *legacy = (struct keeper_legacy){-1, -1, -1, -1, -1, -1, -1, {-1, -1, -1, -1}};
    if (!resume ||
        sscanf(resume, "%d:%d:%d:%d:%d:%d:%d:%d:%d:%d:%d:%d", &pid, &legacy->socket, &legacy->lock,
               &legacy->keeper, &legacy->core, &legacy->asker, &legacy->reports, &legacy->notify,
               &legacy->attic[0], &legacy->attic[1], &legacy->attic[2], &legacy->attic[3]) < 7 ||
        pid != getpid())
        return false;
    keep_over_exec(legacy, false);
    return true;
}
