/* Handlers of requests about the policy. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/agent.h"
#include "agent/permit.h"
#include "agent/reload.h"
#include "agent/request.h"
#include "agent/start.h"
#include "common/cleanup.h"

int request_reload_agent(struct request *request, struct failure *failure) {
    struct holden_done message = {0};
    int r = reload_now(request->agent, failure);
    if (r == 0)
        peer_reply(request->peer, HOLDEN_MESSAGE_done, request->id, &message, NULL, 0);
    return r;
}

/* Whose request it would be: the caller's, or what root says. `groups` is memory for that. */
static int find_caller(const struct request *request, uint32_t **groups,
                       struct policy_caller *caller, struct failure *failure) {
    const struct holden_check_policy *check = request->message;
    struct holden_user user;
    struct holden_fault fault;
    *caller = permit_caller(request->peer);
    if (!HOLDEN_HAS(check, check_policy, user))
        return 0;
    if (holden_decode(&holden_record_user, check->user.bytes.data, check->user.bytes.size, &user,
                      &fault) < 0)
        return failure_set(failure, HOLDEN_code_INVALID, "user", "it does not decode");
    if (request->peer->uid != 0 && user.uid != request->peer->uid)
        return failure_set(failure, HOLDEN_code_NOT_PERMITTED, NULL,
                           "only root may ask about others; you are user %u", request->peer->uid);
    if (request->peer->uid != 0)
        return 0;
    uint32_t gid;
    *caller = (struct policy_caller){.uid = user.uid, .gid = user.gid};
    *groups = calloc(user.group.count + 1, sizeof(**groups));
    if (!*groups)
        return failure_errno(failure, ENOMEM, NULL, "cannot serve the request");
    caller->groups = *groups;
    while (HOLDEN_HAS(&user, user, group) && holden_next_u32(&user.group, &gid))
        (*groups)[caller->group_count++] = gid;
    return 0;
}

/* What it would be about: false where the request names nothing. */
static int find_target(const struct request *request, const struct policy_caller *caller,
                       struct policy_target *target, struct failure *failure) {
    const struct holden_check_policy *check = request->message;
    *target = (struct policy_target){caller->uid, check->target};
    if (HOLDEN_HAS(check, check_policy, owner)) {
        target->owner = check->owner;
        return 0;
    }
    const struct process *process =
        process_by_text(&request->agent->processes, check->target);
    if (!process)
        return failure_set(failure, HOLDEN_code_NO_PROCESS, NULL,
                           "no process %.*s; for one that is not there write OWNER:NAME",
                           (int)(check->target.size < 64 ? check->target.size : 64),
                           check->target.data);
    *target = (struct policy_target){process->owner, holden_view(process->name)};
    return 0;
}

static int ask_start(const struct request *request, const struct policy_caller *caller,
                     struct holden_properties *properties, const char **rule,
                     struct failure *failure) {
    static const struct holden_view any = {"", 0};
    const struct holden_check_policy *check = request->message;
    _cleanup_(arena_free) struct arena arena = {0};
    struct holden_start start = {0};
    HOLDEN_SET(&start, start, argument,
               check->argument.count > 0 ? check->argument
                                         : (struct holden_repeated){.count = 1, .items = &any});
    return permit_start(request->agent, caller, check->target, &start, properties, &arena, rule,
                        failure);
}

static int ask(const struct request *request, const struct policy_caller *caller, uint16_t verb,
               struct holden_properties *properties, const char **rule, struct failure *failure) {
    const struct holden_check_policy *check = request->message;
    struct policy_question question = {.caller = *caller, .verb = verb};
    struct policy_target target;
    if (verb == HOLDEN_MESSAGE_start)
        return ask_start(request, caller, properties, rule, failure);
    if (HOLDEN_HAS(check, check_policy, target)) {
        int r = find_target(request, caller, &target, failure);
        if (r < 0)
            return r;
        question.target = &target;
    }
    return verb == HOLDEN_MESSAGE_constrain
               ? permit_change(request->agent, caller, question.target, properties, rule, failure)
               : policy_decide(&request->agent->policy, &question, rule, failure);
}

static void answer(const struct request *request, bool allowed, const char *rule,
                   const char *reason) {
    struct holden_policy_decision message = {0};
    HOLDEN_SET(&message, policy_decision, allowed, allowed);
    if (rule)
        HOLDEN_SET(&message, policy_decision, rule, holden_view(rule));
    if (!allowed)
        HOLDEN_SET(&message, policy_decision, reason, holden_view(reason));
    peer_reply(request->peer, HOLDEN_MESSAGE_policy_decision, request->id, &message, NULL, 0);
}

int request_check_policy(struct request *request, struct failure *failure) {
    const struct holden_check_policy *check = request->message;
    _cleanup_free_ uint32_t *groups = NULL;
    struct policy_caller caller;
    struct holden_properties properties = {0};
    struct holden_fault fault;
    const char *rule = NULL;
    uint16_t verb;
    if (policy_verb_find(check->verb, &verb) < 0)
        return failure_set(failure, HOLDEN_code_INVALID, "verb",
                           "%.*s: the policy knows no such verb; holden-policy.conf(5) lists them",
                           (int)check->verb.size, check->verb.data);
    int r = find_caller(request, &groups, &caller, failure);
    if (r == 0 && HOLDEN_HAS(check, check_policy, properties) &&
        holden_decode(&holden_record_properties, check->properties.bytes.data,
                      check->properties.bytes.size, &properties, &fault) < 0)
        r = failure_set(failure, HOLDEN_code_INVALID, NULL, "the properties do not decode");
    if (r == 0)
        r = start_check_properties(&properties, failure);
    if (r < 0)
        return r;
    r = ask(request, &caller, verb, &properties, &rule, failure);
    if (r < 0 && failure->code != HOLDEN_code_NOT_PERMITTED)
        return r;
    answer(request, r == 0, rule, failure->text);
    return 0;
}
