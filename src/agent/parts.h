/* What is made for one command of a process, the main one or another, and handed to the keeper: the
 * cgroup with its limits, identity, mounts, standard streams, the plan. */
#pragma once

#include "agent/identity.h"
#include "agent/mounts.h"
#include "agent/plan_build.h"
#include "agent/process.h"

struct parts {
    struct holden_start start;
    struct holden_properties properties;
    struct holden_properties lifted; /* those without what its rights lift of the sandbox */
    struct identity identity;        /* the process's: to whom directories and credentials belong */
    struct identity own;             /* whom the command runs as */
    struct mounts mounts;
    char credentials[4400];  /* the directory of them, or empty */
    char nodes[4200];        /* the directory of the nodes for what is inaccessible */
    struct plan_stream_input streams[3];
    int cgroup, pipe, log, input; /* owned */
    int fds[6];              /* of the packet, borrowed */
    size_t count;
    bool beside;             /* it is not the main process, nor before it: reports nothing, has no
                                terminal, and its filter does not talk */
    const struct holden_view *variables; /* of its environment, beside all others; or NULL */
    size_t variable_count;
};

#define PARTS_NONE {.cgroup = -1, .pipe = -1, .log = -1, .input = -1}

/* Releases all of it. */
void parts_free(struct parts *parts);

/* Looks up and makes what the command in parts->start (arguments, program, rights) needs, with
 * parts->properties; both are set, the arguments may be replaced. The cgroup is made where it is
 * not there. 0; or refused with *failure. */
int parts_prepare(struct process *process, struct parts *parts, struct failure *failure);

/* Puts the descriptors for the plan together: the cgroup, parts->pipe, standard streams, of which
 * the log is made where it is missing. 0; or refused with *failure. */
int parts_pass(struct process *process, struct parts *parts, struct failure *failure);

/* Makes the plan and sends it, under `token` and with the report of that index. 0; or refused with
 * *failure. */
int parts_send(struct process *process, struct parts *parts, uint64_t token, uint32_t report,
               struct failure *failure);
