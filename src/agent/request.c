#include "agent/request.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/describe.h"
#include "agent/order.h"
#include "agent/permit.h"
#include "agent/waiter.h"
#include "common/cleanup.h"

/* Who may send a request where no rule of the policy says more: members about what is their own, or
 * root alone. The last kind decides for itself. */
enum role { ROLE_MEMBER, ROLE_ROOT, ROLE_ANY };

/* What a request says about its target, by name; all offsets are from the message. */
struct target {
    size_t name;
    uint8_t id, tell; /* field indexes plus one; 0: it has none */
    size_t id_at, tell_at;
};
#define TARGET(m)                                                                                  \
    {.name = offsetof(struct holden_##m, name),                                                    \
     .id = HOLDEN_INDEX(m, id) + 1,                                                                \
     .tell = HOLDEN_INDEX(m, tell) + 1,                                                            \
     .id_at = offsetof(struct holden_##m, id),                                                     \
     .tell_at = offsetof(struct holden_##m, tell)}
#define NAME_ONLY(m) {.name = offsetof(struct holden_##m, name)}
#define NO_TARGET {0}

/* For a process that has ended: */
enum ended {
    REFUSED, /* it makes no sense */
    DONE,    /* nor that, but one that comes again has done what it was to do */
    ALLOWED,
    GONE,    /* and one that comes again for a process that is forgotten is done */
};

static const struct row {
    request_handler *handle;
    enum role role;
    struct target target;
    enum ended ended;
} rows[] = {
    [HOLDEN_MESSAGE_ping] = {request_ping, ROLE_MEMBER, NO_TARGET, REFUSED},
    [HOLDEN_MESSAGE_start] = {request_start, ROLE_MEMBER, NO_TARGET, REFUSED},
    [HOLDEN_MESSAGE_stop] = {request_stop, ROLE_MEMBER, TARGET(stop), GONE},
    [HOLDEN_MESSAGE_kill] = {request_kill, ROLE_MEMBER, TARGET(kill), DONE},
    [HOLDEN_MESSAGE_restart] = {request_restart, ROLE_MEMBER, TARGET(restart), ALLOWED},
    [HOLDEN_MESSAGE_freeze] = {request_freeze, ROLE_MEMBER, TARGET(freeze), REFUSED},
    [HOLDEN_MESSAGE_thaw] = {request_thaw, ROLE_MEMBER, TARGET(thaw), DONE},
    [HOLDEN_MESSAGE_reload] = {request_reload, ROLE_MEMBER, TARGET(reload), REFUSED},
    [HOLDEN_MESSAGE_reset] = {request_reset, ROLE_MEMBER, TARGET(reset), GONE},
    [HOLDEN_MESSAGE_constrain] = {request_constrain, ROLE_MEMBER, TARGET(constrain), ALLOWED},
    [HOLDEN_MESSAGE_list] = {request_list, ROLE_MEMBER, NO_TARGET, REFUSED},
    [HOLDEN_MESSAGE_wait] = {request_wait, ROLE_MEMBER, TARGET(wait), ALLOWED},
    [HOLDEN_MESSAGE_subscribe] = {request_subscribe, ROLE_MEMBER, NO_TARGET, REFUSED},
    [HOLDEN_MESSAGE_log] = {request_log, ROLE_MEMBER, NAME_ONLY(log), ALLOWED},
    [HOLDEN_MESSAGE_doctor] = {request_doctor, ROLE_MEMBER, NO_TARGET, REFUSED},
    [HOLDEN_MESSAGE_self] = {request_self, ROLE_MEMBER, NO_TARGET, REFUSED},
    [HOLDEN_MESSAGE_reexec] = {request_reexec, ROLE_ROOT, NO_TARGET, REFUSED},
    [HOLDEN_MESSAGE_audit] = {request_audit, ROLE_ROOT, NO_TARGET, REFUSED},
    [HOLDEN_MESSAGE_limit_slice] = {request_limit_slice, ROLE_ROOT, NO_TARGET, REFUSED},
    [HOLDEN_MESSAGE_list_slices] = {request_list_slices, ROLE_ROOT, NO_TARGET, REFUSED},
    [HOLDEN_MESSAGE_reset_slice] = {request_reset_slice, ROLE_ROOT, NO_TARGET, REFUSED},
    [HOLDEN_MESSAGE_check_policy] = {request_check_policy, ROLE_ANY, NO_TARGET, REFUSED},
    /* As `list` is: what it tells is the same. */
    [HOLDEN_MESSAGE_history] = {request_history, ROLE_ANY, NO_TARGET, REFUSED},
    [HOLDEN_MESSAGE_reload_agent] = {request_reload_agent, ROLE_ROOT, NO_TARGET, REFUSED},
};

uint64_t request_of_members(void) {
    uint64_t all = 0;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (rows[i].handle && rows[i].role == ROLE_MEMBER)
            all |= UINT64_C(1) << i;
    return all;
}

/* Room for the largest decoded request. */
union decoded {
    uint64_t align;
    uint8_t space[1024];
};

/* The id that a request which comes again names its target by; 0: it comes for the first time. */
static uint64_t named_id(const struct row *row, const void *message) {
    uint64_t id = 0;
    if (row->target.id > 0 && holden_has(message, row->target.id - 1U))
        memcpy(&id, (const uint8_t *)message + row->target.id_at, sizeof(id));
    return id;
}

static bool wants_to_be_told(const struct row *row, const void *message) {
    bool tell = false;
    if (row->target.tell > 0 && holden_has(message, row->target.tell - 1U))
        memcpy(&tell, (const uint8_t *)message + row->target.tell_at, sizeof(tell));
    return tell;
}

static void tell_target(const struct request *request) {
    struct holden_target message = {0};
    HOLDEN_SET(&message, target, id, request->target->id);
    peer_reply(request->peer, HOLDEN_MESSAGE_target, request->id, &message, NULL, 0);
}

/* Finds and checks the target. 1: there is nothing left to do, and that is the answer. */
static int find_target(const struct row *row, struct request *request, struct failure *failure) {
    struct agent *agent = request->agent;
    const struct holden_view *name =
        (const void *)((const uint8_t *)request->message + row->target.name);
    int shown = (int)(name->size < 64 ? name->size : 64);
    uint64_t id = named_id(row, request->message);
    struct process *process = id > 0 ? process_by_id(&agent->processes, id)
                                     : process_by_text(&agent->processes, *name);
    if (!process && id > 0 && id < agent->store.next_id && row->ended == GONE)
        return 1;
    if (process)
        order_about(agent, process);
    if (!process)
        return failure_set(failure, HOLDEN_code_NO_PROCESS, NULL,
                           "no process %.*s; `list -a` shows all", shown, name->data);
    if (permit_process(process, request->peer, (uint16_t)(row - rows), failure) < 0)
        return -EREMOTEIO;
    if (!process_alive(process) && row->ended == DONE && id > 0)
        return 1;
    if (!process_alive(process) && row->ended < ALLOWED)
        return failure_set(failure, HOLDEN_code_WRONG_STATE, NULL,
                           "%s has ended (%s); `status %s` tells how", process->name,
                           holden_word(&holden_enum_state, process->state), process->name);
    request->target = process;
    if (wants_to_be_told(row, request->message))
        tell_target(request);
    return 0;
}

static int handle(const struct row *row, struct request *request, struct failure *failure) {
    struct holden_done done = {0};
    int r = 0;
    if (row->role != ROLE_ANY)
        r = permit(request->agent, request->peer, (uint16_t)(row - rows), NULL, failure);
    if (r == 0 && row->target.name != 0)
        r = find_target(row, request, failure);
    if (r > 0)
        peer_reply(request->peer, HOLDEN_MESSAGE_done, request->id, &done, NULL, 0);
    return r == 0 ? row->handle(request, failure) : r;
}

/* A frame whose body breaks the protocol ends the peer, after the answer. */
static void malformed(struct peer *peer, uint32_t id, const struct holden_fault *fault) {
    char text[256];
    snprintf(text, sizeof(text), "%s%s%s: %s", fault->record, fault->field ? "." : "",
             fault->field ? fault->field : "", fault->what);
    peer_error(peer, id, HOLDEN_code_MALFORMED, NULL, text);
    peer->closing = true;
}

static void take_frame(struct agent *agent, struct peer *peer, const struct holden_frame *frame,
                       const uint8_t *body, struct order_now *now) {
    union decoded decoded;
    struct holden_fault fault = {.record = "request", .what = "too large"};
    struct failure failure = {0};
    int fds[HOLDEN_FDS_MAX];
    struct request request = {
        .agent = agent, .peer = peer, .id = frame->id, .message = &decoded, .fds = fds};
    const struct row *row = frame->type < ARRAY_SIZE(rows) ? &rows[frame->type] : NULL;
    const struct holden_message_row *message = holden_message(frame->type);
    if (!row || !row->handle || !message) {
        peer_error(peer, frame->id, HOLDEN_code_UNKNOWN, NULL,
                   "this agent does not know that request");
        return;
    }
    if (frame->node != 0) {
        peer_error(peer, frame->id, HOLDEN_code_INVALID, NULL,
                   "a request for another node: only a gateway passes them on");
        return;
    }
    if (message->record->size > sizeof(decoded) ||
        holden_decode(message->record, body, frame->size, &decoded, &fault) < 0) {
        malformed(peer, frame->id, &fault);
        return;
    }
    order_says(now, &decoded);
    request.fd_count = holden_connection_take_fds(&peer->connection, frame, fds, ARRAY_SIZE(fds));
    if (handle(row, &request, &failure) < 0)
        peer_error(peer, frame->id, failure.code, failure.step, failure.text);
    for (size_t i = 0; i < request.fd_count; i++)
        cleanup_close(&fds[i]);
}

static void on_frame(void *program, struct peer *peer, const struct holden_frame *frame,
                     const uint8_t *body) {
    struct agent *agent = program;
    struct order_now now;
    order_begin(&now, agent, peer, frame->id, holden_message(frame->type));
    take_frame(agent, peer, frame, body, &now);
    order_end(&now, agent);
}

static void on_drained(void *program, struct peer *peer) {
    struct agent *agent = program;
    describe_drained(agent, peer);
    events_drained(&agent->events, peer);
}

static void on_gone(void *program, struct peer *peer) {
    struct agent *agent = program;
    waiter_drop_peer(peer);
    order_drop_peer(agent, peer);
    reexec_forget(agent, peer);
    describe_forget(peer);
    events_forget(&agent->events, peer);
}

/* Who may do nothing gets no further than accept. */
static const char *refuse(void *program, const struct peer *peer) {
    const struct agent *agent = program;
    const struct policy_caller caller = permit_caller(peer);
    if (policy_admits(&agent->policy, &caller))
        return NULL;
    return agent->policy.closed  ? "only root may use it: its policy could not be read, as its log "
                                   "tells"
           : agent->policy.count ? "only root, members of its group and whom a rule of its policy "
                                   "allows something may use it"
                                 : "only root and members of its group may use it";
}

const struct peer_calls request_calls = {.refuse = refuse,
                                         .frame = on_frame,
                                         .answered = order_answered,
                                         .drained = on_drained,
                                         .gone = on_gone};
