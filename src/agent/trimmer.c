/* A worker is a fork of the agent that keeps nothing of it but one end of a socket. It does one job
 * at a time, and ends when the agent's end closes, whatever became of the agent; its new parent,
 * the keeper, then reaps it as any orphan. */
#include "agent/trimmer.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/logfile.h"
#include "agent/machine.h"
#include "common/cleanup.h"
#include "common/log.h"

enum { LATE = 20000, IDLE = 5000000, CLOSE_TRIES = 200 };

struct trim_job {
    TAILQ_ENTRY(trim_job) entry; /* while it waits */
    struct process *process;     /* NULL: nobody is to be told */
    bool waits;
    int fd;                      /* the log; owned */
    uint64_t size;
};

struct trim_worker {
    LIST_ENTRY(trim_worker) entry;
    struct trimmer *trimmer;
    pid_t pid;
    int pidfd, socket;           /* owned */
    sd_event_source *answer, *end;
    struct trim_job *job;        /* in its hands, or NULL */
};

/* ---- in the worker ---- */

static int receive_job(int socket, uint64_t *size) {
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec part = {size, sizeof(*size)};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes,
                             .msg_controllen = sizeof(control.bytes)};
    if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC) != sizeof(*size))
        return -1;
    const struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    int fd = -1;
    if (header)
        memcpy(&fd, CMSG_DATA(header), sizeof(fd));
    return fd;
}

static int punch(int fd, uint64_t size) {
    return fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, (off_t)size) < 0 ? -errno
                                                                                        : 0;
}

static void work(int socket) __attribute__((noreturn));

static void work(int socket) {
    uint64_t size;
    int fd;
    prctl(PR_SET_NAME, "trimmer");
    if (dup2(socket, STDIN_FILENO) < 0 || close_range(STDIN_FILENO + 1, ~0U, 0) < 0)
        _exit(1);
    while ((fd = receive_job(STDIN_FILENO, &size)) >= 0) {
        int result = punch(fd, size);
        close(fd);
        if (send(STDIN_FILENO, &result, sizeof(result), MSG_NOSIGNAL) < 0)
            break;
    }
    _exit(0);
}

/* ---- jobs ---- */

static void send_waiting(struct trimmer *trimmer);

static void job_done(struct trim_job *job, int result) {
    struct process *process = job->process;
    uint64_t size = job->size;
    cleanup_close(&job->fd);
    free(job);
    if (!process)
        return;
    process->log_job = NULL;
    logfile_trimmed(process, size, result);
}

static int send_job(int socket, const struct trim_job *job) {
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct iovec part = {(void *)(uintptr_t)&job->size, sizeof(job->size)};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes,
                             .msg_controllen = sizeof(control.bytes)};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(header), &job->fd, sizeof(int));
    return sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* ---- workers ---- */

static void worker_free(struct trim_worker *worker) {
    LIST_REMOVE(worker, entry);
    sd_event_source_disable_unref(worker->answer);
    sd_event_source_disable_unref(worker->end);
    cleanup_close(&worker->socket);
    cleanup_close(&worker->pidfd);
    free(worker);
}

static int on_end(sd_event_source *source, int fd, uint32_t events, void *data) {
    (void)source;
    (void)fd;
    (void)events;
    struct trim_worker *worker = data;
    struct trimmer *trimmer = worker->trimmer;
    struct trim_job *job = TAKE_POINTER(worker->job);
    siginfo_t ignored;
    waitid(P_PIDFD, (id_t)worker->pidfd, &ignored, WEXITED | WNOHANG);
    worker_free(worker);
    if (job)
        job_done(job, -EIO);
    send_waiting(trimmer);
    return 0;
}

/* It ends by itself once the socket has: a worker that has been let go has none. */
static void let_go(struct trim_worker *worker) {
    worker->answer = sd_event_source_disable_unref(worker->answer);
    close(worker->socket);
    worker->socket = -1;
}

static bool is_idle(const struct trim_worker *worker) {
    return worker->socket >= 0 && !worker->job;
}

static int on_idle(sd_event_source *source, uint64_t now, void *data) {
    (void)source;
    struct trimmer *trimmer = data;
    struct trim_worker *worker;
    trimmer->idle = sd_event_source_disable_unref(trimmer->idle);
    if (now < trimmer->used + IDLE) {
        sd_event_add_time(trimmer->agent->event, &trimmer->idle, CLOCK_MONOTONIC,
                          trimmer->used + IDLE, IDLE / 4, on_idle, trimmer);
        return 0;
    }
    LIST_FOREACH(worker, &trimmer->workers, entry)
        if (is_idle(worker))
            let_go(worker);
    return 0;
}

/* One that has nothing to do stays for a while; beside it no other does. */
static void rest(struct trim_worker *worker) {
    struct trimmer *trimmer = worker->trimmer;
    const struct trim_worker *other;
    trimmer->used = machine_monotonic();
    LIST_FOREACH(other, &trimmer->workers, entry)
        if (other != worker && is_idle(other)) {
            let_go(worker);
            return;
        }
    if (!trimmer->idle)
        sd_event_add_time(trimmer->agent->event, &trimmer->idle, CLOCK_MONOTONIC,
                          trimmer->used + IDLE, IDLE / 4, on_idle, trimmer);
}

static int on_answer(sd_event_source *source, int fd, uint32_t events, void *data) {
    (void)source;
    (void)events;
    struct trim_worker *worker = data;
    struct trimmer *trimmer = worker->trimmer;
    int result;
    if (recv(fd, &result, sizeof(result), MSG_DONTWAIT) != sizeof(result)) {
        /* It has died: what is to be done then waits for its end. */
        worker->answer = sd_event_source_disable_unref(worker->answer);
        return 0;
    }
    struct trim_job *job = TAKE_POINTER(worker->job);
    if (job)
        job_done(job, result);
    send_waiting(trimmer);
    if (is_idle(worker))
        rest(worker);
    return 0;
}

static int attend(struct trim_worker *worker) {
    sd_event *event = worker->trimmer->agent->event;
    worker->pidfd = pidfd_open(worker->pid, 0);
    if (worker->pidfd < 0)
        return -errno;
    int r = sd_event_add_io(event, &worker->end, worker->pidfd, EPOLLIN, on_end, worker);
    return r < 0 ? r
                 : sd_event_add_io(event, &worker->answer, worker->socket, EPOLLIN, on_answer,
                                   worker);
}

static int make_worker(struct trimmer *trimmer) {
    int ends[2];
    struct trim_worker *worker = malloc(sizeof(*worker));
    if (!worker || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) {
        int error = worker ? errno : ENOMEM;
        free(worker);
        return -error;
    }
    *worker = (struct trim_worker){.trimmer = trimmer, .pid = fork(), .pidfd = -1,
                                   .socket = ends[0]};
    if (worker->pid == 0)
        work(ends[1]);
    int r = worker->pid < 0 ? -errno : 0;
    close(ends[1]);
    LIST_INSERT_HEAD(&trimmer->workers, worker, entry);
    if (r == 0)
        r = attend(worker);
    if (r < 0) {
        /* Without its socket it ends; the keeper reaps it when the agent does. */
        worker_free(worker);
        log_warning("cannot make a process to keep logs bounded: %s", strerror(-r));
    }
    return r;
}

/* ---- who does what ---- */

static struct trim_worker *find_idle(const struct trimmer *trimmer) {
    struct trim_worker *worker;
    LIST_FOREACH(worker, &trimmer->workers, entry)
        if (is_idle(worker))
            return worker;
    return NULL;
}

static int on_late(sd_event_source *source, uint64_t now, void *data) {
    (void)source;
    (void)now;
    struct trimmer *trimmer = data;
    trimmer->late = sd_event_source_disable_unref(trimmer->late);
    if (!TAILQ_EMPTY(&trimmer->waiting) && !find_idle(trimmer))
        make_worker(trimmer);
    send_waiting(trimmer);
    return 0;
}

static void send_waiting(struct trimmer *trimmer) {
    struct trim_job *job;
    struct trim_worker *worker;
    while ((job = TAILQ_FIRST(&trimmer->waiting)) && (worker = find_idle(trimmer))) {
        TAILQ_REMOVE(&trimmer->waiting, job, entry);
        job->waits = false;
        worker->job = job;
        /* Where it cannot be sent the worker is dead, and its end settles the job. */
        if (send_job(worker->socket, job) < 0)
            let_go(worker);
        cleanup_close(&job->fd);
        job->fd = -1;
    }
    if (job && !trimmer->late)
        sd_event_add_time_relative(trimmer->agent->event, &trimmer->late, CLOCK_MONOTONIC, LATE,
                                   LATE / 4, on_late, trimmer);
}

int trimmer_ask(struct trimmer *trimmer, struct process *process, int fd, uint64_t size) {
    struct trim_job *job = malloc(sizeof(*job));
    int r = !job ? -ENOMEM : LIST_EMPTY(&trimmer->workers) ? make_worker(trimmer) : 0;
    if (r < 0) {
        free(job);
        close(fd);
        return r;
    }
    *job = (struct trim_job){.process = process, .waits = true, .fd = fd, .size = size};
    process->log_job = job;
    TAILQ_INSERT_TAIL(&trimmer->waiting, job, entry);
    send_waiting(trimmer);
    return 0;
}

void trimmer_forget(struct process *process) {
    struct trim_job *job = TAKE_POINTER(process->log_job);
    if (!job)
        return;
    job->process = NULL;
    if (!job->waits)
        return;
    TAILQ_REMOVE(&process->agent->trimmer.waiting, job, entry);
    job_done(job, 0);
}

/* ---- the whole ---- */

static bool can_punch(int logs) {
    static const char name[] = "probe";
    _cleanup_close_ int fd = openat(logs, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return true; /* the first log will say why */
    unlinkat(logs, name, 0);
    return punch(fd, machine_page()) != -EOPNOTSUPP;
}

bool trimmer_able(struct trimmer *trimmer) {
    trimmer->able = trimmer->able || can_punch(trimmer->agent->store.logs);
    return trimmer->able;
}

void trimmer_open(struct trimmer *trimmer, struct agent *agent) {
    *trimmer = (struct trimmer){.agent = agent};
    TAILQ_INIT(&trimmer->waiting);
    LIST_INIT(&trimmer->workers);
}

/* None is in the middle of a job for long, as nobody writes any more; but nothing is waited for
 * without end. */
static void end_worker(struct trim_worker *worker) {
    siginfo_t info = {0};
    pidfd_send_signal(worker->pidfd, SIGKILL, NULL, 0);
    for (unsigned tries = 0; tries < CLOSE_TRIES && info.si_pid == 0; tries++) {
        if (waitid(P_PIDFD, (id_t)worker->pidfd, &info, WEXITED | WNOHANG) < 0)
            break;
        if (info.si_pid == 0)
            usleep(1000);
    }
    if (worker->job) {
        if (worker->job->process)
            worker->job->process->log_job = NULL;
        free(worker->job);
    }
    worker_free(worker);
}

void trimmer_close(struct trimmer *trimmer) {
    struct trim_job *job;
    if (!trimmer->agent)
        return;
    while ((job = TAILQ_FIRST(&trimmer->waiting)))
        trimmer_forget(job->process);
    while (!LIST_EMPTY(&trimmer->workers))
        end_worker(LIST_FIRST(&trimmer->workers));
    trimmer->late = sd_event_source_disable_unref(trimmer->late);
    trimmer->idle = sd_event_source_disable_unref(trimmer->idle);
}
