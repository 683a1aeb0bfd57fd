#include "monitor/pane.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/cleanup.h"
#include "common/unit.h"
#include "monitor/graph.h"
#include "monitor/text.h"

enum { LEAST = 24, LINES_MOST = 26, LABEL = 16, TEXT = 512, FAR = 10, PER_CENT = 10000 };
enum { GRAPHS = 5 };

struct place { int row, at, lines, width; };

int pane_lines(int height) {
    int lines = (height - 6) / 2;
    return height < LEAST ? 0 : lines < LINES_MOST ? lines : LINES_MOST;
}

/* What a graph says beside itself, in two lines, and what its lines are. */
struct legend {
    char now[TEXT], limits[TEXT];
    double high, most; /* NAN: none */
    double least;      /* of what is at its upper edge */
};

static double bytes_or_none(uint64_t number) {
    return number == UINT64_MAX ? NAN : (double)number;
}

static const char *size_text(double bytes, char text[16]) {
    return isnan(bytes) ? "-" : unit_format_size_short((uint64_t)bytes, text, 16);
}

static const struct detail *detail_of(struct live *live, const struct row *row) {
    const struct detail *detail = &fleet_feed(&live->fleet, row)->detail;
    return detail->id == row->id ? detail : NULL;
}

static void tell_cpu(const struct row *row, const struct detail *detail, struct legend *legend) {
    double quota = detail ? bytes_or_none(detail->quota) / PER_CENT : NAN;
    legend->most = quota;
    legend->least = 5;
    if (!isnan(row->rates.cpu))
        snprintf(legend->now, TEXT, "CPU %.1f%%", row->rates.cpu);
    else
        snprintf(legend->now, TEXT, "CPU -");
    if (row->rates.throttled >= 1)
        snprintf(legend->limits, TEXT, "held back %.0f%%", row->rates.throttled);
    else if (!isnan(quota))
        snprintf(legend->limits, TEXT, "quota %.0f%%", quota);
}

static void tell_memory(const struct row *row, const struct detail *detail,
                        struct legend *legend) {
    char now[16], high[16], most[16];
    bool known = HOLDEN_HAS(&row->usage, usage, memory);
    legend->high = detail ? bytes_or_none(detail->memory_high) : NAN;
    legend->most = bytes_or_none(row->memory_limit);
    legend->least = 1;
    snprintf(legend->now, TEXT, "memory %s",
             size_text(known ? (double)row->usage.memory : (double)NAN, now));
    if (!isnan(legend->high))
        snprintf(legend->limits, TEXT, "%s high, %s", size_text(legend->high, high),
                 size_text(legend->most, most));
    else if (!isnan(legend->most))
        snprintf(legend->limits, TEXT, "max %s", size_text(legend->most, most));
}

static void tell_io(const struct row *row, __attribute__((unused)) const struct detail *detail,
                    struct legend *legend) {
    char all[16], read[16], written[16];
    double io = row_io(row);
    legend->least = 1024;
    snprintf(legend->now, TEXT, isnan(io) ? "IO -" : "IO %s/s", size_text(io, all));
    if (!isnan(io))
        snprintf(legend->limits, TEXT, "r%s w%s", size_text(row->rates.read, read),
                 size_text(row->rates.written, written));
}

static void tell_tasks(const struct row *row, __attribute__((unused)) const struct detail *detail,
                       struct legend *legend) {
    legend->most = bytes_or_none(row->tasks_limit);
    legend->least = 4;
    if (HOLDEN_HAS(&row->usage, usage, tasks))
        snprintf(legend->now, TEXT, "tasks %" PRIu64, row->usage.tasks);
    else
        snprintf(legend->now, TEXT, "tasks -");
    if (!isnan(legend->most))
        snprintf(legend->limits, TEXT, "max %.0f", legend->most);
}

static void tell_stall(const struct row *row, __attribute__((unused)) const struct detail *detail,
                       struct legend *legend) {
    enum row_stall which = ROW_STALL_CPU;
    double stall = row_stall(row, &which);
    legend->least = 10;
    if (isnan(stall))
        snprintf(legend->now, TEXT, "stall -");
    else
        snprintf(legend->now, TEXT, "stall %.0f%% %s", stall,
                 stall < 0.5 ? "" : row_stall_word(which));
}

static const struct {
    enum metric metric;
    enum column column; /* whose colours it has */
    void (*tell)(const struct row *row, const struct detail *detail, struct legend *legend);
} graphs[GRAPHS] = {
    {METRIC_CPU, COLUMN_CPU, tell_cpu},       {METRIC_MEMORY, COLUMN_MEMORY, tell_memory},
    {METRIC_IO, COLUMN_IO, tell_io},          {METRIC_TASKS, COLUMN_TASKS, tell_tasks},
    {METRIC_STALL, COLUMN_STALL, tell_stall},
};

/* The last values, the oldest first, and the largest of them. */
static double series(const struct row *row, uint64_t newest, enum metric metric, size_t count,
                     double *values) {
    double most = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t back = count - 1 - i;
        values[i] = back < newest ? history_get(&row->history, newest - back, metric) : NAN;
        most = fmax(most, values[i]);
    }
    return most;
}

/* Limits that are far above all values would leave nothing to be seen. */
static double top_of(const struct legend *legend, double most) {
    double top = fmax(most, legend->least);
    double near = top * FAR;
    if (legend->high <= near)
        top = fmax(top, legend->high);
    if (legend->most <= near)
        top = fmax(top, legend->most);
    return top;
}

/* Cells of one style that are neighbours are drawn at once. */
static void draw_cells(struct terminal *terminal, int row, int at, const struct graph_cell *cells,
                       size_t count) {
    for (size_t i = 0; i < count;) {
        char text[GRAPH_WIDTH * 4] = "";
        size_t used = 0, start = i;
        for (; i < count && cells[i].style == cells[start].style; i++)
            used += (size_t)snprintf(text + used, sizeof(text) - used, "%s", cells[i].text);
        terminal_draw(terminal, row, at + (int)start, cells[start].style, false, text);
    }
}

static void paint_graph(struct live *live, const struct row *row, size_t which,
                        const struct place *place) {
    double values[2 * GRAPH_WIDTH], held[2 * GRAPH_WIDTH];
    struct graph_cell cells[GRAPH_WIDTH];
    struct legend legend = {.high = NAN, .most = NAN};
    enum style (*style)(const struct row *) = column(graphs[which].column)->style;
    unsigned width = (unsigned)(place->width - LABEL);
    uint64_t newest = live_clock(live) / HISTORY_SLOT;
    width = width < HISTORY_SLOTS / 2 ? width : HISTORY_SLOTS / 2;
    graphs[which].tell(row, detail_of(live, row), &legend);
    double most = series(row, newest, graphs[which].metric, 2 * (size_t)width, values);
    if (graphs[which].metric == METRIC_CPU)
        series(row, newest, METRIC_THROTTLED, 2 * (size_t)width, held);
    struct graph graph = {
        .values = values, .held = graphs[which].metric == METRIC_CPU ? held : NULL,
        .width = width, .height = (unsigned)place->lines, .top = top_of(&legend, most),
        .high = legend.high, .most = legend.most, .utf8 = live->terminal.utf8};
    for (int line = 0; line < place->lines; line++) {
        graph_line(&graph, (unsigned)line, cells);
        draw_cells(&live->terminal, place->row + line, place->at + LABEL, cells, width);
    }
    legend.now[LABEL - 1] = legend.limits[LABEL - 1] = '\0';
    terminal_draw(&live->terminal, place->row, place->at, style ? style(row) : STYLE_PLAIN, false,
                  legend.now);
    if (place->lines > 1)
        terminal_draw(&live->terminal, place->row + 1, place->at, STYLE_DIM, false, legend.limits);
}

/* The first graphs get what cannot be divided. */
static void paint_graphs(struct live *live, const struct row *row, struct place place) {
    int left = place.lines;
    for (int i = 0; i < GRAPHS && left > 0; i++) {
        struct place own = place;
        own.lines = (left + GRAPHS - i - 1) / (GRAPHS - i);
        if (place.width > LABEL)
            paint_graph(live, row, (size_t)i, &own);
        place.row += own.lines;
        left -= own.lines;
    }
}

/* Text in a part of a line only. */
__attribute__((format(printf, 5, 6))) static void put(struct live *live,
                                                      const struct place *place, int line,
                                                      enum style style, const char *format, ...) {
    char text[TEXT], fitted[TEXT];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    text_fit(holden_view(text), (unsigned)place->width, live->terminal.utf8, fitted,
             sizeof(fitted));
    terminal_draw(&live->terminal, place->row + line, place->at, style, false, fitted);
}

/* The newest is the last line; lines above it that find no event stay empty. */
static void paint_news(struct live *live, const struct row *row, const struct place *place) {
    uint64_t at = UINT64_MAX;
    const struct news *news = &fleet_feed(&live->fleet, row)->news;
    const struct news_item *items[LINES_MOST];
    int count = 0;
    while (count < place->lines && (items[count] = news_before(news, row->id, &at)))
        count++;
    for (int i = 0; i < count; i++) {
        const struct news_item *item = items[count - 1 - i];
        char clock[16];
        struct tm parts;
        time_t seconds = (time_t)(item->time / 1000000);
        strftime(clock, sizeof(clock), "%H:%M:%S", localtime_r(&seconds, &parts));
        put(live, place, i, STYLE_PLAIN, "%s %s", clock, item->text);
    }
    if (count == 0)
        put(live, place, 0, STYLE_DIM, "no events");
}

static void paint_log(struct live *live, const struct row *row, const struct place *place) {
    const struct detail *detail = &fleet_feed(&live->fleet, row)->detail;
    struct holden_view lines[LINES_MOST];
    size_t at = detail->log.size;
    int count = 0;
    if (detail->log_id == row->id)
        while (count < place->lines && detail_line_before(detail, &at, &lines[count]))
            count++;
    for (int i = 0; i < count; i++)
        put(live, place, i, STYLE_PLAIN, "%.*s", (int)lines[count - 1 - i].size,
            lines[count - 1 - i].data);
    if (count == 0)
        put(live, place, 0, STYLE_DIM, "no output");
}

static void paint_title(struct live *live, const struct row *row, int line) {
    const struct detail *detail = detail_of(live, row);
    const char *word = row->frozen ? "frozen" : holden_word(&holden_enum_state, row->state);
    char text[TEXT];
    snprintf(text, sizeof(text), "%.*s: %s", (int)row->name.size, row->name.data,
             word ? word : "?");
    size_t used = strlen(text);
    if (row->slice.size > 0)
        used += (size_t)snprintf(text + used, sizeof(text) - used, ", in %.*s",
                                 (int)row->slice.size, row->slice.data);
    if (row->restarts > 0 && used < sizeof(text))
        used += (size_t)snprintf(text + used, sizeof(text) - used, ", restarted %" PRIu64 " times",
                                 row->restarts);
    if (detail && detail->explanation[0] && used < sizeof(text))
        snprintf(text + used, sizeof(text) - used, ": %s", detail->explanation);
    terminal_bar(&live->terminal, line);
    terminal_draw(&live->terminal, line, 0, STYLE_PLAIN, true, text);
}

void pane_paint(struct live *live, int line, int lines) {
    const struct row *row = view_selected(&live->view);
    int width = live->terminal.width;
    if (lines <= 1)
        return;
    if (!row) {
        terminal_bar(&live->terminal, line);
        terminal_draw(&live->terminal, line, 0, STYLE_PLAIN, true, "no process is selected");
        return;
    }
    int left = width / 2 < LABEL + HISTORY_SLOTS / 2 ? width / 2 : LABEL + HISTORY_SLOTS / 2;
    int news = (lines - 1) / 3 > 0 ? (lines - 1) / 3 : 1;
    struct place graph = {line + 1, 0, lines - 1, left - 1};
    struct place events = {line + 1, left, news, width - left};
    struct place rule = {line + 1 + news, left, 1, width - left};
    struct place log = {line + 2 + news, left, lines - 2 - news, width - left};
    paint_title(live, row, line);
    paint_graphs(live, row, graph);
    paint_news(live, row, &events);
    put(live, &rule, 0, STYLE_DIM, live->terminal.utf8 ? "── log" : "-- log");
    if (log.lines > 0)
        paint_log(live, row, &log);
}
