/* Why a sweep at all: SIGCHLD is not queued, so of two children that end together one may go
 * unnamed. And why it may stop at the first main that waits for its release: the kernel appends to
 * a parent's list of children, both who is born and who is inherited, and waitid(P_ALL) returns the
 * first one on that list that has ended. An orphan can thus only be held up by mains that became
 * children before it did. Those are a finite number, nobody joins them, and each is released once
 * its end is written down: nothing starves as long as the agent works, and when it does not, the
 * next agent releases them. (/proc/self/task/TID/children would name the others, but kernels are
 * often built without it, and it costs a line of text per living child.) */
#include "agent/keeper_children.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BITS = 64 };

static bool is_pid(pid_t pid) {
    return pid > 0 && pid < KEEPER_PIDS;
}

static uint64_t bit(pid_t pid) {
    return UINT64_C(1) << (pid % BITS);
}

static bool is_main(const struct keeper_children *children, pid_t pid) {
    return is_pid(pid) && (children->mains[pid / BITS] & bit(pid));
}

void keeper_children_add(struct keeper_children *children, pid_t pid) {
    children->mains[pid / BITS] |= bit(pid);
}

void keeper_children_forget(struct keeper_children *children) {
    madvise(children, sizeof(*children), MADV_DONTNEED);
}

static uint64_t microseconds(struct timeval time) {
    return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_usec;
}

/* The system call's fifth argument, which waitid(3) lacks, brings what the process used up. */
void keeper_children_status(const struct keeper_children *children, struct keeper_reply *reply) {
    siginfo_t info = {0};
    struct rusage used;
    reply->error = ECHILD;
    if (!is_main(children, reply->pid))
        return;
    reply->error = 0;
    if (syscall(SYS_waitid, P_PID, reply->pid, &info, WEXITED | WNOHANG | WNOWAIT, &used) < 0) {
        reply->error = errno;
        return;
    }
    if (info.si_pid == 0) {
        reply->error = EAGAIN;
        return;
    }
    reply->code = info.si_code;
    reply->status = info.si_status;
    reply->user = microseconds(used.ru_utime);
    reply->system = microseconds(used.ru_stime);
    reply->peak = (uint64_t)used.ru_maxrss * 1024;
}

void keeper_children_release(struct keeper_children *children, pid_t pid) {
    if (!is_main(children, pid))
        return;
    children->mains[pid / BITS] &= ~bit(pid);
    keeper_children_reap(children, pid);
}

bool keeper_children_adopt(struct keeper_children *children, pid_t pid) {
    siginfo_t info;
    if (!is_pid(pid) || waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0)
        return false;
    keeper_children_add(children, pid);
    return true;
}

void keeper_children_expect(struct keeper_children *children, pid_t pid) {
    if (is_pid(pid))
        keeper_children_add(children, pid);
}

void keeper_children_reap(const struct keeper_children *children, pid_t pid) {
    siginfo_t info;
    if (is_pid(pid) && !is_main(children, pid))
        waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG);
}

enum keeper_sweep keeper_children_sweep(const struct keeper_children *children) {
    siginfo_t info = {0};
    if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid == 0)
        return KEEPER_SWEEP_DONE;
    if (is_main(children, info.si_pid))
        return KEEPER_SWEEP_BLOCKED;
    keeper_children_reap(children, info.si_pid);
    return KEEPER_SWEEP_REAPED;
}
