#include "monitor/outline.h"

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

/* How entries are ordered. */
struct order {
    bool descending;
    enum view_tree tree;
};

/* Slices before what is in them, whose names begin with theirs and a "-", which comes before all
 * other characters (systemd.slice(5)). */
static int compare_groups(struct holden_view a, struct holden_view b) {
    for (size_t i = 0; i < a.size && i < b.size; i++) {
        int left = a.data[i] == '-' ? 0 : (unsigned char)a.data[i];
        int right = b.data[i] == '-' ? 0 : (unsigned char)b.data[i];
        if (left != right)
            return left - right;
    }
    return (a.size > b.size) - (a.size < b.size);
}

/* Unknown numbers are last in both directions; equals stay in the order of their ids. */
static int compare(const void *left, const void *right, void *context) {
    const struct view_entry *a = left;
    const struct view_entry *b = right;
    const struct order *by = context;
    int order = by->tree ? compare_groups(a->group, b->group) : 0;
    if (order != 0)
        return order;
    if (isnan(a->number) != isnan(b->number))
        return isnan(a->number) ? 1 : -1;
    order = (a->number > b->number) - (a->number < b->number);
    if (order == 0)
        order = compare_texts(a->text, b->text);
    if (order != 0)
        return by->descending ? -order : order;
    return (row_key(a->row) > row_key(b->row)) - (row_key(a->row) < row_key(b->row));
}

/* What is selected by: headings have the hash of their name, which no row's key is. */
static uint64_t key_of(const struct view_entry *entry) {
    uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */
    if (entry->row)
        return row_key(entry->row);
    for (size_t i = 0; i < entry->heading.label.size; i++)
        hash = (hash ^ (unsigned char)entry->heading.label.data[i]) * UINT64_C(1099511628211);
    return hash | UINT64_C(1) << 63;
}

/* The name of a slice without ".slice", so that those in it begin with it. */
static struct holden_view without_end(struct holden_view slice) {
    static const char end[] = ".slice";
    size_t size = sizeof(end) - 1;
    if (slice.size > size && memcmp(slice.data + slice.size - size, end, size) == 0)
        slice.size -= size;
    return slice.size > 0 ? slice : holden_view("");
}

static void add(struct view *view, const struct row *row, const struct column_context *context) {
    const struct column_row *by = column(view->sort);
    struct view_entry *entry = &view->entries[view->count++];
    char scratch[COLUMN_SCRATCH];
    *entry = (struct view_entry){.row = row, .group = holden_view("")};
    if (view->tree == VIEW_SLICES)
        entry->group = without_end(row->slice);
    else if (view->tree == VIEW_USERS)
        entry->group = column(COLUMN_USER)->cell(context, row, scratch);
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
    if (view->cursor < view->count && key_of(&view->entries[view->cursor]) == view->selected)
        return;
    for (size_t i = 0; i < view->count; i++)
        if (key_of(&view->entries[i]) == view->selected) {
            view->cursor = i;
            return;
        }
    view_move(view, 0);
}

static int reserve(struct view *view, size_t count) {
    if (count <= view->space)
        return 0;
    struct view_entry *entries = realloc(view->entries, count * sizeof(*entries));
    if (!entries)
        return -ENOMEM;
    view->entries = entries;
    view->space = count;
    return 0;
}

int view_arrange(struct view *view, const struct model *const *models, size_t count,
                 const struct column_context *context) {
    size_t rows = 0;
    view->count = 0;
    for (size_t i = 0; i < count; i++)
        rows += models[i]->count;
    int r = reserve(view, rows);
    for (size_t i = 0; r == 0 && i < count; i++)
        for (size_t j = 0; j < models[i]->count; j++)
            if (is_shown(view, models[i]->rows[j]))
                add(view, models[i]->rows[j], context);
    struct order order = {.descending = column(view->sort)->descending != view->reversed,
                          .tree = view->tree};
    if (view->count > 0)
        qsort_r(view->entries, view->count, sizeof(*view->entries), compare, &order);
    if (r == 0 && view->tree != VIEW_FLAT)
        r = reserve(view, view->count + outline_count(view));
    if (r == 0 && view->tree != VIEW_FLAT)
        outline_insert(view);
    find_cursor(view);
    view_fit(view, view->page);
    return r;
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
                                                           : key_of(&view->entries[view->cursor]);
}

void view_pin(struct view *view) {
    if (view->cursor < view->count)
        view->selected = key_of(&view->entries[view->cursor]);
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
