/* Whether what is asked for stays within what a rule of the policy allows: its bounds, and whatever
 * would get around them or around the commands that it names. */
#pragma once

#include "agent/policy.h"

/* Whether all that is asked for stays within the rule, which fits. 0, or -EREMOTEIO with *failure
 * filled. */
int policy_check(const struct policy_rule *rule, const struct policy_question *question,
                 struct failure *failure);

/* The same of its bounds alone. */
int policy_check_bounds(const struct policy_rule *rule, const struct policy_question *question,
                        struct failure *failure);

/* Puts the rule's bounds in force in `properties`, as bound_impose() has it, and those that follow
 * from them. 0 or -ENOMEM. */
int policy_impose_bounds(const struct policy_rule *rule, struct arena *arena,
                         struct holden_properties *properties);
