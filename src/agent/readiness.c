#include "agent/readiness.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/launch.h"
#include "agent/machine.h"
#include "agent/place.h"
#include "agent/sequence.h"
#include "agent/statement.h"
#include "agent/stop.h"
#include "agent/task.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "common/log.h"
#include "common/unit.h"

enum { LOOK_FIRST = 1000, LOOK_MOST = 100000 }; /* microseconds */

static uint32_t type_of(const struct holden_properties *properties) {
    return HOLDEN_HAS(properties, properties, service_type) ? properties->service_type
                                                            : HOLDEN_service_type_SIMPLE;
}

bool readiness_notifies(const struct holden_properties *properties) {
    return type_of(properties) == HOLDEN_service_type_NOTIFY;
}

bool readiness_must_hear(const struct holden_properties *properties) {
    return readiness_notifies(properties) ||
           (HOLDEN_HAS(properties, properties, watchdog) && properties->watchdog > 0 &&
            properties->watchdog <= INT64_MAX);
}

static uint32_t access_of(const struct holden_properties *properties) {
    if (HOLDEN_HAS(properties, properties, notify_access) &&
        properties->notify_access != HOLDEN_notify_access_NONE)
        return properties->notify_access;
    return readiness_must_hear(properties) ? HOLDEN_notify_access_MAIN : HOLDEN_notify_access_NONE;
}

bool readiness_listens(const struct holden_properties *properties) {
    return access_of(properties) != HOLDEN_notify_access_NONE;
}

bool readiness_is_end(const struct holden_properties *properties) {
    return type_of(properties) == HOLDEN_service_type_ONESHOT;
}

static bool has_no_main(const struct holden_properties *properties) {
    return type_of(properties) == HOLDEN_service_type_FORKING &&
           HOLDEN_HAS(properties, properties, guess_main_pid) && !properties->guess_main_pid &&
           !HOLDEN_HAS(properties, properties, pid_file);
}

bool readiness_by_cgroup(const struct holden_properties *properties) {
    return has_no_main(properties) || (HOLDEN_HAS(properties, properties, exit_type) &&
                                       properties->exit_type == HOLDEN_exit_type_CGROUP);
}

bool readiness_without_main(const struct process *process) {
    struct holden_start start;
    struct holden_properties properties;
    const struct outcome *outcome = &process->outcome;
    process_request(process, &start, &properties);
    return has_no_main(&properties) && outcome->code == CLD_EXITED && outcome->status == 0;
}

/* Why it is not ready, for whoever reads that it was too late. */
static void say_why(struct process *process, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void say_why(struct process *process, const char *format, ...) {
    char *why = process->readiness->why;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(why, sizeof(process->readiness->why), format, arguments);
    va_end(arguments);
}

static int on_limit(sd_event_source *source, uint64_t now, void *data) {
    (void)source;
    (void)now;
    struct process *process = data;
    if (process->readiness && !process->readiness->notifies && !process->main_ended)
        say_why(process, "its first process, pid %d, had not ended", (int)process->pid);
    process->start_limit = sd_event_source_disable_unref(process->start_limit);
    stop_begin(process, &(struct stop_request){.by = -1, .cause = HOLDEN_cause_TIME_LIMIT});
    return 0;
}

int readiness_begin(struct process *process, const struct holden_properties *properties) {
    uint32_t type = type_of(properties);
    bool said = process->launch && process->launch->ready;
    bool waits = type == HOLDEN_service_type_FORKING ||
                 (type == HOLDEN_service_type_NOTIFY && !said);
    if (!waits && !readiness_is_end(properties))
        return 0;
    if (waits && !(process->readiness = calloc(1, sizeof(*process->readiness))))
        return -ENOMEM;
    if (waits)
        *process->readiness = (struct readiness){
            .pidfd = -1, .delay = LOOK_FIRST, .notifies = type == HOLDEN_service_type_NOTIFY};
    if (waits && type == HOLDEN_service_type_NOTIFY)
        say_why(process, "it has not said READY=1");
    if (process->stopping || !HOLDEN_HAS(properties, properties, timeout_start) ||
        properties->timeout_start > INT64_MAX)
        return 0;
    uint64_t end = process->started_monotonic + properties->timeout_start;
    return sd_event_add_time(process->agent->event, &process->start_limit, CLOCK_MONOTONIC,
                             statement_until(process, end), 1000, on_limit, process);
}

/* The keeper holds the status of whom it was asked about until it is told to let go. */
static void drop_successor(struct process *process) {
    struct readiness *readiness = process->readiness;
    if (readiness->successor > 0)
        link_send_request(&process->agent->link, KEEPER_RELEASE, readiness->successor, 0);
    readiness->successor = 0;
    cleanup_close(&readiness->pidfd);
    readiness->pidfd = -1;
}

void readiness_end(struct process *process) {
    struct readiness *readiness = process->readiness;
    process->start_limit = sd_event_source_disable_unref(process->start_limit);
    if (!readiness)
        return;
    drop_successor(process);
    sd_event_source_disable_unref(readiness->look);
    free(readiness);
    process->readiness = NULL;
}

/* ---- Type=forking ---- */

static int refuse_file(struct process *process, const char *name, const char *what) {
    say_why(process, "PIDFile=%.128s %s", name, what);
    return -ESRCH;
}

static int cannot_read(struct process *process, const char *name) {
    say_why(process, "PIDFile=%.128s cannot be read: %s", name, strerror(errno));
    return -ESRCH;
}

/* A regular file with a number in it, and no way to be kept waiting by anything else of that name.
 * Only root names one. 0 with *pid; -ESRCH where there is none yet, and why is said. */
static int read_pid_file(struct process *process, struct holden_view path, pid_t *pid) {
    char name[4096], text[32], *end;
    struct stat status;
    if (path.size >= sizeof(name))
        return -ESRCH;
    memcpy(name, path.data, path.size);
    name[path.size] = '\0';
    _cleanup_close_ int fd = open(name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 && errno == ENOENT)
        return refuse_file(process, name, "is not there");
    if (fd < 0 && errno == ELOOP)
        return refuse_file(process, name, "is a symbolic link, which is not followed");
    if (fd < 0 || fstat(fd, &status) < 0)
        return cannot_read(process, name);
    if (!S_ISREG(status.st_mode))
        return refuse_file(process, name, "is no regular file");
    ssize_t size = read(fd, text, sizeof(text) - 1);
    if (size < 0)
        return cannot_read(process, name);
    text[size] = '\0';
    long number = strtol(text, &end, 10);
    if (end == text || (*end != '\0' && *end != '\n') || number <= 0 || number > INT32_MAX)
        return refuse_file(process, name, size == 0 ? "is empty" : "does not hold a pid");
    *pid = (pid_t)number;
    return 0;
}

/* The file's, where it is one of this process's cgroup. */
static int find_named(struct process *process, int directory, struct holden_view path,
                      pid_t *pid) {
    int r = read_pid_file(process, path, pid);
    if (r == 0 && !cgroup_holds(directory, *pid)) {
        say_why(process, "PIDFile=%.*s names pid %d, which %s",
                (int)(path.size < 128 ? path.size : 128), path.data, (int)*pid,
                *pid == process->pid                  ? "is the process that has ended"
                : kill(*pid, 0) < 0 && errno == ESRCH ? "does not exist"
                                                      : "is not in its cgroup");
        r = -ESRCH;
    }
    return r;
}

static bool is_among(const struct buffer *list, pid_t pid) {
    const pid_t *pids = (const void *)buffer_bytes(list);
    for (size_t i = 0; i < list->size / sizeof(pid); i++)
        if (pids[i] == pid)
            return true;
    return false;
}

/* Without a PIDFile=: the one that its parent has left to the keeper, or to whoever takes orphans
 * while there is none. 0 with *pid; -ESRCH where there is none, or more than one. */
static int guess(struct process *process, int directory, pid_t *pid) {
    _cleanup_(buffer_free) struct buffer all = {0};
    pid_t keeper = getppid();
    unsigned orphans = 0;
    int r = cgroup_pids(directory, &all);
    if (r < 0 && r != -ENODEV)
        return r;
    const pid_t *pids = (const void *)buffer_bytes(&all);
    for (size_t i = 0; i < all.size / sizeof(*pids); i++) {
        pid_t parent;
        if (pids[i] == process->pid || task_parent(pids[i], &parent) < 0 ||
            (parent != keeper && is_among(&all, parent)))
            continue;
        *pid = pids[i];
        orphans++;
    }
    if (orphans == 1)
        return 0;
    if (orphans == 0)
        say_why(process, "no process was left behind whose parent has ended");
    else
        say_why(process, "%u processes were left behind; PIDFile= would say which is the main one",
                orphans);
    return -ESRCH;
}

/* The cgroup proves whose it is, once its pidfd is open. 0 with it in process->readiness. */
static int find_successor(struct process *process) {
    struct holden_start start;
    struct holden_properties properties;
    pid_t pid = 0;
    _cleanup_close_ int directory = -1;
    process_request(process, &start, &properties);
    int r = place_open(process, &directory);
    if (r == 0)
        r = HOLDEN_HAS(&properties, properties, pid_file)
                ? find_named(process, directory, properties.pid_file, &pid)
                : guess(process, directory, &pid);
    if (r < 0)
        return r;
    _cleanup_close_ int fd = pidfd_open(pid, 0);
    if (fd < 0 || !cgroup_holds(directory, pid))
        return -ESRCH;
    process->readiness->successor = pid;
    process->readiness->pidfd = TAKE_FD(fd);
    return 0;
}

static int look_later(struct process *process);

static int on_look(sd_event_source *source, uint64_t now, void *data) {
    (void)source;
    (void)now;
    struct process *process = data;
    struct readiness *readiness = process->readiness;
    readiness->look = sd_event_source_disable_unref(readiness->look);
    if (process->stopping)
        return 0;
    if (find_successor(process) < 0)
        return look_later(process);
    /* The keeper is its parent by now, or may be once that has ended; it keeps its status then. */
    return link_send_adoption(&process->agent->link, &readiness->successor, 1, process->id);
}

static int look_later(struct process *process) {
    struct readiness *readiness = process->readiness;
    int r = sd_event_add_time_relative(process->agent->event, &readiness->look, CLOCK_MONOTONIC,
                                       readiness->delay, 0, on_look, process);
    if (r < 0)
        log_error("%s: no timer: the process that takes its place is not found", process->name);
    readiness->delay = readiness->delay * 2 < LOOK_MOST ? readiness->delay * 2 : LOOK_MOST;
    return 0;
}

bool readiness_seeks(struct process *process) {
    struct readiness *readiness = process->readiness;
    const struct outcome *outcome = &process->outcome;
    bool good = outcome->code == 0 || (outcome->code == CLD_EXITED && outcome->status == 0);
    if (!readiness || readiness->notifies || process->stopping || !good)
        return false;
    if (!readiness->look && readiness->successor == 0)
        look_later(process);
    return true;
}

/* That one, of which `pidfd` is taken over, is the main process now, as if it had been the one that
 * was started. */
static void replace(struct process *process, pid_t pid, int pidfd, bool child) {
    process->end = sd_event_source_disable_unref(process->end);
    cleanup_close(&process->pidfd);
    process->pidfd = pidfd;
    process_set_pid(process, pid);
    process->child = child;
    process->main_ended = process->leaving = false;
    process->outcome.code = process->outcome.status = 0;
    free(process->usage);
    process->usage = NULL;
    process->known = machine_boottime();
    watch_remove(&process->agent->watch, &process->cgroup_watch);
}

static void take_successor(struct process *process, bool child) {
    struct readiness *readiness = process->readiness;
    pid_t before = process->pid;
    bool before_child = process->child;
    replace(process, readiness->successor, TAKE_FD(readiness->pidfd), child);
    readiness->successor = 0;
    readiness_end(process);
    launch_ready(process);
    if (before > 0 && before_child)
        link_send_request(&process->agent->link, KEEPER_RELEASE, before, 0);
}

void readiness_adopted(struct agent *agent, const struct keeper_reply *reply, int pidfd) {
    struct process *process = process_by_id(&agent->processes, reply->token);
    cleanup_close(&pidfd);
    if (process && process->pid == reply->pid)
        process->child = process->child || reply->children & 1;
    if (!process || !process->readiness || process->readiness->successor != reply->pid)
        return;
    if (process->stopping)
        drop_successor(process);
    else
        take_successor(process, reply->children & 1);
}

/* ---- Type=notify ---- */

bool readiness_hears(struct process *process, pid_t pid, bool ready) {
    struct holden_start start;
    struct holden_properties properties;
    process_request(process, &start, &properties);
    uint32_t access = access_of(&properties);
    bool all = access == HOLDEN_notify_access_ALL;
    /* The keeper's answer may come later; until then nobody else can be in the cgroup but what the
     * main process has made itself. */
    bool heard = access != HOLDEN_notify_access_NONE &&
                 (all || process->has_init || process->pid == 0 || process->pid == pid);
    if (!heard && ready && process->readiness && process->readiness->notifies)
        say_why(process, "READY=1 came from pid %d, which is not the main one: NotifyAccess=all "
                         "would hear it", (int)pid);
    return heard;
}

void readiness_said(struct process *process) {
    if (process->stopping)
        return;
    if (process->readiness && process->readiness->notifies) {
        readiness_end(process);
        launch_ready(process);
    } else if (process->launch && !process->ran)
        process->launch->ready = true;
}

/* Why that pid, of which *pidfd is open by then, cannot be the main process; or NULL. */
static const char *objection(const struct process *process, pid_t pid, int *pidfd) {
    _cleanup_close_ int directory = -1;
    if (process->has_init)
        return "with PrivatePIDs= the main process is process 1";
    if (process->readiness && !process->readiness->notifies)
        return "Type=forking finds the main process itself, or by PIDFile=";
    if (process->main_ended)
        return "the main process has ended";
    if (process->beside && process->beside->pid == pid)
        return "it runs a command beside the main process";
    *pidfd = pidfd_open(pid, 0);
    if (*pidfd < 0)
        return "it does not exist";
    if (place_open(process, &directory) < 0 || !cgroup_holds(directory, pid))
        return "it is not in the process's cgroup";
    return NULL;
}

/* It need not be our child: then the keeper knows how it ends only if its parent ends before it.
 * Written down before the one so far is let go, which the keeper reaps then like anybody. */
const char *readiness_named(struct process *process, pid_t pid) {
    struct link *link = &process->agent->link;
    pid_t before = process->pid;
    bool before_child = process->child;
    _cleanup_close_ int pidfd = -1;
    if (!process->ran && process->launch)
        process->launch->named = pid;
    if (!process->ran || pid == process->pid)
        return NULL;
    const char *why = objection(process, pid, &pidfd);
    if (why)
        return why;
    replace(process, pid, TAKE_FD(pidfd), false);
    int r = launch_attend(process);
    if (r == 0)
        r = store_write(&process->agent->store, process);
    if (r < 0)
        log_error("%s: its main process is pid %d now, which cannot be attended to: %s",
                  process->name, (int)pid, strerror(-r));
    link_send_adoption(link, &pid, 1, process->id);
    if (before > 0 && before_child)
        link_send_request(link, KEEPER_RELEASE, before, 0);
    return NULL;
}

/* ---- failure ---- */

bool readiness_late(const struct process *process) {
    struct holden_start start;
    struct holden_properties properties;
    process_request(process, &start, &properties);
    return (process->readiness || readiness_is_end(&properties)) && process->stopping &&
           process->stopping->cause == HOLDEN_cause_TIME_LIMIT &&
           HOLDEN_HAS(&properties, properties, timeout_start) &&
           process->ended_monotonic - process->started_monotonic >= properties.timeout_start;
}

void readiness_failed(struct process *process, struct failure *refused) {
    struct outcome *outcome = &process->outcome;
    char text[sizeof(process->readiness->why) + 64];
    if (readiness_late(process))
        snprintf(text, sizeof(text), "it was not ready within TimeoutStartSec=%s%s",
                 *process->readiness->why ? ": " : "", process->readiness->why);
    else if (outcome->code == CLD_EXITED && outcome->status == 0 && process->readiness->notifies)
        snprintf(text, sizeof(text), "it ended without having said READY=1");
    else if (outcome->code == CLD_EXITED && outcome->status == 0)
        snprintf(text, sizeof(text), "its main process ended and left none behind");
    else
        snprintf(text, sizeof(text), "before it was ready: %s",
                 outcome->explanation ? outcome->explanation : "it ended");
    failure_set(refused, HOLDEN_code_FAILED, "Type", "%s", text);
    char *explanation = strdup(text);
    if (!explanation)
        return;
    free(outcome->explanation);
    outcome->explanation = explanation;
    outcome->cause = HOLDEN_cause_SETUP;
}
