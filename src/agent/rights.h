/* What a caller without root may ask for. */
#pragma once

#include "daemon/failure.h"
#include "protocol/message.h"

struct agent;

/* Holds the settings against what users cannot give themselves either: a child applies them while
 * it still is root, so the kernel would not refuse them. Priority, the kernel's choice when memory
 * runs out and the hard limits of setrlimit(2) are no better than the keeper's own; no memory is
 * reserved from others, no weight is above the usual one, no log is longer than LogMax= of the
 * configuration. Settings that are made with root's rights are left alone where *granted has them:
 * the policy demands them. 0; or refused as NOT_PERMITTED. */
int rights_check(const struct agent *agent, const struct holden_properties *properties,
                 const struct holden_properties *granted, struct failure *failure);

/* The same for the rights of the main command and of those in the properties: full rights are
 * root's alone. The rights of "no user" are harmless, since a caller that is not root is its own
 * user. 0; or refused as NOT_PERMITTED. */
int rights_check_commands(const struct holden_start *start,
                          const struct holden_properties *properties, struct failure *failure);
