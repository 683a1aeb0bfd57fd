/* Rows of text in aligned columns. Nothing is printed before the last row is known. */
#pragma once

#include "controller/output.h"

enum { TABLE_COLUMNS = 20 };

struct table_column {
    const char *title;
    bool right;        /* numbers: aligned to the right */
};

struct table_cell {
    uint32_t at;       /* where its text begins in `text` */
    uint32_t size;     /* bytes */
    uint32_t width;    /* characters */
    uint32_t style;    /* enum output_style */
};

struct table {
    const struct table_column *columns;
    size_t count;                    /* of columns, at most TABLE_COLUMNS */
    unsigned widths[TABLE_COLUMNS];
    uint32_t hidden;                 /* bit N: column N is not printed; not of the last one */
    struct buffer text;              /* of all cells */
    struct buffer cells;             /* struct table_cell, row after row */
    int error;
};

/* A table with these columns, which must outlive it. */
void table_init(struct table *table, const struct table_column *columns, size_t count);
void table_free(struct table *table);

/* Append the next cell; after the last column follows the next row. Bytes that could steer a
 * terminal are shown as \xNN. */
void table_view(struct table *table, enum output_style style, struct holden_view text);
void table_text(struct table *table, enum output_style style, const char *text);
void table_number(struct table *table, uint64_t number);

/* The same for what is "-" where it is not known: a number; bytes; microseconds. */
void table_count(struct table *table, bool known, uint64_t number);
void table_size(struct table *table, bool known, uint64_t bytes);
void table_time(struct table *table, bool known, uint64_t microseconds);

/* Prints the titles and all rows. On a terminal the last column is cut at its edge. */
void table_print(const struct table *table, struct output *output);
