#include "agent/recover.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/finish.h"
#include "agent/launch.h"
#include "agent/logfile.h"
#include "agent/state.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "common/log.h"

/* Whether the cgroup of the process lists the pid: with its name, which holds an id that is never
 * used again, this proves whose pid it is. */
static bool cgroup_holds(const struct process *process, pid_t pid) {
    char name[96];
    _cleanup_close_ int directory = -1;
    cgroup_name(process->id, process->name, name, sizeof(name));
    return cgroup_open(&process->agent->hierarchy, name, &directory) == 0 &&
           cgroup_lists(directory, pid);
}

/* The keeper knows its children, living or dead, and so proves them. One that it does not know (it
 * was itself started anew) is proven by its cgroup, after its pidfd is open. */
static int prove(struct process *process, pid_t pid) {
    int r = link_adopt(&process->agent->link, pid, &process->pidfd);
    if (r == 0) {
        process->child = true;
        return 0;
    }
    process->pidfd = pidfd_open(pid, 0);
    if (process->pidfd < 0)
        return -ESRCH;
    if (cgroup_holds(process, pid))
        return 0;
    close(process->pidfd);
    process->pidfd = -1;
    return -ESRCH;
}

static void take_past(struct process *process, const struct holden_kept *kept) {
    struct holden_fault fault;
    process->ended_realtime = kept->ended;
    process->ended_monotonic = kept->ended_monotonic;
    process->outcome.code = (int)kept->code;
    process->outcome.status = (int)kept->status;
    process->outcome.cause = kept->cause;
    if (HOLDEN_HAS(kept, kept, explanation))
        process->outcome.explanation = strndup(kept->explanation.data, kept->explanation.size);
    if (HOLDEN_HAS(kept, kept, usage) && (process->usage = calloc(1, sizeof(*process->usage))) &&
        holden_decode(&holden_record_usage, kept->usage.bytes.data, kept->usage.bytes.size,
                      process->usage, &fault) < 0) {
        free(process->usage);
        process->usage = NULL;
    }
}

static void take_living(struct process *process, const struct holden_kept *kept) {
    char name[96];
    _cleanup_close_ int directory = -1;
    uint64_t frozen = 0;
    pid_t pid = (pid_t)kept->pid;
    process->ran = process->recorded = true;
    process->has_cgroup = true;
    state_recover(process, HOLDEN_state_RUNNING);
    cgroup_name(process->id, process->name, name, sizeof(name));
    if (cgroup_open(&process->agent->hierarchy, name, &directory) == 0 &&
        cgroup_read_number(directory, "cgroup.freeze", &frozen) == 0)
        process->frozen = frozen == 1;
    if (pid <= 0 || prove(process, pid) < 0 || launch_attend(process) < 0) {
        finish_unseen(process);
        return;
    }
    process_set_pid(process, pid);
    struct holden_start start;
    struct holden_properties properties;
    process_request(process, &start, &properties);
    launch_limit_runtime(process, &properties);
    logfile_watch(process);
}

static void found(struct agent *agent, const struct holden_kept *kept) {
    struct process *process;
    if (process_new(agent, kept->id, kept->name, &process) < 0) {
        log_error("no memory to recover %.*s", (int)kept->name.size, kept->name.data);
        return;
    }
    if (kept->id >= agent->store.next_id)
        agent->store.next_id = kept->id + 1;
    process->owner = kept->owner;
    process->owner_gid = kept->owner_group;
    process->user = kept->user;
    process->started_realtime = kept->started;
    process->started_monotonic = kept->started_monotonic;
    process->restarts = kept->restarts;
    process->restart_token = kept->restart_token;
    process->last_pid = (pid_t)kept->last_pid;
    process->has_log = kept->log;
    uint8_t *request = malloc(kept->request.size + 1);
    if (!request) {
        process_free(process);
        return;
    }
    memcpy(request, kept->request.data, kept->request.size);
    process_set_request(process, request, kept->request.size);
    if (state_alive(kept->state))
        take_living(process, kept);
    else {
        take_past(process, kept);
        state_recover(process, kept->state);
    }
}

/* A cgroup "ID-NAME" without a living process in the table is a start that was never answered, or
 * an end that was written down but not cleared away. */
static void clear_cgroups(struct agent *agent) {
    int copy = openat(agent->hierarchy.root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *entries = copy < 0 ? NULL : fdopendir(copy);
    for (struct dirent *entry; entries && (entry = readdir(entries));) {
        char *end;
        uint64_t id = strtoull(entry->d_name, &end, 10);
        _cleanup_close_ int directory = -1;
        if (entry->d_type != DT_DIR || end == entry->d_name || *end != '-')
            continue;
        const struct process *process = process_by_id(&agent->processes, id);
        if ((process && process->has_cgroup) ||
            cgroup_open(&agent->hierarchy, entry->d_name, &directory) < 0)
            continue;
        log_notice("cgroup %s belongs to no record: its start was never answered; ended",
                   entry->d_name);
        cgroup_kill(directory);
        for (unsigned tries = 0;
             tries < 1000 && cgroup_remove(&agent->hierarchy, entry->d_name) == -EBUSY; tries++)
            usleep(1000);
    }
    if (entries)
        closedir(entries);
}

int recover(struct agent *agent) {
    int r = store_read(&agent->store, agent, found);
    if (r < 0)
        return r;
    clear_cgroups(agent);
    finish_forget_old(agent);
    if (agent->processes.count > 0)
        log_notice("recovered %zu processes and %zu records of ended ones", agent->processes.alive,
                   agent->processes.ended);
    return link_send_request(&agent->link, KEEPER_RECOVERED, 0, 0);
}
