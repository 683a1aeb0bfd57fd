/* What the agent reads as text, at its start and again when somebody asks: configuration and
 * policy. */
#pragma once

#include "daemon/failure.h"

struct agent;

/* At the start: looks up the group of the configuration, which has been read, and reads the policy.
 * A policy that is wrong is said on stderr, and lets nobody in but root. 0; or -errno after a line
 * on stderr where the group cannot be looked up. */
int reload_first(struct agent *agent);

/* Reads configuration and policy anew. Both are in force from here on, or neither: then -EREMOTEIO
 * with *failure, and lines on stderr. Blocks while users and groups are looked up. */
int reload_now(struct agent *agent, struct failure *failure);

/* Puts what the configuration says that one user may take of the agent in force at its listener,
 * which has been started. */
void reload_bounds(struct agent *agent);

/* Whether configuration and policy could be read. 0; or -EINVAL after lines on stderr. */
int reload_try(struct agent *agent);
