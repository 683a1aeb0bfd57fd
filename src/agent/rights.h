/* What a caller without root may ask for. */
#pragma once

#include "daemon/failure.h"
#include "protocol/message.h"

struct agent;

/* Holds the settings against what users cannot give themselves either: a child applies them while
 * it still is root, so the kernel would not refuse them. Priority, the kernel's choice when memory
 * runs out and the hard limits of setrlimit(2) are no better than the keeper's own; no memory is
 * reserved from others, no weight is above the usual one, no log is longer than LogMax= of the
 * configuration. 0; or refused as NOT_PERMITTED. */
int rights_check(const struct agent *agent, const struct holden_properties *properties,
                 struct failure *failure);
