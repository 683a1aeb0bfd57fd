#include "agent/child.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent/child_directory.h"
#include "agent/child_identity.h"
#include "agent/child_init.h"
#include "agent/child_label.h"
#include "agent/child_landlock.h"
#include "agent/child_mount.h"
#include "agent/child_namespace.h"
#include "agent/child_stream.h"
#include "agent/child_tuning.h"
#include "common/cleanup.h"

enum { EXIT_SET_UP = 127, TRIES = 1000000 };

_Static_assert(sizeof(char *) == sizeof(uint64_t), "the plan's offsets become pointers in place");

static int begin_session(struct child *child) {
    (void)child;
    return setsid() < 0 ? -1 : 0;
}

/* The handlers are reset since clone, and nothing is ignored; the umask has to be there before the
 * streams create files. */
static int reset_signals(struct child *child) {
    umask(child->plan->umask);
    sigset_t none;
    sigemptyset(&none);
    if (child->plan->has & PLAN_HAS_NO_SIGPIPE)
        signal(SIGPIPE, SIG_IGN);
    return sigprocmask(SIG_SETMASK, &none, NULL);
}

static char *format_number(int number, char *end) {
    unsigned rest = number < 0 ? 0U - (unsigned)number : (unsigned)number;
    do
        *--end = (char)('0' + rest % 10);
    while (rest /= 10);
    if (number < 0)
        *--end = '-';
    return end;
}

static int write_number(const char *path, int number) {
    char text[16];
    char *end = text + sizeof(text);
    char *begin = format_number(number, end);
    _cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);
    return fd < 0 || write(fd, begin, (size_t)(end - begin)) < 0 ? -1 : 0;
}

static int set_oom_score(struct child *child) {
    if (!(child->plan->has & PLAN_HAS_OOM_SCORE))
        return 0;
    return write_number("/proc/self/oom_score_adj", child->plan->oom_score);
}

static int set_coredump(struct child *child) {
    if (!(child->plan->has & PLAN_HAS_COREDUMP))
        return 0;
    return write_number("/proc/self/coredump_filter", (int)child->plan->coredump);
}

static int set_nice(struct child *child) {
    if (!(child->plan->has & PLAN_HAS_NICE))
        return 0;
    return setpriority(PRIO_PROCESS, 0, child->plan->nice);
}

static int set_affinity(struct child *child) {
    if (!(child->plan->has & PLAN_HAS_AFFINITY))
        return 0;
    struct plan_run mask = child->plan->affinity;
    return sched_setaffinity(0, mask.count, child_run_at(child, mask));
}

/* A hard limit that may not be raised (setrlimit(2)) stays as it is, and the soft one below it: as
 * systemd does, and never less confined than asked for. */
static int set_closest(unsigned resource, struct rlimit limit) {
    struct rlimit now;
    if (prlimit(0, resource, NULL, &now) < 0)
        return -1;
    if (limit.rlim_max > now.rlim_max)
        limit.rlim_max = now.rlim_max;
    if (limit.rlim_cur > limit.rlim_max)
        limit.rlim_cur = limit.rlim_max;
    return prlimit(0, resource, &limit, NULL);
}

static int set_limits(struct child *child) {
    const struct plan_limit *limits = child_run_at(child, child->plan->limits);
    for (uint32_t i = 0; i < child->plan->limits.count; i++) {
        struct rlimit limit = {limits[i].soft, limits[i].hard};
        if (prlimit(0, limits[i].resource, &limit, NULL) < 0 &&
            (errno != EPERM || set_closest(limits[i].resource, limit) < 0))
            return -1;
    }
    return 0;
}

static int change_directory(struct child *child) {
    const struct plan *plan = child->plan;
    if (plan->has & PLAN_HAS_DIRECTORY) {
        if (chdir(child_run_at(child, plan->directory)) == 0)
            return 0;
        if (errno != ENOENT || !(plan->has & PLAN_HAS_DIRECTORY_OPTIONAL))
            return -1;
    }
    return chdir("/");
}

/* As it is called in its own PID namespace; its filter may not let it ask later on. */
static int write_pids(struct child *child) {
    const uint64_t *places = child_run_at(child, child->plan->pids);
    for (uint32_t i = 0; i < child->plan->pids.count; i++) {
        char text[PLAN_PID_ROOM + 1], *end = text + PLAN_PID_ROOM;
        char *begin = format_number(getpid(), end);
        char *place = (char *)child->plan + places[i];
        memcpy(place, begin, (size_t)(end - begin));
        place[end - begin] = '\0';
    }
    return 0;
}

static int give_up_privileges(struct child *child) {
    if (!(child->plan->has & PLAN_HAS_NO_NEW_PRIVILEGES))
        return 0;
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

/* Past its filter: this one call is known to it by its last two arguments. Of what is under way
 * from one user the kernel takes no more than that user's limit of open files (unix(7),
 * ETOOMANYREFS), which may be small; the agent takes it away soon. */
static int send_listener(const struct child *child, int listener) {
    union {
        struct cmsghdr align;
        char space[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct plan_arrival arrival = {child->plan->token};
    struct iovec part = {&arrival, sizeof(arrival)};
    struct mmsghdr message = {.msg_hdr = {.msg_iov = &part, .msg_iovlen = 1,
                                          .msg_control = control.space,
                                          .msg_controllen = sizeof(control.space)}};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message.msg_hdr);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(listener));
    memcpy(CMSG_DATA(header), &listener, sizeof(listener));
    for (int tries = 0; tries < TRIES; tries++) {
        long sent = syscall(SYS_sendmmsg, child->origin->arrivals, &message, 1, MSG_NOSIGNAL,
                            child->plan->pass[0], child->plan->pass[1]);
        if (sent == 1)
            return 0;
        if (errno != ETOOMANYREFS)
            return -1;
    }
    return -1;
}

static long listen_to(const struct sock_fprog *program) {
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
                   program);
}

/* Where few descriptors are allowed (LimitNOFILE=), frees the first after the standard streams, of
 * those that nothing needs any more: the two that something does were there before the limit. */
static int make_room(const struct child *child) {
    enum { FIRST = STDERR_FILENO + 1 };
    if (child->fds[PLAN_FD_STATUS] != FIRST && child->origin->arrivals != FIRST)
        return close(FIRST);
    errno = EMFILE;
    return -1;
}

static int install_filter(struct child *child) {
    if (!(child->plan->has & PLAN_HAS_FILTER))
        return 0;
    struct sock_fprog program = {(unsigned short)child->plan->filter.count,
                                 child_run_at(child, child->plan->filter)};
    if (!(child->plan->has & PLAN_HAS_LISTENER))
        return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
    long listener = listen_to(&program);
    if (listener < 0 && errno == EMFILE && make_room(child) == 0)
        listener = listen_to(&program);
    if (listener < 0)
        return -1;
    child->mute = send_listener(child, (int)listener) < 0;
    return child->mute ? -1 : 0;
}

/* The list's offsets become pointers, where they are. */
static char *const *point(struct child *child, struct plan_run run) {
    uint64_t *list = child_run_at(child, run);
    for (uint32_t i = 0; i < run.count; i++)
        list[i] += (uintptr_t)child->plan;
    return (char *const *)list;
}

/* As execvp(3) goes through PATH: a file that may not be executed is only the answer where no later
 * one is found. */
static int execute(struct child *child) {
    char *const *arguments = point(child, child->plan->arguments);
    char *const *environment = point(child, child->plan->environment);
    char *const *paths = point(child, child->plan->paths);
    int error = ENOENT;
    for (uint32_t i = 0; i < child->plan->paths.count; i++) {
        execve(paths[i], arguments, environment);
        if (errno != ENOENT && errno != ENOTDIR && errno != EACCES)
            return -1;
        if (error != EACCES)
            error = errno;
    }
    errno = error;
    return -1;
}

/* In the order of enum plan_step, but for what may have to wait until the process is who it is to
 * be. From the filter on, nothing but execve and exit_group can be relied on. */
static const struct row {
    enum plan_step step;
    int (*run)(struct child *child);
} rows[] = {
    {PLAN_STEP_SESSION, begin_session},
    {PLAN_STEP_SIGNALS, reset_signals},
    {PLAN_STEP_DIRECTORIES, child_directory},
    {PLAN_STEP_STDIN, child_stream_before_ids},
    {PLAN_STEP_STDOUT, child_stream_before_ids},
    {PLAN_STEP_STDERR, child_stream_before_ids},
    {PLAN_STEP_TERMINAL, child_stream_terminal_before_ids},
    {PLAN_STEP_OOM_SCORE, set_oom_score},
    {PLAN_STEP_NICE, set_nice},
    {PLAN_STEP_AFFINITY, set_affinity},
    {PLAN_STEP_POLICY, child_tuning_policy},
    {PLAN_STEP_IO_PRIORITY, child_tuning_io_priority},
    {PLAN_STEP_SLACK, child_tuning_slack},
    {PLAN_STEP_PERSONALITY, child_tuning_personality},
    {PLAN_STEP_COREDUMP, set_coredump},
    {PLAN_STEP_NUMA, child_tuning_numa},
    {PLAN_STEP_NAMESPACES, child_namespace_enter},
    {PLAN_STEP_NETWORK, child_namespace_network},
    {PLAN_STEP_MOUNTS, child_mount},
    {PLAN_STEP_LIMITS, set_limits},
    {PLAN_STEP_GROUPS, child_identity_groups},
    {PLAN_STEP_GID, child_identity_gid},
    {PLAN_STEP_USERS, child_namespace_users},
    {PLAN_STEP_BOUNDING, child_identity_bounding},
    {PLAN_STEP_UID, child_identity_uid},
    {PLAN_STEP_CAPABILITIES, child_identity_capabilities},
    {PLAN_STEP_AMBIENT, child_identity_ambient},
    {PLAN_STEP_SECURE_BITS, child_identity_secure_bits},
    {PLAN_STEP_STDIN, child_stream_after_ids},
    {PLAN_STEP_STDOUT, child_stream_after_ids},
    {PLAN_STEP_STDERR, child_stream_after_ids},
    {PLAN_STEP_TERMINAL, child_stream_terminal_after_ids},
    {PLAN_STEP_KEYRING, child_tuning_keyring},
    {PLAN_STEP_DIRECTORY, change_directory},
    {PLAN_STEP_USERS, child_namespace_alone},
    {PLAN_STEP_INIT, child_init},
    {PLAN_STEP_INIT, write_pids},
    {PLAN_STEP_LABEL, child_label},
    {PLAN_STEP_NO_NEW_PRIVILEGES, give_up_privileges},
    {PLAN_STEP_LANDLOCK, child_landlock},
    {PLAN_STEP_FILTER, install_filter},
    {PLAN_STEP_EXEC, execute},
};

/* In the end, nothing but the system call, which is all that a filter has to allow; and where it
 * does not, not even that. Nobody would answer a filter whose listener only this process has. What
 * ends it stands here, since sanitizers make calls of their own before one that does not return. */
_Noreturn void child_run(const struct child_origin *origin, struct plan *plan, const int *fds,
                         size_t count) {
    struct child child = {
        .origin = origin, .plan = plan, .fds = fds, .count = count, .proc = -1};
    struct plan_report *report = &origin->reports[plan->report];
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        report->reached = child.step = rows[i].step;
        if (rows[i].run(&child) < 0) {
            report->detail = child.detail;
            report->error = errno;
            break;
        }
    }
    if (!child.mute)
        syscall(SYS_exit_group, EXIT_SET_UP);
    __builtin_trap();
}
