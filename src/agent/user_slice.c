#include "agent/user_slice.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/agent.h"
#include "agent/limits.h"

static bool is_bound(uint64_t bound) {
    return bound > 0 && bound < UINT64_MAX;
}

void user_slice_name(uid_t uid, char name[USER_SLICE_NAME]) {
    snprintf(name, USER_SLICE_NAME, "user-%u.slice", (unsigned)uid);
}

/* Whose it is: -1 where it is no user's. */
static int64_t user_of(const struct slice *slice) {
    char name[USER_SLICE_NAME];
    if (!slice || strncmp(slice->name, "user-", 5) != 0)
        return -1;
    uid_t uid = (uid_t)strtoul(slice->name + 5, NULL, 10);
    user_slice_name(uid, name);
    return uid > 0 && strcmp(name, slice->name) == 0 ? (int64_t)uid : -1;
}

static void configured(const struct config *config, struct holden_properties *limits) {
    *limits = (struct holden_properties){0};
    if (is_bound(config->user_memory))
        HOLDEN_SET(limits, properties, memory_max, config->user_memory);
    if (is_bound(config->user_tasks))
        HOLDEN_SET(limits, properties, tasks_max, config->user_tasks);
    if (is_bound(config->user_cpu))
        HOLDEN_SET(limits, properties, cpu_quota, config->user_cpu);
}

void user_slice_limits(const struct slice *slice, struct holden_properties *limits) {
    *limits = (struct holden_properties){0};
    if (user_of(slice) >= 0)
        configured(&slice->agent->config, limits);
}

int user_slice_check(const struct slice *slice, struct failure *failure) {
    int64_t uid = user_of(slice);
    uint64_t most = uid < 0 ? 0 : slice->agent->config.user_processes;
    if (!is_bound(most) || slice->users - (slice->settings != NULL) <= most)
        return 0;
    return failure_set(failure, HOLDEN_code_TOO_MANY, "UserProcessesMax",
                       "user %" PRId64 " has %" PRIu64 " processes already, as many as the agent's "
                       "configuration allows; stop one first", uid, most);
}

int user_slice_possible(const struct agent *agent, struct failure *failure) {
    struct holden_properties limits;
    configured(&agent->config, &limits);
    return limits_check(&agent->hierarchy, &limits, failure);
}
