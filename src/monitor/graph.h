/* A graph made of characters: each has two by four dots (Braille), or one of five levels in plain
 * ASCII. Nothing here knows of the terminal. */
#pragma once

#include "monitor/column.h"

struct graph {
    const double *values;   /* 2 * width of them, the oldest first; NAN: unknown */
    const double *held;     /* as many, in percent: where it was held back; may be NULL */
    unsigned width, height; /* in characters, at least 1 */
    double top;             /* the value at its upper edge, above 0 */
    double high, most;      /* where lines are drawn; NAN: none */
    bool utf8;
};

struct graph_cell {
    char text[5];
    enum style style;
};

enum { GRAPH_WIDTH = 256 };

/* Draws one line of it, 0 being the uppermost, into graph->width cells. */
void graph_line(const struct graph *graph, unsigned line, struct graph_cell *cells);
