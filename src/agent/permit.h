/* The policy's questions, as they come from connected clients. */
#pragma once

#include "agent/policy.h"
#include "daemon/peer.h"

struct agent;
struct process;

/* Who the client is, by what the kernel said when it connected; borrowed from `peer`. */
struct policy_caller permit_caller(const struct peer *peer);

/* Whether the client may send the request `verb`, about `target` unless that is NULL. 0; or refused
 * as NOT_PERMITTED with *failure filled, which may be NULL. */
int permit(const struct agent *agent, const struct peer *peer, uint16_t verb,
           const struct policy_target *target, struct failure *failure);

/* The same about a process. */
int permit_process(const struct process *process, const struct peer *peer, uint16_t verb,
                   struct failure *failure);

/* Whether `caller` may start what the request asks for, with these of its settings; `name` is the
 * one that is asked for, or empty. What the policy demands besides is put in force in `properties`,
 * in memory of `arena`. 0 with *rule, which may be NULL, as policy_decide() has it; or refused,
 * with *rule likewise. */
int permit_start(const struct agent *agent, const struct policy_caller *caller,
                 struct holden_view name, const struct holden_start *start,
                 struct holden_properties *properties, struct arena *arena, const char **rule,
                 struct failure *failure);

/* Whether `caller` may change these settings of a live target. 0 or refused, likewise. */
int permit_change(const struct agent *agent, const struct policy_caller *caller,
                  const struct policy_target *target, const struct holden_properties *wanted,
                  const char **rule, struct failure *failure);
