/* The status pipe of such a start has ended with the agent that held it. So the process is looked
 * at: at once, since most are past exec by then, and after a growing delay as long as it is not.
 * Its end is seen by its pidfd, as always. */
#include "agent/resume.h"

#include <errno.h>
#include <stdlib.h>

#include "agent/agent.h"
#include "agent/cgroup.h"
#include "agent/launch.h"
#include "agent/place.h"
#include "agent/task.h"
#include "common/buffer.h"
#include "common/cleanup.h"
#include "common/log.h"

enum { LOOK_FIRST = 1000, LOOK_MOST = 100000 }; /* microseconds */

int resume_find(struct process *process, enum resume_found *found) {
    const struct link *link = &process->agent->link;
    uint32_t at;
    bool ended = process->step_chosen; /* what a report of it is about */
    process->step_chosen = false;
    *found = RESUME_NOTHING;
    if (ended || link_find_report(link, process->id, &at) < 0)
        return 0;
    const struct plan_report *report = &link->reports[at];
    process->launch = calloc(1, sizeof(*process->launch));
    if (!process->launch)
        return -ENOMEM;
    *process->launch = (struct launch){.report = at, .pipe = -1, .delay = LOOK_FIRST};
    if (report->pid > 0) {
        process_set_pid(process, report->pid);
        *found = RESUME_CLONED;
    } else if (report->error != 0)
        *found = RESUME_REFUSED;
    else
        process_launched(process);
    return 0;
}

/* Whether it is past exec. Process 1 of a PID namespace (PrivatePIDs=) never gets there, its first
 * child does; whoever else becomes its child comes from that one. */
static bool has_executed(const struct process *process) {
    _cleanup_(buffer_free) struct buffer pids = {0};
    _cleanup_close_ int directory = -1;
    bool executed = false;
    if (!process->has_init) {
        task_executed(process->pid, &executed);
        return executed;
    }
    if (place_open(process, &directory) == 0)
        cgroup_pids(directory, &pids);
    const pid_t *pid = (const void *)buffer_bytes(&pids);
    for (size_t i = 0; !executed && i < pids.size / sizeof(*pid); i++) {
        pid_t parent;
        if (task_parent(pid[i], &parent) == 0 && parent == process->pid)
            task_executed(pid[i], &executed);
    }
    return executed;
}

static int on_look(sd_event_source *source, uint64_t now, void *data) {
    (void)source;
    (void)now;
    resume_wait(data);
    return 0;
}

void resume_wait(struct process *process) {
    struct launch *launch = process->launch;
    if (process->leaving || launch->ended)
        return;
    launch->source = sd_event_source_disable_unref(launch->source);
    if (has_executed(process)) {
        launch_settle(process);
        return;
    }
    if (sd_event_add_time_relative(process->agent->event, &launch->source, CLOCK_MONOTONIC,
                                   launch->delay, 0, on_look, process) < 0)
        log_error("%s: no timer: whether it runs is only seen at its end", process->name);
    launch->delay = launch->delay * 2 < LOOK_MOST ? launch->delay * 2 : LOOK_MOST;
}
