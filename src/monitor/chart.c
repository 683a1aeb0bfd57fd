#include "monitor/chart.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "common/cleanup.h"
#include "common/unit.h"

/* In the units of the picture; lines have a point for each of its columns at the most. */
enum { WIDTH = 720, HEIGHT = 150, LEFT = 64, TOP = 24, BOTTOM = 22, RIGHT = 8, STEPS = 4 };
enum { PLOT = WIDTH - LEFT - RIGHT, RISE = HEIGHT - TOP - BOTTOM, NUMBER = 32, NEAR = 4 };

static void print_value(enum chart_unit unit, double value, char text[NUMBER]) {
    if (unit == CHART_BYTES || unit == CHART_BYTES_PER_SECOND) {
        char bytes[16];
        unit_format_size_short((uint64_t)value, bytes, sizeof(bytes));
        snprintf(text, NUMBER, "%s%s", bytes, unit == CHART_BYTES ? "" : "/s");
    } else
        snprintf(text, NUMBER, "%.3g%s", value, unit == CHART_PERCENT ? "%" : "");
}

/* A round number that is not below the value: 1, 2 or 5 and zeroes, of bytes in powers of two. */
static double round_up(enum chart_unit unit, double value) {
    static const double steps[] = {1, 2, 4, 5, 8, 10};
    bool bytes = unit == CHART_BYTES || unit == CHART_BYTES_PER_SECOND;
    double base = bytes ? 1024 : 1;
    if (value <= 0)
        return base;
    if (bytes) {
        while (base < value)
            base *= 2;
        return base;
    }
    base = pow(10, floor(log10(value)));
    for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
        if (steps[i] * base >= value)
            return steps[i] * base;
    return 10 * base;
}

/* Limits that are far above all values would leave nothing to be seen. */
static double top_of(const struct chart *chart) {
    double most = 0;
    for (size_t i = 0; i < chart->count; i++) {
        most = fmax(most, chart->values[i]);
        if (chart->second)
            most = fmax(most, chart->second[i]);
    }
    double top = most;
    for (size_t i = 0; i < ARRAY_SIZE(chart->limits); i++)
        if (chart->limits[i].name && chart->limits[i].value <= most * NEAR)
            top = fmax(top, chart->limits[i].value);
    return round_up(chart->unit, top);
}

static double across(const struct chart *chart, double time) {
    return LEFT + (chart->span > 0 ? time / chart->span : 0) * PLOT;
}

static double down(double top, double value) {
    return TOP + (1 - value / top) * RISE;
}

/* One line, interrupted where nothing is known. Of values in one column the largest is drawn. */
static int put_line(const struct chart *chart, const double *values, double top,
                    const char *look, struct buffer *out) {
    int r = buffer_printf(out, "<path class=\"%s\" d=\"", look);
    bool open = false;
    for (size_t i = 0; r == 0 && i < chart->count;) {
        double x = floor(across(chart, chart->times[i]));
        double most = values[i];
        for (i++; i < chart->count && floor(across(chart, chart->times[i])) <= x; i++)
            most = fmax(most, values[i]);
        if (isnan(most)) {
            open = false;
            continue;
        }
        r = buffer_printf(out, "%s%.0f %.1f", open ? "L" : "M", x, down(top, most));
        open = true;
    }
    return r < 0 ? r : buffer_printf(out, "\"/>\n");
}

static int put_scale(const struct chart *chart, double top, struct buffer *out) {
    char text[NUMBER];
    int r = 0;
    for (int i = 0; r == 0 && i <= STEPS; i++) {
        double y = down(top, top * i / STEPS);
        print_value(chart->unit, top * i / STEPS, text);
        r = buffer_printf(out,
                          "<path class=\"grid\" d=\"M%d %.1fH%d\"/>"
                          "<text class=\"end\" x=\"%d\" y=\"%.1f\">%s</text>\n",
                          LEFT, y, WIDTH - RIGHT, LEFT - 6, y + 4, text);
    }
    for (int i = 0; r == 0 && i <= STEPS; i++) {
        double seconds = chart->span * i / STEPS;
        snprintf(text, sizeof(text), "%d:%02d", (int)seconds / 60, (int)seconds % 60);
        r = buffer_printf(out, "<text class=\"middle\" x=\"%.0f\" y=\"%d\">%s</text>\n",
                          fmin(across(chart, seconds), WIDTH - 16), HEIGHT - 6, text);
    }
    return r;
}

static int put_limit(const struct chart *chart, const struct chart_limit *limit, double top,
                     struct buffer *out) {
    char text[NUMBER];
    if (!limit->name || !(limit->value <= top))
        return 0;
    double y = down(top, limit->value);
    print_value(chart->unit, limit->value, text);
    return buffer_printf(out,
                         "<path class=\"limit %s\" d=\"M%d %.1fH%d\"/>"
                         "<text class=\"end\" x=\"%d\" y=\"%.1f\">%s %s</text>\n",
                         limit->look, LEFT, y, WIDTH - RIGHT, WIDTH - RIGHT, y - 3, limit->name,
                         text);
}

int chart_put(const struct chart *chart, struct buffer *out) {
    double top = top_of(chart);
    int r = buffer_printf(out,
                          "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s\" "
                          "xmlns=\"http://www.w3.org/2000/svg\">\n"
                          "<text class=\"title\" x=\"%d\" y=\"14\">%s</text>\n",
                          WIDTH, HEIGHT, chart->title, LEFT, chart->title);
    if (r == 0 && chart->second)
        r = buffer_printf(out, "<text class=\"title second\" x=\"%d\" y=\"14\">%s</text>\n",
                          LEFT + 200, chart->second_title);
    if (r == 0)
        r = put_scale(chart, top, out);
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(chart->limits); i++)
        r = put_limit(chart, &chart->limits[i], top, out);
    if (r == 0)
        r = put_line(chart, chart->values, top, "line", out);
    if (r == 0 && chart->second)
        r = put_line(chart, chart->second, top, "line second", out);
    return r < 0 ? r : buffer_printf(out, "</svg>\n");
}
