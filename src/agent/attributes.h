/* What each process of a cgroup has for itself and can be given while it runs: niceness, CPUs,
 * scheduling, limits of setrlimit(2), how early it is picked when memory runs out. */
#pragma once

#include <sys/types.h>

#include "daemon/failure.h"
#include "protocol/message.h"
#include "protocol/property.h"

/* Gives every process of the cgroup and of those below it, with all its threads, the attributes
 * among `wanted`; those started meanwhile have them from their parents, or are found by another
 * walk. `all` holds what the process has been given besides, since a priority means nothing without
 * its policy. 0; or refused with *failure filled, naming the property: the kernel does not take it,
 * or has another value in force. Nothing is undone here. */
int attributes_apply(int directory, const struct holden_properties *wanted,
                     const struct holden_properties *all, struct failure *failure);

/* Whether the property is one of them. */
bool attributes_known(size_t index);

/* Refuses what could not be taken back to `before`, as decoded, by this agent: a hard limit that is
 * lowered, where it has no CAP_SYS_RESOURCE (setrlimit(2)). 0; or refused with *failure filled. */
int attributes_check_return(const struct holden_properties *wanted,
                            const struct holden_properties *before, struct failure *failure);

/* Where what attributes_read() finds lies. */
struct attributes_room {
    uint8_t cpus[1024];
    struct holden_resource_limit limits[HOLDEN_LIMITS];
};

/* Reads every attribute that is present in `which` from process `pid` into *now, whose views point
 * to `room`. What cannot be read is left out. */
void attributes_read(pid_t pid, const struct holden_properties *which,
                     struct holden_properties *now, struct attributes_room *room);

/* Marks in *which also those without which a marked one cannot be given back: policy, priority and
 * reset go together, and so do class and priority of IO. */
void attributes_widen(struct holden_properties *which);
