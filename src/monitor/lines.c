#include "monitor/lines.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <time.h>

#include "common/unit.h"
#include "monitor/column.h"
#include "monitor/summary.h"
#include "monitor/text.h"

enum { TEXT = 512, HELD = 5 };

/* How near the process is to its limits, as one number; never 0. */
static uint32_t mark_of(const struct row *row) {
    uint32_t mark = 1;
    mark |= (uint32_t)column(COLUMN_MEMORY)->style(row) << 8;
    mark |= (uint32_t)column(COLUMN_TASKS)->style(row) << 16;
    mark |= (row->rates.throttled >= HELD ? 2U : 0U);
    return mark;
}

static int put_clock(uint64_t time, struct buffer *out) {
    char clock[16];
    struct tm parts;
    time_t seconds = (time_t)(time / 1000000);
    strftime(clock, sizeof(clock), "%H:%M:%S", localtime_r(&seconds, &parts));
    return buffer_printf(out, "%s ", clock);
}

static int put_text(struct holden_view text, struct buffer *out) {
    char fitted[TEXT];
    text_fit(text, TEXT, text_is_utf8(), fitted, sizeof(fitted));
    return buffer_printf(out, "%s", fitted);
}

/* How near its limit an amount is, in words. */
static const char *nearness(enum style style) {
    return style == STYLE_BAD ? ", at its limit" : style == STYLE_WARN ? ", near its limit" : "";
}

static int put_memory(const struct row *row, struct buffer *out) {
    char used[16], limit[16];
    if (!HOLDEN_HAS(&row->usage, usage, memory))
        return 0;
    int r = buffer_printf(out, ", memory %s",
                          unit_format_size_short(row->usage.memory, used, sizeof(used)));
    if (r == 0 && row->memory_limit != UINT64_MAX)
        r = buffer_printf(out, " of %s%s",
                          unit_format_size_short(row->memory_limit, limit, sizeof(limit)),
                          nearness(column(COLUMN_MEMORY)->style(row)));
    return r;
}

static int put_tasks(const struct row *row, struct buffer *out) {
    if (!HOLDEN_HAS(&row->usage, usage, tasks))
        return 0;
    int r = buffer_printf(out, ", %" PRIu64, row->usage.tasks);
    if (r == 0 && row->tasks_limit != UINT64_MAX)
        r = buffer_printf(out, " of %" PRIu64, row->tasks_limit);
    if (r == 0)
        r = buffer_printf(out, " task%s%s", row->usage.tasks == 1 ? "" : "s",
                          nearness(column(COLUMN_TASKS)->style(row)));
    return r;
}

/* "web: running, CPU 3.2%, memory 39.9M of 48M, near its limit, 3 of 8 tasks". */
static int put_row(const struct row *row, struct buffer *out) {
    const char *word = row->frozen ? "frozen" : holden_word(&holden_enum_state, row->state);
    int r = put_text(row->name, out);
    if (r == 0)
        r = buffer_printf(out, ": %s", word ? word : "?");
    if (r == 0 && !isnan(row->rates.cpu))
        r = buffer_printf(out, ", CPU %.1f%%%s", row->rates.cpu,
                          row->rates.throttled >= HELD ? ", held back by its quota" : "");
    if (r == 0)
        r = put_memory(row, out);
    if (r == 0)
        r = put_tasks(row, out);
    return r < 0 ? r : buffer_append(out, "\n", 1);
}

static int put_rows(struct model *model, uint64_t time, struct buffer *out) {
    int r = 0;
    for (size_t i = 0; r == 0 && i < model->count; i++) {
        struct row *row = model->rows[i];
        uint32_t mark = mark_of(row);
        if (row->mark == mark)
            continue;
        row->mark = mark;
        r = put_clock(time, out);
        if (r == 0)
            r = put_row(row, out);
    }
    return r;
}

/* The events that came since; what is older than the newest 512 is gone. */
static int put_news(const struct news *news, uint64_t told, struct buffer *out) {
    int r = 0;
    uint64_t first = news->count > NEWS_KEPT ? news->count - NEWS_KEPT : 0;
    for (uint64_t i = told > first ? told : first; r == 0 && i < news->count; i++) {
        uint64_t at = i + 1;
        const struct news_item *item = news_before(news, 0, &at);
        r = put_clock(item->time, out);
        if (r == 0)
            r = put_text(holden_view(item->name), out);
        if (r == 0)
            r = buffer_printf(out, "%s", item->name[0] ? ": " : "");
        if (r == 0)
            r = put_text(holden_view(item->text), out);
        if (r == 0)
            r = buffer_append(out, "\n", 1);
    }
    return r;
}

int lines_put(struct lines *lines, struct fleet *fleet, size_t agent, struct buffer *out) {
    struct feed *feed = &fleet->feeds[agent];
    char text[SUMMARY_TEXT];
    bool trouble;
    int r = 0;
    if (feed->samples <= 1 || lines->told[agent] == 0) {
        summary_agents(fleet, feed_now(), text, &trouble);
        r = buffer_printf(out, "%s\n", text);
        summary_processes(fleet, text);
        if (r == 0)
            r = buffer_printf(out, "%s\n", text);
    } else
        r = put_news(&feed->news, lines->told[agent] - 1, out);
    lines->told[agent] = feed->news.count + 1;
    return r < 0 ? r : put_rows(&feed->model, feed->time, out);
}
