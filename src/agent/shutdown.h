/* The agent is asked to end: what it does about its processes is its KillMode=. */
#pragma once

#include <stdbool.h>
#include <systemd/sd-event.h>

struct agent;

struct shutdown {
    sd_event_source *timer;
    bool killed;  /* nobody is asked any more */
    bool leaves;  /* processes go on: what a next agent needs of them stays */
};

/* Takes one SIGTERM or SIGINT. control-group: stops everything, each process with the time it has
 * to stop, all of them within TimeoutStopSec=; what is left then, or at a second call, is killed;
 * what even that does not end within seconds is left to a next agent. process: answers its clients
 * and leaves everything running. 0, or as sd_event_exit(3). */
int shutdown_signalled(struct agent *agent);
