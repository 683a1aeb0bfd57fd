/* The agent answers by running the filter's own program (program_run()): what a process gets does
 * not depend on this file. To end a process is the exception, since nobody can be made to have been
 * ended by its filter from outside: it gets SIGSYS where that will end it, which is what the kernel
 * sends, and SIGKILL elsewhere. */
#include "agent/talk.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <poll.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/attic.h"
#include "agent/journal.h"
#include "agent/machine.h"
#include "agent/plan.h"
#include "agent/denial.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "common/log.h"

enum {
    /* In each SPAN (microseconds) each process gets so many answers; and once SPENT has gone into
     * answers, so few. */
    SPAN = 100000,
    SPENT = 20000,
    EACH = 500,
    FEW = 16,
    LEARNING = 3000, /* where every call asks */
    AT_ONCE = 32,
    AGAIN = 1000000, /* microseconds until what failed for want of something is tried again */
    NEEDLESS_LEAST = 64,  /* from there on, what is needless in the attic is looked for */
};

/* ---- one call ---- */

static void answer(int listener, uint64_t id, int error) {
    struct seccomp_notif_resp response = {.id = id, .error = -error};
    /* Who asked may have been ended meanwhile. */
    (void)ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response);
}

static void tell(struct process *process, const struct denial *denial) {
    char text[1024];
    denial_tell(denial, text, sizeof(text));
    events_action(process, HOLDEN_event_kind_REFUSED, process->user, text);
    journal_denial(process, denial, text);
    /* So that it outlives the agent; there are few kinds of each process. */
    if (process->recorded)
        store_write(&process->agent->store, process);
}

/* Whether SIGSYS ends the thread's process: nothing catches, ignores or blocks it, and it is not
 * the first of a PID namespace, for which no signal but SIGKILL counts. */
static bool sigsys_ends(const char *status) {
    static const char *const masks[] = {"\nSigBlk:", "\nSigIgn:", "\nSigCgt:"};
    for (size_t i = 0; i < ARRAY_SIZE(masks); i++) {
        const char *line = strstr(status, masks[i]);
        if (!line || strtoull(line + strlen(masks[i]), NULL, 16) >> (SIGSYS - 1) & 1)
            return false;
    }
    const char *line = strstr(status, "\nNSpid:");
    const char *end = line ? strchr(line + 1, '\n') : NULL;
    return end && !(end[-1] == '1' && (end[-2] == '\t' || end[-2] == ' '));
}

/* Ends the process whose thread waits in the call. It stays there, without an answer, until then.
 */
static void end_process(int listener, uint64_t id, pid_t thread) {
    char path[48], status[4096];
    int pid = 0;
    snprintf(path, sizeof(path), "/proc/%d/status", thread);
    const char *line = thread > 0 && file_read(AT_FDCWD, path, status, sizeof(status)) > 0
                           ? strstr(status, "\nTgid:") : NULL;
    if (!line || sscanf(line, "\nTgid: %d", &pid) != 1)
        pid = thread;
    _cleanup_close_ int pidfd = pid > 0 ? pidfd_open(pid, 0) : -1;
    /* Only while the call still waits is that pid who it was. */
    if (pidfd < 0 || ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) < 0 ||
        pidfd_send_signal(pidfd, line && sigsys_ends(status) ? SIGSYS : SIGKILL, NULL, 0) < 0)
        answer(listener, id, ENOSYS);
}

/* What the filter allows is only asked about to be noted. */
static void let_pass(struct process *process, const struct seccomp_notif *asked) {
    struct seccomp_notif_resp response = {.id = asked->id,
                                          .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE};
    unsigned number = (unsigned)asked->data.nr;
    if (!process->learned)
        process->learned = calloc(1, LEARNED_BYTES);
    bool news = process->learned && asked->data.arch == seccomp_arch_native() &&
                number < LEARNED_BYTES * 8 && !(process->learned[number / 8] >> number % 8 & 1);
    if (news)
        process->learned[number / 8] |= (uint8_t)(1 << number % 8);
    /* Each new one is written down, so that none is missing because an agent died. */
    if (news && process->recorded)
        store_write(&process->agent->store, process);
    (void)ioctl(process->listener, SECCOMP_IOCTL_NOTIF_SEND, &response);
}

static void refuse(struct process *process, const struct seccomp_notif *asked) {
    const struct seccomp_data *call = &asked->data;
    uint32_t action = program_run(&process->filter->program, call, NULL);
    if (action == SECCOMP_RET_ALLOW) {
        let_pass(process, asked);
        return;
    }
    pid_t thread = (pid_t)asked->pid;
    if (!denial_again(process->denials, call, action)) {
        const struct denial *made = denial_new(process, call, action, thread);
        if (made)
            tell(process, made);
    }
    uint32_t kind = action & SECCOMP_RET_ACTION_FULL;
    if (kind == SECCOMP_RET_KILL_PROCESS)
        end_process(process->listener, asked->id, thread);
    else
        answer(process->listener, asked->id,
               kind == SECCOMP_RET_ERRNO ? (int)(action & SECCOMP_RET_DATA) : ENOSYS);
}

static void receive(struct process *process) {
    struct seccomp_notif asked = {0};
    if (ioctl(process->listener, SECCOMP_IOCTL_NOTIF_RECV, &asked) < 0)
        return;
    refuse(process, &asked);
}

/* ---- all of them ---- */

static int watch(const struct process *process, int operation, uint32_t events) {
    struct epoll_event event = {.events = events, .data.u64 = process->id};
    int r = epoll_ctl(process->agent->talk.listeners, operation, process->listener, &event);
    return r < 0 ? -errno : 0;
}

static int on_rest(sd_event_source *source, uint64_t now, void *data) {
    struct talk *talk = data;
    struct process *process;
    (void)source;
    (void)now;
    talk->rest = sd_event_source_disable_unref(talk->rest);
    while ((process = LIST_FIRST(&talk->muted))) {
        LIST_REMOVE(process, muted);
        process->is_muted = false;
        watch(process, EPOLL_CTL_MOD, EPOLLIN);
    }
    return 0;
}

/* Who asks without end waits until the span is over. */
static void mute(struct talk *talk, struct process *process) {
    if (!talk->rest &&
        sd_event_add_time(talk->agent->event, &talk->rest, CLOCK_MONOTONIC, talk->began + SPAN,
                          1000, on_rest, talk) < 0)
        return;
    if (watch(process, EPOLL_CTL_MOD, 0) < 0)
        return;
    LIST_INSERT_HEAD(&talk->muted, process, muted);
    process->is_muted = true;
}

static void account(struct talk *talk, struct process *process) {
    if (process->heard_since != talk->began) {
        process->heard_since = talk->began;
        process->heard = 0;
    }
    unsigned most = process->learned ? LEARNING : talk->spent < SPENT ? EACH : FEW;
    if (++process->heard >= most && !process->is_muted)
        mute(talk, process);
}

static void forget(struct process *process);

static int on_listener(sd_event_source *source, int fd, uint32_t events, void *data) {
    struct talk *talk = data;
    struct epoll_event ready[AT_ONCE];
    uint64_t before = machine_monotonic();
    (void)source;
    (void)events;
    if (before - talk->began >= SPAN) {
        talk->began = before;
        talk->spent = 0;
    }
    int count = epoll_wait(fd, ready, AT_ONCE, 0);
    for (int i = 0; i < count; i++) {
        struct process *process = process_by_id(&talk->agent->processes, ready[i].data.u64);
        if (!process || process->listener < 0)
            continue;
        if (ready[i].events & EPOLLIN) {
            receive(process);
            account(talk, process);
        } else if (ready[i].events & EPOLLHUP)
            forget(process);
    }
    talk->spent += machine_monotonic() - before;
    return 0;
}

/* ---- whose they are ---- */

/* Nobody is left who has that filter. */
static bool deserted(int listener) {
    struct pollfd polled = {.fd = listener, .events = POLLIN};
    return poll(&polled, 1, 0) > 0 && polled.revents & POLLHUP;
}

static enum attic_found keep_needed(void *data, uint64_t id, int fd) {
    (void)data;
    (void)id;
    return deserted(fd) ? ATTIC_DROP : ATTIC_LEAVE;
}

/* Half of what lies in the attic is needed at least, but for a few. */
static void tidy(struct talk *talk) {
    if (talk->needless < NEEDLESS_LEAST || talk->needless < talk->living)
        return;
    talk->needless = 0;
    attic_visit(keep_needed, talk);
}

static void forget(struct process *process) {
    struct talk *talk = &process->agent->talk;
    if (process->listener < 0)
        return;
    /* What lies in the attic is the same file, which would go on being ready. */
    if (talk->listeners >= 0)
        watch(process, EPOLL_CTL_DEL, 0);
    close(process->listener);
    process->listener = -1;
    if (process->is_muted)
        LIST_REMOVE(process, muted);
    process->is_muted = false;
    talk->living--;
    talk->needless++;
    if (talk->listeners >= 0)
        tidy(talk);
}

void talk_end(struct process *process) {
    forget(process);
}

/* The filter of a process that an earlier agent started, compiled anew. 0 or -ENODATA. */
static int find_filter(struct process *process) {
    struct holden_start start;
    struct holden_properties properties;
    struct failure failure;
    if (process->filter)
        return 0;
    process_request(process, &start, &properties);
    if (filter_get(&process->agent->filters, &properties, &process->filter,
                                       &failure) < 0)
        log_error("%s: %s", failure.step, failure.text);
    return process->filter ? 0 : -ENODATA;
}

/* Listens to a process, and takes over the descriptor unless that fails. Where one is started
 * again, the newest counts. 0 or -errno. */
static int attend(struct process *process, int listener) {
    forget(process);
    int r = find_filter(process);
    process->listener = listener;
    if (r == 0)
        r = watch(process, EPOLL_CTL_ADD, EPOLLIN);
    if (r == 0) {
        process->agent->talk.living++;
        return 0;
    }
    process->listener = -1;
    log_error("what the filter of %s refuses cannot be told, and fails with ENOSYS: %s",
              process->name, strerror(-r));
    return r;
}

/* Left in the attic before it is taken from where it has arrived, so that it is always in one. */
static void welcome(struct talk *talk, uint64_t id, int listener) {
    struct process *process = process_by_id(&talk->agent->processes, id);
    if (!process || attend(process, listener) < 0) {
        close(listener);
        return;
    }
    int r = attic_leave(id, listener);
    if (r < 0)
        log_warning("the filter of %s can talk to this agent only: %s", process->name,
                    strerror(-r));
}

static int on_arrival(sd_event_source *source, int fd, uint32_t events, void *data) {
    uint64_t id;
    int listener;
    (void)source;
    (void)fd;
    (void)events;
    if (attic_look(&id, &listener) < 0)
        return 0;
    if (listener >= 0)
        welcome(data, id, listener);
    attic_take();
    return 0;
}

static enum attic_found take_back(void *data, uint64_t id, int fd) {
    struct talk *talk = data;
    struct process *process = process_by_id(&talk->agent->processes, id);
    bool needed = process && process_alive(process) && !deserted(fd);
    return needed && attend(process, fd) == 0 ? ATTIC_TAKE : ATTIC_DROP;
}

void talk_recover(struct talk *talk) {
    if (talk->listeners >= 0)
        attic_visit(take_back, talk);
}

/* ---- whether ---- */

/* A process can have one listener, and this one may be under somebody's already: a container
 * manager's. What its children could do is tried in one. 1, 0, or -errno where that could not be
 * found out. */
static int kernel_can(void) {
    struct sock_filter pass = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    struct sock_fprog program = {1, &pass};
    int status;
    pid_t pid = fork();
    if (pid < 0)
        return -errno;
    if (pid == 0) {
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        long made = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
                            &program);
        _exit(made >= 0 ? 0 : errno);
    }
    if (waitpid(pid, &status, 0) != pid)
        return -errno;
    switch (WIFEXITED(status) ? WEXITSTATUS(status) : ECHILD) {
    case 0:
        return 1;
    case ENOMEM:
    case ENFILE:
    case EMFILE:
        return -WEXITSTATUS(status);
    default:
        return 0;
    }
}

/* 0, also where the kernel cannot, or -errno with nothing left open. */
static int listen_to_all(struct talk *talk) {
    int r = kernel_can();
    if (r <= 0)
        return r;
    talk->listeners = epoll_create1(EPOLL_CLOEXEC);
    r = talk->listeners < 0 ? -errno
                            : sd_event_add_io(talk->agent->event, &talk->io, talk->listeners,
                                              EPOLLIN, on_listener, talk);
    if (r >= 0)
        r = sd_event_add_io(talk->agent->event, &talk->arrivals, KEEPER_FD_ARRIVALS, EPOLLIN,
                            on_arrival, talk);
    if (r < 0)
        talk_close(talk);
    return r < 0 ? r : 0;
}

static void try_again(struct talk *talk, int error);

static int on_again(sd_event_source *source, uint64_t now, void *data) {
    struct talk *talk = data;
    (void)source;
    (void)now;
    talk->again = sd_event_source_disable_unref(talk->again);
    int r = listen_to_all(talk);
    if (r < 0)
        try_again(talk, r);
    else
        talk_recover(talk);
    return 0;
}

/* Calls may be waiting for an answer already, those of processes that an earlier agent started. */
static void try_again(struct talk *talk, int error) {
    if (!talk->failed)
        log_warning("what filters refuse cannot be told, and is tried again until it can: %s",
                    strerror(-error));
    talk->failed = true;
    int r = sd_event_add_time_relative(talk->agent->event, &talk->again, CLOCK_MONOTONIC, AGAIN,
                                       0, on_again, talk);
    if (r < 0)
        log_error("what filters refuse cannot be told: %s", strerror(-r));
}

void talk_open(struct talk *talk, struct agent *agent) {
    talk->agent = agent;
    LIST_INIT(&talk->muted);
    int r = talk->able ? listen_to_all(talk) : 0;
    if (r < 0)
        try_again(talk, r);
}

void talk_close(struct talk *talk) {
    talk->again = sd_event_source_disable_unref(talk->again);
    talk->rest = sd_event_source_disable_unref(talk->rest);
    talk->arrivals = sd_event_source_disable_unref(talk->arrivals);
    talk->io = sd_event_source_disable_unref(talk->io);
    cleanup_close(&talk->listeners);
    talk->listeners = -1;
}

/* A process that may have no more than its three streams open can have no listener. */
static bool has_room(const struct holden_properties *properties) {
    struct holden_resource_limit limit;
    struct holden_fault fault;
    if (!HOLDEN_HAS(properties, properties, limit_nofile) ||
        holden_decode(&holden_record_resource_limit, properties->limit_nofile.bytes.data,
                      properties->limit_nofile.bytes.size, &limit, &fault) < 0)
        return true;
    return limit.soft > STDERR_FILENO + 1;
}

bool talk_wanted(const struct talk *talk, const struct holden_properties *properties) {
    return talk->listeners >= 0 && has_room(properties) &&
           (!HOLDEN_HAS(properties, properties, system_call_report) ||
            properties->system_call_report);
}
