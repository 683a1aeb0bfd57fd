/* A chart as SVG: values over time as a line with its area, a scale, and limits as lines across. */
#pragma once

#include "common/buffer.h"

/* What the numbers are. */
enum chart_unit { CHART_PERCENT, CHART_BYTES, CHART_BYTES_PER_SECOND, CHART_COUNT };

struct chart_limit {
    const char *name; /* "MemoryMax"; NULL: none */
    double value;
    const char *look; /* a class of the style sheet */
};

struct chart {
    const char *title;     /* what it is of, for people */
    enum chart_unit unit;
    const double *times;   /* seconds from its left edge on, rising */
    const double *values;  /* NAN: unknown, a gap */
    const double *second;  /* another line, such as throttling; may be NULL */
    const char *second_title;
    size_t count;
    double span;           /* seconds from its left to its right edge */
    struct chart_limit limits[2];
};

/* Appends the element, at most some 700 points a line. 0 or -ENOMEM. */
int chart_put(const struct chart *chart, struct buffer *out);
