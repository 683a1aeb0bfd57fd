#include "agent/child_tuning.h"

#include <linux/keyctl.h>
#include <sched.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "protocol/message.h"

enum { WHO_PROCESS = 1 }; /* IOPRIO_WHO_PROCESS of ioprio_set(2) */

int child_tuning_policy(struct child *child) {
    const struct plan *plan = child->plan;
    struct sched_param priority = {.sched_priority = (int)plan->priority};
    return plan->has & PLAN_HAS_POLICY ? sched_setscheduler(0, (int)plan->policy, &priority) : 0;
}

int child_tuning_io_priority(struct child *child) {
    if (!(child->plan->has & PLAN_HAS_IO_PRIORITY))
        return 0;
    return (int)syscall(SYS_ioprio_set, WHO_PROCESS, 0, (int)child->plan->io_priority);
}

int child_tuning_slack(struct child *child) {
    return child->plan->slack ? prctl(PR_SET_TIMERSLACK, child->plan->slack, 0, 0, 0) : 0;
}

int child_tuning_personality(struct child *child) {
    if (!(child->plan->has & PLAN_HAS_PERSONALITY))
        return 0;
    return personality(child->plan->personality) < 0 ? -1 : 0;
}

int child_tuning_numa(struct child *child) {
    struct plan_run nodes = child->plan->numa_mask;
    if (!(child->plan->has & PLAN_HAS_NUMA))
        return 0;
    /* The kernel takes one bit less than it is told of. */
    return (int)syscall(SYS_set_mempolicy, (int)child->plan->numa,
                        nodes.count ? child_run_at(child, nodes) : NULL,
                        nodes.count ? nodes.count * 8UL + 1 : 0UL);
}

int child_tuning_keyring(struct child *child) {
    if (child->plan->keyring == HOLDEN_keyring_mode_INHERIT)
        return 0;
    if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL, 0, 0, 0) < 0)
        return -1;
    return child->plan->keyring == HOLDEN_keyring_mode_PRIVATE
               ? 0
               : (int)syscall(SYS_keyctl, KEYCTL_LINK, KEY_SPEC_USER_KEYRING,
                              KEY_SPEC_SESSION_KEYRING, 0, 0);
}
