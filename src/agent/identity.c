#include "agent/identity.h"

#include <linux/capability.h>
#include <string.h>
#include <unistd.h>

#include "agent/capability.h"
#include "agent/landlock.h"
#include "common/cleanup.h"

static int add_group(struct identity *identity, uint32_t gid, struct failure *failure) {
    for (size_t i = 0; i < identity->group_count; i++)
        if (identity->groups[i] == gid)
            return 0;
    if (identity->group_count == ARRAY_SIZE(identity->groups))
        return failure_set(failure, HOLDEN_code_INVALID, "SupplementaryGroups",
                           "more than %zu groups", ARRAY_SIZE(identity->groups));
    identity->groups[identity->group_count++] = gid;
    return 0;
}

/* User=, as the client resolved it. */
static int take_user(const struct holden_properties *properties, struct identity *identity,
                     struct failure *failure) {
    struct holden_user user;
    struct holden_fault fault;
    if (!HOLDEN_HAS(properties, properties, user))
        return 0;
    if (holden_decode(&holden_record_user, properties->user.bytes.data, properties->user.bytes.size,
                      &user, &fault) < 0)
        return failure_set(failure, HOLDEN_code_INVALID, "User", "%s %s", fault.field, fault.what);
    identity->set = true;
    identity->uid = user.uid;
    identity->gid = user.gid;
    identity->group_count = 0;
    struct holden_repeated left = user.group;
    uint32_t gid;
    int r = 0;
    while (r == 0 && HOLDEN_HAS(&user, user, group) && holden_next_u32(&left, &gid))
        r = add_group(identity, gid, failure);
    return r;
}

static int take_groups(const struct holden_properties *properties, struct identity *identity,
                       struct failure *failure) {
    if (HOLDEN_HAS(properties, properties, group)) {
        identity->set = true;
        identity->gid = properties->group;
    }
    if (!HOLDEN_HAS(properties, properties, supplementary_groups))
        return 0;
    identity->set = true;
    struct holden_repeated left = properties->supplementary_groups;
    uint32_t gid;
    int r = 0;
    while (r == 0 && holden_next_u32(&left, &gid))
        r = add_group(identity, gid, failure);
    return r;
}

#define CAPABILITY(number) (UINT64_C(1) << (number))

/* Protections that would mean nothing to a process that keeps these (systemd.exec(5)). */
static const struct {
    size_t index;
    uint64_t capabilities;
} protections[] = {
    {HOLDEN_INDEX(properties, private_devices),
     CAPABILITY(CAP_MKNOD) | CAPABILITY(CAP_SYS_RAWIO)},
    {HOLDEN_INDEX(properties, protect_kernel_modules), CAPABILITY(CAP_SYS_MODULE)},
    {HOLDEN_INDEX(properties, protect_kernel_logs), CAPABILITY(CAP_SYSLOG)},
    {HOLDEN_INDEX(properties, protect_clock),
     CAPABILITY(CAP_SYS_TIME) | CAPABILITY(CAP_WAKE_ALARM)},
};

/* What the protections that are on take away. */
static uint64_t taken_away(const struct holden_properties *properties) {
    uint64_t taken = 0;
    for (size_t i = 0; i < ARRAY_SIZE(protections); i++) {
        const uint8_t *value = (const uint8_t *)properties +
            holden_record_properties.fields[protections[i].index].offset;
        if (holden_has(properties, protections[i].index) && *(const bool *)value)
            taken |= protections[i].capabilities;
    }
    return taken;
}

static int take_capabilities(const struct holden_properties *properties,
                             struct identity *identity, struct failure *failure) {
    uint64_t all = capability_all();
    identity->bounding = all;
    bool bounded = HOLDEN_HAS(properties, properties, capability_bounding_set);
    bool ambient = HOLDEN_HAS(properties, properties, ambient_capabilities);
    int r = 0;
    if (bounded)
        r = capability_fold(properties->capability_bounding_set, "CapabilityBoundingSet",
                            &identity->bounding, failure);
    if (r == 0 && ambient)
        r = capability_fold(properties->ambient_capabilities, "AmbientCapabilities",
                            &identity->ambient, failure);
    if (r < 0)
        return r;
    uint64_t taken = taken_away(properties);
    identity->bounding &= ~taken;
    if (identity->ambient & ~identity->bounding)
        return failure_set(failure, HOLDEN_code_INVALID, "AmbientCapabilities",
                           "holds capabilities that %s takes away",
                           identity->ambient & taken ? "a setting such as PrivateDevices="
                                                     : "CapabilityBoundingSet=");
    identity->inheritable = identity->ambient;
    identity->capabilities = bounded || ambient || taken;
    return 0;
}

int identity_resolve(const struct holden_properties *properties, bool has_filter, uint32_t owner,
                     uint32_t owner_gid, const uint32_t *groups, size_t group_count,
                     struct identity *identity, struct failure *failure) {
    *identity = (struct identity){.uid = owner, .gid = owner_gid, .set = owner != geteuid()};
    int r = 0;
    if (owner != 0)
        for (size_t i = 0; r == 0 && i < group_count; i++)
            r = add_group(identity, groups[i], failure);
    if (owner == 0)
        identity->gid = 0;
    if (r == 0)
        r = take_user(properties, identity, failure);
    if (r == 0)
        r = take_groups(properties, identity, failure);
    if (r == 0)
        r = take_capabilities(properties, identity, failure);
    if (r < 0)
        return r;
    /* A filter, and rules of Landlock, may be installed by whoever has CAP_SYS_ADMIN or can gain
     * nothing by exec (seccomp(2), landlock_restrict_self(2)); a process of somebody else than root
     * gains nothing either way. */
    bool admin = identity->uid == 0 && identity->bounding & (UINT64_C(1) << CAP_SYS_ADMIN);
    identity->no_new_privileges =
        (HOLDEN_HAS(properties, properties, no_new_privileges) && properties->no_new_privileges) ||
        ((has_filter || landlock_wanted(properties)) && !admin) || owner != 0;
    return 0;
}
