#include "monitor/view.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void view_free(struct view *view) {
    free(view->entries);
    view->entries = NULL;
    view->count = view->space = 0;
}

static bool contains(struct holden_view text, const char *part) {
    size_t size = strlen(part);
    for (size_t at = 0; at + size <= text.size; at++)
        if (strncasecmp(text.data + at, part, size) == 0)
            return true;
    return false;
}

static bool is_shown(const struct view *view, const struct row *row) {
    return (view->ended || row_lives(row)) && contains(row->name, view->filter);
}

static int compare_texts(struct holden_view a, struct holden_view b) {
    size_t size = a.size < b.size ? a.size : b.size;
    int order = size ? memcmp(a.data, b.data, size) : 0;
    return order ? order : (a.size > b.size) - (a.size < b.size);
}

/* Unknown numbers are last in both directions; equals stay in the order of their ids. */
static int compare(const void *left, const void *right, void *descending) {
    const struct view_entry *a = left;
    const struct view_entry *b = right;
    if (isnan(a->number) != isnan(b->number))
        return isnan(a->number) ? 1 : -1;
    int order = (a->number > b->number) - (a->number < b->number);
    if (order == 0)
        order = compare_texts(a->text, b->text);
    if (order != 0)
        return *(const bool *)descending ? -order : order;
    return (a->row->id > b->row->id) - (a->row->id < b->row->id);
}

static void add(struct view *view, const struct row *row, const struct column_context *context) {
    const struct column_row *by = column(view->sort);
    struct view_entry *entry = &view->entries[view->count++];
    char scratch[COLUMN_SCRATCH];
    *entry = (struct view_entry){.row = row};
    if (by->number)
        entry->number = by->number(row);
    else
        entry->text = by->cell(context, row, scratch);
}

/* Finds the selected row again after the entries have changed. */
static void find_cursor(struct view *view) {
    if (view->count == 0 || view->selected == 0) {
        view->cursor = 0;
        return;
    }
    if (view->cursor < view->count && view->entries[view->cursor].row->id == view->selected)
        return;
    for (size_t i = 0; i < view->count; i++)
        if (view->entries[i].row->id == view->selected) {
            view->cursor = i;
            return;
        }
    view_move(view, 0);
}

int view_arrange(struct view *view, const struct model *model,
                 const struct column_context *context) {
    view->count = 0;
    if (model->count > view->space) {
        struct view_entry *entries = realloc(view->entries, model->count * sizeof(*entries));
        if (!entries)
            return -ENOMEM;
        view->entries = entries;
        view->space = model->count;
    }
    for (size_t i = 0; i < model->count; i++)
        if (is_shown(view, model->rows[i]))
            add(view, model->rows[i], context);
    bool descending = column(view->sort)->descending != view->reversed;
    if (view->count > 0)
        qsort_r(view->entries, view->count, sizeof(*view->entries), compare, &descending);
    find_cursor(view);
    view_fit(view, view->page);
    return 0;
}

void view_sort(struct view *view, enum column sort) {
    view->reversed = view->sort == sort && !view->reversed;
    view->sort = sort;
}

enum column view_neighbour(const struct view *view, int direction) {
    int at = (int)view->sort;
    do
        at = (at + direction + COLUMNS_COUNT) % COLUMNS_COUNT;
    while (!column((enum column)at)->word);
    return (enum column)at;
}

/* On the first row, the selection stays on the first row, whichever that will be. */
void view_move(struct view *view, long by) {
    long last = (long)view->count - 1;
    long to = (long)view->cursor + by;
    to = to > last ? last : to;
    view->cursor = to < 0 ? 0 : (size_t)to;
    view->selected = view->cursor == 0 || view->count == 0 ? 0
                                                           : view->entries[view->cursor].row->id;
}

void view_pin(struct view *view) {
    if (view->cursor < view->count)
        view->selected = view->entries[view->cursor].row->id;
}

void view_fit(struct view *view, size_t page) {
    view->page = page ? page : 1;
    size_t most = view->count > view->page ? view->count - view->page : 0;
    if (view->top > view->cursor)
        view->top = view->cursor;
    if (view->cursor >= view->page && view->top < view->cursor - view->page + 1)
        view->top = view->cursor - view->page + 1;
    if (view->top > most)
        view->top = most;
}

const struct row *view_selected(const struct view *view) {
    return view->cursor < view->count ? view->entries[view->cursor].row : NULL;
}
