/* What a process may do in the file system by Landlock (landlock(7)): rules that need no right but
 * NoNewPrivileges=, and so are there for processes and agents without root too. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "agent/plan.h"
#include "protocol/message.h"

/* One path of those that are named. */
struct landlock_rule {
    const char *property;    /* static: the setting that names it */
    struct holden_view path; /* of the properties; not NUL-terminated */
    uint32_t access;         /* PLAN_ACCESS_* */
    bool optional;           /* it may be missing */
};

/* Goes through all of them: zeroes and the properties. */
struct landlock_walk {
    const struct holden_properties *properties;
    size_t at;                   /* which setting */
    bool within;                 /* `left` is what follows of its list */
    struct holden_repeated left;
};

/* The next one; false when there are no more. */
bool landlock_next(struct landlock_walk *walk, struct landlock_rule *rule);

/* Whether there are any: everything that none of them allows is then refused. */
bool landlock_wanted(const struct holden_properties *properties);
