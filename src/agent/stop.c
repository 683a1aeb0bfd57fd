#include "agent/stop.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>

#include "agent/agent.h"
#include "agent/beside.h"
#include "agent/finish.h"
#include "agent/machine.h"
#include "agent/place.h"
#include "agent/sequence.h"
#include "agent/state.h"
#include "agent/waiter.h"
#include "agent/watchdog.h"
#include "common/cleanup.h"
#include "common/log.h"

/* Microseconds until SIGKILL is sent again: doubled each time, since what does not go at once waits
 * in the kernel for something that may take a day. Its end is noticed in any case. */
enum { RETRY = 1000000, RETRY_MOST = 60000000, DOUBLED_MOST = 6 };

static int signal_main(const struct process *process, int signal) {
    if (process->pidfd < 0 || process->main_ended)
        return -ESRCH;
    return pidfd_send_signal(process->pidfd, signal, NULL, 0) < 0 ? -errno : 0;
}

/* The main process is reached by its pidfd in either case: it may have been moved to another
 * cgroup, by itself or by a login session's manager. But one that only passes signals on is left
 * out where all others get theirs anyway. */
int stop_signal(struct process *process, int signal, bool all) {
    _cleanup_close_ int directory = -1;
    int main = all && process->has_init ? -ESRCH : signal_main(process, signal);
    if (!all)
        return main;
    int r = place_open(process, &directory);
    if (r == 0)
        r = cgroup_signal(directory, signal, process->pid);
    return main == 0 ? 0 : r;
}

static int on_timer(sd_event_source *source, uint64_t now, void *data) {
    (void)source;
    (void)now;
    struct process *process = data;
    process->stopping->timer = sd_event_source_disable_unref(process->stopping->timer);
    process->stopping->overdue = true;
    stop_expire(process);
    return 0;
}

static int arm(struct process *process, uint64_t deadline) {
    struct stopping *stopping = process->stopping;
    stopping->timer = sd_event_source_disable_unref(stopping->timer);
    if (deadline == UINT64_MAX)
        return 0;
    int r = sd_event_add_time(process->agent->event, &stopping->timer, CLOCK_MONOTONIC, deadline,
                              1000, on_timer, process);
    if (r < 0)
        log_error("%s: no timer for its stop: %s; ended at once", process->name, strerror(-r));
    return r;
}

/* Past what sd-event can count there is no time either. */
static uint64_t deadline_in(uint64_t microseconds) {
    return microseconds <= INT64_MAX ? machine_monotonic() + microseconds : UINT64_MAX;
}

/* For the next agent. A disk that is full is no reason not to stop. */
static int keep(const struct process *process) {
    int r = store_write(&process->agent->store, process);
    if (r < 0)
        log_warning("%s: that it is being stopped could not be written down: %s", process->name,
                    strerror(-r));
    return r;
}

static uint64_t retry_delay(unsigned kills) {
    unsigned doubled = kills - 1 < DOUBLED_MOST ? kills - 1 : DOUBLED_MOST;
    uint64_t delay = (uint64_t)RETRY << doubled;
    return delay < RETRY_MOST ? delay : RETRY_MOST;
}

/* Right after the first SIGKILL everybody may still be on their way out. */
static void look_why(struct process *process, int directory) {
    struct stopping *stopping = process->stopping;
    bool told = *stopping->stuck;
    if (stopping->kills == 1 || directory < 0)
        return;
    stuck_describe(directory, stopping->stuck);
    if (*stopping->stuck && !told)
        log_warning("%s: %s; trying on", process->name, stopping->stuck);
}

void stop_kill(struct process *process) {
    _cleanup_close_ int directory = -1;
    struct stopping *stopping = process->stopping;
    if (stopping->kills++ == 0)
        keep(process);
    int r = place_open(process, &directory);
    if (r == 0)
        r = cgroup_kill(directory);
    signal_main(process, SIGKILL);
    if (r < 0 && r != -ENOENT)
        log_warning("%s: cannot end its cgroup: %s; trying again", process->name, strerror(-r));
    look_why(process, directory);
    arm(process, deadline_in(retry_delay(stopping->kills)));
    finish_if_empty(process);
}

static bool may_kill(const struct holden_properties *properties) {
    return !HOLDEN_HAS(properties, properties, send_sigkill) || properties->send_sigkill;
}

/* SendSIGKILL=no: it stays as it is; who waits for its end is told that it may be long. */
static void give_up(struct process *process) {
    struct stopping *stopping = process->stopping;
    struct failure failure;
    if (!*stopping->stuck)
        log_warning("%s: it has not stopped in time; SendSIGKILL=no leaves it", process->name);
    snprintf(stopping->stuck, sizeof(stopping->stuck), "not killed: SendSIGKILL=no");
    stopping->deadline = UINT64_MAX;
    keep(process);
    failure_set(&failure, HOLDEN_code_TIMED_OUT, "SendSIGKILL",
                "%s has not stopped in time and is not killed; its end is still waited for, and "
                "kill -s KILL would bring it", process->name);
    waiter_refuse(process, WAITER_STOP, &failure);
}

/* FinalKillSignal=, and once more the time to comply. */
static void send_last(struct process *process, int signal) {
    struct stopping *stopping = process->stopping;
    uint64_t deadline = deadline_in(stop_timeout(process, false));
    stopping->last = true;
    stopping->deadline = deadline;
    if (arm(process, deadline) < 0) {
        stop_kill(process);
        return;
    }
    keep(process);
    stop_signal(process, signal, true);
}

void stop_expire(struct process *process) {
    struct stopping *stopping = process->stopping;
    struct holden_start start;
    struct holden_properties p;
    process_request(process, &start, &p);
    bool other = HOLDEN_HAS(&p, properties, final_kill_signal) && p.final_kill_signal != SIGKILL;
    if (stopping->kills == 0 && !may_kill(&p))
        give_up(process);
    else if (stopping->kills == 0 && !stopping->last && other)
        send_last(process, (int)p.final_kill_signal);
    else
        stop_kill(process);
}

/* What is frozen neither hears a signal nor runs a command. */
static void thaw(struct process *process) {
    _cleanup_close_ int directory = -1;
    if (process->frozen && place_open(process, &directory) == 0 &&
        cgroup_freeze(directory, false) == 0)
        process->frozen = false;
}

/* Not for a restart (systemd.kill(5)). */
static bool wants_hangup(const struct process *process) {
    struct holden_start start;
    struct holden_properties p;
    process_request(process, &start, &p);
    return HOLDEN_HAS(&p, properties, send_sighup) && p.send_sighup &&
           !process->stopping->restart;
}

/* The signal that asks it to stop, with SIGCONT behind it so that a stopped process hears it
 * (systemd.kill(5)). A command that took too long is asked as well, where not all are. */
static void ask(struct process *process) {
    int signal = process->stopping->signal;
    bool all = !process->stopping->mixed;
    const struct beside *beside = process->beside;
    thaw(process);
    if (!all && beside && beside->pidfd >= 0)
        pidfd_send_signal(beside->pidfd, signal, NULL, 0);
    stop_signal(process, signal, all);
    if (signal != SIGKILL && signal != SIGCONT)
        stop_signal(process, SIGCONT, all);
    if (wants_hangup(process) && signal != SIGHUP)
        stop_signal(process, SIGHUP, all);
    process->stopping->asked = true;
}

uint64_t stop_timeout(const struct process *process, bool asked) {
    const struct stopping *stopping = process->stopping;
    struct holden_start start;
    struct holden_properties p;
    if (asked && stopping && stopping->cause != HOLDEN_cause_NONE)
        return stopping->timeout;
    process_request(process, &start, &p);
    return HOLDEN_HAS(&p, properties, timeout_stop) ? p.timeout_stop
                                                    : process->agent->config.timeout_stop;
}

static void choose(const struct process *process, const struct stop_request *request, int *signal,
                   uint64_t *timeout, bool *mixed) {
    struct holden_start start;
    struct holden_properties p;
    process_request(process, &start, &p);
    bool again = request->restart && HOLDEN_HAS(&p, properties, restart_kill_signal);
    *signal = request->signal                           ? request->signal
              : again                                   ? (int)p.restart_kill_signal
              : HOLDEN_HAS(&p, properties, kill_signal) ? (int)p.kill_signal
                                                        : SIGTERM;
    *timeout = request->has_timeout ? request->timeout : stop_timeout(process, false);
    *mixed = HOLDEN_HAS(&p, properties, kill_mode) && p.kill_mode == HOLDEN_kill_mode_MIXED;
    if (*mixed && request->rest && may_kill(&p))
        *timeout = 0;
}

/* The stop under way, made where there is none. */
static struct stopping *enter(struct process *process, const struct stop_request *request,
                              bool mixed) {
    struct stopping *stopping = process->stopping;
    if (!stopping) {
        stopping = process->stopping = calloc(1, sizeof(*stopping));
        if (!stopping)
            return NULL;
        stopping->by = request->by;
        stopping->cause = request->cause;
        stopping->deadline = UINT64_MAX;
        stopping->mixed = mixed;
        stopping->triggered = request->triggered;
        process_event(process, PROCESS_STOPS);
        watchdog_end(process);
    } else if (stopping->cause == HOLDEN_cause_NONE) {
        stopping->by = request->by;
        stopping->cause = request->cause;
        stopping->triggered = request->triggered;
        stopping->said = false;
    }
    /* The last one who asks decides whether it comes back. */
    if (request->by >= 0 || request->restart)
        stopping->restart = request->restart;
    if (request->restart)
        stopping->restart_token = request->restart_token;
    return stopping;
}

/* Before exec there is nobody to ask. */
static bool can_ask(const struct process *process) {
    return process->ran || sequence_runs(process) || process->beside;
}

/* All of it is ended at once. */
static void press_hard(struct process *process) {
    beside_abandon(process);
    process->stopping->deadline = machine_monotonic();
    stop_kill(process);
}

/* Written down before the signal and behind it: what is asked again after a recovery is only what
 * may not have been asked. */
static void press(struct process *process) {
    struct stopping *stopping = process->stopping;
    uint64_t deadline = deadline_in(stopping->timeout);
    if (deadline < stopping->deadline || !stopping->timer) {
        stopping->deadline = deadline;
        /* Rather too hard than never. */
        if (arm(process, deadline) < 0) {
            press_hard(process);
            return;
        }
    }
    stopping->asked = false;
    bool kept = keep(process) == 0;
    ask(process);
    if (kept)
        keep(process);
}

int stop_begin(struct process *process, const struct stop_request *request) {
    int signal;
    uint64_t timeout;
    bool mixed;
    choose(process, request, &signal, &timeout, &mixed);
    bool said = process->stopping && process->stopping->said;
    bool asks = request->cause != HOLDEN_cause_SETUP && request->cause != HOLDEN_cause_WATCHDOG;
    bool commands = !said && asks && !request->rest &&
                    (!process->main_ended || process->stays) && beside_stop_due(process);
    struct stopping *stopping = enter(process, request, mixed);
    if (!stopping)
        return -ENOMEM;
    stopping->signal = signal;
    stopping->timeout = timeout;
    if (!beside_busy(process))
        beside_abandon(process);
    if (!can_ask(process) || timeout == 0 || signal == SIGKILL)
        press_hard(process);
    else if (beside_busy(process)) {
        beside_hurry(process, request->has_timeout ? deadline_in(timeout) : UINT64_MAX);
        keep(process);
    } else if (commands && !process->beside && stopping->kills == 0) {
        thaw(process);
        beside_begin(process, PHASE_STOP);
    } else
        press(process);
    if (process->stays)
        finish_if_empty(process);
    return 0;
}

int stop_hold(struct process *process) {
    const struct stop_request rest = {.by = -1, .cause = HOLDEN_cause_NONE, .rest = true};
    int signal;
    uint64_t timeout;
    bool mixed;
    choose(process, &rest, &signal, &timeout, &mixed);
    struct stopping *stopping = enter(process, &rest, mixed);
    if (!stopping)
        return -ENOMEM;
    stopping->timer = sd_event_source_disable_unref(stopping->timer);
    stopping->deadline = UINT64_MAX;
    stopping->signal = signal;
    stopping->timeout = timeout;
    stopping->asked = false;
    stopping->kills = 0;
    process->limit = sd_event_source_disable_unref(process->limit);
    return 0;
}

int stop_said(struct process *process) {
    const struct stop_request own = {.by = -1, .cause = HOLDEN_cause_NONE};
    int signal;
    uint64_t timeout;
    bool mixed;
    choose(process, &own, &signal, &timeout, &mixed);
    struct stopping *stopping = enter(process, &own, mixed);
    if (!stopping)
        return -ENOMEM;
    stopping->said = true;
    stopping->signal = signal;
    stopping->timeout = timeout;
    stopping->deadline = deadline_in(timeout);
    process->limit = sd_event_source_disable_unref(process->limit);
    if (timeout == 0 || arm(process, stopping->deadline) < 0)
        press_hard(process);
    else
        keep(process);
    return 0;
}

void stop_extend(struct process *process, uint64_t until) {
    struct stopping *stopping = process->stopping;
    if (!stopping->timer || stopping->kills > 0 || until <= stopping->deadline)
        return;
    stopping->deadline = until;
    if (arm(process, until) < 0)
        press_hard(process);
}

void stop_proceed(struct process *process) {
    if (process->stopping->timeout == 0)
        press_hard(process);
    else
        press(process);
}

/* One that was killed already is killed again at once, and then once a second, as before. */
void stop_resume(struct process *process) {
    struct stopping *stopping = process->stopping;
    if (beside_busy(process))
        return;
    arm(process, stopping->deadline);
    bool said = stopping->said && !process->main_ended;
    if (said || !can_ask(process) || stopping->asked || stopping->kills > 0)
        return;
    ask(process);
    keep(process);
}
