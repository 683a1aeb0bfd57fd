/* How wide the columns are. Widths grow with what they show and do not shrink again, so that the
 * table does not wobble; where room is short, the columns that matter least are left out. */
#pragma once

#include "monitor/view.h"

struct layout {
    unsigned wanted[COLUMNS_COUNT]; /* by what has been shown so far; 0 before that */
    unsigned widths[COLUMNS_COUNT]; /* as fitted; 0: left out */
};

/* The most bytes that a cell takes: a command line of 4096 bytes, or spaces in its place. */
enum { LAYOUT_CELL = 8192 };

/* Makes room for what these rows show. */
void layout_measure(struct layout *layout, const struct column_context *context,
                    const struct view_entry *entries, size_t count);

/* Fits the columns into `width` columns of the terminal, one space between them; 0: no bound, and
 * no columns that only a screen shows. */
void layout_fit(struct layout *layout, unsigned width);

/* The title of a column, cut or padded to its width, in `text`; the column must not be left out. */
void layout_title(const struct layout *layout, enum column which, char text[LAYOUT_CELL]);

/* The cell of a row, likewise. */
void layout_cell(const struct layout *layout, enum column which,
                 const struct column_context *context, const struct row *row,
                 char text[LAYOUT_CELL]);
