/* The files of the policy (holden-policy.conf(5)): read whole, or not at all. */
#pragma once

#include <stdio.h>

#include "agent/policy_rule.h"

/* Looks users and groups up as the system knows them (group.h), which blocks. */
extern const struct policy_accounts policy_accounts;

/* Adds the rules that stand in the file at `path`, and then those of the files *.conf, in the order
 * of their names, in the directory beside it that is named after it ("/etc/holden/policy.d" for
 * "/etc/holden/policy.conf"). Neither needs to be there, but the first does where it `must`. They
 * belong to root, and nobody else may write to them. 0; or -EINVAL after a line on stderr for each
 * fault, of which `first` has the first one: then the policy has some of the rules, and is of no
 * use. */
int policy_file_read(struct policy *policy, const char *path, bool must,
                     const struct policy_accounts *accounts, char first[POLICY_COMPLAINT_MOST]);

/* The same for what is in an open file called `name`, whoever it belongs to. */
int policy_file_parse(struct policy *policy, FILE *file, const char *name,
                      const struct policy_accounts *accounts, char first[POLICY_COMPLAINT_MOST]);
