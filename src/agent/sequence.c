#include "agent/sequence.h"

#include <stdio.h>
#include <string.h>

#include "agent/agent.h"
#include "agent/outcome.h"
#include "agent/stop.h"

/* The command of a step; false for the main one. */
static bool find(const struct process *process, const struct holden_properties *properties,
                 struct holden_exec *exec) {
    struct holden_repeated left = properties->exec_start_pre;
    struct holden_nested nested;
    struct holden_fault fault;
    uint32_t step = 0;
    if (!HOLDEN_HAS(properties, properties, exec_start_pre))
        return false;
    while (holden_next_record(&left, &nested))
        if (step++ == process->step)
            return holden_decode(&holden_record_exec, nested.bytes.data, nested.bytes.size, exec,
                                 &fault) == 0;
    return false;
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
    struct holden_view command = {"", 0};
    if (!process->launch || process->launch->failure.code || !find_own(process, &exec))
        return;
    holden_next_view(&exec.argument, &command);
    failure_set(&process->launch->failure, HOLDEN_code_FAILED, "ExecStartPre", "%.*s %s",
                (int)(command.size < 256 ? command.size : 256), command.data, how);
}

static int on_limit(sd_event_source *source, uint64_t now, void *data) {
    (void)source;
    (void)now;
    struct process *process = data;
    process->start_limit = sd_event_source_disable_unref(process->start_limit);
    blame(process, "did not end within TimeoutStartSec=");
    stop_begin(process, &(struct stop_request){.by = -1, .cause = HOLDEN_cause_SETUP});
    return 0;
}

int sequence_prepare(struct process *process, const struct holden_properties *properties) {
    sequence_over(process);
    process->steps = HOLDEN_HAS(properties, properties, exec_start_pre)
                         ? properties->exec_start_pre.count
                         : 0;
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

/* As on the wire: a signal is 256 and its number. */
static uint32_t end_number(const struct outcome *outcome) {
    return (uint32_t)outcome->status + (outcome->code == CLD_EXITED ? 0 : 256);
}

/* Whether status or signal are ones that count as success, for every command that a process has. */
static bool is_clean(const struct outcome *outcome, const struct holden_properties *properties) {
    struct holden_repeated left = properties->success_exit_status;
    uint32_t number;
    if (outcome->code == 0 || (outcome->code == CLD_EXITED && outcome->status == 0))
        return outcome->code != 0;
    while (HOLDEN_HAS(properties, properties, success_exit_status) &&
           holden_next_u32(&left, &number))
        if (number == end_number(outcome))
            return true;
    return false;
}

void sequence_judge(struct process *process) {
    struct launch *launch = process->launch;
    const struct outcome *outcome = &process->outcome;
    struct holden_start start;
    struct holden_properties properties;
    struct holden_exec exec;
    char how[64], name[32];
    process_request(process, &start, &properties);
    if (!launch || is_clean(outcome, &properties) || ending(process) || !find_own(process, &exec))
        return;
    if (HOLDEN_HAS(&exec, exec, ignore_failure) && exec.ignore_failure) {
        launch->failure.code = 0;
        return;
    }
    if (outcome->code == 0)
        snprintf(how, sizeof(how), "ended while nobody could see how");
    else if (outcome->code == CLD_EXITED)
        snprintf(how, sizeof(how), "exited with status %d", outcome->status);
    else
        snprintf(how, sizeof(how), "was ended by %s",
                 outcome_signal(outcome->status, name, sizeof(name)));
    blame(process, how);
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
           is_clean(outcome, &properties);
}
