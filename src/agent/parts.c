#include "agent/parts.h"

#include <errno.h>
#include <string.h>
#include <sys/capability.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/credential.h"
#include "agent/delegate.h"
#include "agent/directory.h"
#include "agent/gate.h"
#include "agent/input.h"
#include "agent/lift.h"
#include "agent/limits.h"
#include "agent/logfile.h"
#include "agent/nodes.h"
#include "agent/place.h"
#include "agent/readiness.h"
#include "agent/sequence.h"
#include "agent/watchdog.h"
#include "common/cleanup.h"

void parts_free(struct parts *parts) {
    cleanup_close(&parts->cgroup);
    cleanup_close(&parts->pipe);
    cleanup_close(&parts->log);
    cleanup_close(&parts->input);
    mounts_free(&parts->mounts);
}

/* ---- standard streams ---- */

static uint32_t pass(struct parts *parts, int fd) {
    parts->fds[parts->count] = fd;
    return (uint32_t)parts->count++;
}

static int use_log(struct process *process, struct parts *parts, struct plan_stream_input *stream,
                   struct failure *failure) {
    int r = parts->log >= 0 ? 0 : logfile_open(process, &parts->log);
    if (r == -EOPNOTSUPP)
        return failure_set(failure, HOLDEN_code_UNSUPPORTED, "LogMax",
                           "the file system of %s cannot give back a file's head, so the log would "
                           "grow without bound: set LogMax=infinity or another StandardOutput=, or "
                           "start the agent with --state-dir on tmpfs, ext4, xfs or btrfs",
                           process->agent->store.path);
    if (r < 0)
        return failure_errno(failure, -r, "log", "cannot make the log of %s", process->name);
    stream->kind = HOLDEN_stream_kind_LOG;
    stream->passed = pass(parts, parts->log);
    return 0;
}

static int use_data(const struct process *process, struct parts *parts,
                    struct plan_stream_input *stream, struct failure *failure) {
    int r = input_open(parts->properties.standard_input_data, &parts->input);
    if (r < 0)
        return failure_errno(failure, -r, "StandardInputData",
                             "cannot make the standard input of %s", process->name);
    stream->passed = pass(parts, parts->input);
    return 0;
}

static bool is_for(unsigned number, uint32_t kind) {
    if (number == 0)
        return kind == HOLDEN_stream_kind_NULL || kind == HOLDEN_stream_kind_FILE ||
               kind == HOLDEN_stream_kind_DATA;
    return kind != HOLDEN_stream_kind_PASSED && kind != HOLDEN_stream_kind_DATA;
}

static int choose_stream(struct process *process, struct parts *parts, unsigned number,
                         const struct holden_nested *asked, struct failure *failure) {
    static const uint32_t usual[] = {HOLDEN_stream_kind_NULL, HOLDEN_stream_kind_LOG,
                                     HOLDEN_stream_kind_INHERIT};
    struct plan_stream_input *stream = &parts->streams[number];
    bool data = number == 0 && HOLDEN_HAS(&parts->properties, properties, standard_input_data);
    struct holden_stream value = {.kind = data ? HOLDEN_stream_kind_DATA : usual[number]};
    struct holden_fault fault;
    if (process->passed[number] >= 0) {
        *stream = (struct plan_stream_input){HOLDEN_stream_kind_PASSED,
                                             pass(parts, process->passed[number]), {0}};
        return 0;
    }
    if (asked && holden_decode(&holden_record_stream, asked->bytes.data, asked->bytes.size, &value,
                               &fault) < 0)
        return failure_set(failure, HOLDEN_code_INVALID, "standard streams", "%s %s", fault.field,
                           fault.what);
    bool path = value.kind == HOLDEN_stream_kind_FILE || value.kind == HOLDEN_stream_kind_APPEND ||
                value.kind == HOLDEN_stream_kind_TRUNCATE;
    if (path && (value.path.size == 0 || value.path.data[0] != '/'))
        return failure_set(failure, HOLDEN_code_INVALID, "standard streams",
                           "the path is not absolute");
    if (!is_for(number, value.kind))
        return failure_set(failure, HOLDEN_code_INVALID, "standard streams",
                           "\"%s\" is not for this stream",
                           holden_word(&holden_enum_stream_kind, value.kind));
    *stream = (struct plan_stream_input){value.kind, 0, value.path};
    return value.kind == HOLDEN_stream_kind_LOG    ? use_log(process, parts, stream, failure)
           : value.kind == HOLDEN_stream_kind_DATA ? use_data(process, parts, stream, failure)
                                                   : 0;
}

int parts_pass(struct process *process, struct parts *parts, struct failure *failure) {
    const struct holden_properties *p = &parts->properties;
    pass(parts, parts->cgroup);
    pass(parts, parts->pipe);
    int r = choose_stream(process, parts, 0,
                          HOLDEN_HAS(p, properties, standard_input) ? &p->standard_input : NULL,
                          failure);
    if (r == 0)
        r = choose_stream(process, parts, 1,
                          HOLDEN_HAS(p, properties, standard_output) ? &p->standard_output : NULL,
                          failure);
    if (r == 0)
        r = choose_stream(process, parts, 2,
                          HOLDEN_HAS(p, properties, standard_error) ? &p->standard_error : NULL,
                          failure);
    return r;
}

/* ---- preparing ---- */

/* DynamicUser=: its group has the same number, unless Group= names another. */
static int make_up(struct process *process, struct parts *parts, struct failure *failure) {
    struct identity *identity = &parts->identity;
    uid_t uid;
    int r = dynamic_user_take(process, &parts->properties, &uid, failure);
    if (r < 0)
        return r;
    identity->set = true;
    identity->uid = uid;
    if (!HOLDEN_HAS(&parts->properties, properties, group))
        identity->gid = uid;
    return 0;
}

static bool has_filter(const struct process *process, const struct parts *parts) {
    return process->filter && !lift_filter(parts->start.rights);
}

/* The kernel holds nobody to a quota who has this capability in the machine's user namespace
 * (quotactl(2)). A command with a prefix has it because it was asked for. */
static int check_quota(const struct parts *parts, struct failure *failure) {
    const struct holden_properties *p = &parts->properties;
    const struct identity *identity = &parts->own;
    const char *setting = directory_quota(p);
    uint64_t held = identity->uid != 0         ? identity->ambient
                    : identity->capabilities ? identity->bounding
                                               : UINT64_MAX;
    if (!setting || !(held >> CAP_SYS_RESOURCE & 1) ||
        (HOLDEN_HAS(p, properties, private_users) && p->private_users))
        return 0;
    return failure_set(failure, HOLDEN_code_INVALID, setting,
                       "no quota holds a process with CAP_SYS_RESOURCE, as root has: set User=, "
                       "PrivateUsers=yes or CapabilityBoundingSet=~CAP_SYS_RESOURCE");
}

/* The groups that the request itself names: who restarts it is not asked again. */
static int resolve_identity(struct process *process, struct parts *parts, struct failure *failure) {
    uint32_t groups[ARRAY_SIZE(parts->identity.groups)];
    size_t count = 0;
    struct holden_user user;
    if (process->owner != 0 && holden_user_given(&parts->properties, &user))
        for (uint32_t gid; count < ARRAY_SIZE(groups) && holden_next_u32(&user.group, &gid);)
            groups[count++] = gid;
    int r = identity_resolve(&parts->properties, process->filter != NULL, process->owner,
                             process->owner_gid, groups, count, &parts->identity, failure);
    if (r == 0 && holden_user_made_up(&parts->properties))
        r = make_up(process, parts, failure);
    parts->own = parts->identity;
    if (r < 0 || parts->start.rights == HOLDEN_exec_rights_UNIT)
        return r < 0 ? r : check_quota(parts, failure);
    struct holden_properties lifted = parts->lifted;
    lift_identity(parts->start.rights, &lifted);
    return identity_resolve(&lifted, has_filter(process, parts), process->owner,
                            process->owner_gid, groups, count, &parts->own, failure);
}

static int prepare_mounts(struct process *process, struct parts *parts, struct failure *failure) {
    int r = mounts_collect(process, &parts->lifted, &parts->mounts, failure);
    if (r < 0 || !parts->mounts.inaccessible)
        return r;
    r = nodes_make(&process->agent->store, parts->nodes, sizeof(parts->nodes));
    return r < 0 ? failure_errno(failure, -r, "mounts", "cannot make the nodes for what is "
                                 "inaccessible in %s", parts->nodes)
                 : 0;
}

/* Root has its cgroups anyway. */
static int delegate(struct process *process, struct parts *parts, struct failure *failure) {
    const struct identity *identity = &parts->identity;
    uid_t uid = identity->set ? identity->uid : 0;
    gid_t gid = identity->set ? identity->gid : 0;
    if (!delegate_wanted(&parts->properties))
        return 0;
    int control = -1;
    int r = parts->beside ? delegate_control(parts->cgroup, uid, gid, &control)
                          : delegate_give(parts->cgroup, uid, gid);
    if (control >= 0) {
        close(parts->cgroup);
        parts->cgroup = control;
    }
    return r < 0 ? failure_errno(failure, -r, "Delegate", "cannot hand the cgroup of %s to user %u",
                                 process->name, (unsigned)uid)
                 : 0;
}

static int make_cgroup(struct process *process, struct parts *parts,
                       const struct hierarchy *hierarchy, struct failure *failure) {
    if (process->has_cgroup && place_open(process, &parts->cgroup) == 0)
        return delegate(process, parts, failure);
    int r = place_make(process, &parts->properties, &parts->cgroup, failure);
    if (r < 0)
        return r;
    r = limits_apply(hierarchy, parts->cgroup, &parts->properties, failure);
    if (r == 0)
        r = gate_apply(parts->cgroup, &parts->properties, &parts->properties, failure);
    return r == 0 ? delegate(process, parts, failure) : r;
}

int parts_send(struct process *process, struct parts *parts, uint64_t token, uint32_t report,
               struct failure *failure) {
    const struct identity *identity = &parts->own;
    bool filtered = has_filter(process, parts);
    bool hears = readiness_listens(&parts->properties) && !parts->beside &&
                 !sequence_before_main(process) && *process->agent->notices.path;
    struct plan_input input = {
        .process = process, .start = &parts->start, .properties = &parts->lifted,
        .filter = filtered ? process->filter : NULL, .mounts = &parts->mounts,
        .nodes = parts->nodes,
        .notify = hears ? process->agent->notices.path : NULL,
        .watchdog = hears ? watchdog_time(process) : 0,
        .credentials = parts->credentials,
        .user = process->dynamic_user ? process->dynamic_user->name : NULL,
        .variables = parts->variables, .variable_count = parts->variable_count,
        .token = token, .report = report,
        .uid = identity->uid, .gid = identity->gid,
        .owner = parts->identity.uid, .owner_group = parts->identity.gid,
        .groups = identity->groups, .group_count = identity->group_count,
        .bounding = identity->bounding, .inheritable = identity->inheritable,
        .ambient = identity->ambient,
        .has = PLAN_HAS_CGROUP | (identity->set ? PLAN_HAS_IDS : 0) |
               (identity->capabilities ? PLAN_HAS_CAPABILITIES : 0) |
               (identity->no_new_privileges ? PLAN_HAS_NO_NEW_PRIVILEGES : 0) |
               (process->owner != 0 ? PLAN_HAS_OPEN_AS_USER : 0) |
               (process->terminal && process->passed[0] >= 0 && !parts->beside
                    ? PLAN_HAS_TERMINAL : 0) |
               (filtered && !parts->beside &&
                        talk_wanted(&process->agent->talk, &parts->properties)
                    ? PLAN_HAS_LISTENER : 0),
    };
    memcpy(input.streams, parts->streams, sizeof(input.streams));
    _cleanup_(buffer_free) struct buffer plan = {0};
    int r = plan_build(&input, &plan);
    if (r == 0)
        r = link_send_plan(&process->agent->link, &plan, parts->fds, parts->count);
    return r < 0
               ? failure_errno(failure, -r, "keeper", "cannot hand %s to the keeper", process->name)
               : 0;
}

int parts_prepare(struct process *process, struct parts *parts, struct failure *failure) {
    struct agent *agent = process->agent;
    parts->lifted = parts->properties;
    lift_sandbox(parts->start.rights, &parts->lifted);
    struct hierarchy hierarchy;
    place_hierarchy(process->agent, &parts->properties, &hierarchy);
    int r = limits_check(&hierarchy, &parts->properties, failure);
    if (r == 0)
        r = delegate_check(&hierarchy, &parts->properties, failure);
    if (r == 0 && !process->filter)
        r = filter_get(&agent->filters, &parts->properties, &process->filter, failure);
    if (r == 0)
        r = resolve_identity(process, parts, failure);
    if (r == 0 && parts->beside)
        credential_find(process, &parts->properties, parts->credentials,
                        sizeof(parts->credentials));
    else if (r == 0)
        r = credential_make(process, &parts->properties, &parts->identity, parts->credentials,
                            sizeof(parts->credentials), failure);
    if (r == 0)
        r = prepare_mounts(process, parts, failure);
    return r == 0 ? make_cgroup(process, parts, &hierarchy, failure) : r;
}
