/* Making a plan (plan.h) from what was asked for and what the agent has prepared. */
#pragma once

#include "agent/plan.h"
#include "common/buffer.h"
#include "protocol/message.h"

struct process;
struct filter;
struct mounts;

struct plan_stream_input {
    uint32_t kind;             /* enum holden_stream_kind_values */
    uint32_t passed;           /* for LOG and PASSED: index among the packet's descriptors */
    struct holden_view path;   /* for the kinds that have one */
};

/* Everything is borrowed for the call. */
struct plan_input {
    const struct process *process;
    const struct holden_start *start;
    const struct holden_properties *properties;
    const struct filter *filter;   /* or NULL */
    const struct mounts *mounts;   /* or NULL */
    const char *nodes;             /* where they cover something: the directory of the nodes */
    const char *notify;            /* the socket of NOTIFY_SOCKET=, or NULL */
    uint64_t watchdog;             /* WATCHDOG_USEC=, microseconds; 0: none */
    const char *credentials;       /* CREDENTIALS_DIRECTORY=; NULL or empty: none */
    const char *user;              /* USER= and LOGNAME= of a user that was made up, or NULL */
    const struct holden_view *variables; /* NAME=VALUE, before those of the request */
    size_t variable_count;
    struct plan_stream_input streams[3];
    uint32_t has; /* PLAN_HAS_* that the caller decides: terminal, ids, capabilities,
                     no_new_privileges, open_as_user, cgroup */
    uint64_t token;
    uint32_t report;
    uint32_t uid, gid;
    uint32_t owner, owner_group;   /* to whom its own directories belong */
    const uint32_t *groups;
    size_t group_count;
    uint64_t bounding, inheritable, ambient;
};

/* Sets what is about scheduling beside niceness and CPUs, timers, keyrings and personality: policy,
 * priority, io_priority, slack, keyring, personality, and their bits in `has`. */
void plan_tuning(struct plan *plan, const struct holden_properties *properties);

/* Appends the plan to the empty buffer `out`. 0 or -ENOMEM. */
int plan_build(const struct plan_input *input, struct buffer *out);

/* Appends to the empty buffer `out` what a plan holds of the directories that a process has by
 * name, for the offset `at` of the plan: *count struct plan_directory, and their strings. Nothing
 * where there are none. 0 or -ENOMEM. */
int plan_directories(const struct holden_properties *properties, uint32_t at, struct buffer *out,
                     uint32_t *count);
