#include "monitor/layout.h"

#include <string.h>

#include "monitor/text.h"

enum { NAME_LEAST = 12, COMMAND_MOST = 4096 };

void layout_measure(struct layout *layout, const struct column_context *context,
                    const struct view_entry *entries, size_t count) {
    for (enum column which = 0; which < COLUMNS_COUNT; which++) {
        const struct column_row *row = column(which);
        unsigned *wanted = &layout->wanted[which];
        unsigned most = row->most < COMMAND_MOST ? row->most : COMMAND_MOST;
        if (*wanted < row->least)
            *wanted = row->least;
        for (size_t i = 0; i < count && *wanted < most; i++) {
            char scratch[COLUMN_SCRATCH];
            if (!entries[i].row)
                continue;
            unsigned width =
                text_width(row->cell(context, entries[i].row, scratch), most, context->utf8);
            if (*wanted < width)
                *wanted = width;
        }
    }
}

static unsigned total(const struct layout *layout) {
    unsigned sum = 0;
    for (unsigned i = 0; i < COLUMNS_COUNT; i++)
        if (layout->widths[i])
            sum += layout->widths[i] + (sum ? 1 : 0);
    return sum;
}

/* The shown column that matters least. */
static enum column least(const struct layout *layout) {
    enum column found = COLUMN_NAME;
    for (enum column which = 0; which < COLUMNS_COUNT; which++)
        if (layout->widths[which] && column(which)->rank < column(found)->rank)
            found = which;
    return found;
}

static void shrink(struct layout *layout, enum column which, unsigned width, unsigned floor) {
    unsigned sum = total(layout);
    unsigned surplus = sum > width ? sum - width : 0;
    unsigned have = layout->widths[which];
    if (have > floor)
        layout->widths[which] = have - floor > surplus ? have - surplus : floor;
}

/* Leaves out columns up to a rank until the others fit. */
static void leave_out(struct layout *layout, unsigned width, unsigned rank) {
    while (total(layout) > width && column(least(layout))->rank <= rank)
        layout->widths[least(layout)] = 0;
}

static void grow(struct layout *layout, enum column which, unsigned width, unsigned most) {
    unsigned sum = total(layout);
    unsigned spare = sum < width ? width - sum : 0;
    unsigned *have = &layout->widths[which];
    if (*have && *have < most)
        *have = most - *have < spare ? most : *have + spare;
}

/* The command and the bar go first, then names give way as far as they stay readable, then the
 * other columns go; what is left over goes back to the names and then to the command. */
void layout_fit(struct layout *layout, unsigned width) {
    memcpy(layout->widths, layout->wanted, sizeof(layout->widths));
    if (width == 0) {
        for (enum column which = 0; which < COLUMNS_COUNT; which++)
            if (column(which)->screen)
                layout->widths[which] = 0;
        return;
    }
    layout->widths[COLUMN_COMMAND] = column(COLUMN_COMMAND)->least;
    leave_out(layout, width, column(COLUMN_COMMAND)->rank);
    shrink(layout, COLUMN_NAME, width, NAME_LEAST);
    leave_out(layout, width, column(COLUMN_NAME)->rank - 1);
    shrink(layout, COLUMN_NAME, width, 1);
    grow(layout, COLUMN_NAME, width, layout->wanted[COLUMN_NAME]);
    grow(layout, COLUMN_COMMAND, width, UINT32_MAX);
}

/* Lines the text up in `width` columns. */
static void align(struct holden_view content, bool left, unsigned width, bool utf8, char *text) {
    unsigned used = text_fit(content, width, utf8, text, LAYOUT_CELL);
    size_t size = strlen(text);
    size_t spaces = width - used;
    if (size + spaces >= LAYOUT_CELL)
        return;
    if (!left)
        memmove(text + spaces, text, size);
    memset(left ? text + size : text, ' ', spaces);
    text[size + spaces] = '\0';
}

void layout_title(const struct layout *layout, enum column which, char text[LAYOUT_CELL]) {
    const struct column_row *row = column(which);
    align(holden_view(row->title), row->left, layout->widths[which], false, text);
}

void layout_cell(const struct layout *layout, enum column which,
                 const struct column_context *context, const struct row *row,
                 char text[LAYOUT_CELL]) {
    char scratch[COLUMN_SCRATCH];
    struct holden_view content = column(which)->cell(context, row, scratch);
    align(content, column(which)->left, layout->widths[which], context->utf8, text);
}
