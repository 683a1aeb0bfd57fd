#include "monitor/graph.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { DOTS = 4, HELD = 5 /* percent of the time, from where on it is worth a colour */ };

/* The dots of a character, from the lowest up, as bits of U+2800 (the Unicode block Braille). */
static const unsigned char dots[2][DOTS] = {{0x40, 0x04, 0x02, 0x01}, {0x80, 0x20, 0x10, 0x08}};
static const char levels[DOTS + 1] = {' ', '.', ':', '+', '#'};

/* How many dots of the line a value fills. What is there at all fills one. */
static int filled(const struct graph *graph, double value, unsigned line) {
    if (isnan(value) || value <= 0)
        return 0;
    double all = value / graph->top * graph->height * DOTS;
    int whole = all >= graph->height * DOTS ? (int)graph->height * DOTS : (int)(all + 0.5);
    int below = (int)(graph->height - 1 - line) * DOTS;
    int here = (whole > 0 ? whole : 1) - below;
    return here < 0 ? 0 : here > DOTS ? DOTS : here;
}

static void put_character(struct graph_cell *cell, unsigned character) {
    cell->text[0] = (char)(0xe0 | character >> 12);
    cell->text[1] = (char)(0x80 | (character >> 6 & 0x3f));
    cell->text[2] = (char)(0x80 | (character & 0x3f));
    cell->text[3] = '\0';
}

static void draw_cell(const struct graph *graph, unsigned line, unsigned column,
                      struct graph_cell *cell) {
    unsigned bits = 0;
    int most = 0;
    for (unsigned side = 0; side < 2; side++) {
        int count = filled(graph, graph->values[column * 2 + side], line);
        for (int i = 0; i < count; i++)
            bits |= dots[side][i];
        most = count > most ? count : most;
    }
    *cell = (struct graph_cell){{levels[most]}, STYLE_GOOD};
    if (graph->utf8 && bits)
        put_character(cell, 0x2800 + bits);
    for (unsigned side = 0; graph->held && side < 2; side++)
        if (graph->held[column * 2 + side] >= HELD)
            cell->style = STYLE_WARN;
}

/* The line in which a value lies; -1: above the graph, or no value. */
static int line_of(const struct graph *graph, double value) {
    if (isnan(value) || value > graph->top || value < 0)
        return -1;
    int line = (int)((1 - value / graph->top) * graph->height);
    return line < (int)graph->height ? line : (int)graph->height - 1;
}

static void mark(const struct graph *graph, enum style style, struct graph_cell *cells) {
    for (unsigned i = 0; i < graph->width; i++)
        if (strcmp(cells[i].text, " ") == 0) {
            snprintf(cells[i].text, sizeof(cells[i].text), "%s", graph->utf8 ? "─" : "-");
            cells[i].style = style;
        }
}

void graph_line(const struct graph *graph, unsigned line, struct graph_cell *cells) {
    for (unsigned i = 0; i < graph->width; i++)
        draw_cell(graph, line, i, &cells[i]);
    if (graph->height > 1 && line_of(graph, graph->most) == (int)line)
        mark(graph, STYLE_BAD, cells);
    if (graph->height > 1 && line_of(graph, graph->high) == (int)line)
        mark(graph, STYLE_WARN, cells);
}
