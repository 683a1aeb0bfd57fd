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
#include "agent/beside.h"
#include "agent/finish.h"
#include "agent/logfile.h"
#include "agent/machine.h"
#include "agent/parts.h"
#include "agent/place.h"
#include "agent/readiness.h"
#include "agent/refusal.h"
#include "agent/remains.h"
#include "agent/sequence.h"
#include "agent/state.h"
#include "agent/statement.h"
#include "agent/stop.h"
#include "agent/task.h"
#include "agent/waiter.h"
#include "agent/watchdog.h"
#include "common/cleanup.h"
#include "common/log.h"

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

/* It has started, but for ExecStartPost=, where there is that: what is to be told then. */
static bool keep_started(struct process *process, int limited, bool commands) {
    struct holden_start start;
    struct holden_properties properties;
    process_request(process, &start, &properties);
    if (!process->readiness && !readiness_is_end(&properties))
        watchdog_begin(process);
    if (!keep_running(process, limited)) {
        beside_drop(process);
        return false;
    }
    if (commands)
        beside_run(process);
    else if (!process->readiness)
        launch_tell(process, process->pid, process->pidfd);
    return true;
}

void launch_ready(struct process *process) {
    bool commands = beside_choose(process, PHASE_START_POST);
    if (!commands)
        process_event(process, PROCESS_RUNS);
    keep_started(process, process->end || process->stays ? 0 : launch_attend(process), commands);
}

/* It runs: written down first, told afterwards, or once it is ready. */
static void started(struct process *process) {
    struct holden_start start;
    struct holden_properties properties;
    if (sequence_before_main(process))
        return;
    pid_t named = process->launch->named;
    process->ran = true;
    process->known = machine_boottime();
    sequence_over(process);
    process_request(process, &start, &properties);
    int limited = readiness_begin(process, &properties);
    bool commands = !process->readiness && !readiness_is_end(&properties) &&
                    beside_choose(process, PHASE_START_POST);
    if (!process->readiness && !commands)
        process_event(process, PROCESS_RUNS);
    /* One that has ended meanwhile, with nothing left of it, is written down once, with its end. */
    if (process->leaving && !commands && finish_is_empty(process))
        return;
    if (limited == 0)
        limited = launch_limit_runtime(process, &properties);
    if (!keep_started(process, limited, commands))
        return;
    logfile_watch(process);
    if (named > 0)
        readiness_named(process, named);
}

bool launch_executed(const struct process *process, const struct plan_report *report, pid_t pid) {
    bool executed = true;
    if (report->reached == PLAN_STEP_EXEC && !process->has_init)
        task_executed(pid, &executed);
    return report->reached == PLAN_STEP_EXEC && executed;
}

/* The child of the present command failed in that step of its set-up. */
static void refuse_step(struct process *process, uint32_t step, int error, uint32_t detail) {
    struct holden_start start;
    struct holden_properties properties;
    process_request(process, &start, &properties);
    sequence_command(process, &properties, &start);
    refusal_step(process, &process->launch->failure, &start, step, error, detail);
    const char *setting = sequence_setting(process, &properties);
    if (setting)
        refusal_blame(&process->launch->failure, setting);
}

/* Once both the keeper's answer and the pipe's end are here, the report says which it is. Where it
 * failed or died, its end is waited for, and finish_status() tells. */
static void decide(struct process *process) {
    struct launch *launch = process->launch;
    if (!launch->ended || process->pid == 0)
        return;
    const struct plan_report *report = &process->agent->link.reports[launch->report];
    if (report->error != 0)
        refuse_step(process, report->reached, report->error, report->detail);
    else if (process->state == HOLDEN_state_STARTING &&
             launch_executed(process, report, process->pid)) {
        if (report->detail)
            log_notice("%s: a directory of its own was moved to or from \"private\", since "
                       "DynamicUser= has changed", process->name);
        started(process);
    }
}

void launch_end_pipe(struct launch *launch) {
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
    launch_end_pipe(process->launch);
    decide(process);
}

static int on_pipe(sd_event_source *source, int fd, uint32_t events, void *data) {
    (void)source;
    (void)fd;
    (void)events;
    struct process *process = data;
    launch_end_pipe(process->launch);
    /* Whose status is on its way is decided about when it is there. */
    if (!process->leaving)
        decide(process);
    return 0;
}

int launch_open(struct process *process, uint64_t token, sd_event_io_handler_t on_pipe_end,
                struct launch **out, int *pipe_end, struct failure *failure) {
    struct agent *agent = process->agent;
    int ends[2];
    uint32_t report;
    if (link_take_report(&agent->link, token, &report) < 0)
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
    *out = launch;
    *pipe_end = ends[1];
    int r = sd_event_add_io(agent->event, &launch->source, launch->pipe, EPOLLIN, on_pipe_end,
                            process);
    return r < 0 ? failure_errno(failure, -r, "status pipe", "cannot start %s", process->name) : 0;
}

static int prepare(struct process *process, struct parts *parts, struct failure *failure) {
    process_request(process, &parts->start, &parts->properties);
    remains_expect(process, &parts->properties);
    int r = sequence_prepare(process, &parts->properties);
    if (r < 0)
        return failure_errno(failure, -r, "TimeoutStartSec", "cannot start %s", process->name);
    sequence_command(process, &parts->properties, &parts->start);
    r = parts_prepare(process, parts, failure);
    if (r == 0)
        r = launch_open(process, process->id, on_pipe, &process->launch, &parts->pipe, failure);
    return r == 0 ? parts_pass(process, parts, failure) : r;
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
    if (process->has_cgroup) {
        place_remove(process);
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
    _cleanup_(parts_free) struct parts parts = PARTS_NONE;
    process->main_ended = process->leaving = false;
    process->ran = process->recorded = false;
    process->stays = STAY_NONE;
    process->known = 0;
    process->started_realtime = machine_realtime();
    process->started_monotonic = machine_monotonic();
    int r = prepare(process, &parts, failure);
    if (r == 0) {
        process->user = parts.identity.uid;
        r = announce(process, failure);
    }
    if (r == 0)
        r = parts_send(process, &parts, process->id, process->launch->report, failure);
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
    refuse_step(process, PLAN_STEP_CLONE, error, 0);
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
        refusal_say(&process->launch->failure, "pidfd", "it could not be watched");
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
    /* With ExitType=cgroup it runs on as long as others are in its cgroup. */
    if (process->main_ended && process->stays != STAY_CGROUP)
        return 0;
    stop_begin(process, &(struct stop_request){.by = -1, .cause = HOLDEN_cause_TIME_LIMIT});
    return 0;
}

int launch_limit_runtime(struct process *process, const struct holden_properties *properties) {
    sd_event_source *timer = NULL;
    if (HOLDEN_HAS(properties, properties, runtime_max) && properties->runtime_max != UINT64_MAX) {
        uint64_t end = process->started_monotonic + properties->runtime_max;
        if (process->state == HOLDEN_state_RUNNING && !readiness_is_end(properties))
            end = statement_until(process, end);
        int r = sd_event_add_time(process->agent->event, &timer, CLOCK_MONOTONIC, end, 1000,
                                  on_runtime, process);
        if (r < 0)
            return r;
    }
    sd_event_source_disable_unref(process->limit);
    process->limit = timer;
    return 0;
}
