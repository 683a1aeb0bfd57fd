/* Which rows are shown, in which order, and which one is selected. Holds pointers into the model:
 * view_arrange() follows every change of the model before anything else is asked of the view. */
#pragma once

#include "monitor/column.h"
#include "monitor/model.h"

enum { VIEW_FILTER = 65 };

/* How rows are gathered under headings. */
enum view_tree { VIEW_FLAT, VIEW_SLICES, VIEW_USERS, VIEW_TREES };

/* What is above the rows of a group: sums over all below it. */
struct view_heading {
    struct holden_view label; /* the whole name of the slice or user */
    unsigned depth;           /* of slices in slices; 0: the outermost */
    size_t count;             /* of processes below */
    double cpu, memory;       /* NAN where none is known */
};

struct view_entry {
    const struct row *row;   /* NULL: a heading, which is the member below */
    struct view_heading heading;
    struct holden_view group; /* the rows of a tree stand in the order of these first */
    unsigned depth;           /* how far the row is moved in */
    double number;           /* what it is sorted by */
    struct holden_view text; /* the same, of a column sorted by its text */
};

struct view {
    struct view_entry *entries; /* owned */
    size_t count;
    size_t space;
    enum column sort;
    enum view_tree tree;
    bool reversed;              /* against the column's own direction */
    bool ended;                 /* show those that have ended too */
    char filter[VIEW_FILTER];   /* part of the name, the case of letters not counted; empty: all */
    uint64_t selected;          /* row_key() of the selected row; 0: whichever is first */
    size_t cursor;              /* its index; 0 while there are no rows */
    size_t top;                 /* the index of the first row on the screen */
    size_t page;                /* rows that fit on the screen, at least 1 */
};

/* Frees what the view holds. */
void view_free(struct view *view);

/* Takes the rows of these models that are to be shown, in order, and finds the selected one again:
 * by its key, or where it is gone, the one in its place. 0, or -ENOMEM: no rows are shown. */
int view_arrange(struct view *view, const struct model *const *models, size_t count,
                 const struct column_context *context);

/* Sorts by another column from the next view_arrange() on; by the same one again: the other way. */
void view_sort(struct view *view, enum column sort);

/* The column before (-1) or after (1) the present one that can be sorted by. */
enum column view_neighbour(const struct view *view, int direction);

/* Moves the selection by rows, not past the ends. */
void view_move(struct view *view, long by);

/* Sets how many rows fit, and scrolls so that the selected one is among them. */
void view_fit(struct view *view, size_t page);

/* Keeps the selected row selected wherever it goes, the first one too. */
void view_pin(struct view *view);

/* The selected row; NULL where there is none, or a heading is selected. */
const struct row *view_selected(const struct view *view);
