#include "agent/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/finish.h"
#include "agent/identity.h"
#include "agent/limits.h"
#include "agent/logfile.h"
#include "agent/machine.h"
#include "agent/mounts.h"
#include "agent/nodes.h"
#include "agent/plan_build.h"
#include "agent/readiness.h"
#include "agent/refusal.h"
#include "agent/remains.h"
#include "agent/sequence.h"
#include "agent/state.h"
#include "agent/stop.h"
#include "agent/task.h"
#include "agent/waiter.h"
#include "common/cleanup.h"
#include "common/log.h"

/* What is made for one start and handed to the keeper. */
struct parts {
    struct holden_start start;
    struct holden_properties properties;
    struct identity identity;
    struct mounts mounts;
    char credentials[4400];  /* the directory of them, or empty */
    char nodes[4200];        /* the directory of the nodes for what is inaccessible */
    struct plan_stream_input streams[3];
    int cgroup, pipe, log;   /* owned */
    int fds[6];              /* of the packet, borrowed */
    size_t count;
};

static void parts_free(struct parts *parts) {
    cleanup_close(&parts->cgroup);
    cleanup_close(&parts->pipe);
    cleanup_close(&parts->log);
    mounts_free(&parts->mounts);
}

/* ---- standard streams ---- */

static uint32_t pass(struct parts *parts, int fd) {
    parts->fds[parts->count] = fd;
    return (uint32_t)parts->count++;
}

static int use_log(struct process *process, struct parts *parts, struct plan_stream_input *stream,
                   struct failure *failure) {
    int r = parts->log >= 0 ? 0 : logfile_open(process, &parts->log);
    if (r == -EOPNOTSUPP)
        return failure_set(failure, HOLDEN_code_UNSUPPORTED, "LogMax",
                           "the file system of %s cannot give back a file's head, so the log would "
                           "grow without bound: set LogMax=infinity or another StandardOutput=, or "
                           "start the agent with --state-dir on tmpfs, ext4, xfs or btrfs",
                           process->agent->store.path);
    if (r < 0)
        return failure_errno(failure, -r, "log", "cannot make the log of %s", process->name);
    stream->kind = HOLDEN_stream_kind_LOG;
    stream->passed = pass(parts, parts->log);
    return 0;
}

static int choose_stream(struct process *process, struct parts *parts, unsigned number,
                         const struct holden_nested *asked, struct failure *failure) {
    static const uint32_t usual[] = {HOLDEN_stream_kind_NULL, HOLDEN_stream_kind_LOG,
                                     HOLDEN_stream_kind_INHERIT};
    struct plan_stream_input *stream = &parts->streams[number];
    struct holden_stream value = {.kind = usual[number]};
    struct holden_fault fault;
    if (process->passed[number] >= 0) {
        *stream = (struct plan_stream_input){HOLDEN_stream_kind_PASSED,
                                             pass(parts, process->passed[number]), {0}};
        return 0;
    }
    if (asked && holden_decode(&holden_record_stream, asked->bytes.data, asked->bytes.size, &value,
                               &fault) < 0)
        return failure_set(failure, HOLDEN_code_INVALID, "standard streams", "%s %s", fault.field,
                           fault.what);
    bool path = value.kind == HOLDEN_stream_kind_FILE || value.kind == HOLDEN_stream_kind_APPEND ||
                value.kind == HOLDEN_stream_kind_TRUNCATE;
    if (path && (value.path.size == 0 || value.path.data[0] != '/'))
        return failure_set(failure, HOLDEN_code_INVALID, "standard streams",
                           "the path is not absolute");
    if ((number == 0 && value.kind != HOLDEN_stream_kind_NULL &&
         value.kind != HOLDEN_stream_kind_FILE) ||
        value.kind == HOLDEN_stream_kind_PASSED)
        return failure_set(failure, HOLDEN_code_INVALID, "standard streams",
                           "\"%s\" is not for this stream",
                           holden_word(&holden_enum_stream_kind, value.kind));
    *stream = (struct plan_stream_input){value.kind, 0, value.path};
    return value.kind == HOLDEN_stream_kind_LOG ? use_log(process, parts, stream, failure) : 0;
}

static int choose_streams(struct process *process, struct parts *parts, struct failure *failure) {
    const struct holden_properties *p = &parts->properties;
    int r = choose_stream(process, parts, 0,
                          HOLDEN_HAS(p, properties, standard_input) ? &p->standard_input : NULL,
                          failure);
    if (r == 0)
        r = choose_stream(process, parts, 1,
                          HOLDEN_HAS(p, properties, standard_output) ? &p->standard_output : NULL,
                          failure);
    if (r == 0)
        r = choose_stream(process, parts, 2,
                          HOLDEN_HAS(p, properties, standard_error) ? &p->standard_error : NULL,
                          failure);
    return r;
}

/* ---- preparing ---- */

/* DynamicUser=: its group has the same number, unless Group= names another. */
static int make_up(struct process *process, struct parts *parts, struct failure *failure) {
    struct identity *identity = &parts->identity;
    uid_t uid;
    int r = dynamic_user_take(process, &parts->properties, &uid, failure);
    if (r < 0)
        return r;
    identity->set = true;
    identity->uid = uid;
    if (!HOLDEN_HAS(&parts->properties, properties, group))
        identity->gid = uid;
    return 0;
}

/* The groups that the request itself names: who restarts it is not asked again. */
static int resolve_identity(struct process *process, struct parts *parts, struct failure *failure) {
    uint32_t groups[ARRAY_SIZE(parts->identity.groups)];
    size_t count = 0;
    struct holden_user user;
    struct holden_fault fault;
    if (process->owner != 0 && HOLDEN_HAS(&parts->properties, properties, user) &&
        holden_decode(&holden_record_user, parts->properties.user.bytes.data,
                      parts->properties.user.bytes.size, &user, &fault) == 0)
        for (uint32_t gid; count < ARRAY_SIZE(groups) && holden_next_u32(&user.group, &gid);)
            groups[count++] = gid;
    int r = identity_resolve(&parts->properties, process->filter != NULL, process->owner,
                             process->owner_gid, groups, count, &parts->identity, failure);
    return r < 0 || !holden_user_made_up(&parts->properties) ? r
                                                             : make_up(process, parts, failure);
}

static int prepare_mounts(struct process *process, struct parts *parts, struct failure *failure) {
    int r = mounts_collect(process, &parts->properties, &parts->mounts, failure);
    if (r < 0 || !parts->mounts.inaccessible)
        return r;
    r = nodes_make(&process->agent->store, parts->nodes, sizeof(parts->nodes));
    return r < 0 ? failure_errno(failure, -r, "mounts", "cannot make the nodes for what is "
                                 "inaccessible in %s", parts->nodes)
                 : 0;
}

static int make_cgroup(struct process *process, struct parts *parts, struct failure *failure) {
    struct agent *agent = process->agent;
    char name[96];
    cgroup_name(process->id, process->name, name, sizeof(name));
    int r = cgroup_make(&agent->hierarchy, name, &parts->cgroup);
    if (r < 0)
        return failure_errno(failure, -r, "cgroup", "cannot make cgroup %s/%s",
                             agent->hierarchy.path, name);
    process->has_cgroup = true;
    return limits_apply(&agent->hierarchy, parts->cgroup, &parts->properties, failure);
}

static int send_plan(struct process *process, struct parts *parts, struct failure *failure) {
    const struct identity *identity = &parts->identity;
    struct plan_input input = {
        .process = process, .start = &parts->start, .properties = &parts->properties,
        .filter = process->filter, .mounts = &parts->mounts, .nodes = parts->nodes,
        .notify = readiness_notifies(&parts->properties) && !sequence_before_main(process)
                      ? process->agent->notices.path
                      : NULL,
        .credentials = parts->credentials,
        .user = process->dynamic_user ? process->dynamic_user->name : NULL,
        .report = process->launch->report,
        .uid = identity->uid, .gid = identity->gid,
        .groups = identity->groups, .group_count = identity->group_count,
        .bounding = identity->bounding, .inheritable = identity->inheritable,
        .ambient = identity->ambient,
        .has = PLAN_HAS_CGROUP | (identity->set ? PLAN_HAS_IDS : 0) |
               (identity->capabilities ? PLAN_HAS_CAPABILITIES : 0) |
               (identity->no_new_privileges ? PLAN_HAS_NO_NEW_PRIVILEGES : 0) |
               (process->owner != 0 ? PLAN_HAS_OPEN_AS_USER : 0) |
               (process->terminal && process->passed[0] >= 0 ? PLAN_HAS_TERMINAL : 0) |
               (process->filter && talk_wanted(&process->agent->talk, &parts->properties)
                    ? PLAN_HAS_LISTENER : 0),
    };
    memcpy(input.streams, parts->streams, sizeof(input.streams));
    _cleanup_(buffer_free) struct buffer plan = {0};
    int r = plan_build(&input, &plan);
    if (r == 0)
        r = link_send_plan(&process->agent->link, &plan, parts->fds, parts->count);
    return r < 0
               ? failure_errno(failure, -r, "keeper", "cannot hand %s to the keeper", process->name)
               : 0;
}

/* ---- what comes back ---- */

void launch_describe(const struct process *process, pid_t pid, struct holden_started *message) {
    *message = (struct holden_started){0};
    HOLDEN_SET(message, started, name, holden_view(process->name));
    HOLDEN_SET(message, started, id, process->id);
    HOLDEN_SET(message, started, pid, (uint32_t)pid);
}

void launch_tell(struct process *process, pid_t pid, int pidfd) {
    struct holden_started message;
    launch_describe(process, pid, &message);
    HOLDEN_SET(&message, started, pidfd, 0);
    waiter_answer(process, WAITER_START, HOLDEN_MESSAGE_started, &message, &pidfd, 1);
}

/* It runs, but not with all that was asked for. */
static void end_again(struct process *process, int error, const char *step, const char *why) {
    struct failure failure;
    failure_errno(&failure, error, step, "%s was ended again, since %s", process->name, why);
    log_error("%s", failure.text);
    waiter_refuse(process, WAITER_START, &failure);
    stop_begin(process, &(struct stop_request){.by = -1, .cause = HOLDEN_cause_SETUP});
}

/* Written down; the report is given back when a record says what it said. False: it is ended again,
 * since that cannot be, or since its time cannot be limited. */
static bool keep_running(struct process *process, int limited) {
    struct agent *agent = process->agent;
    int r = store_write(&agent->store, process);
    process_launched(process);
    if (limited < 0) {
        end_again(process, -limited, "time limit", "its time cannot be limited");
        return false;
    }
    if (r < 0) {
        char why[4200];
        snprintf(why, sizeof(why), "its record cannot be written to %s", agent->store.path);
        end_again(process, -r, "record", why);
        return false;
    }
    process->recorded = true;
    return true;
}

void launch_ready(struct process *process) {
    process_event(process, PROCESS_RUNS);
    int r = process->end ? 0 : launch_attend(process);
    if (keep_running(process, r))
        launch_tell(process, process->pid, process->pidfd);
}

/* It runs: written down first, told afterwards, or once it is ready. */
static void started(struct process *process) {
    struct holden_start start;
    struct holden_properties properties;
    if (sequence_before_main(process))
        return;
    process->ran = true;
    process->known = machine_boottime();
    sequence_over(process);
    process_request(process, &start, &properties);
    int limited = readiness_begin(process, &properties);
    if (!process->readiness)
        process_event(process, PROCESS_RUNS);
    /* One that has ended meanwhile, with nothing left of it, is written down once, with its end. */
    if (process->leaving && finish_is_empty(process))
        return;
    if (limited == 0)
        limited = launch_limit_runtime(process, &properties);
    if (!keep_running(process, limited))
        return;
    if (!process->readiness)
        launch_tell(process, process->pid, process->pidfd);
    logfile_watch(process);
}

/* The report says that exec was tried and did not fail; but the kernel may have killed it there,
 * for want of memory most likely. Without proc(5) the report has to do, and where it was not the
 * main process that tried. */
static bool executed(const struct process *process, const struct plan_report *report) {
    bool executed = true;
    if (report->reached == PLAN_STEP_EXEC && !process->has_init)
        task_executed(process->pid, &executed);
    return report->reached == PLAN_STEP_EXEC && executed;
}

/* Once both the keeper's answer and the pipe's end are here, the report says which it is. Where it
 * failed or died, its end is waited for, and finish_status() tells. */
static void decide(struct process *process) {
    struct launch *launch = process->launch;
    if (!launch->ended || process->pid == 0)
        return;
    const struct plan_report *report = &process->agent->link.reports[launch->report];
    if (report->error != 0)
        refusal_step(process, report->reached, report->error, report->detail);
    else if (process->state == HOLDEN_state_STARTING && executed(process, report)) {
        if (report->detail)
            log_notice("%s: a directory of its own was moved to or from \"private\", since "
                       "DynamicUser= has changed", process->name);
        started(process);
    }
}

static void end_pipe(struct launch *launch) {
    if (launch->ended)
        return;
    launch->source = sd_event_source_disable_unref(launch->source);
    cleanup_close(&launch->pipe);
    launch->pipe = -1;
    launch->ended = true;
}

void launch_settle(struct process *process) {
    if (!process->launch)
        return;
    end_pipe(process->launch);
    decide(process);
}

static int on_pipe(sd_event_source *source, int fd, uint32_t events, void *data) {
    (void)source;
    (void)fd;
    (void)events;
    struct process *process = data;
    end_pipe(process->launch);
    /* Whose status is on its way is decided about when it is there. */
    if (!process->leaving)
        decide(process);
    return 0;
}

static int open_launch(struct process *process, struct parts *parts, struct failure *failure) {
    struct agent *agent = process->agent;
    int ends[2];
    uint32_t report;
    if (link_take_report(&agent->link, process->id, &report) < 0)
        return failure_set(failure, HOLDEN_code_TOO_MANY, "report",
                           "%d starts are under way already", PLAN_REPORTS);
    struct launch *launch = calloc(1, sizeof(*launch));
    if (!launch || pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0) {
        int error = launch ? errno : ENOMEM;
        free(launch);
        link_give_report(&agent->link, report);
        return failure_errno(failure, error, "status pipe", "cannot start %s", process->name);
    }
    launch->report = report;
    launch->pipe = ends[0];
    process->launch = launch;
    parts->pipe = ends[1];
    int r = sd_event_add_io(agent->event, &launch->source, launch->pipe, EPOLLIN, on_pipe, process);
    return r < 0 ? failure_errno(failure, -r, "status pipe", "cannot start %s", process->name) : 0;
}

static int prepare(struct process *process, struct parts *parts, struct failure *failure) {
    struct agent *agent = process->agent;
    process_request(process, &parts->start, &parts->properties);
    remains_expect(process, &parts->properties);
    int r = sequence_prepare(process, &parts->properties);
    if (r < 0)
        return failure_errno(failure, -r, "TimeoutStartSec", "cannot start %s", process->name);
    sequence_command(process, &parts->properties, &parts->start);
    r = limits_check(&agent->hierarchy, &parts->properties, failure);
    if (r == 0 && !process->filter)
        r = filter_get(&agent->filters, &parts->properties, &process->filter, failure);
    if (r == 0)
        r = resolve_identity(process, parts, failure);
    if (r == 0)
        r = credential_make(process, &parts->properties, &parts->identity, parts->credentials,
                            sizeof(parts->credentials), failure);
    if (r == 0)
        r = prepare_mounts(process, parts, failure);
    if (r == 0)
        r = make_cgroup(process, parts, failure);
    if (r == 0)
        r = open_launch(process, parts, failure);
    if (r == 0) {
        pass(parts, parts->cgroup);
        pass(parts, parts->pipe);
        r = choose_streams(process, parts, failure);
    }
    return r;
}

/* Written down before there is anything to lose: whatever becomes of the agent from here on, the
 * next one knows of the start, and finds in the report how far it got. */
static int announce(struct process *process, struct failure *failure) {
    int r = store_write(&process->agent->store, process);
    return r < 0 ? failure_errno(failure, -r, "record", "cannot write the record of %s to %s",
                                 process->name, process->agent->store.path)
                 : 0;
}

/* What had been made for a start that cannot be. The record of an earlier run is the caller's. */
static void undo(struct process *process) {
    struct agent *agent = process->agent;
    char name[96];
    if (process->has_cgroup) {
        cgroup_name(process->id, process->name, name, sizeof(name));
        cgroup_remove(&agent->hierarchy, name);
        process->has_cgroup = false;
    }
    if (process->remains)
        credential_remove(process);
    dynamic_user_release(process);
    if (process->restarts == 0)
        store_remove(&agent->store, process);
    process_launched(process);
}

int launch_begin(struct process *process, struct failure *failure) {
    _cleanup_(parts_free) struct parts parts = {.cgroup = -1, .pipe = -1, .log = -1};
    process->main_ended = process->leaving = false;
    process->ran = process->recorded = false;
    process->known = 0;
    process->started_realtime = machine_realtime();
    process->started_monotonic = machine_monotonic();
    int r = prepare(process, &parts, failure);
    if (r == 0) {
        process->user = parts.identity.uid;
        r = announce(process, failure);
    }
    if (r == 0)
        r = send_plan(process, &parts, failure);
    if (r == 0) {
        process->agent->starts++;
        return 0;
    }
    undo(process);
    return r;
}

int launch_attend(struct process *process) {
    int r = sd_event_add_io(process->agent->event, &process->end, process->pidfd, EPOLLIN,
                            finish_on_end, process);
    /* Of an end that comes together with the beginning it is better to know. */
    return r < 0 ? r : sd_event_source_set_priority(process->end, SD_EVENT_PRIORITY_NORMAL - 1);
}

void launch_unborn(struct process *process, int error) {
    refusal_step(process, PLAN_STEP_CLONE, error, 0);
    finish_unborn(process);
}

void launch_spawned(struct agent *agent, const struct keeper_reply *reply, int pidfd) {
    struct process *process = process_by_id(&agent->processes, reply->token);
    if (!process || !process->launch || process->pid != 0) {
        log_error("the keeper answered a plan that nobody sent");
        if (pidfd >= 0)
            close(pidfd);
        return;
    }
    if (reply->error != 0) {
        launch_unborn(process, reply->error);
        return;
    }
    process->pidfd = pidfd;
    process->child = true;
    process_set_pid(process, reply->pid);
    if (launch_attend(process) < 0) {
        refusal_say(process, "pidfd", "it could not be watched");
        finish_unborn(process);
        return;
    }
    decide(process);
}

static int on_runtime(sd_event_source *source, uint64_t now, void *data) {
    (void)source;
    (void)now;
    struct process *process = data;
    process->limit = sd_event_source_disable_unref(process->limit);
    stop_begin(process, &(struct stop_request){.by = -1, .cause = HOLDEN_cause_TIME_LIMIT});
    return 0;
}

int launch_limit_runtime(struct process *process, const struct holden_properties *properties) {
    sd_event_source *timer = NULL;
    if (HOLDEN_HAS(properties, properties, runtime_max) && properties->runtime_max != UINT64_MAX) {
        int r = sd_event_add_time(process->agent->event, &timer, CLOCK_MONOTONIC,
                                  process->started_monotonic + properties->runtime_max, 1000,
                                  on_runtime, process);
        if (r < 0)
            return r;
    }
    sd_event_source_disable_unref(process->limit);
    process->limit = timer;
    return 0;
}
