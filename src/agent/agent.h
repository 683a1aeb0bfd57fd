/* The agent proper: everything that it holds. One is made in main.c and handed down; nothing is
 * global. */
#pragma once

#include <systemd/sd-event.h>

#include "agent/arguments.h"
#include "agent/audit.h"
#include "agent/cgroup.h"
#include "agent/config.h"
#include "agent/credential.h"
#include "agent/dynamic_user.h"
#include "agent/events.h"
#include "agent/filter.h"
#include "agent/link.h"
#include "agent/notices.h"
#include "agent/notify.h"
#include "agent/policy.h"
#include "agent/process.h"
#include "agent/reexec.h"
#include "agent/sampler.h"
#include "agent/shutdown.h"
#include "agent/slice.h"
#include "agent/store.h"
#include "agent/talk.h"
#include "agent/trail.h"
#include "agent/trimmer.h"
#include "agent/watch.h"
#include "daemon/peer.h"

struct order_now;

enum { CAUSES_MOST = 32 };

/* Leaving: see leave.h. */
struct leave {
    sd_event_source *check;
    sd_event_source *late;
    int status;                   /* to end with */
    bool begun;
};

struct agent {
    struct arguments arguments;
    char *const *argv;
    struct config config;
    struct policy policy;         /* who may do what */
    sd_event *event;
    struct listener listener;
    struct link link;             /* to the keeper */
    struct hierarchy hierarchy;   /* the cgroup that is divided */
    struct store store;           /* the state directory */
    struct processes processes;
    struct filters filters;
    struct events events;
    struct sampler sampler;       /* of what processes use */
    struct watch watch;           /* inotify */
    struct trimmer trimmer;       /* keeps logs bounded */
    struct audit audit;
    struct reexec reexec;
    struct leave leave;
    struct shutdown shutdown;
    struct notify notify;
    struct notices notices;
    struct credentials credentials;
    struct dynamic_users dynamic_users;
    struct talk talk;
    struct slices slices;
    struct trail trail;           /* of operations */
    struct order_now *order;      /* the request that is being handled, or NULL */
    uint64_t started;             /* CLOCK_MONOTONIC, microseconds */
    uint64_t starts;
    uint64_t ends[CAUSES_MOST];   /* by cause */
    uint64_t recoveries;
    bool stopping;                /* asked to end: no new starts */
};
