/* Requests: one row per message says who may send it and what it is about; handlers get decoded
 * structs, their target found and the right to it checked. */
#pragma once

#include "agent/process.h"
#include "daemon/peer.h"

/* A request being handled. Everything is borrowed for the call. */
struct request {
    struct agent *agent;
    struct peer *peer;
    uint32_t id;
    const void *message;      /* the decoded struct of its type */
    struct process *target;   /* for rows with a target */
    int *fds; /* descriptors that came with it; what a handler keeps, it sets to -1 */
    size_t fd_count;
};

/* 0: answered, or to be answered later. Negative: refused, *failure filled. */
typedef int request_handler(struct request *request, struct failure *failure);

/* The handlers, by message. */
request_handler request_ping, request_self, request_doctor, request_subscribe, request_reexec,
    request_audit;
request_handler request_start, request_stop, request_kill, request_restart, request_freeze,
    request_thaw, request_reload, request_reset, request_constrain, request_list,
    request_wait, request_log;
request_handler request_history;
request_handler request_limit_slice, request_list_slices, request_reset_slice;
request_handler request_check_policy, request_reload_agent;

/* The requests that members of the agent's group may make about what is their own, without any rule
 * of the policy: bit N for number N. */
uint64_t request_of_members(void);

/* What the daemon calls for its peers: a frame has come; the queue has room; the peer goes. */
extern const struct peer_calls request_calls;
