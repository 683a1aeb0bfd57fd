/* The columns of the table, once: the live screen, the plain frame, sorting and the help are made
 * from these rows. */
#pragma once

#include "monitor/row.h"
#include "monitor/user.h"

enum column {
    COLUMN_AGENT,
    COLUMN_STATE,
    COLUMN_PID,
    COLUMN_USER,
    COLUMN_CPU,
    COLUMN_MEMORY,
    COLUMN_BAR,
    COLUMN_TASKS,
    COLUMN_IO,
    COLUMN_STALL,
    COLUMN_TIME,
    COLUMN_NAME,
    COLUMN_COMMAND,
    COLUMNS_COUNT,
};

/* What a colour says; without colours, bold and dim say some of it. */
enum style {
    STYLE_PLAIN, STYLE_STRONG, STYLE_DIM, STYLE_GOOD, STYLE_WARN, STYLE_BAD, STYLE_COLD, STYLES,
};

enum { COLUMN_SCRATCH = 64 };

/* What cells need beside their row. */
struct column_context {
    struct users *users;
    bool utf8;
    const char (*agents)[32]; /* what each agent is called; NULL where there is only one */
};

struct column_row {
    const char *title;
    const char *word;       /* what --sort calls it; NULL where it cannot be sorted by */
    const char *doc;        /* one line for the help */
    unsigned least, most;   /* columns of the terminal that it takes; 0: none while it is empty */
    unsigned rank;          /* the column with the lowest goes first where room is short */
    bool left;              /* aligned to the left: text */
    bool descending;        /* sorted from the largest on unless told otherwise */
    bool screen;            /* on the live screen only */
    /* What the cell shows: a view of the row, of the context, or of `scratch`. */
    struct holden_view (*cell)(const struct column_context *context, const struct row *row,
                               char scratch[COLUMN_SCRATCH]);
    /* What it is sorted by, NAN for unknown; NULL where that is the cell's text. */
    double (*number)(const struct row *row);
    /* Its style where it has one of its own, otherwise STYLE_PLAIN; may be NULL. */
    enum style (*style)(const struct row *row);
};

/* The row of a column. Static. */
const struct column_row *column(enum column which);

/* The column that is called `word` in --sort, whatever the case of its letters. 0, or -EINVAL. */
int column_find(const char *word, enum column *which);

/* The style of a whole row: what its state means. */
enum style column_row_style(const struct row *row);
