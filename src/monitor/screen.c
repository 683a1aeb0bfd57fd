#include "monitor/screen.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/unit.h"
#include "monitor/dialog.h"
#include "monitor/header.h"
#include "monitor/key.h"
#include "monitor/menu.h"
#include "monitor/pane.h"
#include "monitor/summary.h"
#include "monitor/text.h"

/* Which rows of the terminal hold what; -1: there is no room for it. */
struct places {
    int agent, processes, machine, titles, first, pane, foot;
    int machine_lines, pane_lines;
    size_t page;
};

/* On a small terminal the table stays, and what explains it goes. */
static struct places arrange(const struct live *live) {
    int height = live->terminal.height;
    struct places places = {-1, -1, -1, -1, 0, -1, -1, 0, 0, 0};
    int at = 0;
    if (height >= 4)
        places.agent = at++;
    if (height >= 6)
        places.processes = at++;
    places.machine = at;
    if (height >= 10)
        places.machine_lines = header_lines(&live->fleet.machine, &live->terminal,
                                            height >= 20 ? 2 : 1);
    at += places.machine_lines;
    if (height >= 3)
        places.titles = at++;
    if (height >= 2)
        places.foot = height - 1;
    places.first = at;
    if (!live->pane_hidden && !live->helping)
        places.pane_lines = pane_lines(height);
    places.page = (size_t)(height - at - (places.foot >= 0) - places.pane_lines);
    places.pane = at + (int)places.page;
    return places;
}

static int width_of(const struct live *live, const char *text) {
    return (int)text_width(holden_view(text), (unsigned)live->terminal.width, live->terminal.utf8);
}

static void paint_agent(struct live *live, int row, uint64_t now) {
    char text[SUMMARY_TEXT];
    char clock[16];
    time_t seconds = (time_t)(live_clock(live) / 1000000);
    struct tm parts;
    bool trouble;
    summary_agents(&live->fleet, now, text, &trouble);
    if (live->replaying)
        replay_print(&live->replay, text);
    strftime(clock, sizeof(clock), "%H:%M:%S", localtime_r(&seconds, &parts));
    terminal_draw(&live->terminal, row, 0, STYLE_STRONG, false, "holden");
    terminal_draw(&live->terminal, row, 7, trouble ? STYLE_BAD : STYLE_PLAIN, false, text);
    int at = live->terminal.width - (int)strlen(clock);
    if (at >= 8 + width_of(live, text))
        terminal_draw(&live->terminal, row, at, STYLE_DIM, false, clock);
}

static void paint_processes(struct live *live, int row) {
    char text[SUMMARY_TEXT];
    summary_processes(&live->fleet, text);
    terminal_draw(&live->terminal, row, 0, STYLE_PLAIN, false, text);
    if (!live->view.filter[0])
        return;
    int at = width_of(live, text) + 2;
    snprintf(text, sizeof(text), "%zu match \"%s\"", live->view.count, live->view.filter);
    terminal_draw(&live->terminal, row, at, STYLE_WARN, false, text);
}

static void paint_titles(struct live *live, int row) {
    int at = 0;
    terminal_bar(&live->terminal, row);
    for (enum column which = 0; which < COLUMNS_COUNT; which++) {
        char text[LAYOUT_CELL];
        if (!live->layout.widths[which])
            continue;
        layout_title(&live->layout, which, text);
        bool sorted = which == live->view.sort;
        terminal_draw(&live->terminal, row, at, sorted ? STYLE_STRONG : STYLE_PLAIN, !sorted, text);
        at += (int)live->layout.widths[which] + 1;
    }
}

/* What the agent has not confirmed for a while is grey. */
static enum style cell_style(struct live *live, const struct row *row, enum column which) {
    enum style whole = column_row_style(row);
    enum style own = column(which)->style ? column(which)->style(row) : STYLE_PLAIN;
    if (fleet_feed(&live->fleet, row)->status != FEED_LIVE || whole == STYLE_DIM)
        return STYLE_DIM;
    return own != STYLE_PLAIN && own != STYLE_DIM ? own : whole != STYLE_PLAIN ? whole : own;
}

/* "app.slice: 3 processes, CPU 12.3%, memory 1.02G", moved in by its depth. */
static void paint_heading(struct live *live, int line, const struct view_heading *heading,
                          bool selected) {
    char text[256], memory[16], cpu[32];
    bool slices = live->view.tree == VIEW_SLICES;
    bool none = heading->label.size == 0;
    snprintf(cpu, sizeof(cpu), ", CPU %.1f%%", heading->cpu);
    snprintf(text, sizeof(text), "%*s%s %.*s%s: %zu process%s%s%s%s", (int)heading->depth * 2, "",
             live->terminal.utf8 ? "▾" : "-", none ? 10 : (int)heading->label.size,
             none ? "(no slice)" : heading->label.data, slices && !none ? ".slice" : "",
             heading->count, heading->count == 1 ? "" : "es", isnan(heading->cpu) ? "" : cpu,
             isnan(heading->memory) ? "" : ", memory ",
             isnan(heading->memory) ? "" : unit_format_size_short((uint64_t)heading->memory, memory,
                                                                  sizeof(memory)));
    if (selected)
        terminal_bar(&live->terminal, line);
    terminal_draw(&live->terminal, line, 0, STYLE_STRONG, selected, text);
}

static void paint_row(struct live *live, int line, const struct row *row, bool selected) {
    int at = 0;
    if (selected)
        terminal_bar(&live->terminal, line);
    for (enum column which = 0; which < COLUMNS_COUNT; which++) {
        char text[LAYOUT_CELL];
        if (!live->layout.widths[which])
            continue;
        layout_cell(&live->layout, which, &live->context, row, text);
        terminal_draw(&live->terminal, line, at, cell_style(live, row, which), selected, text);
        at += (int)live->layout.widths[which] + 1;
    }
}

static void paint_table(struct live *live, const struct places *places) {
    struct view *view = &live->view;
    view_fit(view, places->page);
    size_t count = view->count - view->top < places->page ? view->count - view->top : places->page;
    layout_measure(&live->layout, &live->context, view->entries + view->top, count);
    layout_fit(&live->layout, (unsigned)live->terminal.width);
    for (size_t i = 0; i < count; i++) {
        const struct view_entry *entry = &view->entries[view->top + i];
        int line = places->first + (int)i;
        if (entry->row)
            paint_row(live, line, entry->row, view->top + i == view->cursor);
        else
            paint_heading(live, line, &entry->heading, view->top + i == view->cursor);
    }
    paint_titles(live, places->titles);
    if (count == 0 && fleet_time(&live->fleet) > 0 && live->fleet.feeds[0].status == FEED_LIVE)
        terminal_draw(&live->terminal, places->first, 0, STYLE_DIM, false,
                      view->filter[0] ? "no process matches" : "no processes");
}

/* A line of the help: the keys, then the columns. Returns whether there is one. */
static bool help_line(size_t index, const char **label, const char **doc) {
    for (size_t i = 0; key_row(i); i++, index--)
        if (index == 0) {
            *label = key_row(i)->label;
            *doc = key_row(i)->doc;
            return true;
        }
    for (enum column which = 0; which < COLUMNS_COUNT; which++)
        if (*column(which)->title && index-- == 0) {
            *label = column(which)->title;
            *doc = column(which)->doc;
            return true;
        }
    return false;
}

static void paint_help(struct live *live, const struct places *places) {
    const char *label;
    const char *doc;
    live->view.page = places->page ? places->page : 1;
    while (live->help_top > 0 && !help_line(live->help_top + places->page - 1, &label, &doc))
        live->help_top--;
    for (size_t i = 0; i < places->page && help_line(live->help_top + i, &label, &doc); i++) {
        terminal_draw(&live->terminal, places->first + (int)i, 0, STYLE_STRONG, false, label);
        terminal_draw(&live->terminal, places->first + (int)i, 13, STYLE_PLAIN, false, doc);
    }
    terminal_bar(&live->terminal, places->titles);
    terminal_draw(&live->terminal, places->titles, 0, STYLE_PLAIN, true,
                  "Keys and columns: Up and Down for more, any other key goes back");
}

/* Where the word for a key is in the foot: from *at on, which moves behind it. */
static bool next_in_foot(const struct live *live, size_t *index, int *at, int *width) {
    for (; key_row(*index); (*index)++) {
        if (!key_row(*index)->brief)
            continue;
        *at += *width;
        *width = 3 + width_of(live, key_row(*index)->brief);
        return true;
    }
    return false;
}

static void paint_keys(struct live *live, int row) {
    int at = 0, width = 0;
    for (size_t i = 0; next_in_foot(live, &i, &at, &width); i++) {
        char key[2] = {(char)key_row(i)->keys[0], '\0'};
        terminal_draw(&live->terminal, row, at, STYLE_STRONG, false, key);
        terminal_draw(&live->terminal, row, at + 2, STYLE_PLAIN, false, key_row(i)->brief);
    }
}

int screen_key_at(const struct live *live, int column) {
    int at = 0, width = 0;
    for (size_t i = 0; next_in_foot(live, &i, &at, &width); i++)
        if (column >= at && column < at + width - 1)
            return key_row(i)->keys[0];
    return TERMINAL_NONE;
}

static void paint_blank(struct live *live, int row) {
    char blank[512];
    int width = live->terminal.width < (int)sizeof(blank) ? live->terminal.width
                                                          : (int)sizeof(blank) - 1;
    snprintf(blank, sizeof(blank), "%*s", width, "");
    terminal_draw(&live->terminal, row, 0, STYLE_PLAIN, false, blank);
}

/* A long question gives way from its start, so that what is typed stays in sight. */
static void paint_dialog(struct live *live, int row) {
    char text[LIVE_QUESTION + PROMPT_TEXT];
    int size =
        snprintf(text, sizeof(text), "%s%s", live->dialog.question, live->dialog.prompt.text);
    int hidden = size + 1 > live->terminal.width ? size + 1 - live->terminal.width : 0;
    paint_blank(live, row);
    terminal_draw(&live->terminal, row, 0, STYLE_STRONG, false, text + hidden);
    terminal_cursor(&live->terminal, row, size - hidden);
}

/* How much of the text goes into a line: up to the last space that fits, where there is one. */
static size_t line_size(const char *text, size_t width) {
    if (strlen(text) <= width)
        return strlen(text);
    for (size_t size = width; size > width / 2; size--)
        if (text[size] == ' ')
            return size;
    return width;
}

/* A notice takes as many lines as it needs and as there are, the last one at `last`. */
static void paint_notice(struct live *live, int last) {
    size_t width = (size_t)live->terminal.width;
    int count = 0;
    for (const char *at = live->notice.text; *at; count++)
        for (at += line_size(at, width); *at == ' ';)
            at++;
    const char *text = live->notice.text;
    for (int row = count > last ? 0 : last - count + 1; row <= last && *text; row++) {
        char line[ACTION_TEXT];
        size_t size = line_size(text, width);
        snprintf(line, sizeof(line), "%.*s", (int)size, text);
        paint_blank(live, row);
        terminal_draw(&live->terminal, row, 0, live->notice.style, false, line);
        for (text += size; *text == ' ';)
            text++;
    }
}

/* The foot of the screen: a question before a notice before the keys. A notice about a question
 * that is still open stands above it. */
static void paint_foot(struct live *live, const struct places *places, uint64_t now) {
    bool notice = live->notice.until > now;
    int row = live->terminal.height - 1;
    if (notice)
        paint_notice(live, dialog_is_open(live) ? row - 1 : row);
    if (dialog_is_open(live))
        paint_dialog(live, row);
    else if (!notice && places->foot >= 0)
        paint_keys(live, places->foot);
}

void screen_paint(struct live *live, uint64_t now) {
    struct places places = arrange(live);
    terminal_begin(&live->terminal);
    if (live->helping)
        paint_help(live, &places);
    else
        paint_table(live, &places);
    if (menu_is_open(live))
        menu_paint(live, places.titles, (int)places.page + 1);
    live->places = (struct live_places){places.titles, places.first, places.foot, places.page};
    paint_agent(live, places.agent, now);
    paint_processes(live, places.processes);
    header_paint(&live->fleet.machine, &live->terminal, places.machine, places.machine_lines);
    pane_paint(live, places.pane, places.pane_lines);
    paint_foot(live, &places, now);
    terminal_end(&live->terminal);
}
