#include "agent/shutdown.h"

#include <stdio.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/leave.h"
#include "agent/notify.h"
#include "agent/stop.h"
#include "common/log.h"
#include "common/unit.h"

/* Microseconds from SIGKILL for everybody to the end without those whom it does not end. */
enum { AFTER_KILL = 5000000 };

/* By id, since one end can make others be forgotten. */
static void stop_all(struct agent *agent, bool now) {
    uint64_t id = 0;
    for (struct process *process; (process = process_after(&agent->processes, id));) {
        id = process->id;
        if (process_alive(process))
            stop_begin(process, &(struct stop_request){.by = -1, .cause = HOLDEN_cause_STOPPED,
                                                       .has_timeout = now, .timeout = 0});
    }
}

static void arm(struct agent *agent, uint64_t time, sd_event_time_handler_t what) {
    struct shutdown *shutdown = &agent->shutdown;
    shutdown->timer = sd_event_source_disable_unref(shutdown->timer);
    if (time <= INT64_MAX && sd_event_add_time_relative(agent->event, &shutdown->timer,
                                                        CLOCK_MONOTONIC, time, 0, what, agent) < 0)
        log_error("no timer: only another SIGTERM ends what does not stop");
}

static int on_hopeless(sd_event_source *source, uint64_t now, void *data) {
    (void)source;
    (void)now;
    struct agent *agent = data;
    agent->shutdown.leaves = true;
    log_warning("%zu processes cannot be ended even by SIGKILL; ending without them: an agent with "
                "the state directory %s takes them over", agent->processes.alive,
                agent->store.path);
    return sd_event_exit(agent->event, AGENT_EXIT_STOPPED);
}

static void kill_all(struct agent *agent) {
    agent->shutdown.killed = true;
    arm(agent, AFTER_KILL, on_hopeless);
    stop_all(agent, true);
}

static int on_late(sd_event_source *source, uint64_t now, void *data) {
    (void)source;
    (void)now;
    struct agent *agent = data;
    char text[32];
    log_warning("%zu processes have not stopped within TimeoutStopSec=%s; killing them",
                agent->processes.alive,
                unit_format_time(agent->config.timeout_shutdown, text, sizeof(text)));
    kill_all(agent);
    return 0;
}

/* As process 1 of a container it cannot leave anything running: the kernel ends what is left. */
static bool leaves_running(const struct agent *agent) {
    return agent->config.kill_mode == CONFIG_KILL_MODE_PROCESS && getppid() != 1;
}

int shutdown_signalled(struct agent *agent) {
    bool again = agent->stopping;
    agent->stopping = true;
    notify_stopping(agent);
    if (agent->processes.alive == 0)
        return sd_event_exit(agent->event, AGENT_EXIT_STOPPED);
    if (leaves_running(agent)) {
        agent->shutdown.leaves = true;
        events_agent(agent, "the agent ends and leaves everything running");
        leave_begin(agent, AGENT_EXIT_STOPPED);
        return 0;
    }
    if (again) {
        if (!agent->shutdown.killed)
            kill_all(agent);
        return 0;
    }
    events_agent(agent, "the agent stops everything and ends");
    arm(agent, agent->config.timeout_shutdown, on_late);
    stop_all(agent, false);
    return 0;
}
