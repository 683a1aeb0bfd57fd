#include "monitor/key.h"

#include <limits.h>

#include "common/cleanup.h"
#include "monitor/dialog.h"
#include "monitor/menu.h"

enum { PAGE_UP = INT_MIN, PAGE_DOWN = INT_MAX, TO_FIRST = INT_MIN + 1, TO_LAST = INT_MAX - 1 };

static long steps_of(const struct live *live, int by) {
    long page = (long)live->view.page;
    return by == PAGE_UP ? -page : by == PAGE_DOWN ? page : by;
}

static void move(struct live *live, int by) {
    view_move(&live->view, steps_of(live, by));
}

static void sort(struct live *live, int by) {
    view_sort(&live->view, (enum column)by);
    live->stale = true;
}

static void sort_neighbour(struct live *live, int direction) {
    sort(live, (int)view_neighbour(&live->view, direction));
}

static void reverse(struct live *live, int unused) {
    (void)unused;
    live->view.reversed = !live->view.reversed;
    live->stale = true;
}

static void act(struct live *live, int action) {
    dialog_act(live, (enum action)action);
}

static void freeze_or_thaw(struct live *live, int unused) {
    const struct row *row = view_selected(&live->view);
    (void)unused;
    dialog_act(live, row && row->frozen ? ACTION_THAW : ACTION_FREEZE);
}

static void constrain(struct live *live, int unused) {
    (void)unused;
    dialog_constrain(live);
}

static void undo(struct live *live, int unused) {
    (void)unused;
    dialog_undo(live);
}

static void open_signals(struct live *live, int unused) {
    (void)unused;
    menu_signals(live);
}

static void open_columns(struct live *live, int unused) {
    (void)unused;
    menu_columns(live);
}

static void filter(struct live *live, int unused) {
    (void)unused;
    dialog_filter(live);
}

static void show_ended(struct live *live, int unused) {
    (void)unused;
    live->view.ended = !live->view.ended;
    live->stale = true;
    for (size_t i = 0; i < live->fleet.count; i++) {
        live->fleet.feeds[i].ended = live->view.ended;
        feed_hurry(&live->fleet.feeds[i]);
    }
}

/* Flat, by slice, by user, and flat again. */
static void next_tree(struct live *live, int unused) {
    (void)unused;
    view_pin(&live->view);
    live->view.tree = (live->view.tree + 1) % VIEW_TREES;
    live->stale = true;
}

static void follow(struct live *live, int unused) {
    (void)unused;
    view_pin(&live->view);
    const struct row *row = view_selected(&live->view);
    if (row)
        live_say(live, STYLE_PLAIN, "following %.*s", (int)row->name.size, row->name.data);
}

static void show_pane(struct live *live, int unused) {
    (void)unused;
    live->pane_hidden = !live->pane_hidden;
}

/* The keys of a replay. */

static void seek(struct live *live, int seconds) {
    uint64_t step = (uint64_t)(seconds < 0 ? -seconds : seconds) * 1000000;
    uint64_t at = live->replay.at;
    if (!live->replaying)
        return;
    replay_seek(&live->replay, seconds > 0 ? at + step : at > step ? at - step : 0);
    live->stale = true;
}

static void pause_replay(struct live *live, int unused) {
    (void)unused;
    live->replay.paused = !live->replay.paused;
}

static void change_speed(struct live *live, int up) {
    if (live->replaying)
        replay_faster(&live->replay, up > 0);
}

static void help(struct live *live, int unused) {
    (void)unused;
    live->helping = true;
    live->help_top = 0;
}

static void redraw(struct live *live, int unused) {
    (void)unused;
    terminal_redraw(&live->terminal);
}

static void quit(struct live *live, int unused) {
    (void)unused;
    live->quit = true;
}

static const struct key_row rows[] = {
    {{TERMINAL_UP, 'k'}, "Up, k", "select the process above", NULL, move, -1},
    {{TERMINAL_DOWN, 'j'}, "Down, j", "select the process below", NULL, move, 1},
    {{TERMINAL_PAGE_UP, TERMINAL_CONTROL('B')}, "PgUp", "a page up", NULL, move, PAGE_UP},
    {{TERMINAL_PAGE_DOWN, TERMINAL_CONTROL('F'), ' '}, "PgDn, Space",
     "a page down", NULL, move, PAGE_DOWN},
    {{TERMINAL_HOME, 'g'}, "Home, g",
     "select the first, and stay with whichever is first", NULL, move, TO_FIRST},
    {{TERMINAL_END, 'G'}, "End, G", "select the last", NULL, move, TO_LAST},
    {{'s'}, "s", "stop the selected process", "Stop", act, ACTION_STOP},
    {{'f'}, "f", "freeze it, or thaw a frozen one", "Freeze", freeze_or_thaw, 0},
    {{'c'}, "c",
     "constrain it: MEMORY_MB [CPU_PERCENT] or Property=value...", "Limits", constrain, 0},
    {{'u'}, "u", "take the last change of limits back", NULL, undo, 0},
    {{'K'}, "K", "kill it at once, with all its children (SIGKILL)", "Kill", act, ACTION_KILL},
    {{TERMINAL_F9, 'x'}, "F9, x", "send it a signal, from a menu", NULL, open_signals, 0},
    {{'r'}, "r", "restart it", "Restart", act, ACTION_RESTART},
    {{'a'}, "a", "show ended processes too, or no longer", NULL, show_ended, 0},
    {{'/'}, "/", "filter by a part of the name; Esc shows all again", "Filter", filter, 0},
    {{'t', TERMINAL_F5}, "t, F5",
     "a tree: by slice, by user, and flat again", "Tree", next_tree, 0},
    {{'F'}, "F", "follow the selected process wherever it sorts", NULL, follow, 0},
    {{TERMINAL_ENTER, 'd'}, "Enter, d",
     "show graphs, events and log of the selected process, or no longer", NULL, show_pane, 0},
    {{'<'}, "<", "sort by the column to the left", NULL, sort_neighbour, -1},
    {{'>'}, ">", "sort by the column to the right", NULL, sort_neighbour, 1},
    {{'S', TERMINAL_F6}, "S, F6", "sort by a column, from a menu", "Sort", open_columns, 0},
    {{'P'}, "P", "sort by CPU; again: the other way round", NULL, sort, COLUMN_CPU},
    {{'M'}, "M", "sort by memory", NULL, sort, COLUMN_MEMORY},
    {{'T'}, "T", "sort by time", NULL, sort, COLUMN_TIME},
    {{'N'}, "N", "sort by name", NULL, sort, COLUMN_NAME},
    {{'I', 'R'}, "I, R", "sort the other way round", NULL, reverse, 0},
    {{'p'}, "p", "in a replay: stand still, or go on", NULL, pause_replay, 0},
    {{TERMINAL_LEFT}, "Left", "in a replay: 10 s back", NULL, seek, -10},
    {{TERMINAL_RIGHT}, "Right", "in a replay: 10 s on", NULL, seek, 10},
    {{'['}, "[", "in a replay: half as fast", NULL, change_speed, 0},
    {{']'}, "]", "in a replay: twice as fast", NULL, change_speed, 1},
    {{TERMINAL_CONTROL('L')}, "Ctrl-L", "draw the screen again", NULL, redraw, 0},
    {{'?', 'h', TERMINAL_F1}, "?, h, F1", "this help", "Help", help, 0},
    {{'q', TERMINAL_F10}, "q, F10", "leave", "Quit", quit, 0},
};

const struct key_row *key_row(size_t index) {
    return index < ARRAY_SIZE(rows) ? &rows[index] : NULL;
}

static const struct key_row *find(int key) {
    for (size_t i = 0; key > 0 && i < ARRAY_SIZE(rows); i++)
        for (size_t j = 0; j < ARRAY_SIZE(rows[i].keys); j++)
            if (rows[i].keys[j] == key)
                return &rows[i];
    return NULL;
}

static void press_in_help(struct live *live, const struct key_row *row) {
    long top = (long)live->help_top;
    if (!row || row->press != move) {
        live->helping = false;
        return;
    }
    top += steps_of(live, row->argument);
    live->help_top = top < 0 ? 0 : (size_t)top;
}

void key_press(struct live *live, int key) {
    const struct key_row *row = find(key);
    live_arrange(live);
    if (live->helping)
        press_in_help(live, row);
    else if (row)
        row->press(live, row->argument);
    live->dirty = true;
}
