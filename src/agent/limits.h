/* The limits of a cgroup: properties whose home is CGROUP, written to and read back from its files.
 */
#pragma once

#include "agent/cgroup.h"

/* Writes every cgroup property that is present, reads each back, and stops at the first that is not
 * in force. 0; or refused with *failure filled, naming the property: a controller that is missing
 * (and the remedy), a value that the kernel does not take. Nothing is undone here. */
int limits_apply(const struct hierarchy *hierarchy, int directory,
                 const struct holden_properties *properties, struct failure *failure);

/* Where a controller that one of the properties needs is missing: refused as above, before anything
 * is made. */
int limits_check(const struct hierarchy *hierarchy, const struct holden_properties *properties,
                 struct failure *failure);

/* Refuses the setting `name` for want of `controller` (one bit): why it is missing, `what` follows
 * from that ("the limit cannot be set"), and the remedy. Returns what failure_set() does. */
int limits_refuse(const struct hierarchy *hierarchy, unsigned controller, const char *name,
                  const char *what, struct failure *failure);

/* Reads back, for every cgroup property that is present in `which`, what is in force, into *now. A
 * value that cannot be read is left out. Values of variable length are copied into `memory`, which
 * must outlive *now and is the caller's to free. */
void limits_read(int directory, const struct holden_properties *which,
                 struct holden_properties *now, struct buffer *memory);

/* The opposite of every cgroup property present in `which`: what the kernel has in a fresh cgroup.
 */
void limits_default(const struct holden_properties *which, struct holden_properties *out);

/* Takes the limits that are present in `which` away: each becomes what it is in a fresh cgroup. As
 * limits_apply(). */
int limits_lift(const struct hierarchy *hierarchy, int directory,
                const struct holden_properties *which, struct failure *failure);
