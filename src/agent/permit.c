#include "agent/permit.h"

#include "agent/agent.h"
#include "agent/rights.h"
#include "protocol/dynamic_user.h"

struct policy_caller permit_caller(const struct peer *peer) {
    return (struct policy_caller){
        .uid = peer->uid, .gid = peer->gid, .groups = peer->groups,
        .group_count = peer->group_count};
}

int permit(const struct agent *agent, const struct peer *peer, uint16_t verb,
           const struct policy_target *target, struct failure *failure) {
    const struct policy_question question = {
        .caller = permit_caller(peer), .verb = verb, .target = target};
    const char *rule;
    return policy_decide(&agent->policy, &question, &rule, failure);
}

int permit_process(const struct process *process, const struct peer *peer, uint16_t verb,
                   struct failure *failure) {
    const struct policy_target target = {process->owner, holden_view(process->name)};
    return permit(process->agent, peer, verb, &target, failure);
}

/* Whom it would run as. A user who is made up is nobody whose rights one could have. */
static int resolve(const struct policy_caller *caller, const struct holden_properties *properties,
                   struct identity *identity, struct failure *failure) {
    struct holden_properties named = *properties;
    if (holden_user_made_up(properties))
        holden_unmark(&named, HOLDEN_INDEX(properties, user));
    return identity_resolve(&named, false, caller->uid, caller->gid, caller->groups,
                            caller->group_count, identity, failure);
}

int permit_start(const struct agent *agent, const struct policy_caller *caller,
                 struct holden_view name, const struct holden_start *start,
                 struct holden_properties *properties, struct arena *arena, const char **rule,
                 struct failure *failure) {
    const struct policy_target target = {caller->uid, name};
    struct holden_properties granted = {0};
    struct identity identity;
    *rule = NULL;
    int r = resolve(caller, properties, &identity, failure);
    const struct policy_question question = {.caller = *caller,
                                             .verb = HOLDEN_MESSAGE_start,
                                             .target = &target,
                                             .start = start,
                                             .identity = &identity,
                                             .properties = properties};
    if (r == 0)
        r = policy_decide(&agent->policy, &question, rule, failure);
    if (r < 0 || caller->uid == 0)
        return r;
    policy_granted(&agent->policy, &question, &granted);
    r = rights_check(agent, properties, &granted, failure);
    if (r == 0)
        r = rights_check_commands(start, properties, failure);
    return r < 0 ? r : policy_impose(&agent->policy, &question, arena, properties, failure);
}

int permit_change(const struct agent *agent, const struct policy_caller *caller,
                  const struct policy_target *target, const struct holden_properties *wanted,
                  const char **rule, struct failure *failure) {
    const struct holden_properties granted = {0};
    const struct policy_question question = {.caller = *caller,
                                             .verb = HOLDEN_MESSAGE_constrain,
                                             .target = target,
                                             .properties = wanted};
    int r = policy_decide(&agent->policy, &question, rule, failure);
    return r < 0 || caller->uid == 0 ? r : rights_check(agent, wanted, &granted, failure);
}
