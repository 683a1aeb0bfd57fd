#include "agent/watchdog.h"

#include <signal.h>
#include <string.h>

#include "agent/agent.h"
#include "agent/machine.h"
#include "agent/readiness.h"
#include "agent/sequence.h"
#include "agent/statement.h"
#include "agent/stop.h"
#include "common/log.h"

uint64_t watchdog_time(const struct process *process) {
    struct holden_start start;
    struct holden_properties p;
    process_request(process, &start, &p);
    uint64_t time = process->statement && process->statement->watchdog > 0
                        ? process->statement->watchdog
                    : HOLDEN_HAS(&p, properties, watchdog) ? p.watchdog
                                                           : 0;
    return time <= INT64_MAX ? time : 0;
}

/* As it is stopped otherwise, but that nobody asks it by ExecStop=. */
static void act(struct process *process, bool triggered) {
    struct holden_start start;
    struct holden_properties p;
    process_request(process, &start, &p);
    const struct stop_request request = {
        .signal = HOLDEN_HAS(&p, properties, watchdog_signal) ? (int)p.watchdog_signal : SIGABRT,
        .has_timeout = HOLDEN_HAS(&p, properties, timeout_abort),
        .timeout = p.timeout_abort,
        .by = -1,
        .cause = HOLDEN_cause_WATCHDOG,
        .triggered = triggered,
    };
    watchdog_end(process);
    if (stop_begin(process, &request) < 0)
        log_error("%s: no memory: it is not ended, though it does not report", process->name);
}

static int on_silence(sd_event_source *source, uint64_t now, void *data) {
    (void)source;
    (void)now;
    struct process *process = data;
    if (process->frozen)
        watchdog_begin(process);
    else
        act(process, false);
    return 0;
}

static bool is_watched(const struct process *process) {
    return process_alive(process) && process->ran && !process->main_ended && !process->stopping;
}

void watchdog_begin(struct process *process) {
    uint64_t time = is_watched(process) ? watchdog_time(process) : 0;
    uint64_t now = machine_monotonic();
    int r = 0;
    if (time == 0 || time > INT64_MAX - now)
        watchdog_end(process);
    else if (process->watchdog)
        r = sd_event_source_set_time(process->watchdog, now + time);
    else
        r = sd_event_add_time(process->agent->event, &process->watchdog, CLOCK_MONOTONIC,
                              now + time, 1000, on_silence, process);
    if (r == 0 && process->watchdog)
        r = sd_event_source_set_enabled(process->watchdog, SD_EVENT_ONESHOT);
    if (r < 0)
        log_error("%s: no timer: WatchdogSec= is not in force: %s", process->name, strerror(-r));
}

void watchdog_trigger(struct process *process) {
    if (is_watched(process))
        act(process, true);
}

void watchdog_end(struct process *process) {
    process->watchdog = sd_event_source_disable_unref(process->watchdog);
}
