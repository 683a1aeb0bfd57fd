#include "agent/keeper_spawn.h"

#include <errno.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A fork, with what fork(2) cannot do: into the cgroup from its first instruction, handlers already
 * reset, and a descriptor that means this child only. Where it fails, *pidfd may hold a number that
 * was only meant for the child. */
static pid_t clone_child(int cgroup, uint32_t namespaces, int *pidfd) {
    struct clone_args how = {
        .flags = CLONE_PIDFD | CLONE_CLEAR_SIGHAND | (cgroup >= 0 ? CLONE_INTO_CGROUP : 0) |
                 (namespaces & CLONE_NEWPID),
        .pidfd = (uintptr_t)pidfd,
        .exit_signal = SIGCHLD,
        .cgroup = cgroup >= 0 ? (uint64_t)cgroup : 0,
    };
    return (pid_t)syscall(SYS_clone3, &how, sizeof(how));
}

/* The plan is the packet, or in a memfd, the packet's last descriptor: mapped privately, so that
 * the child can write to its copy. */
static struct plan *find_plan(struct keeper_packet *packet, size_t size, int *error) {
    struct plan *head = (struct plan *)packet->bytes;
    *error = packet->count == 0 ? EMFILE : EPROTO;
    if (size < sizeof(*head) || head->size < sizeof(*head) || head->report >= PLAN_REPORTS ||
        packet->count < PLAN_FD_STREAMS)
        return NULL;
    if (head->size == size)
        return head;
    if (size != sizeof(*head) || packet->count == PLAN_FD_STREAMS)
        return NULL;
    void *mapped = mmap(NULL, head->size, PROT_READ | PROT_WRITE, MAP_PRIVATE,
                        packet->fds[packet->count - 1], 0);
    *error = errno;
    return mapped == MAP_FAILED ? NULL : mapped;
}

/* For the next agent, should this one not live to read the answer. */
static void note(struct plan_report *report, const struct keeper_reply *reply) {
    if (reply->error != 0)
        report->error = reply->error;
    report->pid = reply->pid;
}

int keeper_spawn(struct keeper_packet *packet, size_t size, const struct child_origin *own,
                 struct keeper_reply *reply) {
    const struct plan *head = (const struct plan *)packet->bytes;
    *reply = (struct keeper_reply){.kind = KEEPER_SPAWNED};
    if (size >= sizeof(*head))
        reply->token = head->token;
    struct plan *plan = find_plan(packet, size, &reply->error);
    if (!plan) {
        if (size >= sizeof(*head) && head->report < PLAN_REPORTS)
            note(&own->reports[head->report], reply);
        return -1;
    }
    int pidfd;
    int cgroup = plan->has & PLAN_HAS_CGROUP ? packet->fds[PLAN_FD_CGROUP] : -1;
    pid_t pid = clone_child(cgroup, plan->namespaces, &pidfd);
    if (pid == 0)
        child_run(own, plan, packet->fds, packet->count);
    reply->error = pid < 0 ? errno : 0;
    reply->pid = pid < 0 ? 0 : pid;
    note(&own->reports[head->report], reply);
    if (plan != head)
        munmap(plan, head->size);
    return pid < 0 ? -1 : pidfd;
}
