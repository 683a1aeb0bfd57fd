/* Handlers of requests about slices. */
#include <errno.h>
#include <stdio.h>

#include "agent/agent.h"
#include "agent/permit.h"
#include "agent/request.h"
#include "agent/slice_limits.h"
#include "agent/start.h"
#include "agent/usage.h"
#include "common/cleanup.h"

static int done(struct request *request) {
    struct holden_done message = {0};
    peer_reply(request->peer, HOLDEN_MESSAGE_done, request->id, &message, NULL, 0);
    return 0;
}

/* Slices are root's, for whom a rule lets have a hand in them too. */
static int may(const struct request *request, uint16_t verb, struct holden_view name,
               struct failure *failure) {
    const struct policy_target target = {0, name};
    return permit(request->agent, request->peer, verb, &target, failure);
}

int request_limit_slice(struct request *request, struct failure *failure) {
    const struct holden_limit_slice *message = request->message;
    struct holden_properties wanted, before = {0}, after = {0};
    struct holden_fault fault;
    struct buffer memory[2] = {0};
    if (holden_decode(&holden_record_properties, message->properties.bytes.data,
                      message->properties.bytes.size, &wanted, &fault) < 0)
        return failure_set(failure, HOLDEN_code_INVALID, NULL, "the properties do not decode");
    const struct slice_change change = {.name = message->name, .wanted = &wanted,
                                        .replace = message->replace,
                                        .dry_run = message->dry_run};
    int r = may(request, HOLDEN_MESSAGE_limit_slice, message->name, failure);
    if (r == 0)
        r = start_check_properties(&wanted, failure);
    if (r == 0)
        r = slice_limits_set(request->agent, &change, &before, &after, memory, failure);
    if (r == 0) {
        struct holden_constrained answer = {0};
        HOLDEN_SET(&answer, constrained, before, (struct holden_nested){.value = &before});
        HOLDEN_SET(&answer, constrained, after, (struct holden_nested){.value = &after});
        peer_reply(request->peer, HOLDEN_MESSAGE_constrained, request->id, &answer, NULL, 0);
    }
    buffer_free(&memory[0]);
    buffer_free(&memory[1]);
    return r;
}

int request_reset_slice(struct request *request, struct failure *failure) {
    const struct holden_reset_slice *message = request->message;
    int r = may(request, HOLDEN_MESSAGE_reset_slice, message->name, failure);
    if (r == 0)
        r = slice_limits_reset(request->agent, message->name, failure);
    return r < 0 ? r : done(request);
}

static void tell(const struct request *request, const struct slice *slice) {
    const struct hierarchy *hierarchy = &request->agent->hierarchy;
    struct holden_slice message = {0};
    struct holden_usage usage;
    struct holden_properties now;
    _cleanup_(buffer_free) struct buffer memory = {0};
    _cleanup_close_ int directory = -1;
    char path[SLICE_PATH], whole[8192];
    uint64_t limit;
    slice_path(holden_view(slice->name), path);
    snprintf(whole, sizeof(whole), "%s/%s", hierarchy->path, path);
    HOLDEN_SET(&message, slice, name, holden_view(slice->name));
    HOLDEN_SET(&message, slice, cgroup, holden_view(whole));
    HOLDEN_SET(&message, slice, processes, slice_count(slice));
    if (slice->settings)
        HOLDEN_SET(&message, slice, kept, true);
    if (cgroup_open(hierarchy, path, &directory) == 0) {
        usage_read(hierarchy, directory, NULL, USAGE_ALL, &usage);
        HOLDEN_SET(&message, slice, usage, (struct holden_nested){.value = &usage});
        if (cgroup_read_number(directory, "memory.max", &limit) == 0)
            HOLDEN_SET(&message, slice, memory_limit, limit);
        if (cgroup_read_number(directory, "pids.max", &limit) == 0)
            HOLDEN_SET(&message, slice, tasks_limit, limit);
    }
    slice_limits_read(slice, &now, &memory);
    HOLDEN_SET(&message, slice, properties, (struct holden_nested){.value = &now});
    peer_reply(request->peer, HOLDEN_MESSAGE_slice, request->id, &message, NULL, 0);
}

/* Every name must be there before the first is told, so that an error is the whole answer. */
static int check_named(const struct request *request, struct failure *failure) {
    const struct holden_list_slices *message = request->message;
    struct holden_repeated left = message->name;
    struct holden_view name;
    while (holden_next_view(&left, &name)) {
        int r = slice_check(name, failure);
        if (r == 0)
            r = may(request, HOLDEN_MESSAGE_list_slices, name, failure);
        if (r < 0)
            return r;
        if (!slice_find(request->agent, name))
            return failure_set(failure, HOLDEN_code_NO_PROCESS, NULL,
                               "no slice %.*s; `slices` shows all", (int)name.size, name.data);
    }
    return 0;
}

int request_list_slices(struct request *request, struct failure *failure) {
    const struct holden_list_slices *message = request->message;
    struct holden_repeated left = message->name;
    struct holden_view name;
    struct holden_end end = {0};
    const struct slice *slice;
    int r = check_named(request, failure);
    if (r < 0)
        return r;
    while (holden_next_view(&left, &name))
        tell(request, slice_find(request->agent, name));
    LIST_FOREACH(slice, &request->agent->slices.list, entry)
        if (message->name.count == 0 &&
            may(request, HOLDEN_MESSAGE_list_slices, holden_view(slice->name), NULL) == 0)
            tell(request, slice);
    peer_reply(request->peer, HOLDEN_MESSAGE_end, request->id, &end, NULL, 0);
    return 0;
}
