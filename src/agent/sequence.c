#include "agent/sequence.h"

#include <signal.h>

#include "agent/agent.h"
#include "agent/phase.h"
#include "agent/stop.h"

/* The command of the present step and its phase; false for the main one. */
static bool find(const struct process *process, const struct holden_properties *properties,
                 enum phase *phase, struct holden_exec *exec) {
    uint32_t conditions = phase_count(properties, PHASE_CONDITION);
    bool asks = process->step < conditions;
    *phase = asks ? PHASE_CONDITION : PHASE_START_PRE;
    return phase_command(properties, *phase, asks ? process->step : process->step - conditions,
                         exec);
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
    enum phase phase;
    if (find(process, properties, &phase, &exec))
        phase_put(&exec, start);
}

const char *sequence_setting(const struct process *process,
                             const struct holden_properties *properties) {
    struct holden_exec exec;
    enum phase phase;
    return find(process, properties, &phase, &exec) ? phase_setting(phase, &exec) : NULL;
}

static void blame(struct process *process, const char *how) {
    struct holden_start start;
    struct holden_properties properties;
    struct holden_exec exec;
    enum phase phase;
    process_request(process, &start, &properties);
    if (!process->launch || process->launch->failure.code ||
        !find(process, &properties, &phase, &exec))
        return;
    phase_blame(phase, &exec, how, &process->launch->failure);
}

/* What ExecCondition= means by it: an exit status other than 255 says that it is not to run. */
static bool says_no(enum phase phase, const struct outcome *outcome) {
    return phase == PHASE_CONDITION && outcome->code == CLD_EXITED && outcome->status < 255;
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
    process->steps = phase_count(properties, PHASE_CONDITION) +
                     phase_count(properties, PHASE_START_PRE);
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
    enum phase phase;
    char how[64];
    process_request(process, &start, &properties);
    if (!launch || phase_is_clean(outcome, &properties) || ending(process) ||
        !find(process, &properties, &phase, &exec))
        return;
    if (phase_may_fail(&exec)) {
        launch->failure.code = 0;
        return;
    }
    bool ran = !launch->failure.code;
    blame(process, phase_tell(outcome, how, sizeof(how)));
    if (ran && says_no(phase, outcome))
        launch->failure.code = HOLDEN_code_SKIPPED;
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
