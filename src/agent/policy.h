/* Who may do what (holden-policy.conf(5)): rules, and the one function that decides by them.
 * Nothing here asks the system anything, so a decision takes no time and the same question has the
 * same answer wherever it is asked.
 *
 * Root may do everything. Whom rules that allow something name may do what these allow, and no
 * more; of the others, members of the agent's group have the rule that is built in. A rule that
 * denies is stronger than any that allows. What several rules allow is held to the bounds of all of
 * them. */
#pragma once

#include "agent/bound.h"
#include "agent/identity.h"
#include "daemon/failure.h"
#include "protocol/message.h"

/* Who asks, as the kernel told when the connection was made. */
struct policy_caller {
    uint32_t uid, gid;
    const uint32_t *groups; /* supplementary */
    size_t group_count;
};

/* What a request is about; for a start the process to be. */
struct policy_target {
    uint32_t owner;
    struct holden_view name; /* empty where it has none yet */
};

struct policy_question {
    struct policy_caller caller;
    uint16_t verb;                      /* the request: enum holden_message */
    const struct policy_target *target; /* NULL: the request has none, or not one alone */
    /* Of a start: what it runs and as whom, the latter without the user that DynamicUser= makes up.
     */
    const struct holden_start *start;
    const struct identity *identity;
    const struct holden_properties *properties; /* settings asked for, or NULL */
};

enum policy_target_kind { POLICY_OWN, POLICY_ANY, POLICY_NAME, POLICY_OWNER };

struct policy_scope {
    enum policy_target_kind kind;
    const char *pattern; /* of POLICY_NAME: fnmatch(3) */
    uint32_t owner;      /* of POLICY_OWNER */
};

enum { POLICY_LOGIN = 4 };

/* A user to run as. */
struct policy_user {
    bool self;        /* the caller, in its own groups; nothing of the rest */
    uint32_t uid, gid;
    uint32_t *groups; /* all groups of the user, `gid` too */
    size_t group_count;
    const char *login[POLICY_LOGIN]; /* "USER=…" and the others that a login sets */
};

/* All that a rule points to belongs to the policy's arena. */
struct policy_rule {
    const char *name;
    bool deny;
    bool built_in;
    uint64_t verbs; /* bit N: the request with the number N */
    uint32_t *users, *groups;
    size_t user_count, group_count;
    struct policy_scope *scopes; /* none: own */
    size_t scope_count;
    struct policy_user *run_as; /* none: the caller */
    size_t run_as_count;
    const char **commands; /* patterns of paths; none: any command */
    size_t command_count;
    uint64_t ambient; /* capabilities that AmbientCapabilities= may hold */
    struct bounds bounds;
    const char *scope_text, *run_as_text; /* as written, for messages */
};

struct policy {
    struct arena arena;
    struct policy_rule **rules; /* in the order in which they were read */
    size_t count;
    struct policy_rule members; /* the rule that is built in */
    uint32_t group;             /* whose members it is for; all bits set: nobody's */
    bool closed;                /* the files could not be read: only root may do anything */
};

/* The policy without any file: root, and members of `group` (all bits set: there is none) with the
 * requests in `verbs`, about what is their own and as themselves. Released by policy_free(). */
void policy_init(struct policy *policy, uint32_t group, uint64_t verbs);
void policy_free(struct policy *policy);

/* Whether there is anything that the caller may do: otherwise its connection is not taken. */
bool policy_admits(const struct policy *policy, const struct policy_caller *caller);

/* Whether rules name users or groups beside the one whose members have the rule built in: then the
 * socket has to be open to them. */
bool policy_names_others(const struct policy *policy);

/* Whether any rule bounds property `index`. */
bool policy_bounds(const struct policy *policy, size_t index);

/* Decides. 0: allowed; *rule (which may be NULL) is then the name of the first rule that allows it.
 * Otherwise refused: -EREMOTEIO with *failure (which may be NULL) filled, and *rule is the name of
 * the rule that refuses it, or NULL where none allows it. */
int policy_decide(const struct policy *policy, const struct policy_question *question,
                  const char **rule, struct failure *failure);

/* What the rules that allow an allowed start ask for, put in force in `properties`, as far as it
 * does not ask for as much itself; in memory of `arena`. 0; or refused, where two of them cannot
 * both be kept. */
int policy_impose(const struct policy *policy, const struct policy_question *question,
                  struct arena *arena, struct holden_properties *properties,
                  struct failure *failure);

/* Marks in *granted the settings that a rule which allows the start demands: who asks for these
 * asks for nothing that is not done anyway. */
void policy_granted(const struct policy *policy, const struct policy_question *question,
                    struct holden_properties *granted);

/* The name of a request as rules have it ("limit-slice"), into `name` of `space` bytes. Returns
 * `name`. */
char *policy_verb_name(uint16_t verb, char *name, size_t space);

/* The request of that name. 0 with *verb, or -ENOENT. */
int policy_verb_find(struct holden_view name, uint16_t *verb);
