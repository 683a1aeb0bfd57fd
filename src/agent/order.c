#include "agent/order.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "agent/agent.h"
#include "agent/caller.h"
#include "agent/machine.h"
#include "agent/trail.h"
#include "common/cleanup.h"

#define SET(operation_, member, ...) HOLDEN_SET(operation_, operation, member, __VA_ARGS__)

static bool is_order(const struct order *order) {
    return order->row && order->row->order;
}

/* Which program the peer is, into `path`; and the rest of who it is. */
static void identify(struct holden_operation *operation, struct peer *peer, char *path,
                     size_t space) {
    SET(operation, uid, peer->uid);
    SET(operation, gid, peer->gid);
    if (peer->pid > 0)
        SET(operation, pid, (uint32_t)peer->pid);
    if (peer->process < 0)
        (void)caller_open(peer->pid, peer->connected, &peer->process);
    size_t size = caller_program(peer->process, path, space);
    if (size > 0)
        SET(operation, exe, (struct holden_view){path, size});
}

/* An order is done by the program that the process runs by then; it may have ended when it is
 * answered. */
void order_begin(struct order_now *now, struct agent *agent, struct peer *peer, uint32_t request,
                 const struct holden_message_row *row) {
    struct order *order = &now->order;
    *order = (struct order){.peer = peer, .row = row && row->request ? row : NULL,
                            .request = request};
    SET(&order->operation, verb, holden_view(order->row ? row->record->name : "frame"));
    if (is_order(order))
        identify(&order->operation, peer, now->exe, sizeof(now->exe));
    agent->order = now;
}

static struct holden_view shortened(struct holden_view view) {
    return (struct holden_view){view.data, view.size < 255 ? view.size : 255};
}

/* The text of a field, the first where there are many. */
static bool first_text(const struct holden_field *field, const void *member,
                       struct holden_view *text) {
    struct holden_repeated list;
    if (field->type != HOLDEN_TYPE_STRING)
        return false;
    if (!field->repeated) {
        memcpy(text, member, sizeof(*text));
        return true;
    }
    memcpy(&list, member, sizeof(list));
    return holden_next_view(&list, text);
}

/* The fields that requests share, by their names. */
void order_says(struct order_now *now, const void *message) {
    struct holden_operation *operation = &now->order.operation;
    const struct holden_record *record = now->order.row->record;
    for (size_t i = 0; i < record->count; i++) {
        const struct holden_field *field = &record->fields[i];
        const void *member = (const uint8_t *)message + field->offset;
        struct holden_view text;
        if (!holden_has(message, i))
            continue;
        if (strcmp(field->name, "argument") == 0 && first_text(field, member, &text))
            SET(operation, command, shortened(text));
        if (strcmp(field->name, "name") == 0 && first_text(field, member, &text))
            SET(operation, target, shortened(text));
        if (strcmp(field->name, "signal") == 0 && field->type == HOLDEN_TYPE_U32)
            SET(operation, signal, *(const uint32_t *)member);
    }
}

void order_about(struct agent *agent, const struct process *process) {
    struct order_now *now = agent->order;
    if (!now)
        return;
    struct holden_operation *operation = &now->order.operation;
    size_t size = strlen(process->name);
    if (size >= sizeof(now->name))
        size = sizeof(now->name) - 1;
    memcpy(now->name, process->name, size);
    SET(operation, target, (struct holden_view){now->name, size});
    SET(operation, id, process->id);
}

/* A copy of its own, with what it refers to behind it. */
static struct order *keep(const struct order *order) {
    const struct holden_operation *from = &order->operation;
    struct order *copy =
        malloc(sizeof(*copy) + from->exe.size + from->target.size + from->command.size);
    if (!copy)
        return NULL;
    *copy = *order;
    char *at = (char *)(copy + 1);
    for (struct holden_view *const *view = (struct holden_view *[]){&copy->operation.exe,
                                                                    &copy->operation.target,
                                                                    &copy->operation.command, NULL};
         *view; view++) {
        if ((*view)->size > 0)
            memcpy(at, (*view)->data, (*view)->size);
        (*view)->data = at;
        at += (*view)->size;
    }
    return copy;
}

static void write_line(struct agent *agent, struct order *order) {
    SET(&order->operation, time, machine_realtime());
    trail_write(agent, &order->operation);
    order->settled = true;
}

static void leave_unanswered(struct agent *agent, struct order *order, const char *why) {
    SET(&order->operation, text, holden_view(why));
    write_line(agent, order);
}

void order_end(struct order_now *now, struct agent *agent) {
    struct order *order = &now->order;
    agent->order = NULL;
    if (order->settled || !is_order(order))
        return;
    struct order *kept = keep(order);
    if (kept)
        LIST_INSERT_HEAD(&order->peer->orders, kept, of_peer);
    else
        leave_unanswered(agent, order, "under way; there was no memory to follow it");
}

/* The order that is answered: the one being handled, or the last of that id that was kept. */
static struct order *find(const struct agent *agent, const struct peer *peer, uint32_t id) {
    struct order *now = agent->order ? &agent->order->order : NULL;
    struct order *order;
    if (now && now->peer == peer && now->request == id && !now->settled)
        return now;
    LIST_FOREACH(order, &peer->orders, of_peer)
        if (order->request == id)
            return order;
    return NULL;
}

/* Whether being refused so is to be written down of what changes nothing, too. */
static bool is_remarkable(uint32_t code) {
    return code == HOLDEN_code_NOT_PERMITTED || code == HOLDEN_code_MALFORMED ||
           code == HOLDEN_code_UNKNOWN;
}

static void set_error(struct holden_operation *operation, const struct holden_error *error) {
    SET(operation, result, error->code);
    SET(operation, text, error->text);
    if (HOLDEN_HAS(error, error, step))
        SET(operation, step, error->step);
}

static void drop(struct order *order) {
    LIST_REMOVE(order, of_peer);
    free(order);
}

/* What was no order until it was refused: who asks is looked at now. */
static void write_refusal(struct agent *agent, struct peer *peer, struct order *order,
                          const struct holden_error *error) {
    struct order none = {0};
    char path[4096];
    if (!order) {
        bool connects = error->code == HOLDEN_code_NOT_PERMITTED;
        SET(&none.operation, verb, holden_view(connects ? "connect" : "frame"));
        order = &none;
    }
    identify(&order->operation, peer, path, sizeof(path));
    set_error(&order->operation, error);
    write_line(agent, order);
}

static void write_answer(struct agent *agent, struct order *order, uint16_t type,
                         const void *message, const struct holden_error *error) {
    struct holden_operation *operation = &order->operation;
    if (error)
        set_error(operation, error);
    else
        SET(operation, result, HOLDEN_code_DONE);
    if (type == HOLDEN_MESSAGE_started) {
        const struct holden_started *started = message;
        SET(operation, target, started->name);
        SET(operation, id, started->id);
    }
    write_line(agent, order);
    if (!agent->order || order != &agent->order->order)
        drop(order);
}

void order_answered(void *program, struct peer *peer, uint16_t type, uint32_t id,
                    const void *message) {
    struct agent *agent = program;
    const struct holden_error *error = type == HOLDEN_MESSAGE_error ? message : NULL;
    if (!error && !agent->order && LIST_EMPTY(&peer->orders))
        return;
    struct order *order = find(agent, peer, id);
    if (order && is_order(order)) {
        if (error || strcmp(holden_message(type)->record->name, order->row->reply) == 0)
            write_answer(agent, order, type, message, error);
    } else if (error && is_remarkable(error->code))
        write_refusal(agent, peer, order, error);
}

void order_drop_peer(struct agent *agent, struct peer *peer) {
    while (!LIST_EMPTY(&peer->orders)) {
        struct order *order = LIST_FIRST(&peer->orders);
        leave_unanswered(agent, order, "nobody was there to be answered any more");
        drop(order);
    }
}

void order_hand_over(struct peer *peer, uint32_t id) {
    struct order *order, *next;
    for (order = LIST_FIRST(&peer->orders); order; order = next) {
        next = LIST_NEXT(order, of_peer);
        if (order->request == id && order->row->number == HOLDEN_MESSAGE_reexec)
            drop(order);
    }
}

void order_reexec(struct agent *agent, int fd, const char *why) {
    struct holden_operation operation = {0};
    struct ucred who;
    socklen_t size = sizeof(who);
    char path[4096];
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) < 0)
        return;
    struct peer peer = {.uid = who.uid, .gid = who.gid, .pid = who.pid, .process = -1,
                        .connected = machine_boottime()};
    identify(&operation, &peer, path, sizeof(path));
    SET(&operation, verb, holden_view(holden_record_reexec.name));
    SET(&operation, result, *why ? HOLDEN_code_FAILED : HOLDEN_code_DONE);
    if (*why)
        SET(&operation, text, holden_view(why));
    SET(&operation, time, machine_realtime());
    trail_write(agent, &operation);
    cleanup_close(&peer.process);
}
