#include "monitor/dialog.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "monitor/constraint.h"

bool dialog_is_open(const struct live *live) {
    return live->dialog.follow != NULL;
}

static void close_dialog(struct live *live) {
    live->dialog = (struct live_dialog){0};
}

void dialog_key(struct live *live, int key) {
    enum prompt_result result = prompt_key(&live->dialog.prompt, key);
    if (result != PROMPT_SAME)
        live->dialog.follow(live, result);
    live->dirty = true;
}

/* The selected row, if the action means something for it; otherwise says why not. It stays
 * selected: what is frozen falls in the order, and the next key must not thaw another. */
static const struct row *target(struct live *live, enum action action) {
    live_arrange(live);
    const struct row *row = view_selected(&live->view);
    if (live->replaying) {
        live_say(live, STYLE_WARN, "this is a recording: nothing can be done to its processes");
        return NULL;
    }
    if (!row) {
        live_say(live, STYLE_WARN, "no process is selected");
        return NULL;
    }
    if (action_row(action)->living && !row_lives(row)) {
        live_say(live, STYLE_WARN, "cannot %s %.*s: it has ended", action_row(action)->verb,
                 (int)row->name.size, row->name.data);
        return NULL;
    }
    view_pin(&live->view);
    return row;
}

static void open_dialog(struct live *live, const struct row *row, enum action action,
                        void (*follow)(struct live *, enum prompt_result)) {
    struct live_dialog *dialog = &live->dialog;
    *dialog = (struct live_dialog){.follow = follow, .action = action,
                                   .target = row_key(row)};
    snprintf(dialog->name, sizeof(dialog->name), "%.*s", (int)row->name.size, row->name.data);
    live->notice.until = 0;
    live->dirty = true;
}

/* Names are used again: what is done is done to the process that was asked about, or not at all. */
static bool is_still_there(struct live *live) {
    const struct row *row = live_find(live, live->dialog.target);
    if (row && holden_view_is(row->name, live->dialog.name))
        return true;
    live_say(live, STYLE_WARN, "%s is no longer there", live->dialog.name);
    return false;
}

/* Whatever a notice says, it says of the question. */
static void follow_confirm(struct live *live, enum prompt_result result) {
    const struct live_dialog *dialog = &live->dialog;
    const struct action_order order = {.action = dialog->action, .name = dialog->name,
                                       .signal = dialog->signal, .limits = &dialog->limits};
    live->notice.until = 0;
    if (result == PROMPT_DONE && is_still_there(live))
        live_act(live, dialog->target, &order);
    close_dialog(live);
}

void dialog_act(struct live *live, enum action action) {
    const struct row *row = target(live, action);
    if (!row)
        return;
    open_dialog(live, row, action, follow_confirm);
    struct live_dialog *dialog = &live->dialog;
    if (!action_row(action)->asking) {
        follow_confirm(live, PROMPT_DONE);
        return;
    }
    dialog->prompt.confirm = true;
    snprintf(dialog->question, sizeof(dialog->question), "%s %s%s%s [y/n] ",
             action_row(action)->verb, dialog->name,
             action_row(action)->asking[0] == '?' ? "" : " ", action_row(action)->asking);
}

bool dialog_is_possible(struct live *live, enum action action) {
    return target(live, action) != NULL;
}

void dialog_signal(struct live *live, int signal) {
    const struct row *row = target(live, ACTION_SIGNAL);
    if (!row)
        return;
    open_dialog(live, row, ACTION_SIGNAL, follow_confirm);
    live->dialog.prompt.confirm = true;
    live->dialog.signal = signal;
    snprintf(live->dialog.question, sizeof(live->dialog.question), "send SIG%s to %s? [y/n] ",
             sigabbrev_np(signal), live->dialog.name);
}

/* The form stays open when the text makes no sense, so that it can be mended. */
static void follow_constrain(struct live *live, enum prompt_result result) {
    struct holden_properties limits;
    char wrong[CONSTRAINT_TEXT];
    live->notice.until = 0;
    if (result == PROMPT_CHANGED)
        return;
    if (result == PROMPT_DONE && constraint_parse(live->dialog.prompt.text, &limits, wrong) < 0) {
        live_say(live, STYLE_BAD, "%s", wrong);
        return;
    }
    if (result == PROMPT_DONE && is_still_there(live)) {
        const struct action_order order = {.action = ACTION_CONSTRAIN, .name = live->dialog.name,
                                           .limits = &limits, .dry_run = true};
        live->tried = limits;
        live_act(live, live->dialog.target, &order);
    }
    close_dialog(live);
}

void dialog_apply(struct live *live, uint64_t target, const char *name) {
    if (dialog_is_open(live))
        return;
    live->dialog = (struct live_dialog){.follow = follow_confirm, .action = ACTION_CONSTRAIN,
                                        .target = target, .limits = live->tried};
    snprintf(live->dialog.name, sizeof(live->dialog.name), "%s", name);
    snprintf(live->dialog.question, sizeof(live->dialog.question), "constrain %s so? [y/n] ", name);
    live->dialog.prompt.confirm = true;
    live->notice.until = UINT64_MAX;
}

void dialog_undo(struct live *live) {
    if (live->undo_count == 0) {
        live_say(live, STYLE_WARN, "no limits were changed from here that can be taken back");
        return;
    }
    const struct live_undo *undo = &live->undos[live->undo_count - 1];
    const struct action_order order = {.action = ACTION_CONSTRAIN, .name = undo->name,
                                       .limits = &undo->limits, .undo = true};
    const struct row *row = live_find(live, undo->target);
    bool gone = !row || !holden_view_is(row->name, undo->name);
    if (gone)
        live_say(live, STYLE_WARN, "%s is no longer there", undo->name);
    if (gone || live_act(live, undo->target, &order))
        live->undo_count--;
}

void dialog_constrain(struct live *live) {
    const struct row *row = target(live, ACTION_CONSTRAIN);
    if (!row)
        return;
    open_dialog(live, row, ACTION_CONSTRAIN, follow_constrain);
    snprintf(live->dialog.question, sizeof(live->dialog.question),
             "constrain %s (MEMORY_MB [CPU_PERCENT] or Property=value...): ", live->dialog.name);
}

static void set_filter(struct live *live, const char *text) {
    if (text != live->view.filter)
        snprintf(live->view.filter, sizeof(live->view.filter), "%.*s", VIEW_FILTER - 1, text);
    live->stale = true;
}

static void follow_filter(struct live *live, enum prompt_result result) {
    if (result == PROMPT_CHANGED)
        set_filter(live, live->dialog.prompt.text);
    if (result == PROMPT_LEFT)
        set_filter(live, "");
    if (result != PROMPT_CHANGED)
        close_dialog(live);
}

void dialog_filter(struct live *live) {
    struct live_dialog *dialog = &live->dialog;
    *dialog = (struct live_dialog){.follow = follow_filter};
    snprintf(dialog->question, sizeof(dialog->question), "filter: ");
    snprintf(dialog->prompt.text, sizeof(dialog->prompt.text), "%s", live->view.filter);
    dialog->prompt.size = strlen(dialog->prompt.text);
    live->notice.until = 0;
    live->dirty = true;
}
