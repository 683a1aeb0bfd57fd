#include "agent/request.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/describe.h"
#include "agent/waiter.h"
#include "common/cleanup.h"

/* Who may send a request. About a target, members may ask where it is their own. */
enum role { ROLE_MEMBER, ROLE_ROOT };

#define TARGET(message) offsetof(struct holden_##message, name)
enum { NO_TARGET = 0 };

static const struct row {
    request_handler *handle;
    enum role role;
    size_t target;  /* offset of the name in the message, or NO_TARGET */
    bool answered_ended; /* it makes sense for a process that has ended */
} rows[] = {
    [HOLDEN_MESSAGE_ping] = {request_ping, ROLE_MEMBER, NO_TARGET, false},
    [HOLDEN_MESSAGE_start] = {request_start, ROLE_MEMBER, NO_TARGET, false},
    [HOLDEN_MESSAGE_stop] = {request_stop, ROLE_MEMBER, TARGET(stop), true},
    [HOLDEN_MESSAGE_kill] = {request_kill, ROLE_MEMBER, TARGET(kill), false},
    [HOLDEN_MESSAGE_restart] = {request_restart, ROLE_MEMBER, TARGET(restart), true},
    [HOLDEN_MESSAGE_freeze] = {request_freeze, ROLE_MEMBER, TARGET(freeze), false},
    [HOLDEN_MESSAGE_thaw] = {request_thaw, ROLE_MEMBER, TARGET(thaw), false},
    [HOLDEN_MESSAGE_reset] = {request_reset, ROLE_MEMBER, TARGET(reset), true},
    [HOLDEN_MESSAGE_constrain] = {request_constrain, ROLE_MEMBER, TARGET(constrain), true},
    [HOLDEN_MESSAGE_list] = {request_list, ROLE_MEMBER, NO_TARGET, false},
    [HOLDEN_MESSAGE_wait] = {request_wait, ROLE_MEMBER, TARGET(wait), true},
    [HOLDEN_MESSAGE_subscribe] = {request_subscribe, ROLE_MEMBER, NO_TARGET, false},
    [HOLDEN_MESSAGE_log] = {request_log, ROLE_MEMBER, TARGET(log), true},
    [HOLDEN_MESSAGE_doctor] = {request_doctor, ROLE_MEMBER, NO_TARGET, false},
    [HOLDEN_MESSAGE_self] = {request_self, ROLE_MEMBER, NO_TARGET, false},
    [HOLDEN_MESSAGE_reexec] = {request_reexec, ROLE_ROOT, NO_TARGET, false},
};

/* Room for the largest decoded request. */
union decoded {
    uint64_t align;
    uint8_t space[1024];
};

static int find_target(const struct row *row, struct request *request, struct failure *failure) {
    const struct holden_view *name = (const void *)((const uint8_t *)request->message +
                                                    row->target);
    int shown = (int)(name->size < 64 ? name->size : 64);
    struct process *process = process_by_text(&request->agent->processes, *name);
    if (!process)
        return failure_set(failure, HOLDEN_code_NO_PROCESS, NULL,
                           "no process %.*s; `list -a` shows all", shown, name->data);
    if (!describe_visible(process, request->peer))
        return failure_set(failure, HOLDEN_code_NOT_PERMITTED, NULL,
                           "process %.*s belongs to user %u; you are user %u", shown, name->data,
                           (unsigned)process->owner, (unsigned)request->peer->uid);
    if (!process_alive(process) && !row->answered_ended)
        return failure_set(failure, HOLDEN_code_WRONG_STATE, NULL,
                           "%s has ended (%s); `status %s` tells how", process->name,
                           holden_word(&holden_enum_state, process->state), process->name);
    request->target = process;
    return 0;
}

static int handle(const struct row *row, struct request *request, struct failure *failure) {
    if (row->role == ROLE_ROOT && request->peer->uid != 0)
        return failure_set(failure, HOLDEN_code_NOT_PERMITTED, NULL,
                           "only root may do that; you are user %u", (unsigned)request->peer->uid);
    if (row->target != NO_TARGET) {
        int r = find_target(row, request, failure);
        if (r < 0)
            return r;
    }
    return row->handle(request, failure);
}

/* A frame whose body breaks the protocol ends the peer, after the answer. */
static void malformed(struct peer *peer, uint32_t id, const struct holden_fault *fault) {
    char text[256];
    snprintf(text, sizeof(text), "%s%s%s: %s", fault->record, fault->field ? "." : "",
             fault->field ? fault->field : "", fault->what);
    peer_error(peer, id, HOLDEN_code_MALFORMED, NULL, text);
    peer->closing = true;
}

static void on_frame(void *program, struct peer *peer, const struct holden_frame *frame,
                     const uint8_t *body) {
    union decoded decoded;
    struct holden_fault fault = {.record = "request", .what = "too large"};
    struct failure failure = {0};
    int fds[HOLDEN_FDS_MAX];
    struct request request = {
        .agent = program, .peer = peer, .id = frame->id, .message = &decoded, .fds = fds};
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
    request.fd_count = holden_connection_take_fds(&peer->connection, frame, fds, ARRAY_SIZE(fds));
    if (handle(row, &request, &failure) < 0)
        peer_error(peer, frame->id, failure.code, failure.step, failure.text);
    for (size_t i = 0; i < request.fd_count; i++)
        cleanup_close(&fds[i]);
}

static void on_drained(void *program, struct peer *peer) {
    struct agent *agent = program;
    describe_drained(agent, peer);
    events_drained(&agent->events, peer);
}

static void on_gone(void *program, struct peer *peer) {
    struct agent *agent = program;
    waiter_drop_peer(peer);
    describe_forget(peer);
    events_forget(&agent->events, peer);
}

const struct peer_calls request_calls = {.frame = on_frame, .drained = on_drained, .gone = on_gone};
