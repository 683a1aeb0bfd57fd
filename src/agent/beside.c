#include "agent/beside.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/finish.h"
#include "agent/launch.h"
#include "agent/machine.h"
#include "agent/outcome.h"
#include "agent/parts.h"
#include "agent/readiness.h"
#include "agent/refusal.h"
#include "agent/sequence.h"
#include "agent/stop.h"
#include "agent/variables.h"
#include "agent/waiter.h"
#include "common/cleanup.h"
#include "common/log.h"

bool beside_due(const struct process *process, enum phase phase) {
    return process->commands & ~process->over & (1U << phase);
}

bool beside_is_over(const struct process *process) {
    return process->state == HOLDEN_state_STARTING && process->ran && !process->stopping &&
           !process->beside && process->over & 1U << PHASE_START_POST;
}

bool beside_follows(const struct process *process) {
    return process->beside || beside_due(process, PHASE_START_POST) ||
           beside_due(process, PHASE_STOP) || beside_due(process, PHASE_STOP_POST);
}

/* One of Type=oneshot has started only when it has ended well, and any when ExecStartPost= has. */
bool beside_stop_due(const struct process *process) {
    struct holden_start start;
    struct holden_properties properties;
    bool failed = process->commands & 1U << PHASE_START_POST && process->complaint;
    if (!beside_due(process, PHASE_STOP) || !process->ran || process->readiness || failed ||
        beside_due(process, PHASE_START_POST))
        return false;
    process_request(process, &start, &properties);
    return !readiness_is_end(&properties) ||
           (process->main_ended && phase_is_clean(&process->outcome, &properties));
}

bool beside_busy(const struct process *process) {
    const struct beside *beside = process->beside;
    return beside && !beside->late &&
           (beside->phase == PHASE_STOP || beside->phase == PHASE_STOP_POST);
}

void beside_drop(struct process *process) {
    struct beside *beside = TAKE_POINTER(process->beside);
    if (!beside)
        return;
    LIST_REMOVE(beside, entry);
    sd_event_source_disable_unref(beside->end);
    sd_event_source_disable_unref(beside->timer);
    cleanup_close(&beside->pidfd);
    process_drop_launch(process->agent, beside->launch);
    free(beside);
}

/* ---- failure ---- */

/* Who waits for it is told at once. Of those that can be followed by the end of the process the
 * first one is told then too. */
static void complain(struct process *process, const struct failure *failure) {
    enum phase phase = process->beside->phase;
    const char *setting = phase_name(phase);
    struct failure told = *failure;
    char *text = NULL;
    refusal_blame(&told, setting);
    log_warning("%s: %s: %s", process->name, setting, told.text);
    if (phase == PHASE_START_POST)
        waiter_refuse(process, WAITER_START, &told);
    if (phase == PHASE_RELOAD)
        waiter_refuse(process, WAITER_RELOAD, &told);
    else if (!process->complaint && asprintf(&text, "%s: %s", setting, told.text) >= 0)
        process->complaint = text;
}

/* The command of the present step, and the properties that it is one of. */
static void find_command(const struct process *process, struct holden_properties *properties,
                         struct holden_exec *exec) {
    struct holden_start start;
    process_request(process, &start, properties);
    *exec = (struct holden_exec){0};
    phase_command(properties, process->beside->phase, process->beside->step, exec);
}

/* Whether a command that ended so, or failed so, lets the next one follow. */
static bool forgive(struct process *process, const struct holden_exec *exec,
                    const struct failure *failure) {
    if (failure->code && !phase_may_fail(exec))
        complain(process, failure);
    return !failure->code || phase_may_fail(exec);
}

static bool judge(struct process *process, const struct outcome *outcome) {
    const struct beside *beside = process->beside;
    const struct plan_report *report = &process->agent->link.reports[beside->launch->report];
    struct holden_properties properties;
    struct holden_exec exec;
    struct holden_start start = {0};
    struct failure failure = {0};
    char how[64];
    find_command(process, &properties, &exec);
    phase_put(&exec, &start);
    if (report->error != 0)
        refusal_step(process, &failure, &start, report->reached, report->error, report->detail);
    else if (!phase_is_clean(outcome, &properties))
        phase_blame(beside->phase, &exec, phase_tell(outcome, how, sizeof(how)), &failure);
    return beside->late ? false : forgive(process, &exec, &failure);
}

/* ---- one after the other ---- */

/* For the next agent. A disk that is full is no reason not to stop. */
static void keep(struct process *process) {
    int r = store_write(&process->agent->store, process);
    if (r < 0)
        log_warning("%s: that %s is run could not be written down: %s", process->name,
                    process->beside ? phase_name(process->beside->phase) : "another command",
                    strerror(-r));
}

static void fail_start(struct process *process) {
    stop_begin(process, &(struct stop_request){.by = -1, .cause = HOLDEN_cause_SETUP});
}

/* That the phase has had its turn. A process can be reloaded again. */
static void mark_over(struct process *process, enum phase phase) {
    if (phase != PHASE_RELOAD)
        process->over |= 1U << phase;
}

static int on_limit(sd_event_source *source, uint64_t now, void *data) {
    (void)source;
    (void)now;
    struct process *process = data;
    struct beside *beside = process->beside;
    struct holden_properties properties;
    struct holden_exec exec;
    struct failure failure;
    char how[64];
    beside->timer = sd_event_source_disable_unref(beside->timer);
    find_command(process, &properties, &exec);
    snprintf(how, sizeof(how), "did not end within %s=", phase_limit(beside->phase));
    phase_blame(beside->phase, &exec, how, &failure);
    complain(process, &failure);
    beside_abandon(process);
    if (beside->phase == PHASE_RELOAD)
        pidfd_send_signal(beside->pidfd, SIGKILL, NULL, 0);
    else if (beside->phase == PHASE_START_POST && !process->stopping)
        fail_start(process);
    else
        stop_proceed(process);
    return 0;
}

static int arm(struct process *process) {
    struct beside *beside = process->beside;
    beside->timer = sd_event_source_disable_unref(beside->timer);
    if (beside->late || beside->deadline > INT64_MAX)
        return 0;
    return sd_event_add_time(process->agent->event, &beside->timer, CLOCK_MONOTONIC,
                             beside->deadline, 1000, on_limit, process);
}

void beside_hurry(struct process *process, uint64_t deadline) {
    if (!beside_busy(process) || deadline >= process->beside->deadline)
        return;
    process->beside->deadline = deadline;
    if (arm(process) < 0)
        beside_abandon(process);
}

void beside_extend(struct process *process, uint64_t deadline) {
    struct beside *beside = process->beside;
    if (!beside || !beside->timer || beside->late || deadline <= beside->deadline)
        return;
    beside->deadline = deadline;
    if (arm(process) < 0)
        beside_abandon(process);
}

void beside_abandon(struct process *process) {
    struct beside *beside = process->beside;
    struct failure failure;
    if (!beside || beside->late)
        return;
    beside->late = true;
    beside->timer = sd_event_source_disable_unref(beside->timer);
    mark_over(process, beside->phase);
    if (beside->phase != PHASE_RELOAD)
        return;
    failure_set(&failure, HOLDEN_code_FAILED, phase_name(PHASE_RELOAD), "%s is being stopped",
                process->name);
    waiter_refuse(process, WAITER_RELOAD, &failure);
}

static int on_pipe(sd_event_source *source, int fd, uint32_t events, void *data) {
    (void)source;
    (void)fd;
    (void)events;
    struct process *process = data;
    launch_end_pipe(process->beside->launch);
    return 0;
}

static int send(struct process *process, struct parts *parts, struct failure *failure) {
    struct beside *beside = process->beside;
    int r = parts_prepare(process, parts, failure);
    if (r == 0)
        r = launch_open(process, process->id | BESIDE_TOKEN, on_pipe, &beside->launch, &parts->pipe,
                        failure);
    if (r == 0)
        r = parts_pass(process, parts, failure);
    if (r < 0 || !beside->launch)
        return r;
    beside->chosen = false;
    keep(process);
    return parts_send(process, parts, process->id | BESIDE_TOKEN, beside->launch->report, failure);
}

static uint64_t time_for(const struct process *process, enum phase phase,
                         const struct holden_properties *properties) {
    if (phase == PHASE_STOP || phase == PHASE_STOP_POST)
        return stop_timeout(process, phase == PHASE_STOP);
    return HOLDEN_HAS(properties, properties, timeout_start) ? properties->timeout_start
                                                             : UINT64_MAX;
}

/* Launches the command of the present step. 0; or whether the next one follows is in *good. */
static int launch(struct process *process, bool *good) {
    struct beside *beside = process->beside;
    struct failure failure = {0};
    struct variables variables;
    struct holden_exec exec = {0};
    _cleanup_(variables_free_words) struct variables_words words = {0};
    _cleanup_(parts_free) struct parts parts = PARTS_NONE;
    process_request(process, &parts.start, &parts.properties);
    uint64_t timeout = time_for(process, beside->phase, &parts.properties);
    phase_command(&parts.properties, beside->phase, beside->step, &exec);
    variables_fill(&variables, process);
    beside->deadline = timeout <= INT64_MAX ? machine_monotonic() + timeout : UINT64_MAX;
    int r = variables_expand(&variables, &exec, &words);
    if (r == 0)
        r = arm(process);
    if (r < 0)
        r = failure_errno(&failure, -r, NULL, "cannot run it");
    phase_put(&exec, &parts.start);
    parts.start.argument = (struct holden_repeated){.count = words.count, .items = words.list};
    parts.beside = true;
    parts.variables = variables.list;
    parts.variable_count = variables.count;
    if (r == 0)
        r = send(process, &parts, &failure);
    *good = r == 0 || forgive(process, &exec, &failure);
    return r;
}

static void close_command(struct beside *beside) {
    beside->end = sd_event_source_disable_unref(beside->end);
    beside->timer = sd_event_source_disable_unref(beside->timer);
    cleanup_close(&beside->pidfd);
    beside->pidfd = -1;
    beside->pid = 0;
    beside->leaving = false;
}

/* The phase has had its turn, and its last command is reaped. */
static void follow(struct process *process, enum phase phase, bool good) {
    struct holden_done done = {0};
    if (phase == PHASE_STOP && !process->main_ended && !process->stopping->asked &&
        process->stopping->kills == 0)
        stop_proceed(process);
    if (phase == PHASE_START_POST && !process->stopping && good)
        launch_ready(process);
    else if (phase == PHASE_START_POST && !process->stopping)
        fail_start(process);
    if (phase == PHASE_RELOAD)
        waiter_answer(process, WAITER_RELOAD, HOLDEN_MESSAGE_done, &done, NULL, 0);
    finish_if_empty(process);
}

/* The present command is done with: the next one is chosen, or its phase is over. True: there is a
 * next one, to be launched. */
static bool advance(struct process *process, bool good) {
    struct agent *agent = process->agent;
    struct beside *beside = process->beside;
    struct holden_start start;
    struct holden_properties properties;
    enum phase phase = beside->phase;
    pid_t pid = beside->pid;
    bool late = beside->late;
    process_request(process, &start, &properties);
    bool more = good && !late && beside->step + 1 < phase_count(&properties, phase);
    close_command(beside);
    if (more) {
        beside->step++;
        beside->chosen = true;
    } else {
        mark_over(process, phase);
        process->beside = NULL;
    }
    keep(process);
    if (pid > 0)
        link_send_request(&agent->link, KEEPER_RELEASE, pid, 0);
    process_drop_launch(agent, TAKE_POINTER(beside->launch));
    if (more)
        return true;
    process->beside = beside;
    beside_drop(process);
    follow(process, phase, good && !late);
    return false;
}

void beside_run(struct process *process) {
    bool good;
    while (launch(process, &good) < 0)
        if (!advance(process, good))
            return;
}

static void command_ended(struct process *process, const struct outcome *outcome) {
    if (advance(process, judge(process, outcome)))
        beside_run(process);
}

struct beside *beside_make(struct process *process, enum phase phase) {
    struct beside *beside = calloc(1, sizeof(*beside));
    if (!beside)
        return NULL;
    beside->process = process;
    beside->phase = phase;
    beside->pidfd = -1;
    beside->deadline = UINT64_MAX;
    LIST_INSERT_HEAD(&process->agent->processes.besides, beside, entry);
    process->beside = beside;
    return beside;
}

bool beside_choose(struct process *process, enum phase phase) {
    if (!beside_due(process, phase))
        return false;
    struct beside *beside = beside_make(process, phase);
    if (beside)
        beside->chosen = true;
    else
        log_error("%s: out of memory: %s is not run", process->name, phase_name(phase));
    return beside;
}

void beside_begin(struct process *process, enum phase phase) {
    if (beside_choose(process, phase)) {
        beside_run(process);
        return;
    }
    mark_over(process, phase);
    follow(process, phase, true);
}

/* ---- what comes back ---- */

static int on_end(sd_event_source *source, int fd, uint32_t events, void *data) {
    (void)fd;
    (void)events;
    struct process *process = data;
    sd_event_source_set_enabled(source, SD_EVENT_OFF);
    process->beside->leaving = true;
    if (link_send_request(&process->agent->link, KEEPER_STATUS, process->beside->pid, 0) < 0)
        sd_event_source_set_enabled(source, SD_EVENT_ON);
    return 0;
}

static void attend(struct process *process, pid_t pid, int pidfd) {
    struct beside *beside = process->beside;
    beside->pid = pid;
    beside->pidfd = pidfd;
    int r = pidfd < 0 ? pidfd
                      : sd_event_add_io(process->agent->event, &beside->end, pidfd, EPOLLIN, on_end,
                                        process);
    if (r < 0) {
        log_error("%s: a command of %s cannot be watched: %s", process->name,
                  phase_name(beside->phase), strerror(-r));
        command_ended(process, &(struct outcome){0});
    }
}

void beside_spawned(struct agent *agent, const struct keeper_reply *reply, int pidfd) {
    struct process *process = process_by_id(&agent->processes, reply->token & ~BESIDE_TOKEN);
    struct beside *beside = process ? process->beside : NULL;
    if (!beside || !beside->launch || beside->pid != 0) {
        log_error("the keeper answered a plan that nobody sent");
        cleanup_close(&pidfd);
        return;
    }
    if (reply->error == 0) {
        attend(process, reply->pid, pidfd);
        return;
    }
    agent->link.reports[beside->launch->report].error = reply->error;
    command_ended(process, &(struct outcome){0});
}

bool beside_status(struct agent *agent, const struct keeper_reply *reply) {
    struct beside *beside;
    LIST_FOREACH(beside, &agent->processes.besides, entry)
        if (beside->pid > 0 && beside->pid == reply->pid)
            break;
    if (!beside)
        return false;
    if (reply->error == EAGAIN) {
        beside->leaving = false;
        sd_event_source_set_enabled(beside->end, SD_EVENT_ON);
        return true;
    }
    struct outcome outcome = {.code = reply->error == 0 ? reply->code : 0,
                              .status = reply->error == 0 ? reply->status : 0};
    command_ended(beside->process, &outcome);
    return true;
}

/* ---- recovery ---- */

/* Keeper and agent were killed together: whatever is left of it is in the cgroup. */
static void resume_unseen(struct process *process) {
    struct holden_properties properties;
    struct holden_exec exec;
    struct failure failure;
    char how[64];
    find_command(process, &properties, &exec);
    phase_blame(process->beside->phase, &exec,
                phase_tell(&(struct outcome){0}, how, sizeof(how)), &failure);
    if (advance(process, forgive(process, &exec, &failure)))
        beside_run(process);
}

static int take_report(struct beside *beside, uint32_t report) {
    beside->launch = calloc(1, sizeof(*beside->launch));
    if (!beside->launch)
        return -ENOMEM;
    *beside->launch = (struct launch){.report = report, .pipe = -1, .ended = true};
    return 0;
}

/* The keeper that has its report has it as its child, dead or alive, until it is released. */
void beside_resume(struct process *process) {
    struct agent *agent = process->agent;
    struct beside *beside = process->beside;
    uint32_t at;
    if (!beside) {
        follow(process, PHASE_START_POST, !process->complaint);
        return;
    }
    int r = link_find_report(&agent->link, process->id | BESIDE_TOKEN, &at);
    if (beside->chosen) {
        /* What there may be is of the one before. */
        if (r == 0)
            link_give_report(&agent->link, at);
        beside_run(process);
        return;
    }
    if (r < 0 || take_report(beside, at) < 0) {
        resume_unseen(process);
        return;
    }
    const struct plan_report *report = &agent->link.reports[at];
    if (report->pid > 0) {
        pid_t pid = report->pid;
        if (arm(process) < 0)
            beside_abandon(process);
        link_send_adoption(&agent->link, &pid, 1, process->id | BESIDE_TOKEN);
        int fd = pidfd_open(pid, 0);
        attend(process, pid, fd < 0 ? -errno : fd);
    } else if (report->error != 0)
        command_ended(process, &(struct outcome){0});
    else {
        process_drop_launch(agent, TAKE_POINTER(beside->launch));
        beside_run(process);
    }
}
