/* The text of a unit file, line by line, by the rules of systemd.syntax(7): comments, blank lines,
 * continuation by a backslash at the end. */
#pragma once

#include "common/arena.h"
#include "protocol/codec.h"

enum unit_line_kind { UNIT_LINE_SECTION, UNIT_LINE_ASSIGNMENT };

struct unit_line {
    enum unit_line_kind kind;
    unsigned number;     /* of the line that it begins on, from 1 */
    const char *name;    /* of the section, or of what is assigned; in the arena */
    const char *value;   /* in the arena; NULL for a section */
};

/* Start with {.text = …, .arena = …}. */
struct unit_reader {
    struct holden_view text;
    struct arena *arena;
    size_t at;           /* bytes read */
    unsigned number;     /* lines read */
    bool in_section;     /* a section has begun */
    const char *wrong;   /* after -EINVAL: what is wrong with the line; static */
};

/* Takes the next section or assignment. 1; 0 at the end; -EINVAL with reader->wrong, and the number
 * of the line in line->number; -ENOMEM. */
int unit_line_next(struct unit_reader *reader, struct unit_line *line);
