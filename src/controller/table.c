#include "controller/table.h"

#include <string.h>

#include "common/unit.h"

void table_init(struct table *table, const struct table_column *columns, size_t count) {
    *table = (struct table){.columns = columns, .count = count};
    for (size_t i = 0; i < count; i++)
        table->widths[i] = (unsigned)strlen(columns[i].title);
}

void table_free(struct table *table) {
    buffer_free(&table->text);
    buffer_free(&table->cells);
}

static size_t row_size(const struct table *table) {
    return table->count * sizeof(struct table_cell);
}

/* Characters of UTF-8 text: bytes that do not continue another. */
static uint32_t width_of(const uint8_t *text, size_t size) {
    uint32_t width = 0;
    for (size_t i = 0; i < size; i++)
        width += (text[i] & 0xc0) != 0x80;
    return width;
}

void table_view(struct table *table, enum output_style style, struct holden_view text) {
    struct output escaped = {.buffer = table->text};
    struct table_cell cell = {.at = (uint32_t)table->text.size, .style = style};
    output_safe(&escaped, text);
    table->text = escaped.buffer;
    cell.size = (uint32_t)(table->text.size - cell.at);
    if (cell.size > 0)
        cell.width = width_of(buffer_bytes(&table->text) + cell.at, cell.size);
    size_t column = table->cells.size % row_size(table) / sizeof(cell);
    if (cell.width > table->widths[column])
        table->widths[column] = cell.width;
    int r = buffer_append(&table->cells, &cell, sizeof(cell));
    if (escaped.error < 0 || r < 0)
        table->error = escaped.error < 0 ? escaped.error : r;
}

void table_text(struct table *table, enum output_style style, const char *text) {
    table_view(table, style, holden_view(text));
}

void table_number(struct table *table, uint64_t number) {
    char digits[24];
    size_t at = sizeof(digits);
    do
        digits[--at] = (char)('0' + number % 10);
    while (number /= 10);
    table_view(table, OUTPUT_PLAIN, (struct holden_view){digits + at, sizeof(digits) - at});
}

void table_count(struct table *table, bool known, uint64_t number) {
    if (known)
        table_number(table, number);
    else
        table_text(table, OUTPUT_PLAIN, "-");
}

void table_size(struct table *table, bool known, uint64_t bytes) {
    char text[32];
    table_text(table, OUTPUT_PLAIN,
               known ? unit_format_size_short(bytes, text, sizeof(text)) : "-");
}

void table_time(struct table *table, bool known, uint64_t microseconds) {
    char text[64];
    table_text(table, OUTPUT_PLAIN,
               known ? unit_format_time_short(microseconds, text, sizeof(text)) : "-");
}

static void pad(struct output *output, unsigned count) {
    static const char spaces[] = "                                ";
    for (; count > sizeof(spaces) - 1; count -= (unsigned)sizeof(spaces) - 1)
        output_text(output, spaces);
    output_text(output, spaces + sizeof(spaces) - 1 - count);
}

/* How many bytes of a cell's text fit into `width` characters. */
static size_t fitting(const uint8_t *text, size_t size, unsigned width) {
    for (size_t i = 0; i < size; i++)
        if ((text[i] & 0xc0) != 0x80 && width-- == 0)
            return i;
    return size;
}

struct place {
    const struct table_column *column;
    unsigned width; /* to fill; for the last column the most that fits, or 0 for no bound */
    bool last;
};

static void print_cell(struct output *output, struct place place, enum output_style style,
                       const uint8_t *text, size_t size, unsigned width) {
    unsigned fill = place.width > width ? place.width - width : 0;
    if (place.column->right && !place.last)
        pad(output, fill);
    if (style != OUTPUT_PLAIN)
        output_style(output, style);
    if (place.last && place.width > 0)
        size = fitting(text, size, place.width);
    if (buffer_append(&output->buffer, text, size) < 0)
        output->error = -1;
    if (style != OUTPUT_PLAIN)
        output_style(output, OUTPUT_PLAIN);
    if (!place.last && !place.column->right)
        pad(output, fill);
    output_text(output, place.last ? "\n" : "  ");
}

static bool is_hidden(const struct table *table, size_t column) {
    return table->hidden >> column & 1;
}

/* Columns left of the last one, with the gaps between them. */
static unsigned left_width(const struct table *table) {
    unsigned width = 0;
    for (size_t i = 0; i + 1 < table->count; i++)
        width += is_hidden(table, i) ? 0 : table->widths[i] + 2;
    return width;
}

static struct place place_of(const struct table *table, const struct output *output,
                             size_t column) {
    struct place place = {&table->columns[column], table->widths[column],
                          column + 1 == table->count};
    if (place.last) {
        unsigned left = left_width(table);
        place.width = output->width > left + 8 ? output->width - left : 0;
    }
    return place;
}

void table_print(const struct table *table, struct output *output) {
    struct place places[TABLE_COLUMNS];
    for (size_t i = 0; i < table->count; i++) {
        const char *title = table->columns[i].title;
        places[i] = place_of(table, output, i);
        if (is_hidden(table, i))
            continue;
        print_cell(output, places[i], OUTPUT_BOLD, (const uint8_t *)title, strlen(title),
                   (unsigned)strlen(title));
    }
    const struct table_cell *cell = (const void *)table->cells.data;
    size_t count = table->count ? table->cells.size / sizeof(*cell) : 0;
    for (size_t i = 0; i < count; i++, cell++)
        if (!is_hidden(table, i % table->count))
            print_cell(output, places[i % table->count], cell->style, table->text.data + cell->at,
                   cell->size, cell->width);
    if (table->error < 0)
        output->error = table->error;
}
