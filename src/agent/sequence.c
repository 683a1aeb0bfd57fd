#include "agent/sequence.h"

#include "agent/agent.h"
#include "agent/phase.h"
#include "agent/stop.h"

/* The command of the present step; false for the main one. */
static bool find(const struct process *process, const struct holden_properties *properties,
                 struct holden_exec *exec) {
    return phase_command(properties, PHASE_START_PRE, process->step, exec);
}

static bool find_own(const struct process *process, struct holden_exec *exec) {
    struct holden_start start;
    struct holden_properties properties;
    process_request(process, &start, &properties);
    return find(process, &properties, exec);
}

bool sequence_before_main(const struct process *process) {
    return !process->ran && process->step < process->steps;
}

bool sequence_runs(const struct process *process) {
    return sequence_before_main(process) && process->launch && process->launch->ended;
}

void sequence_command(const struct process *process, const struct holden_properties *properties,
                      struct holden_start *start) {
    struct holden_exec exec;
    if (find(process, properties, &exec))
        start->argument = exec.argument;
}

static void blame(struct process *process, const char *how) {
    struct holden_exec exec;
    if (!process->launch || process->launch->failure.code || !find_own(process, &exec))
        return;
    phase_blame(PHASE_START_PRE, &exec, how, &process->launch->failure);
}

static int on_limit(sd_event_source *source, uint64_t now, void *data) {
    (void)source;
    (void)now;
    struct process *process = data;
    process->start_limit = sd_event_source_disable_unref(process->start_limit);
    if (process->main_ended)
        return 0;
    blame(process, "did not end within TimeoutStartSec=");
    stop_begin(process, &(struct stop_request){.by = -1, .cause = HOLDEN_cause_SETUP});
    return 0;
}

int sequence_prepare(struct process *process, const struct holden_properties *properties) {
    sequence_over(process);
    process->steps = phase_count(properties, PHASE_START_PRE);
    if (!sequence_before_main(process) || !HOLDEN_HAS(properties, properties, timeout_start) ||
        properties->timeout_start > INT64_MAX)
        return 0;
    return sd_event_add_time(process->agent->event, &process->start_limit, CLOCK_MONOTONIC,
                             process->started_monotonic + properties->timeout_start, 1000,
                             on_limit, process);
}

/* Somebody wants it stopped: more than what a command has left behind. */
static bool ending(const struct process *process) {
    return process->stopping && process->stopping->cause != HOLDEN_cause_NONE;
}

void sequence_judge(struct process *process) {
    struct launch *launch = process->launch;
    const struct outcome *outcome = &process->outcome;
    struct holden_start start;
    struct holden_properties properties;
    struct holden_exec exec;
    char how[64];
    process_request(process, &start, &properties);
    if (!launch || phase_is_clean(outcome, &properties) || ending(process) ||
        !find_own(process, &exec))
        return;
    if (phase_may_fail(&exec)) {
        launch->failure.code = 0;
        return;
    }
    blame(process, phase_tell(outcome, how, sizeof(how)));
}

bool sequence_goes_on(const struct process *process) {
    return process->launch && !process->launch->failure.code && process->pid > 0 &&
           !ending(process) && !process->agent->stopping && sequence_before_main(process);
}

void sequence_over(struct process *process) {
    process->start_limit = sd_event_source_disable_unref(process->start_limit);
}

/* Ends that are the command's own doing, and not those of a limit or of the agent. */
static bool is_own(uint32_t cause) {
    return cause == HOLDEN_cause_EXITED || cause == HOLDEN_cause_SIGNALLED ||
           cause == HOLDEN_cause_SYSTEM_CALL || cause == HOLDEN_cause_TASKS_LIMIT;
}

bool sequence_success(const struct process *process) {
    const struct outcome *outcome = &process->outcome;
    struct holden_start start;
    struct holden_properties properties;
    process_request(process, &start, &properties);
    if (HOLDEN_HAS(&start, start, ignore_failure) && start.ignore_failure)
        return outcome->code != 0 && is_own(outcome->cause);
    return (outcome->cause == HOLDEN_cause_EXITED || outcome->cause == HOLDEN_cause_SIGNALLED) &&
           phase_is_clean(outcome, &properties);
}
