/* Bounds that a rule of the policy puts on the settings of a process: a number that they may not
 * pass, a protection that they must have. The values are those of the properties (properties.def).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/arena.h"
#include "protocol/message.h"
#include "protocol/property.h"

struct bounds {
    struct holden_properties values;     /* the bounds, as if somebody had asked for them */
    const char *texts[HOLDEN_PROPERTIES]; /* each as it was written; NULL: there is none */
};

/* Whether a rule can put a bound on property `index`. */
bool bound_possible(size_t index);

/* Reads the bound on property `index` from what a file has behind its name, in the syntax that it
 * has on the command line of the controller: one value, infinity not allowed; of
 * RestrictNamespaces= only yes. Properties with a value for each device or each set of system calls
 * may be given often. All of it lives in `arena`. 0; -ENOTSUP: that property cannot be bounded;
 * -EEXIST: it is bounded already; -ENODEV: no such block device; -EINVAL: no such value; -ENOMEM.
 */
int bound_read(struct bounds *bounds, struct arena *arena, size_t index, const char *text);

/* Whether what is asked for stays within the bound on property `index`; what is not asked for does.
 * Numbers are not above it, sets of what is allowed are part of it, protections protect as much. */
bool bound_holds(const struct bounds *bounds, size_t index, const struct holden_properties *asked);

/* Whether the bound on property `index` stays in force where what is asked for takes the place of
 * what has been: a list of devices has to name those of the bound. */
bool bound_stays(const struct bounds *bounds, size_t index, const struct holden_properties *asked);

/* Whether the bound is one on how much, rather than on how protected. */
bool bound_is_ceiling(size_t index);

/* Puts each bound in force that `properties` pass or do not mention, in memory of `arena`. 0 or
 * -ENOMEM. */
int bound_impose(const struct bounds *bounds, struct arena *arena,
                 struct holden_properties *properties);

/* What is asked for, where that is a number, as people write it, into `text` of `space` bytes;
 * empty otherwise. Returns `text`. */
char *bound_show(size_t index, const struct holden_properties *asked, char *text, size_t space);
