/* The part of a plan that says how the kernel is to treat the process. */
#include <sched.h>
#include <string.h>

#include "agent/plan_build.h"
#include "agent/plan_draft.h"
#include "protocol/property.h"

static void put_limits(struct draft *draft, const struct holden_properties *properties) {
    struct plan_limit limits[HOLDEN_LIMITS];
    uint32_t count = 0;
    for (size_t i = 0; i < HOLDEN_LIMITS; i++) {
        struct holden_resource_limit limit;
        struct holden_fault fault;
        if (!holden_has(properties, holden_limits[i].index))
            continue;
        const struct holden_nested *nested = (const void *)((const uint8_t *)properties +
            holden_record_properties.fields[holden_limits[i].index].offset);
        if (holden_decode(&holden_record_resource_limit, nested->bytes.data, nested->bytes.size,
                          &limit, &fault) == 0)
            limits[count++] = (struct plan_limit){
                .resource = (uint32_t)holden_limits[i].resource, .soft = limit.soft,
                .hard = limit.hard};
    }
    struct plan_run run = {draft_put(draft, limits, count * sizeof(limits[0])), count};
    if (draft->error == 0)
        draft_head(draft)->limits = run;
}

/* ---- the rest of the head ---- */

static void put_scheduling(struct draft *draft, const struct holden_properties *properties) {
    struct plan *plan = draft_head(draft);
    if (HOLDEN_HAS(properties, properties, nice)) {
        plan->has |= PLAN_HAS_NICE;
        plan->nice = (int32_t)properties->nice;
    }
    if (HOLDEN_HAS(properties, properties, oom_score_adjust)) {
        plan->has |= PLAN_HAS_OOM_SCORE;
        plan->oom_score = (int32_t)properties->oom_score_adjust;
    }
    plan->umask = HOLDEN_HAS(properties, properties, umask) ? properties->umask : 0022;
    if (properties->ignore_sigpipe)
        plan->has |= PLAN_HAS_NO_SIGPIPE;
    if (HOLDEN_HAS(properties, properties, coredump_filter)) {
        plan->has |= PLAN_HAS_COREDUMP;
        plan->coredump = properties->coredump_filter;
    }
    if (!HOLDEN_HAS(properties, properties, cpu_affinity))
        return;
    plan->has |= PLAN_HAS_AFFINITY;
    struct holden_view cpus = properties->cpu_affinity;
    struct plan_run run = {draft_put(draft, cpus.data, cpus.size), (uint32_t)cpus.size};
    if (draft->error == 0)
        draft_head(draft)->affinity = run;
}

/* Without nodes, a policy is for all. */
static void put_numa(struct draft *draft, const struct holden_properties *properties) {
    uint8_t nodes[128] = {0};
    if (!HOLDEN_HAS(properties, properties, numa_policy))
        return;
    draft_head(draft)->has |= PLAN_HAS_NUMA;
    draft_head(draft)->numa = properties->numa_policy;
    size_t size = properties->numa_mask.size;
    if (!HOLDEN_HAS(properties, properties, numa_mask) || size == 0 || size > sizeof(nodes))
        return;
    memcpy(nodes, properties->numa_mask.data, size);
    size = (size + sizeof(long) - 1) / sizeof(long) * sizeof(long);
    struct plan_run run = {draft_put(draft, nodes, size), (uint32_t)size};
    if (draft->error == 0)
        draft_head(draft)->numa_mask = run;
}

/* What is not said of the policy is as systemd has it: real time begins at priority 1. */
static void put_policy(struct plan *plan, const struct holden_properties *properties) {
    bool set = HOLDEN_HAS(properties, properties, cpu_scheduling_policy) ||
               HOLDEN_HAS(properties, properties, cpu_scheduling_reset_on_fork);
    uint32_t policy = HOLDEN_HAS(properties, properties, cpu_scheduling_policy)
                          ? properties->cpu_scheduling_policy
                          : SCHED_OTHER;
    if (!set)
        return;
    plan->has |= PLAN_HAS_POLICY;
    plan->policy = policy;
    if (policy == SCHED_FIFO || policy == SCHED_RR)
        plan->priority = HOLDEN_HAS(properties, properties, cpu_scheduling_priority)
                             ? (uint32_t)properties->cpu_scheduling_priority
                             : 1;
    if (HOLDEN_HAS(properties, properties, cpu_scheduling_reset_on_fork) &&
        properties->cpu_scheduling_reset_on_fork)
        plan->policy |= SCHED_RESET_ON_FORK;
}

/* Without a class, a priority is one of best effort; a class has the middle one unless told. */
static void put_io_priority(struct plan *plan, const struct holden_properties *properties) {
    enum { CLASS_SHIFT = 13, PRIORITY_USUAL = 4 };
    bool has_priority = HOLDEN_HAS(properties, properties, io_scheduling_priority);
    bool has_class = HOLDEN_HAS(properties, properties, io_scheduling_class);
    uint32_t class = has_class ? properties->io_scheduling_class
                               : (uint32_t)HOLDEN_io_class_BEST_EFFORT;
    if (!has_priority && !has_class)
        return;
    plan->has |= PLAN_HAS_IO_PRIORITY;
    if (class != HOLDEN_io_class_NONE)
        plan->io_priority = class << CLASS_SHIFT |
                            (has_priority ? (uint32_t)properties->io_scheduling_priority
                                          : PRIORITY_USUAL);
}

void plan_tuning(struct plan *plan, const struct holden_properties *properties) {
    put_policy(plan, properties);
    put_io_priority(plan, properties);
    if (HOLDEN_HAS(properties, properties, timer_slack))
        plan->slack = properties->timer_slack;
    if (HOLDEN_HAS(properties, properties, keyring_mode))
        plan->keyring = properties->keyring_mode;
    if (HOLDEN_HAS(properties, properties, personality)) {
        plan->has |= PLAN_HAS_PERSONALITY;
        plan->personality = properties->personality;
    }
}

void plan_put_tuning(struct draft *draft, const struct holden_properties *properties) {
    if (draft->error == 0)
        plan_tuning(draft_head(draft), properties);
    if (draft->error == 0)
        put_scheduling(draft, properties);
    put_numa(draft, properties);
    put_limits(draft, properties);
}
