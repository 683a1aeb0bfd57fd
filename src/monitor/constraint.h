/* New limits for a live process, as somebody types them into one line. */
#pragma once

#include "protocol/property.h"

enum { CONSTRAINT_TEXT = 256 };

/* Reads "MEMORY_MB [CPU_PERCENT]", then any number of Property=value of those properties that are
 * one number in the process's cgroup and may change while it lives. 0 with *limits filled; -EINVAL
 * with `wrong` saying what is wrong, for people. */
int constraint_parse(const char *text, struct holden_properties *limits,
                     char wrong[CONSTRAINT_TEXT]);

/* Prints what changed as "MemoryMax=100M (was infinity), …". */
void constraint_print(const struct holden_properties *before, const struct holden_properties *after,
                      char text[CONSTRAINT_TEXT]);
