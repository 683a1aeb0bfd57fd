/* What agent-core asks of the keeper: plans to be executed, and a few requests (plan.h). */
#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "agent/keeper.h"
#include "agent/keeper_spawn.h"
#include "common/cleanup.h"
#include "common/log.h"

static void answer_status(struct keeper *keeper, const struct keeper_request *request) {
    struct keeper_reply reply = {.kind = KEEPER_STATUS, .pid = request->pid};
    keeper_children_status(&keeper->children, &reply);
    keeper_reply_send(&reply, keeper->core.channel, -1);
}

static void answer_release(struct keeper *keeper, const struct keeper_request *request) {
    struct keeper_reply reply = {
        .kind = KEEPER_RELEASE, .pid = request->pid, .token = request->token};
    keeper_children_release(&keeper->children, request->pid);
    if (request->token != 0)
        keeper_reply_send(&reply, keeper->core.channel, -1);
    if (keeper->blocked)
        keeper_plan_sweep(keeper, KEEPER_SWEEP_DELAY);
}

static void answer_adopt(struct keeper *keeper, const struct keeper_request *request) {
    const struct keeper_adoption *adoption = (const struct keeper_adoption *)request;
    struct keeper_reply reply = {
        .kind = KEEPER_ADOPT, .pid = adoption->pids[0], .token = request->token};
    for (int32_t i = 0; i < KEEPER_ADOPTIONS && i < request->pid; i++)
        if (keeper_children_adopt(&keeper->children, adoption->pids[i]))
            reply.children |= UINT64_C(1) << i;
        else if (request->token != 0)
            keeper_children_expect(&keeper->children, adoption->pids[i]);
    keeper_reply_send(&reply, keeper->core.channel, -1);
}

static void answer_recovered(struct keeper *keeper, const struct keeper_request *request) {
    (void)request;
    keeper_core_recovered(&keeper->core);
    keeper->deadline = 0;
    keeper_plan_sweep(keeper, 0);
    keeper_pass_socket(keeper);
    if (keeper->stopping && !keeper->told)
        kill(keeper->core.pid, SIGTERM);
    if (keeper->reload)
        kill(keeper->core.pid, SIGHUP);
    keeper->told = keeper->stopping;
    keeper->reload = false;
}

static void answer_notify_taken(struct keeper *keeper, const struct keeper_request *request) {
    (void)request;
    keeper_notify_renew(&keeper->socket.notify);
}

static void answer_reexec(struct keeper *keeper, const struct keeper_request *request) {
    if (keeper->packet.count > 0)
        keeper_upgrade_ask(&keeper->core.upgrade, keeper->packet.fds[--keeper->packet.count],
                           request->token);
}

static void (*const answers[])(struct keeper *keeper, const struct keeper_request *request) = {
    [KEEPER_STATUS] = answer_status,
    [KEEPER_RELEASE] = answer_release,
    [KEEPER_ADOPT] = answer_adopt,
    [KEEPER_RECOVERED] = answer_recovered,
    [KEEPER_NOTIFY_TAKEN] = answer_notify_taken,
    [KEEPER_REEXEC] = answer_reexec,
};

/* The answer goes out first: what else there is to do is done while the agent reads it. A child
 * that has ended already does not get lost, since its SIGCHLD is only read after this. */
static void answer_plan(struct keeper *keeper, size_t size) {
    struct keeper_reply reply;
    _cleanup_close_ int fd = keeper_spawn(&keeper->packet, size, &keeper->origin, &reply);
    keeper_reply_send(&reply, keeper->core.channel, fd);
    if (fd >= 0)
        keeper_children_add(&keeper->children, reply.pid);
}

void keeper_answer(struct keeper *keeper) {
    ssize_t size = keeper_packet_receive(&keeper->packet, keeper->core.channel);
    const struct keeper_request *request = (const struct keeper_request *)keeper->packet.bytes;
    if (size == -EAGAIN)
        return;
    if (size == -EPROTO || (size > 0 && (size_t)size < sizeof(*request)) ||
        (size > 0 && request->kind == KEEPER_ADOPT && size != sizeof(struct keeper_adoption)))
        log_error("agent-core sent a message that cannot be read");
    else if (size <= 0)
        keeper_end_core(keeper);
    else if (request->kind == PLAN_MAGIC)
        answer_plan(keeper, (size_t)size);
    else if (request->kind < ARRAY_SIZE(answers) && answers[request->kind])
        answers[request->kind](keeper, request);
    keeper_packet_close(&keeper->packet);
}
