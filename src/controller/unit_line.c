#include "controller/unit_line.h"

#include <errno.h>
#include <string.h>

#include "common/cleanup.h"
#include "protocol/json.h"

#define SPACE " \t\r\n"

/* systemd's own bound for one line with all its continuations. */
enum { LINE_MOST = 1 << 20 };

static bool is_space(char c) {
    return c && strchr(SPACE, c);
}

static struct holden_view strip(struct holden_view text) {
    while (text.size > 0 && is_space(text.data[text.size - 1]))
        text.size--;
    while (text.size > 0 && is_space(text.data[0]))
        text = (struct holden_view){text.data + 1, text.size - 1};
    return text;
}

/* The next line of the file, without its end. */
static struct holden_view take_line(struct unit_reader *reader) {
    const char *start = reader->text.data + reader->at;
    size_t left = reader->text.size - reader->at;
    const char *end = memchr(start, '\n', left);
    struct holden_view line = {start, end ? (size_t)(end - start) : left};
    reader->at += line.size + (end != NULL);
    reader->number++;
    if (line.size > 0 && line.data[line.size - 1] == '\r')
        line.size--;
    return line;
}

/* A backslash at the end counts unless another stands before it. */
static bool continues(struct holden_view text) {
    bool escaped = false;
    for (size_t i = 0; i < text.size; i++)
        escaped = !escaped && text.data[i] == '\\';
    return escaped;
}

static bool is_comment(struct holden_view line) {
    line = strip(line);
    return line.size == 0 || line.data[0] == '#' || line.data[0] == ';';
}

/* Gathers the lines up to one that does not go on. The backslash becomes a space; comments and
 * blank lines between are passed over, as systemd does. 1, or 0 at the end of the file. */
static int take_logical(struct unit_reader *reader, struct buffer *logical, unsigned *number) {
    bool begun = false;
    while (reader->at < reader->text.size) {
        struct holden_view line = take_line(reader);
        if (is_comment(line))
            continue;
        if (!begun)
            *number = reader->number;
        begun = true;
        if (buffer_append(logical, line.data, line.size) < 0)
            return -ENOMEM;
        struct holden_view all = {(const char *)buffer_bytes(logical), logical->size};
        if (all.size > LINE_MOST)
            return -E2BIG;
        if (!continues(line))
            return 1;
        buffer_bytes(logical)[all.size - 1] = ' ';
    }
    return begun ? 1 : 0;
}

static int refuse(struct unit_reader *reader, const char *wrong) {
    reader->wrong = wrong;
    return -EINVAL;
}

static int keep(struct unit_reader *reader, struct holden_view text, const char **copy) {
    *copy = arena_copy(reader->arena, text.data, text.size);
    return *copy ? 1 : -ENOMEM;
}

static int take_section(struct unit_reader *reader, struct holden_view text,
                        struct unit_line *line) {
    line->kind = UNIT_LINE_SECTION;
    line->value = NULL;
    if (text.size < 3 || text.data[text.size - 1] != ']')
        return refuse(reader, "expected [SECTION]");
    reader->in_section = true;
    return keep(reader, (struct holden_view){text.data + 1, text.size - 2}, &line->name);
}

static int take_assignment(struct unit_reader *reader, struct holden_view text,
                           struct unit_line *line) {
    const char *equals = memchr(text.data, '=', text.size);
    size_t size = equals ? (size_t)(equals - text.data) : 0;
    line->kind = UNIT_LINE_ASSIGNMENT;
    if (!equals)
        return refuse(reader, "expected NAME=VALUE or [SECTION]");
    if (!reader->in_section)
        return refuse(reader, "an assignment before the first [SECTION]");
    struct holden_view name = strip((struct holden_view){text.data, size});
    if (name.size == 0)
        return refuse(reader, "a name is missing before =");
    int r = keep(reader, name, &line->name);
    if (r < 0)
        return r;
    struct holden_view value = {equals + 1, text.size - size - 1};
    return keep(reader, strip(value), &line->value);
}

static void skip_mark(struct unit_reader *reader) {
    static const char mark[] = "\xef\xbb\xbf";
    size_t size = sizeof(mark) - 1;
    if (reader->at == 0 && reader->text.size >= size &&
        memcmp(reader->text.data, mark, size) == 0)
        reader->at = size;
}

int unit_line_next(struct unit_reader *reader, struct unit_line *line) {
    _cleanup_(buffer_free) struct buffer logical = {0};
    skip_mark(reader);
    line->number = reader->number + 1;
    int r = take_logical(reader, &logical, &line->number);
    if (r == -E2BIG)
        return refuse(reader, "longer than 1M");
    if (r <= 0)
        return r;
    struct holden_view text = {(const char *)buffer_bytes(&logical), logical.size};
    if (memchr(text.data, '\0', text.size))
        return refuse(reader, "holds a zero byte; not a text");
    if (!holden_json_is_utf8(text))
        return refuse(reader, "not UTF-8");
    text = strip(text);
    return text.data[0] == '[' ? take_section(reader, text, line)
                               : take_assignment(reader, text, line);
}
