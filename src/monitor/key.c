#include "monitor/key.h"

#include <limits.h>

#include "common/cleanup.h"
#include "monitor/dialog.h"

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

static void filter(struct live *live, int unused) {
    (void)unused;
    dialog_filter(live);
}

static void show_ended(struct live *live, int unused) {
    (void)unused;
    live->feed.ended = live->view.ended = !live->view.ended;
    live->stale = true;
    feed_hurry(&live->feed);
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
     "constrain it: MEMORY_MB [CPU_PERCENT] or Property=value...", "Constrain", constrain, 0},
    {{'K', TERMINAL_F9}, "K, F9",
     "kill it at once, with all its children (SIGKILL)", "Kill", act, ACTION_KILL},
    {{'r'}, "r", "restart it", "Restart", act, ACTION_RESTART},
    {{'a'}, "a", "show ended processes too, or no longer", "All", show_ended, 0},
    {{'/'}, "/", "filter by a part of the name; Esc shows all again", "Filter", filter, 0},
    {{'<'}, "<", "sort by the column to the left", NULL, sort_neighbour, -1},
    {{'>'}, ">", "sort by the column to the right", "Sort", sort_neighbour, 1},
    {{'P'}, "P", "sort by CPU; again: the other way round", NULL, sort, COLUMN_CPU},
    {{'M'}, "M", "sort by memory", NULL, sort, COLUMN_MEMORY},
    {{'T'}, "T", "sort by time", NULL, sort, COLUMN_TIME},
    {{'N'}, "N", "sort by name", NULL, sort, COLUMN_NAME},
    {{'I', 'R'}, "I, R", "sort the other way round", NULL, reverse, 0},
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
