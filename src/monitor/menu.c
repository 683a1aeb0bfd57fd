#include "monitor/menu.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "monitor/dialog.h"

enum { WIDTH = 18, LABEL = 24, SIGNALS = 31 };

/* What can be chosen. */
struct menu_row {
    const char *title;
    bool (*label)(size_t index, char text[LABEL]); /* false past the last */
    void (*choose)(struct live *live, size_t index);
};

static bool signal_label(size_t index, char text[LABEL]) {
    const char *name = index < SIGNALS ? sigabbrev_np((int)index + 1) : NULL;
    snprintf(text, LABEL, "%2zu SIG%s", index + 1, name ? name : "?");
    return index < SIGNALS;
}

static void choose_signal(struct live *live, size_t index) {
    dialog_signal(live, (int)index + 1);
}

/* The columns that can be sorted by, one after the other. */
static bool sortable(size_t index, enum column *found) {
    for (enum column which = 0; which < COLUMNS_COUNT; which++)
        if (column(which)->word && index-- == 0) {
            *found = which;
            return true;
        }
    return false;
}

static bool column_label(size_t index, char text[LABEL]) {
    enum column which;
    if (!sortable(index, &which))
        return false;
    snprintf(text, LABEL, "%s", column(which)->word);
    return true;
}

static void choose_column(struct live *live, size_t index) {
    enum column which;
    if (!sortable(index, &which) || which == live->view.sort)
        return;
    view_sort(&live->view, which);
    live->stale = true;
}

static const struct menu_row rows[] = {
    [LIVE_MENU_SIGNALS] = {"Send signal:", signal_label, choose_signal},
    [LIVE_MENU_COLUMNS] = {"Sort by:", column_label, choose_column},
};

static void open_menu(struct live *live, enum live_menu which, size_t cursor) {
    live->menu = which;
    live->menu_cursor = cursor;
    live->menu_top = 0;
    live->dirty = true;
}

void menu_signals(struct live *live) {
    if (dialog_is_possible(live, ACTION_SIGNAL))
        open_menu(live, LIVE_MENU_SIGNALS, SIGTERM - 1);
}

void menu_columns(struct live *live) {
    enum column which;
    size_t index = 0;
    while (sortable(index, &which) && which != live->view.sort)
        index++;
    open_menu(live, LIVE_MENU_COLUMNS, index);
}

bool menu_is_open(const struct live *live) {
    return live->menu != LIVE_MENU_NONE;
}

/* The next item that begins with that letter, behind the number that it may have. */
static void find_letter(struct live *live, int key) {
    char text[LABEL];
    size_t count = 0;
    while (rows[live->menu].label(count, text))
        count++;
    for (size_t i = 1; i <= count; i++) {
        size_t index = (live->menu_cursor + i) % count;
        rows[live->menu].label(index, text);
        const char *name = strstr(text, " SIG") ? strstr(text, " SIG") + 4 : text;
        if ((*name | 0x20) == (key | 0x20)) {
            live->menu_cursor = index;
            return;
        }
    }
}

void menu_key(struct live *live, int key) {
    char text[LABEL];
    const struct menu_row *row = &rows[live->menu];
    size_t cursor = live->menu_cursor;
    live->dirty = true;
    if (key == TERMINAL_ENTER || key == TERMINAL_ESCAPE || key == 'q') {
        live->menu = LIVE_MENU_NONE;
        if (key == TERMINAL_ENTER)
            row->choose(live, cursor);
        return;
    }
    if (key == TERMINAL_UP && cursor > 0)
        live->menu_cursor--;
    else if (key == TERMINAL_DOWN && row->label(cursor + 1, text))
        live->menu_cursor++;
    else if ((key | 0x20) >= 'a' && (key | 0x20) <= 'z')
        find_letter(live, key);
}

void menu_paint(struct live *live, int row, int lines) {
    char text[LABEL], line[LABEL + WIDTH];
    size_t page = lines > 1 ? (size_t)lines - 1 : 1;
    snprintf(line, sizeof(line), "%-*s", WIDTH, rows[live->menu].title);
    terminal_draw(&live->terminal, row, 0, STYLE_STRONG, true, line);
    if (live->menu_top > live->menu_cursor)
        live->menu_top = live->menu_cursor;
    if (live->menu_cursor >= live->menu_top + page)
        live->menu_top = live->menu_cursor - page + 1;
    for (size_t i = 0; i < page; i++) {
        size_t index = live->menu_top + i;
        bool there = rows[live->menu].label(index, text);
        snprintf(line, sizeof(line), "%-*s", WIDTH, there ? text : "");
        terminal_draw(&live->terminal, row + 1 + (int)i, 0, STYLE_PLAIN,
                      there && index == live->menu_cursor, line);
    }
}
