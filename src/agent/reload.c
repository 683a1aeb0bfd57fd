#include "agent/reload.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/group.h"
#include "agent/policy_file.h"
#include "agent/request.h"
#include "agent/user_slice.h"
#include "common/log.h"

/* The socket is root's and the group's; without the group, root's alone. Whom rules name beside the
 * group are let through it, and told apart at accept. */
static void open_socket(const struct agent *agent) {
    const struct policy *policy = &agent->policy;
    const char *path = agent->arguments.socket;
    gid_t gid = policy->group == UINT32_MAX ? 0 : policy->group;
    mode_t mode = policy_names_others(policy) ? 0666 : policy->group == UINT32_MAX ? 0600 : 0660;
    if (chown(path, 0, gid) < 0 || chmod(path, mode) < 0)
        log_warning("cannot open %s to group %s: %s", path, agent->config.group, strerror(errno));
}

/* That the group could not be looked up is no reason to shut its members out. */
static int find_group(const struct config *config, uint32_t *group) {
    gid_t gid;
    int r = group_find(config->group, &gid);
    *group = r == 0 ? gid : UINT32_MAX;
    if (r == 0 || r == -ENOENT)
        return 0;
    log_error("cannot look up group %s, whose members may connect: %s", config->group,
              strerror(-r));
    return r;
}

static int read_policy(const struct agent *agent, uint32_t group, struct policy *policy,
                       char first[POLICY_COMPLAINT_MOST]) {
    policy_init(policy, group, request_of_members());
    return policy_file_read(policy, agent->arguments.policy, agent->arguments.policy_given,
                            &policy_accounts, first);
}

int reload_first(struct agent *agent) {
    char first[POLICY_COMPLAINT_MOST];
    uint32_t group;
    int r = find_group(&agent->config, &group);
    if (r < 0)
        return r;
    if (read_policy(agent, group, &agent->policy, first) < 0) {
        policy_free(&agent->policy);
        agent->policy.closed = true;
        agent->policy.group = group;
        log_error("the policy is wrong: only root may do anything until it is right and "
                  "`controller reload` has read it");
    }
    open_socket(agent);
    return 0;
}

void reload_bounds(struct agent *agent) {
    const struct config *config = &agent->config;
    agent->listener.quotas.bounds = (struct quota_bounds){.connections = config->user_connections,
                                                          .requests = config->user_requests,
                                                          .burst = config->user_burst,
                                                          .queue = config->user_queue};
    struct failure failure;
    if (user_slice_possible(agent, &failure) < 0)
        log_error("quotas of users: %s: %s; until then, nobody but root can start anything",
                  failure.step, failure.text);
}

int reload_now(struct agent *agent, struct failure *failure) {
    static const char stays[] = "what was in force so far stays";
    char first[POLICY_COMPLAINT_MOST];
    struct config config;
    struct policy policy;
    uint32_t group;
    if (config_read(&config, agent->arguments.config, agent->arguments.config_given) < 0)
        return failure_set(failure, HOLDEN_code_FAILED, "configuration",
                           "%s is wrong, as the agent's log tells; %s", agent->arguments.config,
                           stays);
    int r = find_group(&config, &group);
    if (r < 0)
        return failure_errno(failure, -r, "configuration", "%s; cannot look up group %s", stays,
                             config.group);
    if (read_policy(agent, group, &policy, first) < 0) {
        policy_free(&policy);
        log_error("the policy is wrong; %s", stays);
        return failure_set(failure, HOLDEN_code_FAILED, "policy", "%.400s; %s", first, stays);
    }
    r = trail_try(agent, &config);
    if (r < 0) {
        policy_free(&policy);
        return failure_set(failure, HOLDEN_code_FAILED, "configuration",
                           "cannot write the audit trail to its file (AuditFile=): %s; %s",
                           strerror(-r), stays);
    }
    policy_free(&agent->policy);
    agent->policy = policy;
    agent->config = config;
    reload_bounds(agent);
    sampler_configure(&agent->sampler);
    trail_renew(agent);
    open_socket(agent);
    log_notice("configuration and policy were read anew: %zu rules", policy.count);
    events_agent(agent, "configuration and policy were read anew");
    return 0;
}

int reload_try(struct agent *agent) {
    char first[POLICY_COMPLAINT_MOST];
    struct policy policy;
    if (config_read(&agent->config, agent->arguments.config, agent->arguments.config_given) < 0)
        return -EINVAL;
    int r = read_policy(agent, UINT32_MAX, &policy, first);
    policy_free(&policy);
    return r;
}
