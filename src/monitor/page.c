#include "monitor/page.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/cleanup.h"
#include "common/unit.h"
#include "common/version.h"
#include "monitor/chart.h"
#include "monitor/text.h"

#define SECOND 1e6
enum { TEXT = 512, TIME = 32 };

static const char head[] =
    "<!DOCTYPE html>\n<html xmlns=\"http://www.w3.org/1999/xhtml\" lang=\"en\">\n<head>\n"
    "<meta charset=\"utf-8\"/>\n"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
    "'unsafe-inline'\"/>\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
    "<title>Holden report</title>\n<style>\n"
    ":root{color-scheme:light dark;--ink:#1d232b;--dim:#67717e;--back:#fff;--grid:#e3e6ea;"
    "--line:#1a7f4b;--area:#1a7f4b;--second:#c27a00;--bad:#c62f2f}\n"
    "@media (prefers-color-scheme:dark){:root{--ink:#e4e8ee;--dim:#98a2b0;--back:#14181d;"
    "--grid:#2a3038;--line:#4cc38a;--second:#f0b04a;--bad:#ff6b6b}}\n"
    "body{font:15px/1.45 system-ui,sans-serif;color:var(--ink);background:var(--back);"
    "max-width:1500px;margin:0 auto;padding:1.2em}\n"
    "h1{font-size:1.5em;margin:0}h2{font-size:1.2em;margin:1.6em 0 .2em;border-top:1px solid "
    "var(--grid);padding-top:.8em}p{margin:.3em 0;color:var(--dim)}code{color:var(--ink);"
    "overflow-wrap:anywhere}\n"
    "table{border-collapse:collapse;margin:.6em 0}td,th{padding:.15em .9em .15em 0;text-align:left;"
    "vertical-align:top}td.n,th.n{text-align:right}th{color:var(--dim);font-weight:normal}\n"
    ".charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(380px,1fr));gap:.6em}\n"
    "svg{width:100%;height:auto;font:11px system-ui,sans-serif;fill:var(--dim)}\n"
    ".title{font-size:13px;fill:var(--ink)}.title.second{fill:var(--second)}.end{text-anchor:end}"
    ".middle{text-anchor:middle}\n"
    ".grid{stroke:var(--grid);fill:none}.line{stroke:var(--line);stroke-width:1.6;fill:none;"
    "stroke-linejoin:round;stroke-linecap:round}.line.second{stroke:var(--second)}\n"
    ".limit{stroke-dasharray:5 4;fill:none;stroke:var(--bad)}.limit.high{stroke:var(--second)}\n"
    "</style>\n</head>\n<body>\n";

/* Text as HTML shows it; what would be no character of XML is a question mark. */
static int put_text(const char *text, struct buffer *out) {
    static const struct { char character; const char *reference; } references[] = {
        {'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}, {'\'', "&#39;"},
    };
    char fitted[TEXT];
    int r = 0;
    text_fit(holden_view(text), TEXT, true, fitted, sizeof(fitted));
    for (const char *at = fitted; r == 0 && *at; at++) {
        const char *reference = NULL;
        for (size_t i = 0; i < ARRAY_SIZE(references); i++)
            if (references[i].character == *at)
                reference = references[i].reference;
        r = reference ? buffer_append(out, reference, strlen(reference))
                      : buffer_append(out, at, 1);
    }
    return r;
}

static const char *print_time(uint64_t time, bool date, char text[TIME]) {
    struct tm parts;
    time_t seconds = (time_t)(time / 1000000);
    localtime_r(&seconds, &parts);
    if (date)
        strftime(text, TIME, "%Y-%m-%d %H:%M:%S", &parts);
    else
        strftime(text, TIME, "%H:%M:%S", &parts);
    return text;
}

/* The largest and the mean of the values that are known; NAN where none is. */
static double most_of(const struct series *series, enum metric metric) {
    double most = NAN;
    for (size_t i = 0; i < series->count; i++)
        most = fmax(most, series->points[i].values[metric]);
    return most;
}

static double mean_of(const struct series *series, enum metric metric) {
    double sum = 0;
    size_t count = 0;
    for (size_t i = 0; i < series->count; i++)
        if (!isnan(series->points[i].values[metric])) {
            sum += series->points[i].values[metric];
            count++;
        }
    return count ? sum / (double)count : NAN;
}

static const struct {
    const char *title;
    enum metric metric;
    enum chart_unit unit;
} charts[] = {
    {"CPU", METRIC_CPU, CHART_PERCENT},
    {"Memory", METRIC_MEMORY, CHART_BYTES},
    {"IO", METRIC_IO, CHART_BYTES_PER_SECOND},
    {"Tasks", METRIC_TASKS, CHART_COUNT},
    {"Stall", METRIC_STALL, CHART_PERCENT},
};

/* A chart of which nothing is known is left out. */
static int put_chart(const struct page *page, const struct series *series, size_t which,
                     struct buffer *out) {
    enum metric metric = charts[which].metric;
    size_t count = series->count;
    if (count == 0 || isnan(most_of(series, metric)))
        return 0;
    _cleanup_free_ double *numbers = malloc(3 * count * sizeof(double));
    if (!numbers)
        return -ENOMEM;
    double *values = numbers + count;
    double *held = numbers + 2 * count;
    for (size_t i = 0; i < count; i++) {
        uint64_t time = series->points[i].time;
        numbers[i] = time > page->first ? (double)(time - page->first) / SECOND : 0;
        values[i] = series->points[i].values[metric];
        held[i] = series->points[i].values[METRIC_THROTTLED];
    }
    struct chart chart = {.title = charts[which].title, .unit = charts[which].unit,
                          .times = numbers, .values = values, .count = count,
                          .span = (double)(page->last - page->first) / SECOND};
    if (metric == METRIC_CPU && most_of(series, METRIC_THROTTLED) > 0) {
        chart.second = held;
        chart.second_title = "held back by its quota";
    }
    if (metric == METRIC_MEMORY && series->memory_limit != UINT64_MAX)
        chart.limits[0] = (struct chart_limit){"MemoryMax", (double)series->memory_limit, "max"};
    if (metric == METRIC_TASKS && series->tasks_limit != UINT64_MAX)
        chart.limits[0] = (struct chart_limit){"TasksMax", (double)series->tasks_limit, "max"};
    return chart_put(&chart, out);
}

static int put_news(const struct page *page, const struct series *series, struct buffer *out) {
    const struct news *news = &page->fleet->feeds[series->agent].news;
    const struct news_item *item;
    uint64_t at = UINT64_MAX;
    char time[TIME];
    int r = 0;
    bool any = false;
    while (r == 0 && (item = news_before(news, series->id, &at))) {
        r = buffer_printf(out, "%s<tr><td>%s</td><td>", any ? "" : "<table>\n",
                          print_time(item->time, false, time));
        if (r == 0)
            r = put_text(item->text, out);
        if (r == 0)
            r = buffer_printf(out, "</td></tr>\n");
        any = true;
    }
    return r < 0 || !any ? r : buffer_printf(out, "</table>\n");
}

static int put_process(const struct page *page, const struct series *series, struct buffer *out) {
    int r = buffer_printf(out, "<h2 id=\"p%" PRIx64 "\">", series->key);
    if (r == 0)
        r = put_text(series->name, out);
    if (r == 0)
        r = buffer_printf(out, "</h2>\n<p><code>");
    if (r == 0)
        r = put_text(series->command, out);
    if (r == 0)
        r = buffer_printf(out, "</code></p>\n<div class=\"charts\">\n");
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(charts); i++)
        r = put_chart(page, series, i, out);
    if (r == 0)
        r = buffer_printf(out, "</div>\n");
    return r < 0 ? r : put_news(page, series, out);
}

static int put_number(double value, bool bytes, struct buffer *out) {
    char text[32] = "-";
    if (!isnan(value) && bytes)
        unit_format_size_short((uint64_t)value, text, sizeof(text));
    else if (!isnan(value))
        snprintf(text, sizeof(text), "%.1f%%", value);
    return buffer_printf(out, "<td class=\"n\">%s</td>", text);
}

static int put_summary(const struct series *series, struct buffer *out) {
    const char *state = series->frozen ? "frozen" : holden_word(&holden_enum_state, series->state);
    int r = buffer_printf(out, "<tr><td><a href=\"#p%" PRIx64 "\">", series->key);
    if (r == 0)
        r = put_text(series->name, out);
    if (r == 0)
        r = buffer_printf(out, "</a></td><td>%s</td><td>", state ? state : "?");
    if (r == 0)
        r = put_text(series->user, out);
    if (r == 0)
        r = buffer_printf(out, "</td>");
    if (r == 0)
        r = put_number(mean_of(series, METRIC_CPU), false, out);
    if (r == 0)
        r = put_number(most_of(series, METRIC_CPU), false, out);
    if (r == 0)
        r = put_number(series->memory_peak ? (double)series->memory_peak : (double)NAN, true, out);
    if (r == 0)
        r = put_number(mean_of(series, METRIC_STALL), false, out);
    return r < 0 ? r : buffer_printf(out, "</tr>\n");
}

static int compare(const void *left, const void *right) {
    const struct series *a = *(const struct series *const *)left;
    const struct series *b = *(const struct series *const *)right;
    if (a->cpu != b->cpu)
        return a->cpu < b->cpu ? 1 : -1;
    return (a->key > b->key) - (a->key < b->key);
}

static int put_head(const struct page *page, size_t shown, struct buffer *out) {
    char from[TIME], to[TIME];
    int r = buffer_append(out, head, sizeof(head) - 1);
    if (r == 0)
        r = buffer_printf(out, "<h1>Holden report</h1>\n<p>%s to %s, from ",
                          print_time(page->first, true, from),
                          print_time(page->last, false, to));
    if (r == 0)
        r = put_text(page->source, out);
    if (r == 0 && shown < page->list->count)
        r = buffer_printf(out, "; %zu of %zu processes: those that used most CPU time", shown,
                          page->list->count);
    return r < 0 ? r
                 : buffer_printf(out, "</p>\n<table>\n<tr><th>name</th><th>state</th><th>user</th>"
                                      "<th class=\"n\">CPU, mean</th><th class=\"n\">most</th>"
                                      "<th class=\"n\">memory, peak</th>"
                                      "<th class=\"n\">stall, mean</th></tr>\n");
}

int page_put(const struct page *page, struct buffer *out) {
    size_t shown = page->list->count < PAGE_PROCESSES ? page->list->count : PAGE_PROCESSES;
    _cleanup_free_ struct series **sorted =
        calloc(page->list->count + 1, sizeof(struct series *));
    if (!sorted)
        return -ENOMEM;
    if (page->list->count > 0)
        memcpy(sorted, page->list->series, page->list->count * sizeof(struct series *));
    qsort(sorted, page->list->count, sizeof(struct series *), compare);
    int r = put_head(page, shown, out);
    for (size_t i = 0; r == 0 && i < shown; i++)
        r = put_summary(sorted[i], out);
    if (r == 0)
        r = buffer_printf(out, "</table>\n");
    for (size_t i = 0; r == 0 && i < shown; i++)
        r = put_process(page, sorted[i], out);
    return r < 0 ? r
                 : buffer_printf(out, "<p>holden " HOLDEN_VERSION_TEXT "</p>\n</body>\n</html>\n");
}
