/* Handlers of requests about the agent itself. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/catalog.h"
#include "agent/check.h"
#include "agent/machine.h"
#include "agent/request.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "common/log.h"
#include "common/version.h"

enum { USERS_MOST = 64 }; /* that `self` tells of */

int request_ping(struct request *request, struct failure *failure) {
    (void)failure;
    struct holden_pong message = {0};
    HOLDEN_SET(&message, pong, version, holden_view(HOLDEN_VERSION_TEXT));
    HOLDEN_SET(&message, pong, pid, (uint32_t)getpid());
    peer_reply(request->peer, HOLDEN_MESSAGE_pong, request->id, &message, NULL, 0);
    return 0;
}

/* The resident set in bytes: the second number of /proc/PID/statm, in pages (proc(5)). */
static uint64_t resident(pid_t pid) {
    char path[64], text[128];
    snprintf(path, sizeof(path), "/proc/%d/statm", (int)pid);
    if (file_read(AT_FDCWD, path, text, sizeof(text)) < 0)
        return 0;
    return strtoull(text + strcspn(text, " "), NULL, 10) * machine_page();
}

/* Since Linux 6.2 the directory's size is the number (proc(5)); before, it is 0. */
static uint64_t open_descriptors(void) {
    struct stat status;
    uint64_t count = 0;
    if (stat("/proc/self/fd", &status) == 0 && status.st_size > 0)
        return (uint64_t)status.st_size;
    DIR *entries = opendir("/proc/self/fd");
    while (entries && readdir(entries))
        count++;
    if (entries)
        closedir(entries);
    return count > 3 ? count - 3 : 0; /* ".", ".." and the directory itself */
}

/* The users that the asker may know of, into two arrays of `most` each. How many. */
static uint32_t list_users(const struct request *request, struct holden_user_use *users,
                           struct holden_nested *nested, size_t most) {
    const struct quota *quota;
    uint32_t count = 0;
    LIST_FOREACH(quota, &request->agent->listener.quotas.users, entry) {
        if (count == most || (request->peer->uid != 0 && request->peer->uid != quota->uid))
            continue;
        struct holden_user_use *use = &users[count];
        *use = (struct holden_user_use){0};
        HOLDEN_SET(use, user_use, uid, quota->uid);
        HOLDEN_SET(use, user_use, connections, quota->connections);
        HOLDEN_SET(use, user_use, queued, quota->queued);
        HOLDEN_SET(use, user_use, refused, quota->refused);
        nested[count++] = (struct holden_nested){.value = use};
    }
    return count;
}

/* Into two arrays of CAUSES_MOST each. How many. */
static uint32_t list_ends(const struct agent *agent, struct holden_ends *ends,
                          struct holden_nested *nested) {
    uint32_t count = 0;
    for (uint32_t cause = 0; cause < CAUSES_MOST; cause++) {
        if (agent->ends[cause] == 0)
            continue;
        ends[count] = (struct holden_ends){0};
        HOLDEN_SET(&ends[count], ends, cause, cause);
        HOLDEN_SET(&ends[count], ends, count, agent->ends[cause]);
        nested[count] = (struct holden_nested){.value = &ends[count]};
        count++;
    }
    return count;
}

int request_self(struct request *request, struct failure *failure) {
    (void)failure;
    const struct agent *agent = request->agent;
    struct holden_self_state m = {0};
    struct rusage usage = {0};
    getrusage(RUSAGE_SELF, &usage);
    uint64_t cpu = (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 +
                   (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
    HOLDEN_SET(&m, self_state, version, holden_view(HOLDEN_VERSION_TEXT));
    HOLDEN_SET(&m, self_state, pid, (uint32_t)getpid());
    HOLDEN_SET(&m, self_state, keeper, (uint32_t)getppid());
    HOLDEN_SET(&m, self_state, uptime, machine_monotonic() - agent->started);
    HOLDEN_SET(&m, self_state, recoveries, agent->recoveries);
    HOLDEN_SET(&m, self_state, socket, holden_view(agent->arguments.socket));
    HOLDEN_SET(&m, self_state, state_directory, holden_view(agent->store.path));
    HOLDEN_SET(&m, self_state, cgroup, holden_view(agent->hierarchy.path));
    HOLDEN_SET(&m, self_state, processes, agent->processes.alive);
    HOLDEN_SET(&m, self_state, records, agent->processes.ended);
    HOLDEN_SET(&m, self_state, clients, agent->listener.count);
    HOLDEN_SET(&m, self_state, starts, agent->starts);
    HOLDEN_SET(&m, self_state, sequence, agent->events.ring.last);
    HOLDEN_SET(&m, self_state, resident, resident(getpid()) + resident(getppid()));
    HOLDEN_SET(&m, self_state, cpu, cpu);
    HOLDEN_SET(&m, self_state, descriptors, open_descriptors());
    HOLDEN_SET(&m, self_state, filters, agent->filters.count);
    HOLDEN_SET(&m, self_state, audited, agent->trail.lines);
    HOLDEN_SET(&m, self_state, audit_lost, agent->trail.lost);
    HOLDEN_SET(&m, self_state, history, agent->sampler.pool.bytes);
    HOLDEN_SET(&m, self_state, history_most, agent->sampler.pool.most);
    HOLDEN_SET(&m, self_state, sampled, agent->sampler.count);
    HOLDEN_SET(&m, self_state, sampled_files, agent->sampler.kept.open);
    struct holden_ends ends[CAUSES_MOST];
    struct holden_nested nested_ends[CAUSES_MOST];
    uint32_t causes = list_ends(agent, ends, nested_ends);
    if (causes > 0)
        HOLDEN_SET(&m, self_state, ends,
                   (struct holden_repeated){.count = causes, .items = nested_ends});
    struct holden_user_use users[USERS_MOST];
    struct holden_nested nested[USERS_MOST];
    uint32_t count = list_users(request, users, nested, USERS_MOST);
    if (count > 0)
        HOLDEN_SET(&m, self_state, user, (struct holden_repeated){.count = count, .items = nested});
    peer_reply(request->peer, HOLDEN_MESSAGE_self_state, request->id, &m, NULL, 0);
    return 0;
}

static void send_check(void *data, const struct check *check) {
    const struct request *request = data;
    struct holden_check message = {0};
    HOLDEN_SET(&message, check, name, holden_view(check->name));
    HOLDEN_SET(&message, check, severity, check->severity);
    HOLDEN_SET(&message, check, detail, holden_view(check->detail));
    if (check->severity != HOLDEN_severity_OK) {
        HOLDEN_SET(&message, check, cost, holden_view(check->cost));
        HOLDEN_SET(&message, check, remedy, holden_view(check->remedy));
    }
    peer_reply(request->peer, HOLDEN_MESSAGE_check, request->id, &message, NULL, 0);
}

int request_doctor(struct request *request, struct failure *failure) {
    (void)failure;
    struct holden_end end = {0};
    check_all(&request->agent->hierarchy, send_check, request);
    peer_reply(request->peer, HOLDEN_MESSAGE_end, request->id, &end, NULL, 0);
    return 0;
}

int request_subscribe(struct request *request, struct failure *failure) {
    int r = events_subscribe(&request->agent->events, request->peer, request->id, request->message);
    if (r == -EDQUOT)
        return failure_set(failure, HOLDEN_code_TOO_MANY, NULL,
                           "this connection, or all of its user's, follow the events too "
                           "often already");
    if (r < 0)
        return failure_errno(failure, -r, NULL, "cannot serve the request");
    return 0;
}

int request_reexec(struct request *request, struct failure *failure) {
    return reexec_begin(request->agent, request->peer, request->id, failure);
}

int request_audit(struct request *request, struct failure *failure) {
    struct holden_audit_place message = {0};
    _cleanup_close_ int fd = -1;
    bool journal = false;
    if (!request->agent->trail.open)
        return failure_set(failure, HOLDEN_code_INVALID, "Audit",
                           "there is no audit trail: %s says Audit=none",
                           request->agent->arguments.config);
    int r = trail_place(request->agent, &fd, &journal);
    if (r < 0)
        return failure_errno(failure, -r, "Audit", "cannot open the audit trail");
    if (fd >= 0)
        HOLDEN_SET(&message, audit_place, file, 0);
    if (journal) {
        HOLDEN_SET(&message, audit_place, journal, holden_view(request->agent->arguments.socket));
        HOLDEN_SET(&message, audit_place, message_id,
                   holden_view(catalog_entry(CATALOG_OPERATION)->id));
    }
    peer_reply(request->peer, HOLDEN_MESSAGE_audit_place, request->id, &message, &fd, fd >= 0);
    return 0;
}
