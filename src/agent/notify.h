/* What systemd is told of the agent, where it asks for that (sd_notify(3)); in the keeper's name,
 * which is the unit's main process, so that NotifyAccess=main does. */
#pragma once

#include <stdint.h>
#include <systemd/sd-event.h>

struct agent;

struct notify {
    sd_event_source *timer; /* NULL where no watchdog is asked for: then nothing wakes up */
    uint64_t interval;      /* half of WatchdogSec=, microseconds */
};

/* Says that the agent serves, and from then on that it lives, where WatchdogSec= is set. */
void notify_ready(struct agent *agent);

/* Says that it goes over to another program, which will be ready soon. */
void notify_reloading(void);

/* Says that it is ending. */
void notify_stopping(const struct agent *agent);
