#include "agent/child_identity.h"

#include <errno.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static int capability_call(long number, uint64_t *permitted, uint64_t inheritable) {
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct half[2];
    for (int i = 0; i < 2; i++) {
        half[i].permitted = half[i].effective = (uint32_t)(*permitted >> (32 * i));
        half[i].inheritable = (uint32_t)(inheritable >> (32 * i));
    }
    int r = (int)syscall(number, &head, half);
    *permitted = half[0].permitted | (uint64_t)half[1].permitted << 32;
    return r;
}

void child_origin_read(struct child_origin *origin) {
    origin->bounding = origin->known = 0;
    for (int i = 0; i < 64; i++) {
        int held = prctl(PR_CAPBSET_READ, i, 0, 0, 0);
        if (held < 0)
            break;
        origin->bounding |= (uint64_t)(held > 0) << i;
        origin->known |= UINT64_C(1) << i;
    }
    origin->permitted = 0;
    if (capability_call(SYS_capget, &origin->permitted, 0) < 0)
        origin->permitted = 0;
}

static bool has(const struct child *child, uint32_t bit) {
    return child->plan->has & bit;
}

/* Calls prctl(2) for each capability of the set. */
static int for_each(uint64_t set, int option, unsigned long operation) {
    for (; set; set &= set - 1) {
        unsigned long capability = (unsigned long)__builtin_ctzll(set);
        int r = option == PR_CAPBSET_DROP ? prctl(option, capability, 0, 0, 0)
                                          : prctl(option, operation, capability, 0, 0);
        if (r < 0)
            return -1;
    }
    return 0;
}

int child_identity_bounding(struct child *child) {
    if (!has(child, PLAN_HAS_CAPABILITIES))
        return 0;
    /* A new user namespace begins with all of them. */
    uint64_t held = child->plan->namespaces & CLONE_NEWUSER ? child->origin->known
                                                            : child->origin->bounding;
    return for_each(held & ~child->plan->bounding, PR_CAPBSET_DROP, 0);
}

/* System calls rather than the library's functions, which would want to tell other threads. */
int child_identity_groups(struct child *child) {
    if (!has(child, PLAN_HAS_IDS))
        return 0;
    struct plan_run groups = child->plan->groups;
    return (int)syscall(SYS_setgroups, (size_t)groups.count, child_run_at(child, groups));
}

/* To setresuid(2) and setresgid(2), -1 is no id: the process would stay root. */
static bool means_unchanged(uint32_t id) {
    errno = EINVAL;
    return id == UINT32_MAX;
}

int child_identity_gid(struct child *child) {
    if (!has(child, PLAN_HAS_IDS))
        return 0;
    gid_t gid = child->plan->gid;
    if (means_unchanged(gid))
        return -1;
    return (int)syscall(SYS_setresgid, gid, gid, gid);
}

static uint64_t inherited(const struct plan *plan) {
    return plan->inheritable | plan->ambient;
}

/* What the process is to keep has to outlive the change of its ids, and so has what it takes to set
 * its secure bits; exec ends the keeping. */
int child_identity_uid(struct child *child) {
    if (!has(child, PLAN_HAS_IDS))
        return 0;
    uid_t uid = child->plan->uid;
    if (means_unchanged(uid))
        return -1;
    bool keeps = has(child, PLAN_HAS_SECURE_BITS) ||
                 (has(child, PLAN_HAS_CAPABILITIES) && inherited(child->plan));
    if (uid != 0 && keeps && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
        return -1;
    return (int)syscall(SYS_setresuid, uid, uid, uid);
}

/* Sets what it is to have, and beside that what it needs for a step to come. */
static int set_capabilities(const struct child *child, uint64_t beside) {
    uint64_t kept = inherited(child->plan);
    uint64_t most = child->plan->namespaces & CLONE_NEWUSER ? child->origin->known
                                                            : child->origin->permitted;
    uint64_t permitted = geteuid() == 0 ? most & child->plan->bounding : kept;
    permitted |= most & beside;
    return capability_call(SYS_capset, &permitted, kept);
}

#define SETTING_BITS (UINT64_C(1) << CAP_SETPCAP)

int child_identity_capabilities(struct child *child) {
    if (!has(child, PLAN_HAS_CAPABILITIES))
        return 0;
    return set_capabilities(child, has(child, PLAN_HAS_SECURE_BITS) ? SETTING_BITS : 0);
}

int child_identity_ambient(struct child *child) {
    if (!has(child, PLAN_HAS_CAPABILITIES))
        return 0;
    return for_each(child->plan->ambient, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE);
}

/* After all else that they would change (capabilities(7), "The securebits flags"). Without a set of
 * its own root has all that it needs; what another user has kept is not in effect yet. */
int child_identity_secure_bits(struct child *child) {
    if (!has(child, PLAN_HAS_SECURE_BITS))
        return 0;
    bool settled = geteuid() == 0 && !has(child, PLAN_HAS_CAPABILITIES);
    if ((!settled && set_capabilities(child, SETTING_BITS) < 0) ||
        prctl(PR_SET_SECUREBITS, (unsigned long)child->plan->secure_bits, 0, 0, 0) < 0)
        return -1;
    return settled ? 0 : set_capabilities(child, 0);
}
