/* What this machine offers to an agent: one row a thing, with what its absence costs and what to
 * do. */
#pragma once

#include "agent/cgroup.h"

/* One thing looked at. The texts are static or live in the row. */
struct check {
    const char *name;
    uint32_t severity;     /* enum holden_severity_values */
    char detail[256];
    const char *cost;      /* what does not work without it */
    char remedy[256];
};

/* Looks at everything and hands over one row after the other. `hierarchy` may be one that could not
 * be opened (root < 0). */
void check_all(const struct hierarchy *hierarchy,
               void (*found)(void *data, const struct check *check), void *data);

/* Prints the rows for people: `agent --check`. Returns the exit status: 0 where an agent can work.
 */
int check_print(const struct hierarchy *hierarchy, const char *failure);
