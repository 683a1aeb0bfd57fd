/* Whom a process runs as, and with which capabilities: what was asked for, held against what the
 * caller may have. */
#pragma once

#include "daemon/failure.h"

struct peer;

struct identity {
    bool set;              /* ids are to be set (they differ from the agent's, or groups do) */
    uint32_t uid, gid;
    uint32_t groups[256];
    size_t group_count;
    bool capabilities;     /* the capability steps are to be done */
    uint64_t bounding, inheritable, ambient;
    bool no_new_privileges;
};

/* Works out the identity that the properties ask for. `owner` is the uid that asked, `groups` what
 * the kernel says that it is in: a caller that is not root runs as itself and in these unless
 * others are asked for, and can gain nothing by exec. Whether it may have what it asks for is the
 * policy's business (policy.h). 0 or refused. */
int identity_resolve(const struct holden_properties *properties, bool has_filter, uint32_t owner,
                     uint32_t owner_gid, const uint32_t *groups, size_t group_count,
                     struct identity *identity, struct failure *failure);
