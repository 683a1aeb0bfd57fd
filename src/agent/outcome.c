#include "agent/outcome.h"

#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/agent.h"
#include "agent/filter.h"
#include "agent/denial.h"
#include "agent/readiness.h"
#include "agent/watchdog.h"
#include "common/unit.h"
#include "protocol/property.h"

static void say(struct process *process, uint32_t cause, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void say(struct process *process, uint32_t cause, const char *format, ...) {
    char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) < 0)
        text = NULL;
    va_end(arguments);
    free(process->outcome.explanation);
    process->outcome.explanation = text;
    process->outcome.cause = cause;
}

const char *outcome_signal(int number, char *text, size_t space) {
    const char *name = sigabbrev_np(number);
    if (name)
        snprintf(text, space, "SIG%s", name);
    else
        snprintf(text, space, "signal %d", number);
    return text;
}

static bool signalled(const struct process *process, int number) {
    return process->outcome.code != CLD_EXITED && process->outcome.status == number;
}

static bool failed(const struct process *process) {
    return process->outcome.code != CLD_EXITED || process->outcome.status != 0;
}

static bool out_of_memory(struct process *process) {
    const struct holden_usage *usage = process->usage;
    if (!usage || !HOLDEN_HAS(usage, usage, oom_kills) || usage->oom_kills == 0 || !failed(process))
        return false;
    struct holden_start start;
    struct holden_properties p;
    process_request(process, &start, &p);
    char limit[32], peak[32] = "unknown";
    if (HOLDEN_HAS(usage, usage, memory_peak))
        unit_format_size_short(usage->memory_peak, peak, sizeof(peak));
    if (holden_is_share(p.memory_max))
        unit_format_percent(p.memory_max & ~HOLDEN_SHARE_BIT, limit, sizeof(limit));
    else
        unit_format_size(p.memory_max, limit, sizeof(limit));
    if (HOLDEN_HAS(&p, properties, memory_max) && p.memory_max != UNIT_INFINITY)
        say(process, HOLDEN_cause_OUT_OF_MEMORY, "out of memory: it reached MemoryMax=%s (peak %s)",
            limit, peak);
    else
        say(process, HOLDEN_cause_OUT_OF_MEMORY, "out of memory (peak %s)", peak);
    return true;
}

static bool blocked_call(struct process *process) {
    char name[64], text[1024];
    const struct denial *denial = denial_that_ended(process->denials, process->last_pid);
    if (denial && (signalled(process, SIGSYS) || signalled(process, SIGKILL))) {
        say(process, HOLDEN_cause_SYSTEM_CALL, "its filter forbids the system call %s",
            denial_tell(denial, text, sizeof(text)));
        return true;
    }
    if (!signalled(process, SIGSYS))
        return false;
    int call = audit_call_of(&process->agent->audit, process->pid);
    if (call >= 0)
        say(process, HOLDEN_cause_SYSTEM_CALL, "its filter forbids the system call %s",
            filter_call_name(call, name, sizeof(name)));
    else
        say(process, HOLDEN_cause_SYSTEM_CALL,
            "its filter forbids a system call (the kernel did not say which)");
    return true;
}

/* At the hard limit the kernel sends SIGKILL, not SIGXCPU (setrlimit(2)). It counts whole ticks of
 * whoever runs at a tick: what has been used by then was measured to be up to an eighth less than
 * the limit where others want the CPU too. A SIGKILL that a user sent from here is none. */
static bool cpu_limit(const struct process *process) {
    struct holden_start start;
    struct holden_properties p;
    struct holden_resource_limit limit;
    struct holden_fault fault;
    process_request(process, &start, &p);
    bool sent = process->killed_by >= 0 && process->killed_with == SIGKILL;
    return !sent && process->usage && HOLDEN_HAS(&p, properties, limit_cpu) &&
           holden_decode(&holden_record_resource_limit, p.limit_cpu.bytes.data,
                         p.limit_cpu.bytes.size, &limit, &fault) == 0 &&
           limit.hard < UINT64_MAX / 1000000 && process->usage->cpu >= limit.hard * 750000;
}

static bool time_limit(struct process *process) {
    const struct stopping *stopping = process->stopping;
    char text[32] = "";
    if (stopping && stopping->cause == HOLDEN_cause_TIME_LIMIT) {
        struct holden_start start;
        struct holden_properties p;
        process_request(process, &start, &p);
        bool late = readiness_late(process);
        if (late)
            unit_format_time(p.timeout_start, text, sizeof(text));
        else if (HOLDEN_HAS(&p, properties, runtime_max))
            unit_format_time(p.runtime_max, text, sizeof(text));
        say(process, HOLDEN_cause_TIME_LIMIT, "it reached %s=%s",
            late ? "TimeoutStartSec" : "RuntimeMaxSec", text);
        return true;
    }
    if (stopping && stopping->said && stopping->overdue) {
        say(process, HOLDEN_cause_TIME_LIMIT,
            "it had said STOPPING=1 and did not end within TimeoutStopSec=");
        return true;
    }
    if (signalled(process, SIGXCPU) || (signalled(process, SIGKILL) && cpu_limit(process))) {
        say(process, HOLDEN_cause_TIME_LIMIT, "it reached LimitCPU=");
        return true;
    }
    return false;
}

static bool watchdog(struct process *process) {
    const struct stopping *stopping = process->stopping;
    char text[32];
    if (!stopping || stopping->cause != HOLDEN_cause_WATCHDOG)
        return false;
    unit_format_time(watchdog_time(process), text, sizeof(text));
    if (stopping->triggered)
        say(process, HOLDEN_cause_WATCHDOG, "it said WATCHDOG=trigger");
    else
        say(process, HOLDEN_cause_WATCHDOG, "it did not say WATCHDOG=1 within %s (WatchdogSec=)",
            text);
    return true;
}

/* "stopped by user 0", with how it went. */
static bool stopped(struct process *process) {
    const struct stopping *stopping = process->stopping;
    char who[48] = "the agent", name[32], how[64];
    if (!stopping ||
        (stopping->cause != HOLDEN_cause_STOPPED && stopping->cause != HOLDEN_cause_SETUP))
        return false;
    if (stopping->cause == HOLDEN_cause_SETUP) {
        say(process, HOLDEN_cause_SETUP, "%s",
            process->complaint ? "its start failed"
            : process->ran     ? "ended by the agent: its record could not be written"
                               : "ended by the agent: its start had not been answered when keeper "
                                 "and agent were killed");
        return true;
    }
    if (stopping->by >= 0)
        snprintf(who, sizeof(who), "user %" PRId64, stopping->by);
    if (process->outcome.code == CLD_EXITED)
        snprintf(how, sizeof(how), "exited with status %d", process->outcome.status);
    else if (process->outcome.code == 0)
        snprintf(how, sizeof(how), "nobody could see how it ended");
    else
        snprintf(how, sizeof(how), "ended by %s",
                 outcome_signal(process->outcome.status, name, sizeof(name)));
    say(process, HOLDEN_cause_STOPPED, "stopped by %s; %s%s", who, how,
        stopping->kills > 0 || stopping->overdue ? " after the time to stop ran out" : "");
    return true;
}

static bool tasks_limit(struct process *process) {
    const struct holden_usage *usage = process->usage;
    if (!usage || !HOLDEN_HAS(usage, usage, tasks_refused) || usage->tasks_refused == 0 ||
        !failed(process))
        return false;
    say(process, HOLDEN_cause_TASKS_LIMIT,
        "it failed after TasksMax= had refused it %" PRIu64 " new tasks", usage->tasks_refused);
    return true;
}

static void ended_by_itself(struct process *process) {
    char name[32];
    if (process->outcome.code == 0)
        say(process, HOLDEN_cause_UNKNOWN, "%s",
            process->pidfd >= 0 ? "it ended, and its parent, which is not the agent, was told how"
                                : "it ended while no agent was there to see how");
    else if (process->outcome.code == CLD_EXITED)
        say(process, HOLDEN_cause_EXITED, "exited with status %d", process->outcome.status);
    else if (process->killed_by >= 0 && process->killed_with == process->outcome.status)
        say(process, HOLDEN_cause_SIGNALLED, "ended by %s, sent by user %" PRId64 "%s",
            outcome_signal(process->outcome.status, name, sizeof(name)), process->killed_by,
            process->outcome.code == CLD_DUMPED ? "; core dumped" : "");
    else
        say(process, HOLDEN_cause_SIGNALLED, "ended by %s%s",
            outcome_signal(process->outcome.status, name, sizeof(name)),
            process->outcome.code == CLD_DUMPED ? "; core dumped" : "");
}

void outcome_explain(struct process *process) {
    if (process->launch && process->launch->failure.code) {
        const struct failure *failure = &process->launch->failure;
        bool memory = process->usage && process->usage->oom_kills > 0;
        if (failure->code == HOLDEN_code_SKIPPED) {
            say(process, HOLDEN_cause_SKIPPED, "%s: %s", failure->step, failure->text);
            return;
        }
        say(process, memory ? HOLDEN_cause_OUT_OF_MEMORY : HOLDEN_cause_SETUP,
            "it never ran: %s: %s", failure->step ? failure->step : "start", failure->text);
        return;
    }
    if (stopped(process) || watchdog(process) || time_limit(process) || out_of_memory(process) ||
        blocked_call(process) || tasks_limit(process))
        return;
    ended_by_itself(process);
}

/* Of what ended, the main command or one before it. */
static const char *result_of_end(const struct process *process) {
    const struct outcome *outcome = &process->outcome;
    struct holden_start start;
    struct holden_properties properties;
    process_request(process, &start, &properties);
    if (phase_is_clean(outcome, &properties))
        return process->ran && process->readiness ? "protocol" : "success";
    return outcome->code == CLD_EXITED  ? "exit-code"
           : outcome->code == CLD_KILLED ? "signal"
           : outcome->code == CLD_DUMPED ? "core-dump"
                                         : "resources";
}

const char *outcome_result(const struct process *process) {
    const struct stopping *stopping = process->stopping;
    bool late = stopping && stopping->cause == HOLDEN_cause_TIME_LIMIT;
    if (stopping && stopping->cause == HOLDEN_cause_WATCHDOG)
        return "watchdog";
    if (!process->main_ended)
        return late ? "timeout" : "success";
    switch (process->outcome.cause) {
    case HOLDEN_cause_OUT_OF_MEMORY: return "oom-kill";
    case HOLDEN_cause_TIME_LIMIT: return "timeout";
    case HOLDEN_cause_SKIPPED: return "exec-condition";
    case HOLDEN_cause_STOPPED: break;
    default: return late ? "timeout" : result_of_end(process);
    }
    if (stopping && stopping->overdue)
        return "timeout";
    return stopping && signalled(process, stopping->signal) ? "success" : result_of_end(process);
}
