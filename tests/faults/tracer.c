#include "tracer.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>

#ifndef __x86_64__
#error "which register holds a system call's number and result is written down for x86-64 only"
#endif

enum {
    OPTIONS = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
              PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL,
    SYSCALL_STOP = SIGTRAP | 0x80,
};

const char *const role_words[ROLES] = {
    [ROLE_KEEPER] = "keeper", [ROLE_AGENT] = "agent",   [ROLE_NEXT] = "next",
    [ROLE_CHILD] = "child",   [ROLE_LOOKUP] = "lookup",
};

void tracer_begin(struct tracer *tracer, const struct target *target) {
    memset(tracer->counts, 0, sizeof(tracer->counts));
    tracer->target = target ? *target : (struct target){0};
    tracer->hit = false;
    tracer->unknown = -1;
}

static struct traced *find(struct tracer *tracer, pid_t pid) {
    for (size_t i = 0; i < tracer->count; i++)
        if (tracer->processes[i].pid == pid)
            return &tracer->processes[i];
    return NULL;
}

static struct traced *add(struct tracer *tracer, pid_t pid, enum role role) {
    if (tracer->count == TRACER_PROCESSES)
        return NULL;
    struct traced *traced = &tracer->processes[tracer->count++];
    *traced = (struct traced){.pid = pid, .role = role, .call = -1};
    return traced;
}

/* Whether it was followed. */
static bool drop(struct tracer *tracer, pid_t pid) {
    struct traced *traced = find(tracer, pid);
    if (traced)
        *traced = tracer->processes[--tracer->count];
    return traced;
}

int tracer_attach(struct tracer *tracer, pid_t pid, enum role role) {
    if (ptrace(PTRACE_SEIZE, pid, NULL, (void *)(uintptr_t)OPTIONS) < 0)
        return -errno;
    if (!add(tracer, pid, role))
        return -ENOMEM;
    return ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) < 0 ? -errno : 0;
}

static void resume(const struct traced *traced, int signal) {
    ptrace(PTRACE_SYSCALL, traced->pid, NULL, (void *)(intptr_t)signal);
}

static void set_register(pid_t pid, size_t offset, long value) {
    ptrace(PTRACE_POKEUSER, pid, (void *)(uintptr_t)offset, (void *)value);
}

/* In place of a call that is to fail another is made, which changes nothing: one without a number
 * (ptrace(2)) would be stopped by the filter of a process that has one. */
static void enter(struct tracer *tracer, struct traced *traced) {
    const struct call *call = calls_find(traced->call);
    const struct target *target = &tracer->target;
    if (!call) {
        tracer->unknown = traced->call;
        return;
    }
    unsigned number = ++tracer->counts[traced->role][call - calls];
    if (call != target->call || traced->role != target->role || number != target->number)
        return;
    tracer->hit = true;
    traced->error = target->error;
    if (target->error == 0)
        kill(traced->pid, SIGKILL);
    else if (!call->done)
        set_register(traced->pid, offsetof(struct user, regs.orig_rax), SYS_getpid);
}

static void on_call(struct tracer *tracer, struct traced *traced) {
    struct __ptrace_syscall_info info = {0};
    ptrace(PTRACE_GET_SYSCALL_INFO, traced->pid, (void *)sizeof(info), &info);
    if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
        traced->call = (long)info.entry.nr;
        enter(tracer, traced);
    } else if (traced->error) {
        set_register(traced->pid, offsetof(struct user, regs.rax), -traced->error);
        traced->error = 0;
    }
}

static enum role role_of_child(const struct traced *parent) {
    if (parent->role == ROLE_KEEPER)
        return parent->call == SYS_clone3 ? ROLE_CHILD : ROLE_NEXT;
    return parent->role == ROLE_CHILD ? ROLE_CHILD : ROLE_LOOKUP;
}

static void on_fork(struct tracer *tracer, const struct traced *parent) {
    unsigned long pid = 0;
    ptrace(PTRACE_GETEVENTMSG, parent->pid, NULL, &pid);
    enum role role = role_of_child(parent);
    struct traced *child = find(tracer, (pid_t)pid);
    if (!child)
        add(tracer, (pid_t)pid, role);
    else {
        child->role = role;
        if (child->stopped)
            resume(child, 0);
        child->stopped = false;
    }
}

static void on_stop(struct tracer *tracer, pid_t pid, int status) {
    int event = status >> 16, signal = WSTOPSIG(status);
    struct traced *traced = find(tracer, pid);
    if (!traced && (traced = add(tracer, pid, ROLE_UNKNOWN)))
        traced->stopped = true;
    if (!traced || traced->role == ROLE_UNKNOWN)
        return;
    if (signal == SYSCALL_STOP)
        on_call(tracer, traced);
    else if (event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK ||
             event == PTRACE_EVENT_CLONE)
        on_fork(tracer, traced);
    else if (event == PTRACE_EVENT_EXEC && traced->role == ROLE_CHILD) {
        ptrace(PTRACE_DETACH, pid, NULL, NULL);
        drop(tracer, pid);
        return;
    } else if (event == PTRACE_EVENT_STOP && signal != SIGTRAP) {
        ptrace(PTRACE_LISTEN, pid, NULL, NULL);
        return;
    }
    resume(find(tracer, pid), event == 0 && signal != SYSCALL_STOP ? signal : 0);
}

static pid_t wait_any(int milliseconds, int *status) {
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGCHLD);
    struct timespec most = {milliseconds / 1000, milliseconds % 1000 * 1000000L};
    for (;;) {
        pid_t pid = waitpid(-1, status, __WALL | WNOHANG);
        if (pid > 0)
            return pid;
        if (sigtimedwait(&ends, NULL, &most) < 0 && errno == EAGAIN)
            return -ETIMEDOUT;
    }
}

pid_t tracer_turn(struct tracer *tracer, int milliseconds, int *status) {
    pid_t pid = wait_any(milliseconds, status);
    if (pid <= 0)
        return pid;
    if (WIFSTOPPED(*status)) {
        on_stop(tracer, pid, *status);
        return 0;
    }
    return drop(tracer, pid) ? 0 : pid;
}

/* Only who stands still can be let go. */
void tracer_end(struct tracer *tracer) {
    for (size_t i = 0; i < tracer->count; i++)
        ptrace(PTRACE_INTERRUPT, tracer->processes[i].pid, NULL, NULL);
    while (tracer->count > 0) {
        int status;
        pid_t pid = wait_any(1000, &status);
        if (pid < 0)
            break;
        struct traced *traced = find(tracer, pid);
        if (!WIFSTOPPED(status)) {
            drop(tracer, pid);
            continue;
        }
        bool call = WSTOPSIG(status) == SYSCALL_STOP;
        if (traced && call && traced->error)
            on_call(tracer, traced);
        int signal = call || status >> 16 ? 0 : WSTOPSIG(status);
        ptrace(PTRACE_DETACH, pid, NULL, (void *)(intptr_t)signal);
        drop(tracer, pid);
    }
    tracer->count = 0;
}
