/* In three passes over the table, since no step may wait for the process before it: every record is
 * read; then the keeper is asked about all pids, many in a packet, and each is taken over as the
 * answers come; then what never came to be is settled, which may start processes anew.
 *
 * What each record and report says, and what follows:
 *
 *   running, stopping        the keeper has the pid, dead or alive, or else its cgroup proves it: goes
 *                            on, or its end is recorded; otherwise it ended while nobody could see it
 *   setup, report with pid   the same, once it is past exec (resume.c); or failed in the step reported
 *   setup, report of error   the keeper could not clone: failed
 *   setup, no report         the plan was never read: nothing is left of it, unless it had run
 *                            before: then it is started as it was about to be
 *   ended                    stays as it is */
#include "agent/recover.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/beside.h"
#include "agent/constrain.h"
#include "agent/finish.h"
#include "agent/launch.h"
#include "agent/logfile.h"
#include "agent/place.h"
#include "agent/readiness.h"
#include "agent/record.h"
#include "agent/remains.h"
#include "agent/resume.h"
#include "agent/sequence.h"
#include "agent/slice_limits.h"
#include "agent/state.h"
#include "agent/stop.h"
#include "agent/task.h"
#include "agent/watchdog.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "common/log.h"

/* ---- the records ---- */

/* The kernel is asked: it alone says what holds now. */
static bool is_frozen(const struct process *process) {
    char text[16];
    _cleanup_close_ int directory = -1;
    return place_open(process, &directory) == 0 &&
           file_read(directory, "cgroup.freeze", text, sizeof(text)) > 0 && text[0] == '1';
}

static int found_living(struct process *process, const struct holden_kept *kept) {
    enum resume_found found = RESUME_CLONED;
    struct holden_start start;
    struct holden_properties properties;
    process_request(process, &start, &properties);
    remains_expect(process, &properties);
    dynamic_user_recover(process, &properties);
    int r = place_recover(process, &properties);
    if (r < 0)
        return r;
    process->frozen = is_frozen(process);
    if (process->ran)
        process_set_pid(process, (pid_t)kept->pid);
    else
        r = resume_find(process, &found);
    process->unproven = found == RESUME_CLONED && process->stays == STAY_NONE;
    bool runs = process->ran && !kept->unready;
    state_recover(process, process->stopping ? HOLDEN_state_STOPPING
                           : runs            ? HOLDEN_state_RUNNING
                                             : HOLDEN_state_STARTING);
    if (r == 0 && kept->unready && !process->beside && !beside_is_over(process))
        r = readiness_begin(process, &properties);
    return r;
}

static int found(struct agent *agent, const struct holden_kept *kept) {
    struct process *process;
    int r = process_new(agent, kept->id, kept->name, &process);
    if (r < 0)
        return r;
    if (kept->id >= agent->store.next_id)
        agent->store.next_id = kept->id + 1;
    r = record_take(process, kept);
    if (r == 0 && state_alive(kept->state))
        return found_living(process, kept);
    if (r == 0)
        state_recover(process, kept->state);
    return r;
}

/* ---- proof ---- */

/* Whether the process's cgroup holds the pid, and it is not younger than what the record is about:
 * with the cgroup's name, which holds an id that is never used again, this proves whose pid it is.
 * Asked after its pidfd was opened. */
static bool cgroup_proves(const struct process *process) {
    uint64_t born;
    _cleanup_close_ int directory = -1;
    return place_open(process, &directory) == 0 &&
           cgroup_holds(directory, process->pid) &&
           (process->known == 0 ||
            (task_born(process->pid, &born) == 0 && born <= process->known));
}

static int open_proven(const struct process *process) {
    _cleanup_close_ int fd = pidfd_open(process->pid, 0);
    if (fd < 0)
        return errno == ESRCH ? -ESRCH : -errno;
    if (cgroup_proves(process))
        return TAKE_FD(fd);
    log_notice("%s (id %" PRIu64 "): pid %d is another process's by now; it is left alone",
               process->name, process->id, (int)process->pid);
    return -ESRCH;
}

/* The keeper knows its children, living or dead, and so proves them. One that it does not know (it
 * was itself started anew) is proven by its cgroup. 0 with the pidfd; -ESRCH: it is not there any
 * more; -errno where that cannot be told. */
static int prove(struct process *process, bool child) {
    process->unproven = false;
    process->child = child;
    int fd = child ? pidfd_open(process->pid, 0) : open_proven(process);
    if (fd < 0)
        return child ? -errno : fd;
    process->pidfd = fd;
    /* Should its parent end before it, it falls to the keeper. */
    return child ? 0 : link_send_adoption(&process->agent->link, &process->pid, 1, process->id);
}

/* Everything goes on that an earlier agent had under way. */
static int go_on(struct process *process) {
    struct holden_start start;
    struct holden_properties properties;
    int r = launch_attend(process);
    if (r < 0)
        return r;
    process_request(process, &start, &properties);
    r = process->ran ? launch_limit_runtime(process, &properties)
                     : sequence_prepare(process, &properties);
    if (r == 0 && process->ran && readiness_is_end(&properties))
        r = readiness_begin(process, &properties);
    if (r < 0)
        return r;
    if (process->temporary && (r = constrain_resume(process)) < 0)
        return r;
    if (process->launch)
        resume_wait(process);
    if (process->stopping)
        stop_resume(process);
    if (process->ran && !process->readiness && !readiness_is_end(&properties))
        watchdog_begin(process);
    return 0;
}

static int take_over(struct process *process, bool child) {
    int r = prove(process, child);
    if (r == 0)
        return go_on(process);
    if (r != -ESRCH)
        return r;
    process_set_pid(process, 0);
    finish_unseen(process);
    return 0;
}

/* From `process` on. It is alive, so nothing that ends meanwhile takes it out of the table. */
static struct process *next_unproven(struct process *process) {
    while (process && !process->unproven)
        process = TAILQ_NEXT(process, order);
    return process;
}

static int ask_about_all(struct agent *agent) {
    struct process *process = next_unproven(TAILQ_FIRST(&agent->processes.order));
    int r = 0;
    while (r == 0 && process) {
        pid_t pids[KEEPER_ADOPTIONS];
        size_t count = 0;
        for (; process && count < KEEPER_ADOPTIONS; count++) {
            pids[count] = process->pid;
            process = next_unproven(TAILQ_NEXT(process, order));
        }
        r = link_send_adoption(&agent->link, pids, count, 0);
    }
    return r;
}

/* In the order in which the keeper was asked. */
static int take_over_all(struct agent *agent) {
    uint64_t children = 0;
    unsigned answered = 0;
    struct process *next, *process = next_unproven(TAILQ_FIRST(&agent->processes.order));
    int r = ask_about_all(agent);
    for (; r == 0 && process; process = next, answered--) {
        next = next_unproven(TAILQ_NEXT(process, order));
        if (answered == 0) {
            r = link_adopted(&agent->link, &children);
            if (r < 0)
                return r;
            answered = KEEPER_ADOPTIONS;
        }
        r = take_over(process, children & 1);
        children >>= 1;
    }
    return r;
}

/* ---- what never came to be ---- */

/* Its cgroup is there at most as an empty directory; where keeper and agent were both killed, the
 * process may be in it: it was never told of, and is ended. */
static void settle_nothing(struct process *process) {
    struct agent *agent = process->agent;
    if (place_remove(process) < 0) {
        log_notice("%s (id %" PRIu64 "): keeper and agent ended as it was started, before that was "
                   "answered; what is left of it is ended", process->name, process->id);
        process->main_ended = true;
        stop_begin(process, &(struct stop_request){.by = -1, .cause = HOLDEN_cause_SETUP});
        return;
    }
    if ((process->restarts > 0 || process->step > 0) &&
        (!process->stopping || process->stopping->restart)) {
        process_stopped(process);
        state_recover(process, HOLDEN_state_STARTING);
        finish_launch(process);
        return;
    }
    if (process->restarts > 0 || process->stopping) {
        finish_unseen(process);
        return;
    }
    remains_clear(process, false);
    store_remove(&agent->store, process);
    process_free(process);
}

static void settle_all(struct agent *agent) {
    uint64_t id = 0;
    for (struct process *process; (process = process_after(&agent->processes, id));) {
        id = process->id;
        if (!process_alive(process) || process->ran || process->pid > 0 || process->main_ended)
            continue;
        if (process->beside || process->over)
            finish_unseen(process);
        else if (process->launch)
            launch_unborn(process, agent->link.reports[process->launch->report].error);
        else
            settle_nothing(process);
    }
}

/* By id, since one that is over may end its process. */
static void resume_commands(struct agent *agent) {
    uint64_t id = 0;
    for (struct process *process; (process = process_after(&agent->processes, id));) {
        id = process->id;
        if (process->beside || beside_is_over(process))
            beside_resume(process);
    }
}

static void limit_again(struct process *process) {
    struct holden_start start;
    struct holden_properties properties;
    process_request(process, &start, &properties);
    int r = launch_limit_runtime(process, &properties);
    if (r < 0)
        log_error("%s: no timer: RuntimeMaxSec= is not in force: %s", process->name, strerror(-r));
}

/* There is no process to be proven, but what was under way goes on. */
static void resume_lingering(struct agent *agent) {
    uint64_t id = 0;
    for (struct process *process; (process = process_after(&agent->processes, id));) {
        id = process->id;
        if (!process_alive(process) || process->stays == STAY_NONE)
            continue;
        if (process->stays == STAY_CGROUP)
            limit_again(process);
        if (process->temporary && constrain_resume(process) < 0)
            log_error("%s: no timer: its limits stay as they are", process->name);
        if (process->stopping)
            stop_resume(process);
        finish_if_empty(process);
    }
}

/* A report whose record says by now what it said. Where no record is left to tell, the child may
 * still write to it. */
static void give_reports_back(struct agent *agent) {
    for (uint32_t i = 0; i < PLAN_REPORTS; i++) {
        const struct plan_report *report = &agent->link.reports[i];
        if (report->token == 0)
            continue;
        bool beside = report->token & BESIDE_TOKEN;
        const struct process *process =
            process_by_id(&agent->processes, report->token & ~BESIDE_TOKEN);
        const struct launch *launch = !process          ? NULL
                                      : !beside         ? process->launch
                                      : process->beside ? process->beside->launch
                                                        : NULL;
        bool taken = launch && launch->report == i;
        if (!taken && (process || report->pid == 0))
            link_give_report(&agent->link, i);
    }
}

/* ---- cgroups ---- */

/* A cgroup "ID-NAME" that nothing in the table has. An empty one was made for a start whose record
 * was not written yet, or is of an end that was. Processes are in it only where their record was
 * refused, or taken away: they are nobody's to end but the administrator's. */
static void clear_cgroup(struct agent *agent, const char *path, uint64_t id) {
    if (id >= agent->store.next_id && id < INT64_MAX)
        agent->store.next_id = id + 1;
    int r = cgroup_remove(&agent->hierarchy, path);
    if (r == 0 || r == -ENOENT)
        return;
    log_warning("cgroup %s/%s holds processes, and %s; they are left as they are: to end them, "
                "echo 1 >%s/%s/cgroup.kill", agent->hierarchy.path, path,
                store_refused(&agent->store, id) ? "their record was refused"
                                                 : "no record names them",
                agent->hierarchy.path, path);
}

/* What is in the agent's cgroup (`path` is "") or in a slice. */
static void clear_cgroups(struct agent *agent, const char *path) {
    _cleanup_close_ int directory = -1;
    if (cgroup_open(&agent->hierarchy, *path ? path : ".", &directory) < 0)
        return;
    DIR *entries = file_list(directory);
    for (struct dirent *entry; entries && (entry = readdir(entries));) {
        char *end, below[PLACE_MOST];
        uint64_t id = strtoull(entry->d_name, &end, 10);
        int size = snprintf(below, sizeof(below), "%s%s%s", path, *path ? "/" : "", entry->d_name);
        if (entry->d_type != DT_DIR || size >= (int)sizeof(below))
            continue;
        if (name_is_slice(entry->d_name, strlen(entry->d_name))) {
            clear_cgroups(agent, below);
            /* Where nothing is left in it, and nothing of it is known. */
            if (!slice_find(agent, holden_view(entry->d_name)))
                unlinkat(directory, entry->d_name, AT_REMOVEDIR);
            continue;
        }
        const struct process *process = process_by_id(&agent->processes, id);
        if (end != entry->d_name && *end == '-' && (!process || !process->has_cgroup))
            clear_cgroup(agent, below, id);
    }
    if (entries)
        closedir(entries);
}

/* ---- logs ---- */

static int on_idle(sd_event_source *source, void *data) {
    (void)source;
    struct agent *agent = data;
    struct process *process;
    TAILQ_FOREACH(process, &agent->processes.order, order)
        if (process_alive(process))
            logfile_watch(process);
    return 0;
}

/* Once all who ask have their answers: until then each log is as long as it was, and a little. */
static int watch_logs_later(struct agent *agent) {
    sd_event_source *source;
    int r = sd_event_add_defer(agent->event, &source, on_idle, agent);
    if (r < 0)
        return r;
    sd_event_source_set_priority(source, SD_EVENT_PRIORITY_IDLE);
    r = sd_event_source_set_floating(source, true);
    sd_event_source_unref(source);
    return r;
}

int recover(struct agent *agent) {
    int r = slice_limits_recover(agent);
    if (r == 0)
        r = store_read(&agent->store, agent, found);
    if (r == 0)
        r = take_over_all(agent);
    if (r == 0)
        r = watch_logs_later(agent);
    if (r < 0)
        return r;
    settle_all(agent);
    resume_commands(agent);
    resume_lingering(agent);
    give_reports_back(agent);
    slice_limits_settle(agent);
    clear_cgroups(agent, "");
    talk_recover(&agent->talk);
    store_sweep(agent);
    credentials_sweep(agent);
    finish_forget_old(agent);
    notices_hear(agent);
    if (agent->processes.count > 0)
        log_notice("recovered %zu processes and %zu records of ended ones", agent->processes.alive,
                   agent->processes.ended);
    return link_send_request(&agent->link, KEEPER_RECOVERED, 0, 0);
}
