#include "agent/policy.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/policy_check.h"
#include "agent/policy_fit.h"
#include "common/cleanup.h"

enum { VERBS = 64, VERB_SPACE = 32, NAME_SHOWN = 64 };

void policy_init(struct policy *policy, uint32_t group, uint64_t verbs) {
    *policy = (struct policy){
        .group = group, .members = {.name = "members", .built_in = true, .verbs = verbs}};
}

void policy_free(struct policy *policy) {
    arena_free(&policy->arena);
    *policy = (struct policy){.group = UINT32_MAX};
}

char *policy_verb_name(uint16_t verb, char *name, size_t space) {
    const struct holden_message_row *row = holden_message(verb);
    snprintf(name, space, "%s", row ? row->record->name : "?");
    for (char *at = name; (at = strchr(at, '_'));)
        *at = '-';
    return name;
}

/* A request that goes by the right to another. */
static uint16_t right_of(uint16_t verb) {
    return verb == HOLDEN_MESSAGE_history ? HOLDEN_MESSAGE_list : verb;
}

int policy_verb_find(struct holden_view name, uint16_t *verb) {
    char text[VERB_SPACE];
    size_t count;
    const struct holden_message_row *rows = holden_messages(&count);
    for (size_t i = 0; i < count; i++)
        if (rows[i].request && rows[i].number < VERBS &&
            holden_view_is(name, policy_verb_name(rows[i].number, text, sizeof(text)))) {
            *verb = right_of(rows[i].number);
            return 0;
        }
    return -ENOENT;
}

static bool is_member(const struct policy *policy, const struct policy_caller *caller) {
    return policy->group != UINT32_MAX && policy_in_group(caller, policy->group);
}

bool policy_admits(const struct policy *policy, const struct policy_caller *caller) {
    if (caller->uid == 0)
        return true;
    if (policy->closed)
        return false;
    for (size_t i = 0; i < policy->count; i++)
        if (!policy->rules[i]->deny && policy_names(policy->rules[i], caller))
            return true;
    return is_member(policy, caller);
}

bool policy_names_others(const struct policy *policy) {
    for (size_t i = 0; i < policy->count; i++) {
        const struct policy_rule *rule = policy->rules[i];
        if (rule->deny)
            continue;
        if (rule->user_count > 0)
            return true;
        for (size_t group = 0; group < rule->group_count; group++)
            if (rule->groups[group] != policy->group)
                return true;
    }
    return false;
}

/* ---- bounds ---- */

/* Limits of a process that are changed are still held to those of its start. */
static bool binds(const struct policy_rule *rule, const struct policy_question *question) {
    struct policy_question start = *question;
    start.verb = HOLDEN_MESSAGE_start;
    return policy_fit(rule, question) == POLICY_FIT_WHOLE ||
           (question->verb == HOLDEN_MESSAGE_constrain &&
            policy_fit(rule, &start) == POLICY_FIT_WHOLE);
}

/* ---- the decision ---- */

/* Where no rule allows it: the rule that came closest. */
struct miss {
    const struct policy_rule *rule;
    enum policy_fit fit;
};

static const char *thing(const struct policy_question *question) {
    switch (question->verb) {
    case HOLDEN_MESSAGE_limit_slice:
    case HOLDEN_MESSAGE_list_slices:
    case HOLDEN_MESSAGE_reset_slice: return "slice";
    default: return "process";
    }
}

static int refuse_target(const struct miss *miss, const struct policy_question *question,
                         const char *verb, struct failure *failure) {
    const struct policy_target *target = question->target;
    const char *scopes = miss->rule->scope_text ? miss->rule->scope_text : "own";
    unsigned uid = question->caller.uid;
    int shown = (int)(target->name.size < NAME_SHOWN ? target->name.size : NAME_SHOWN);
    if (miss->rule->built_in)
        return failure_set(failure, HOLDEN_code_NOT_PERMITTED, NULL,
                           "%s %.*s belongs to user %u; you are user %u, and no rule allows %s",
                           thing(question), shown, target->name.data, (unsigned)target->owner, uid,
                           verb);
    if (question->start)
        return failure_set(failure, HOLDEN_code_NOT_PERMITTED, "name",
                           "rule %s allows %s only where Targets=%s fits; choose another --name",
                           miss->rule->name, verb, scopes);
    return failure_set(failure, HOLDEN_code_NOT_PERMITTED, NULL,
                       "%s %.*s belongs to user %u; you are user %u, and rule %s allows %s only "
                       "where Targets=%s fits", thing(question), shown, target->name.data,
                       (unsigned)target->owner, uid, miss->rule->name, verb, scopes);
}

static int refuse_user(const struct miss *miss, const struct policy_question *question,
                       struct failure *failure) {
    const struct policy_caller *caller = &question->caller;
    const struct identity *identity = question->identity;
    unsigned uid = caller->uid;
    bool own = identity->uid == uid;
    const char *as = miss->rule->run_as_text;
    if (as)
        return failure_set(failure, HOLDEN_code_NOT_PERMITTED, "User",
                           "rule %s allows it only as %.200s, in that user's own groups; user %u "
                           "and group %u are asked for", miss->rule->name, as, identity->uid,
                           identity->gid);
    if (!own)
        return failure_set(failure, HOLDEN_code_NOT_PERMITTED, "User",
                           "user %u may start processes only as itself, not as user %u: no rule "
                           "allows more", uid, identity->uid);
    uint32_t gid = identity->gid;
    bool main = !policy_in_group(caller, gid);
    for (size_t i = 0; !main && i < identity->group_count; i++)
        if (!policy_in_group(caller, identity->groups[i]))
            gid = identity->groups[i];
    return failure_set(failure, HOLDEN_code_NOT_PERMITTED, main ? "Group" : "SupplementaryGroups",
                       "user %u is not in group %u, and no rule allows more", uid, gid);
}

static int refuse_command(const struct miss *miss, const struct policy_question *question,
                          struct failure *failure) {
    struct holden_view path = {"", 0};
    policy_unfit_command(miss->rule, question, &path);
    int shown = (int)(path.size < 200 ? path.size : 200);
    if (path.size == 0 || path.data[0] != '/')
        return failure_set(failure, HOLDEN_code_NOT_PERMITTED, "command",
                           "rule %s allows certain commands only: name %.*s by its whole path",
                           miss->rule->name, shown, path.data);
    return failure_set(failure, HOLDEN_code_NOT_PERMITTED, "command",
                       "rule %s does not allow to execute %.*s", miss->rule->name, shown,
                       path.data);
}

static int refuse_miss(const struct miss *miss, const struct policy_question *question,
                       struct failure *failure) {
    char verb[VERB_SPACE];
    policy_verb_name(question->verb, verb, sizeof(verb));
    switch (miss->fit) {
    case POLICY_FIT_VERB: return refuse_target(miss, question, verb, failure);
    case POLICY_FIT_TARGET: return refuse_user(miss, question, failure);
    case POLICY_FIT_USER: return refuse_command(miss, question, failure);
    default: break;
    }
    if (miss->rule->built_in)
        return failure_set(failure, HOLDEN_code_NOT_PERMITTED, NULL,
                           "only root may do that; you are user %u, and no rule allows %s",
                           question->caller.uid, verb);
    return failure_set(failure, HOLDEN_code_NOT_PERMITTED, NULL,
                       "no rule allows user %u to %s: rule %s allows other things",
                       question->caller.uid, verb, miss->rule->name);
}

static int refuse_stranger(const struct policy *policy, const struct policy_question *question,
                           struct failure *failure) {
    if (policy->closed)
        return failure_set(failure, HOLDEN_code_NOT_PERMITTED, NULL,
                           "only root may do anything: the policy could not be read, as the "
                           "agent's log tells");
    return failure_set(failure, HOLDEN_code_NOT_PERMITTED, NULL,
                       "no rule names user %u, and it is no member of the agent's group",
                       question->caller.uid);
}

static int refuse_denied(const struct policy_rule *rule, const struct policy_question *question,
                         struct failure *failure) {
    char verb[VERB_SPACE];
    if (policy_denies_nameless(rule, question))
        return failure_set(failure, HOLDEN_code_NOT_PERMITTED, "name",
                           "rule %s denies user %u to start some names; choose one with --name",
                           rule->name, question->caller.uid);
    return failure_set(failure, HOLDEN_code_NOT_PERMITTED, NULL, "rule %s denies user %u to %s",
                       rule->name, question->caller.uid,
                       policy_verb_name(question->verb, verb, sizeof(verb)));
}

bool policy_bounds(const struct policy *policy, size_t index) {
    for (size_t i = 0; i < policy->count; i++)
        if (holden_has(&policy->rules[i]->bounds.values, index))
            return true;
    return false;
}

/* The rule that denies it, or NULL. */
static const struct policy_rule *denier(const struct policy *policy,
                                        const struct policy_question *question) {
    for (size_t i = 0; i < policy->count; i++) {
        const struct policy_rule *rule = policy->rules[i];
        if (rule->deny && policy_names(rule, &question->caller) &&
            policy_fit(rule, question) == POLICY_FIT_WHOLE)
            return rule;
    }
    return NULL;
}

/* The rules that may allow it: those that name the caller, or else the one that is built in. From
 * *at = 0 on; NULL at the end. */
static const struct policy_rule *next_rule(const struct policy *policy,
                                           const struct policy_caller *caller, size_t *at) {
    bool named = false;
    for (size_t i = 0; i < policy->count; i++) {
        const struct policy_rule *rule = policy->rules[i];
        if (rule->deny || !policy_names(rule, caller))
            continue;
        named = true;
        if (i >= *at) {
            *at = i + 1;
            return rule;
        }
    }
    if (named || *at > policy->count || !is_member(policy, caller))
        return NULL;
    *at = policy->count + 1;
    return &policy->members;
}

int policy_decide(const struct policy *policy, const struct policy_question *question,
                  const char **rule_name, struct failure *failure) {
    struct failure unheard = {0};
    const struct policy_rule *rule, *first = NULL;
    struct miss miss = {0};
    failure = failure ? failure : &unheard;
    *rule_name = NULL;
    if (question->caller.uid == 0) {
        *rule_name = "root";
        return 0;
    }
    if (policy->closed)
        return refuse_stranger(policy, question, failure);
    rule = denier(policy, question);
    if (rule) {
        *rule_name = rule->name;
        return refuse_denied(rule, question, failure);
    }
    for (size_t at = 0; (rule = next_rule(policy, &question->caller, &at));) {
        enum policy_fit fit = policy_fit(rule, question);
        if (fit == POLICY_FIT_WHOLE && !first)
            first = rule;
        if (!miss.rule || fit > miss.fit)
            miss = (struct miss){rule, fit};
    }
    if (!first)
        return miss.rule ? refuse_miss(&miss, question, failure)
                         : refuse_stranger(policy, question, failure);
    for (size_t at = 0; (rule = next_rule(policy, &question->caller, &at));)
        if (binds(rule, question) && policy_check(rule, question, failure) < 0) {
            *rule_name = rule->name;
            return -EREMOTEIO;
        }
    *rule_name = first->name;
    return 0;
}

void policy_granted(const struct policy *policy, const struct policy_question *question,
                    struct holden_properties *granted) {
    const struct policy_rule *rule;
    if (question->caller.uid == 0)
        return;
    for (size_t at = 0; (rule = next_rule(policy, &question->caller, &at));)
        for (size_t i = 0; policy_fit(rule, question) == POLICY_FIT_WHOLE && i < HOLDEN_PROPERTIES;
             i++)
            if (holden_has(&rule->bounds.values, i))
                holden_mark(granted, i);
}

int policy_impose(const struct policy *policy, const struct policy_question *question,
                  struct arena *arena, struct holden_properties *properties,
                  struct failure *failure) {
    const struct policy_rule *rule;
    struct policy_question after = *question;
    if (question->caller.uid == 0)
        return 0;
    for (size_t at = 0; (rule = next_rule(policy, &question->caller, &at));)
        if (policy_fit(rule, question) == POLICY_FIT_WHOLE &&
            policy_impose_bounds(rule, arena, properties) < 0)
            return failure_errno(failure, ENOMEM, NULL, "cannot keep what the policy demands");
    /* What one rule has put in force may be against another. */
    after.properties = properties;
    for (size_t at = 0; (rule = next_rule(policy, &question->caller, &at));) {
        if (policy_fit(rule, question) != POLICY_FIT_WHOLE)
            continue;
        int r = policy_check_bounds(rule, &after, failure);
        if (r < 0)
            return r;
    }
    return 0;
}
