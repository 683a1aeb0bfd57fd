#include "monitor/outline.h"

#include <math.h>
#include <string.h>

enum { DEPTH_MOST = 16 };

static double plus(double sum, double number) {
    return isnan(sum) ? number : isnan(number) ? sum : sum + number;
}

static void count_in(struct view_heading *heading, const struct row *row) {
    bool known = HOLDEN_HAS(&row->usage, usage, memory);
    heading->count++;
    heading->cpu = plus(heading->cpu, row->rates.cpu);
    heading->memory = plus(heading->memory, known ? (double)row->usage.memory : (double)NAN);
}

/* The end of the part of a slice's name that is the name of a slice around it, after `from`; the
 * whole size where the slice itself comes next. */
static size_t next_part(const struct view *view, struct holden_view group, size_t from) {
    const char *dash = view->tree == VIEW_SLICES && from < group.size
                           ? memchr(group.data + from, '-', group.size - from) : NULL;
    return dash ? (size_t)(dash - group.data) : group.size;
}

/* How many headings go above a row of that group. */
static unsigned depth_of(const struct view *view, struct holden_view group) {
    unsigned depth = 0;
    size_t at = 0;
    while ((at = next_part(view, group, at)) < group.size) {
        at++;
        depth++;
    }
    return depth + 1;
}

/* The group that the heading at that depth stands for: a part of the row's. */
static struct holden_view part_of(const struct view *view, struct holden_view group,
                                  unsigned depth) {
    size_t at = next_part(view, group, 0);
    for (; depth > 0 && at < group.size; depth--)
        at = next_part(view, group, at + 1);
    return (struct holden_view){group.data, at};
}

static bool is_same(struct holden_view a, struct holden_view b) {
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

/* Puts the headings in from the last row to the first, so that rows move once only. `open` are the
 * headings of the row below, the outermost first. */
struct headings {
    struct view *view;
    struct view_heading open[DEPTH_MOST];
    unsigned depth;
    size_t to; /* the place of what was put last */
};

static void close_heading(struct headings *headings) {
    const struct view_heading *heading = &headings->open[--headings->depth];
    headings->view->entries[--headings->to] = (struct view_entry){
        .heading = *heading, .depth = heading->depth};
}

static void put_row(struct headings *headings, struct view_entry entry) {
    unsigned depth = depth_of(headings->view, entry.group);
    depth = depth < DEPTH_MOST ? depth : DEPTH_MOST;
    unsigned same = 0;
    while (same < depth && same < headings->depth &&
           is_same(headings->open[same].label, part_of(headings->view, entry.group, same)))
        same++;
    while (headings->depth > same)
        close_heading(headings);
    for (; headings->depth < depth; headings->depth++)
        headings->open[headings->depth] = (struct view_heading){
            .label = part_of(headings->view, entry.group, headings->depth),
            .depth = headings->depth, .cpu = NAN, .memory = NAN};
    for (unsigned i = 0; i < depth; i++)
        count_in(&headings->open[i], entry.row);
    entry.depth = depth;
    headings->view->entries[--headings->to] = entry;
}

/* Those that the row before does not share. */
size_t outline_count(const struct view *view) {
    size_t count = 0;
    struct holden_view before = {NULL, 0};
    for (size_t i = 0; i < view->count; i++) {
        struct holden_view group = view->entries[i].group;
        unsigned depth = depth_of(view, group);
        unsigned had = i > 0 ? depth_of(view, before) : 0;
        unsigned same = 0;
        depth = depth < DEPTH_MOST ? depth : DEPTH_MOST;
        while (same < depth && same < had &&
               is_same(part_of(view, before, same), part_of(view, group, same)))
            same++;
        count += depth - same;
        before = group;
    }
    return count;
}

void outline_insert(struct view *view) {
    size_t rows = view->count;
    size_t all = rows + outline_count(view);
    struct headings headings = {.view = view, .to = all};
    for (size_t i = rows; i-- > 0;)
        put_row(&headings, view->entries[i]);
    while (headings.depth > 0)
        close_heading(&headings);
    view->count = all;
}
