#include "agent/finish.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/beside.h"
#include "agent/gate.h"
#include "agent/launch.h"
#include "agent/linger.h"
#include "agent/logfile.h"
#include "agent/machine.h"
#include "agent/outcome.h"
#include "agent/place.h"
#include "agent/readiness.h"
#include "agent/remains.h"
#include "agent/sequence.h"
#include "agent/state.h"
#include "agent/statement.h"
#include "agent/stop.h"
#include "agent/usage.h"
#include "agent/waiter.h"
#include "agent/watchdog.h"
#include "common/cleanup.h"
#include "common/log.h"

enum { GRACE = 10000000 /* microseconds */, GRACE_RECORDS = 1000 };

/* ---- what waits ---- */

bool finish_is_empty(const struct process *process) {
    _cleanup_close_ int directory = -1;
    return !process->has_cgroup ||
           (place_open(process, &directory) == 0 && !cgroup_populated(directory));
}

void finish_describe(const struct process *process, struct holden_exited *message) {
    const struct outcome *outcome = &process->outcome;
    *message = (struct holden_exited){0};
    HOLDEN_SET(message, exited, name, holden_view(process->name));
    HOLDEN_SET(message, exited, id, process->id);
    HOLDEN_SET(message, exited, state, process->state);
    HOLDEN_SET(message, exited, cause, outcome->cause);
    if (outcome->code == CLD_EXITED)
        HOLDEN_SET(message, exited, status, (uint32_t)outcome->status);
    else if (outcome->code)
        HOLDEN_SET(message, exited, signal, (uint32_t)outcome->status);
    if (outcome->code == CLD_DUMPED)
        HOLDEN_SET(message, exited, core, true);
    if (outcome->explanation)
        HOLDEN_SET(message, exited, explanation, holden_view(outcome->explanation));
}

/* What a clean end is called needs no figures, and reading them takes a while: who waits for one
 * hears of it first, once nothing else is in the cgroup. What else there is to do is done before
 * any other request is read. */
static void answer_clean(struct process *process) {
    struct holden_exited exited;
    if (!process->recorded || !process->ran || process->stopping || process->outcome.status != 0 ||
        process->outcome.code != CLD_EXITED || process->readiness || process->remains ||
        beside_follows(process) || process->remain || process->by_cgroup ||
        !waiter_any(process, WAITER_EXIT) || !finish_is_empty(process))
        return;
    outcome_explain(process);
    finish_describe(process, &exited);
    exited.state = HOLDEN_state_EXITED;
    waiter_answer(process, WAITER_EXIT, HOLDEN_MESSAGE_exited, &exited, NULL, 0);
}

static void answer_waiters(struct process *process, const struct failure *refused) {
    struct holden_exited exited;
    struct failure ended;
    finish_describe(process, &exited);
    if (refused)
        waiter_refuse(process, WAITER_START, refused);
    else if (waiter_any(process, WAITER_START)) {
        failure_set(&ended, HOLDEN_code_FAILED, "start", "%s was stopped before it ran",
                    process->name);
        waiter_refuse(process, WAITER_START, &ended);
    }
    waiter_answer(process, WAITER_EXIT, HOLDEN_MESSAGE_exited, &exited, NULL, 0);
}

void finish_released(struct agent *agent, uint64_t id) {
    struct process *process = process_by_id(&agent->processes, id);
    struct holden_done done = {0};
    if (process && !process_alive(process))
        waiter_answer(process, WAITER_STOP, HOLDEN_MESSAGE_done, &done, NULL, 0);
    finish_forget_old(agent);
}

/* ---- the end itself ---- */

/* Clients of an agent that died come back to ask its successor how things ended: for a while it
 * keeps more. */
static size_t to_keep(const struct agent *agent) {
    bool grace = agent->recoveries > 0 && machine_monotonic() - agent->started < GRACE;
    return agent->config.keep_records + (grace ? GRACE_RECORDS : 0);
}

void finish_forget_old(struct agent *agent) {
    struct process *process = TAILQ_FIRST(&agent->processes.endings);
    while (process && agent->processes.ended > to_keep(agent)) {
        struct process *next = TAILQ_NEXT(process, ending);
        if (LIST_EMPTY(&process->waiters)) {
            store_remove(&agent->store, process);
            process_free(process);
        }
        process = next;
    }
}

/* A restart goes back to STARTING in place; what was known of the last run is dropped. */
void finish_start_again(struct process *process) {
    if (process->stopping)
        process->restart_token = process->stopping->restart_token;
    process_stopped(process);
    free(process->outcome.explanation);
    process->outcome = (struct outcome){0};
    free(TAKE_POINTER(process->usage));
    statement_drop(process);
    free(TAKE_POINTER(process->complaint));
    free(TAKE_POINTER(process->denials));
    free(TAKE_POINTER(process->learned));
    process->killed_by = -1;
    process->restarts++;
    process->step = 0;
    process->over = 0;
    if (process_event(process, PROCESS_STARTS) == 0)
        finish_launch(process);
}

void finish_launch(struct process *process) {
    struct failure failure;
    if (launch_begin(process, &failure) == 0)
        return;
    sequence_over(process);
    remains_clear(process, false);
    process->outcome.cause = HOLDEN_cause_SETUP;
    process->outcome.explanation = strdup(failure.text);
    process->ended_realtime = machine_realtime();
    process->ended_monotonic = machine_monotonic();
    process_event(process, PROCESS_FAILS);
    store_write(&process->agent->store, process);
    answer_waiters(process, &failure);
}

/* What this launch leaves behind is gone before the next command of its sequence is started, as
 * systemd.service(5) has it for ExecStartPre=. False at the end of the sequence. */
static bool next_step(struct process *process) {
    if (!sequence_goes_on(process))
        return false;
    /* A command that left others behind was being stopped. */
    process_stopped(process);
    process_event(process, PROCESS_STARTS);
    /* Written down while the report and the status of what has ended are still there: whatever
     * becomes of the agent, no command runs a second time. */
    process->step++;
    process->step_chosen = true;
    store_write(&process->agent->store, process);
    process->step_chosen = false;
    process->end = sd_event_source_disable_unref(process->end);
    cleanup_close(&process->pidfd);
    process->pidfd = -1;
    link_send_request(&process->agent->link, KEEPER_RELEASE, process->pid, 0);
    process_set_pid(process, 0);
    process_launched(process);
    free(process->usage);
    process->usage = NULL;
    process->outcome.code = process->outcome.status = 0;
    finish_launch(process);
    return true;
}

static enum process_event final_event(const struct process *process) {
    if (process->complaint || process->outcome.cause == HOLDEN_cause_WATCHDOG)
        return PROCESS_FAILS;
    if (process->outcome.cause == HOLDEN_cause_STOPPED)
        return PROCESS_IS_STOPPED;
    bool good = process->ran ? sequence_success(process)
                             : process->outcome.cause == HOLDEN_cause_SKIPPED;
    return good ? PROCESS_EXITS : PROCESS_FAILS;
}

static void keep_record(struct process *process) {
    struct store *store = &process->agent->store;
    int r = store_write(store, process);
    if (r == 0)
        return;
    /* No record is better than one that calls it running: its pid may be another's soon. */
    store_forget(store, process);
    log_warning("the exit record of %s could not be written: %s", process->name, strerror(-r));
}

/* Who waits is told before the end is written down: should the agent die in between, the next one
 * finds the record of a running process, and the keeper still has its end. Where there is no such
 * record yet, the writing comes first. */
static void tell(struct process *process, pid_t pid, int pidfd, const struct failure *refused) {
    const struct failure *failure = refused->code ? refused : NULL;
    if (process->recorded) {
        answer_waiters(process, failure);
        keep_record(process);
        return;
    }
    keep_record(process);
    if (process->ran && !failure)
        launch_tell(process, pid, pidfd);
    answer_waiters(process, failure);
}

/* Why it ended; and in *refused, if its start failed, why that did. What ExecStopPost= was told is
 * not worked out again. */
static void explain(struct process *process, struct failure *refused) {
    bool told = process->over & 1U << PHASE_STOP_POST && process->outcome.explanation;
    process->ended_realtime = machine_realtime();
    process->ended_monotonic = machine_monotonic();
    if (!told)
        outcome_explain(process);
    if (process->launch && process->launch->failure.code)
        *refused = process->launch->failure;
    else if (told && process->outcome.cause == HOLDEN_cause_SKIPPED)
        failure_set(refused, HOLDEN_code_SKIPPED, NULL, "%s", process->outcome.explanation);
    else if (told && process->outcome.cause == HOLDEN_cause_SETUP)
        failure_set(refused, HOLDEN_code_FAILED, "Type", "%s", process->outcome.explanation);
    else if (!told && process->readiness && process->outcome.cause != HOLDEN_cause_STOPPED)
        readiness_failed(process, refused);
}

/* What its commands had to complain of is told behind the rest. */
static void add_complaint(struct process *process) {
    const char *so_far = process->outcome.explanation;
    char *text;
    if (!process->complaint ||
        asprintf(&text, "%s; %s", so_far ? so_far : "it ended", process->complaint) < 0)
        return;
    free(process->outcome.explanation);
    process->outcome.explanation = text;
}

/* Nothing of it is left: ExecStopPost= follows, if it has not been. */
static bool follow_up(struct process *process) {
    struct failure refused;
    if (!beside_due(process, PHASE_STOP_POST) || process->agent->shutdown.killed)
        return false;
    explain(process, &refused);
    sequence_over(process);
    if (stop_hold(process) < 0)
        return false;
    beside_begin(process, PHASE_STOP_POST);
    return true;
}

static void ended(struct process *process) {
    struct agent *agent = process->agent;
    struct failure refused = {0};
    if ((process->over == 0 && next_step(process)) || follow_up(process))
        return;
    sequence_over(process);
    bool restart = process->stopping && process->stopping->restart && !agent->stopping;
    remains_clear(process, restart);
    explain(process, &refused);
    add_complaint(process);
    pid_t pid = process->pid;
    process->end = sd_event_source_disable_unref(process->end);
    _cleanup_close_ int pidfd = TAKE_FD(process->pidfd);
    process_set_pid(process, 0);
    process->frozen = false;
    process->limit = sd_event_source_disable_unref(process->limit);
    readiness_end(process);
    statement_end(process);
    process_permanent(process);
    talk_end(process);
    if (restart) {
        process_launched(process);
        struct holden_done done = {0};
        waiter_answer(process, WAITER_STOP, HOLDEN_MESSAGE_done, &done, NULL, 0);
        finish_start_again(process);
    } else {
        process_stopped(process);
        filter_release(&agent->filters, TAKE_POINTER(process->filter));
        for (size_t i = 0; i < ARRAY_SIZE(process->passed); i++) {
            cleanup_close(&process->passed[i]);
            process->passed[i] = -1;
        }
        process_event(process, final_event(process));
        free(TAKE_POINTER(process->complaint));
        tell(process, pid, pidfd, &refused);
        process_launched(process); /* its report was needed as long as the record said `setup` */
        logfile_ended(process);
    }
    /* Only now may the kernel forget it. Who stopped it is told when it has: not even the pid is
     * left. */
    bool told = !restart && pid > 0 && process->child && waiter_any(process, WAITER_STOP);
    if (pid > 0)
        told &= link_send_request(&agent->link, KEEPER_RELEASE, pid, told ? process->id : 0) == 0;
    if (!restart && !told)
        finish_released(agent, process->id);
    if (agent->stopping && agent->processes.alive == 0)
        sd_event_exit(agent->event, AGENT_EXIT_STOPPED);
}

static int remove_cgroup(struct process *process) {
    if (!process->has_cgroup)
        return 0;
    int r = place_remove(process);
    if (r < 0)
        return r;
    watch_remove(&process->agent->watch, &process->cgroup_watch);
    return 0;
}

static void watch_cgroup(struct process *process) {
    char own[PLACE_WHOLE_MOST], path[sizeof(own) + 16];
    if (process->cgroup_watch >= 0)
        return;
    place_whole_path(process, own);
    snprintf(path, sizeof(path), "%s/cgroup.events", own);
    watch_add(&process->agent->watch, process, path, false, &process->cgroup_watch);
}

/* The figures are read while the cgroup is there. */
static void read_usage(struct process *process) {
    _cleanup_close_ int directory = -1;
    if (!process->usage)
        process->usage = calloc(1, sizeof(*process->usage));
    struct holden_usage *usage = process->usage;
    if (!usage)
        return;
    if (place_open(process, &directory) == 0) {
        usage_read(&process->agent->hierarchy, directory, NULL, USAGE_ENDED, usage);
        if (process->counts_ip)
            gate_count(directory, usage);
    } else
        HOLDEN_SET(usage, usage, at, machine_monotonic());
}

/* What the cgroup lacks, the keeper's rusage gives. */
static void add_rusage(struct process *process, const struct keeper_reply *reply) {
    struct holden_usage *usage = process->usage;
    if (!usage)
        return;
    if (!HOLDEN_HAS(usage, usage, cpu))
        HOLDEN_SET(usage, usage, cpu, reply->user + reply->system);
    if (!HOLDEN_HAS(usage, usage, memory_peak))
        HOLDEN_SET(usage, usage, memory_peak, reply->peak);
}

/* One of Type=oneshot has started when it has ended well. */
static bool start_post_due(const struct process *process) {
    struct holden_start start;
    struct holden_properties properties;
    if (!beside_due(process, PHASE_START_POST) || !process->ran)
        return false;
    process_request(process, &start, &properties);
    return readiness_is_end(&properties) && phase_is_clean(&process->outcome, &properties);
}

/* It has ended by itself, and commands come before all else. */
static bool commands_first(struct process *process) {
    const struct stopping *stopping = process->stopping;
    bool held = stopping && stopping->cause == HOLDEN_cause_NONE && !stopping->asked &&
                stopping->kills == 0 && !stopping->said;
    if (stopping && !held)
        return false;
    bool post = start_post_due(process);
    if (post && linger_remains(process)) {
        beside_begin(process, PHASE_START_POST);
        return true;
    }
    if (!stopping && !post && linger(process)) {
        /* Watched before it is asked again, so that its becoming empty in between is not missed. */
        watch_cgroup(process);
        if (linger(process))
            return true;
    }
    if ((!post && !beside_stop_due(process)) || stop_hold(process) < 0)
        return false;
    beside_begin(process, post ? PHASE_START_POST : PHASE_STOP);
    return true;
}

void finish_if_empty(struct process *process) {
    if (!process->main_ended || process->beside || commands_first(process))
        return;
    if (process->stays)
        read_usage(process);
    int r = remove_cgroup(process);
    if (r < 0) {
        /* Watched before it is asked again, so that its becoming empty in between is not missed. */
        watch_cgroup(process);
        r = remove_cgroup(process);
    }
    if (r == 0) {
        ended(process);
        return;
    }
    if (readiness_seeks(process))
        return;
    if (!process->stopping)
        stop_begin(process,
                   &(struct stop_request){.by = -1, .cause = HOLDEN_cause_NONE, .rest = true});
    else if (!process->stopping->asked && process->stopping->kills == 0)
        stop_proceed(process);
    else if (process->stopping->mixed && process->stopping->kills == 0 &&
             !process->stopping->last && !*process->stopping->stuck)
        stop_expire(process);
}

/* Only asks: the keeper's answer is wanted first, and comes the sooner the less is done here. */
int finish_on_end(sd_event_source *source, int fd, uint32_t events, void *data) {
    (void)fd;
    (void)events;
    struct process *process = data;
    sd_event_source_set_enabled(source, SD_EVENT_OFF);
    process->leaving = true;
    if (link_send_request(&process->agent->link, KEEPER_STATUS, process->pid, 0) < 0)
        sd_event_source_set_enabled(source, SD_EVENT_ON);
    return 0;
}

/* It died in its set-up without a word: of a signal, or for want of memory, which exec takes. */
static void blame_step(struct process *process) {
    struct launch *launch = process->launch;
    const struct outcome *outcome = &process->outcome;
    if (!launch || launch->failure.code || process->stopping || process->ran)
        return;
    const char *step = plan_step_words(process->agent->link.reports[launch->report].reached);
    if (process->usage && process->usage->oom_kills > 0)
        failure_set(&launch->failure, HOLDEN_code_FAILED, step,
                    "it ran out of memory in this step of its set-up: MemoryMax= is too small");
    else
        failure_set(&launch->failure, HOLDEN_code_FAILED, step,
                    "it was ended by signal %d in this step of its set-up",
                    outcome->code == CLD_EXITED ? 0 : outcome->status);
}

static void main_ended(struct process *process, const struct keeper_reply *reply) {
    process->main_ended = true;
    watchdog_end(process);
    answer_clean(process);
    if (!process->usage)
        read_usage(process);
    if (reply)
        add_rusage(process, reply);
    if (sequence_before_main(process))
        sequence_judge(process);
    else
        blame_step(process);
    finish_if_empty(process);
}

static struct process *find_main(const struct agent *agent, pid_t pid) {
    char text[16];
    snprintf(text, sizeof(text), "%d", pid);
    struct process *process = process_by_text(&agent->processes, holden_view(text));
    return process && !process->main_ended ? process : NULL;
}

void finish_status(struct agent *agent, const struct keeper_reply *reply) {
    struct process *process = find_main(agent, reply->pid);
    if (process && reply->error != EAGAIN) {
        notices_hear_last(process);
        process = find_main(agent, reply->pid);
    }
    if (!process)
        return;
    if (reply->error == EAGAIN) {
        process->leaving = false;
        if (process->end)
            sd_event_source_set_enabled(process->end, SD_EVENT_ON);
        return;
    }
    if (reply->error != 0) {
        finish_unseen(process);
        return;
    }
    /* Its end may be known before the end of its pipe is read, which says whether it ran at all. */
    launch_settle(process);
    process->outcome.code = reply->code;
    process->outcome.status = reply->status;
    main_ended(process, reply);
}

void finish_unseen(struct process *process) {
    /* What a record of its end says stays. */
    if (!process->outcome.explanation)
        process->outcome.code = process->outcome.status = 0;
    main_ended(process, NULL);
}

void finish_unborn(struct process *process) {
    process->main_ended = true;
    finish_if_empty(process);
}
