/* What a process uses, read from the files of its cgroup. */
#pragma once

#include "agent/cgroup.h"
#include "protocol/message.h"

/* Sets the field of that index, a number. */
void usage_set(struct holden_usage *usage, size_t field, uint64_t value);

/* Fills *usage with what the cgroup tells now; what belongs to controllers that are missing is left
 * out, and for one that has `ended` what only says how much is in use. */
void usage_read(const struct hierarchy *hierarchy, int directory, bool ended,
                struct holden_usage *usage);
