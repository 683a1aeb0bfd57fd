#include "confined.h"

#include "common/cleanup.h"
#include "measure.h"

#include <errno.h>
#include <stdio.h>

/* What small programs call, and what fills it up to sixty. */
static const char *const calls[] = {
    "access", "arch_prctl", "brk", "chdir", "clock_gettime", "clock_nanosleep", "clone", "clone3",
    "close", "dup", "dup2", "epoll_create1", "epoll_ctl", "epoll_wait", "execve", "exit",
    "exit_group", "faccessat2", "fcntl", "fstat", "futex", "getcwd", "getdents64", "getegid",
    "geteuid", "getgid", "getpid", "getppid", "getrandom", "gettid", "getuid", "ioctl",
    "lseek", "madvise", "mmap", "mprotect", "munmap", "nanosleep", "newfstatat", "openat",
    "pipe2", "poll", "prctl", "pread64", "prlimit64", "read", "readlink", "recvmsg",
    "rseq", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sendmsg", "set_robust_list",
    "set_tid_address", "socket", "stat", "wait4", "write", "writev",
};
_Static_assert(ARRAY_SIZE(calls) == CONFINED_CALLS, "sixty calls");

enum { MEMORY = 104857600, TASKS = 64, QUOTA = 500000 /* microseconds a second */ };

const char *const *confined_calls(void) {
    return calls;
}

static void set_limits(struct holden_properties *properties) {
    HOLDEN_SET(properties, properties, memory_max, MEMORY);
    HOLDEN_SET(properties, properties, cpu_quota, QUOTA);
    HOLDEN_SET(properties, properties, tasks_max, TASKS);
}

/* The bounding set is emptied: CapabilityBoundingSet= without a name. */
static void set_confinement(struct confined *confined) {
    for (size_t i = 0; i < CONFINED_CALLS; i++)
        confined->calls[i] = holden_view(calls[i]);
    HOLDEN_SET(&confined->filter, names, name,
               (struct holden_repeated){.count = CONFINED_CALLS, .items = confined->calls});
    confined->filter_list[0].value = &confined->filter;
    confined->capability_list[0].value = &confined->capabilities;
    HOLDEN_SET(&confined->properties, properties, system_call_filter,
               (struct holden_repeated){.count = 1, .items = confined->filter_list});
    HOLDEN_SET(&confined->properties, properties, capability_bounding_set,
               (struct holden_repeated){.count = 1, .items = confined->capability_list});
}

void confined_init(struct confined *confined, struct holden_client *client, const char *program,
                   bool limits, bool confine) {
    *confined = (struct confined){.client = client, .program = {holden_view(program)}};
    if (limits)
        set_limits(&confined->properties);
    if (confine)
        set_confinement(confined);
    HOLDEN_SET(&confined->start, start, argument,
               (struct holden_repeated){.count = 1, .items = confined->program});
    HOLDEN_SET(&confined->start, start, properties,
               (struct holden_nested){.value = &confined->properties});
}

static void complain(const struct holden_reply *reply) {
    struct holden_error error;
    if (reply->frame.type == HOLDEN_MESSAGE_error && holden_reply_decode(reply, &error) == 0)
        fprintf(stderr, "bench: the agent refuses: %.*s: %.*s\n", (int)error.step.size,
                error.step.data, (int)error.text.size, error.text.data);
}

int confined_begun(struct confined *confined) {
    struct holden_reply reply;
    int r = holden_client_next(confined->client, &reply);
    if (r < 0 || reply.frame.type == HOLDEN_MESSAGE_started)
        return r;
    complain(&reply);
    return -EPROTO;
}

int confined_begin(struct confined *confined) {
    return holden_client_ask(confined->client, HOLDEN_MESSAGE_start, &confined->start, NULL, 0,
                             NULL);
}

/* The next end that is told, of whatever start; what is told of starts before it is passed over. */
static int take_end(struct confined *confined) {
    struct holden_reply reply;
    struct holden_exited exited;
    int r;
    do
        r = holden_client_next(confined->client, &reply);
    while (r == 0 && reply.frame.type == HOLDEN_MESSAGE_started);
    if (r < 0)
        return r;
    if (reply.frame.type != HOLDEN_MESSAGE_exited || holden_reply_decode(&reply, &exited) < 0) {
        complain(&reply);
        return -EPROTO;
    }
    if (HOLDEN_HAS(&exited, exited, status) && exited.status == 0)
        return 0;
    fprintf(stderr, "bench: %.*s\n", (int)exited.explanation.size, exited.explanation.data);
    return -EPROTO;
}

int confined_start(struct confined *confined) {
    return confined_start_many(confined, 1, 1);
}

int confined_start_many(struct confined *confined, size_t count, size_t at_once) {
    HOLDEN_SET(&confined->start, start, wait, true);
    int r = 0;
    for (size_t begun = 0, ended = 0; r == 0 && ended < count;)
        if (begun < count && begun - ended < at_once) {
            r = confined_begin(confined);
            begun++;
        } else {
            r = take_end(confined);
            ended++;
        }
    return r;
}

int confined_begin_all(struct confined *confined, size_t count, size_t at_once, int signals) {
    size_t begun = 0, running = 0;
    int r = 0;
    while (r == 0 && running < count) {
        if (measure_interrupted(signals))
            return -EINTR;
        if (begun < count && begun - running < at_once) {
            r = confined_begin(confined);
            begun++;
        } else {
            r = confined_begun(confined);
            running++;
        }
    }
    return r;
}
