/* Rules of the policy, as its files have them: one key after the other. */
#pragma once

#include "agent/group.h"
#include "agent/policy.h"

enum { POLICY_COMPLAINT_MOST = 512 };

/* How users and groups are looked up: see group.h. */
struct policy_accounts {
    int (*user)(const char *name, struct group_user *user);
    int (*group)(const char *name, gid_t *gid);
};

/* A policy that is being read. */
struct policy_reading {
    struct policy *policy;
    const struct policy_accounts *accounts;
    const char *path;              /* of the file */
    int line;                      /* in it */
    struct policy_rule *rule;      /* being read, or NULL */
    int begun;                     /* the line of its first key */
    const char *sandbox;           /* Sandbox= of it, or NULL */
    unsigned complaints;           /* how many lines are wrong */
    char first[POLICY_COMPLAINT_MOST]; /* the first of them: file, line, key, why, what to do */
};

/* Says on stderr, and keeps if it is the first, what is wrong with a line of the file, or with all
 * of it (line 0). */
void policy_complain(struct policy_reading *reading, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Takes the key of a section: another section than that of the rule so far ends that one. What is
 * wrong is complained about. */
void policy_rule_key(struct policy_reading *reading, const char *section, const char *key,
                     const char *value);

/* Ends the last rule: only whole ones become part of the policy. */
void policy_rule_end(struct policy_reading *reading);
