#include "monitor/action.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "monitor/constraint.h"

static const struct action_row rows[ACTIONS] = {
    [ACTION_STOP] = {"stop", "stopped", "and all its children?", HOLDEN_MESSAGE_stop, true},
    [ACTION_KILL] = {"kill", "killed", "and all its children with SIGKILL?", HOLDEN_MESSAGE_kill,
                     true},
    [ACTION_SIGNAL] = {"signal", "signalled", "?", HOLDEN_MESSAGE_kill, true},
    [ACTION_FREEZE] = {"freeze", "froze", NULL, HOLDEN_MESSAGE_freeze, true},
    [ACTION_THAW] = {"thaw", "thawed", NULL, HOLDEN_MESSAGE_thaw, true},
    [ACTION_RESTART] = {"restart", "restarted", "?", HOLDEN_MESSAGE_restart, false},
    [ACTION_CONSTRAIN] = {"constrain", "constrained", NULL, HOLDEN_MESSAGE_constrain, true},
};

const struct action_row *action_row(enum action action) {
    return &rows[action];
}

/* Every request that acts on a process begins with its name. */
union request {
    struct holden_stop stop;
    struct holden_kill kill;
    struct holden_freeze freeze;
    struct holden_thaw thaw;
    struct holden_restart restart;
    struct holden_constrain constrain;
};
_Static_assert(HOLDEN_INDEX(stop, name) == 0 && HOLDEN_INDEX(kill, name) == 0 &&
               HOLDEN_INDEX(freeze, name) == 0 && HOLDEN_INDEX(thaw, name) == 0 &&
               HOLDEN_INDEX(restart, name) == 0 && HOLDEN_INDEX(constrain, name) == 0,
               "the name comes first");

static void set_name(union request *request, uint16_t message, const char *name) {
    struct holden_view view = holden_view(name);
    memcpy((char *)request + holden_message(message)->record->fields[0].offset, &view,
           sizeof(view));
    holden_mark(request, 0);
}

int action_ask(struct feed *feed, const struct action_order *order,
               struct action_pending *pending) {
    union request request = {0};
    enum action action = order->action;
    struct action_pending asked = {
        .action = action, .dry_run = order->dry_run, .undo = order->undo};
    set_name(&request, rows[action].message, order->name);
    if (action == ACTION_KILL) {
        HOLDEN_SET(&request.kill, kill, signal, SIGKILL);
        HOLDEN_SET(&request.kill, kill, all, true);
    }
    if (action == ACTION_SIGNAL)
        HOLDEN_SET(&request.kill, kill, signal, (uint32_t)order->signal);
    if (action == ACTION_CONSTRAIN)
        HOLDEN_SET(&request.constrain, constrain, properties,
                   (struct holden_nested){.value = order->limits});
    if (order->dry_run)
        HOLDEN_SET(&request.constrain, constrain, dry_run, true);
    int r = feed_ask(feed, rows[action].message, &request, &asked.id);
    if (r < 0)
        return r;
    snprintf(asked.name, sizeof(asked.name), "%s", order->name);
    *pending = asked;
    return 0;
}

static void tell_error(const struct action_pending *pending, const struct holden_reply *reply,
                       char text[ACTION_TEXT]) {
    struct holden_error error;
    const char *verb = rows[pending->action].verb;
    if (holden_reply_decode(reply, &error) < 0) {
        snprintf(text, ACTION_TEXT, "cannot %s %s: the agent's answer makes no sense", verb,
                 pending->name);
        return;
    }
    bool step = HOLDEN_HAS(&error, error, step) &&
                (error.text.size < error.step.size ||
                 memcmp(error.text.data, error.step.data, error.step.size) != 0);
    snprintf(text, ACTION_TEXT, "cannot %s %s: %.*s%s%.*s", verb, pending->name,
             step ? (int)error.step.size : 0, step ? error.step.data : "", step ? ": " : "",
             (int)error.text.size, error.text.data);
}

static int take_limits(const struct holden_reply *reply, struct holden_properties *before,
                       struct holden_properties *after) {
    struct holden_constrained constrained;
    struct holden_fault fault;
    if (reply->frame.type != HOLDEN_MESSAGE_constrained ||
        holden_reply_decode(reply, &constrained) < 0 ||
        holden_decode(&holden_record_properties, constrained.before.bytes.data,
                      constrained.before.bytes.size, before, &fault) < 0 ||
        holden_decode(&holden_record_properties, constrained.after.bytes.data,
                      constrained.after.bytes.size, after, &fault) < 0)
        return -EBADMSG;
    return 0;
}

static bool tell_limits(const struct action_pending *pending, const struct holden_reply *reply,
                        char text[ACTION_TEXT]) {
    struct holden_properties before;
    struct holden_properties after;
    char limits[CONSTRAINT_TEXT];
    if (take_limits(reply, &before, &after) < 0)
        return false;
    constraint_print(&before, &after, limits);
    snprintf(text, ACTION_TEXT, "%s: %s%s", pending->name, pending->dry_run ? "would be " : "",
             limits);
    return true;
}

int action_before(const struct holden_reply *reply, struct holden_properties *limits) {
    struct holden_properties after;
    if (take_limits(reply, limits, &after) < 0)
        return -EBADMSG;
    for (size_t i = 0; i < HOLDEN_PROPERTIES; i++)
        if (holden_has(&after, i) && !holden_has(limits, i))
            return -EBADMSG;
    return 0;
}

bool action_answer(const struct action_pending *pending, const struct holden_reply *reply,
                   char text[ACTION_TEXT]) {
    struct holden_started started;
    snprintf(text, ACTION_TEXT, "%s %s", rows[pending->action].past, pending->name);
    if (reply->frame.type == HOLDEN_MESSAGE_done)
        return true;
    if (reply->frame.type == HOLDEN_MESSAGE_started && holden_reply_decode(reply, &started) == 0) {
        snprintf(text, ACTION_TEXT, "%s %s (pid %" PRIu32 ")", rows[pending->action].past,
                 pending->name, started.pid);
        return true;
    }
    if (tell_limits(pending, reply, text))
        return true;
    tell_error(pending, reply, text);
    return false;
}
