/* Whether a rule of the policy is about what is asked, condition by condition. */
#pragma once

#include "agent/policy.h"

/* How far a rule goes along with a question, from its first condition to its last. */
enum policy_fit {
    POLICY_FIT_NOT,    /* not even the request is one of its own */
    POLICY_FIT_VERB,   /* but the target is not */
    POLICY_FIT_TARGET, /* but the user to run as, or its groups, are not */
    POLICY_FIT_USER,   /* but the command is not */
    POLICY_FIT_WHOLE,
};

/* Whether the caller is in the group. */
bool policy_in_group(const struct policy_caller *caller, uint32_t gid);

/* Whether the rule names the caller, or a group that it is in. */
bool policy_names(const struct policy_rule *rule, const struct policy_caller *caller);

/* How far it fits, whoever the caller is. What the question does not tell fits a rule that allows,
 * and does not fit one that denies. */
enum policy_fit policy_fit(const struct policy_rule *rule,
                           const struct policy_question *question);

/* Whether the rule denies a start because that gives no name: the one that it would get may be one
 * that the rule is about. */
bool policy_denies_nameless(const struct policy_rule *rule,
                            const struct policy_question *question);

/* The first command of a start that the rule is not about, into *path: for messages. False: there
 * is none. */
bool policy_unfit_command(const struct policy_rule *rule, const struct policy_question *question,
                          struct holden_view *path);
