#include "agent/notify.h"

#include <inttypes.h>
#include <stdlib.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/machine.h"
#include "common/log.h"

/* The kernel lets who may take any identity (CAP_SYS_ADMIN) speak for another process; where we may
 * not, sd_pid_notify(3) speaks in our own name. */
static void say(const char *state) {
    sd_pid_notify(getppid(), 0, state);
}

static int on_watchdog(sd_event_source *source, uint64_t now, void *data) {
    const struct agent *agent = data;
    say("WATCHDOG=1");
    sd_event_source_set_time(source, now + agent->notify.interval);
    return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

/* The variables are for the keeper, the unit's main process: sd_watchdog_enabled(3) would find that
 * they are not for this one. */
static uint64_t watchdog_interval(void) {
    const char *time = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
    if (!time || !getenv("NOTIFY_SOCKET") || (pid && strtol(pid, NULL, 10) != getppid()))
        return 0;
    return strtoull(time, NULL, 10) / 2;
}

void notify_ready(struct agent *agent) {
    struct notify *notify = &agent->notify;
    sd_pid_notifyf(getppid(), 0, "READY=1\nSTATUS=%zu processes when this agent started",
                   agent->processes.alive);
    notify->interval = watchdog_interval();
    if (notify->interval > 0 &&
        sd_event_add_time_relative(agent->event, &notify->timer, CLOCK_MONOTONIC, notify->interval,
                                   notify->interval / 4, on_watchdog, agent) < 0)
        log_error("no timer for the watchdog: systemd will take this agent for dead");
}

void notify_reloading(void) {
    sd_pid_notifyf(getppid(), 0, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64, machine_monotonic());
}

void notify_stopping(const struct agent *agent) {
    sd_pid_notifyf(getppid(), 0, "STOPPING=1\nSTATUS=ending, with %zu processes",
                   agent->processes.alive);
}
