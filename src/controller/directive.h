/* The vocabulary of unit files: every directive of systemd's, from directives.def and, for those
 * that are properties, from properties.def. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum directive_section {
    DIRECTIVE_UNIT,
    DIRECTIVE_SERVICE,
    DIRECTIVE_INSTALL,
    DIRECTIVE_SLICE,  /* mostly what is in [Service] too: the rows of resources */
    DIRECTIVE_SECTIONS
};

enum directive_state {
    DIRECTIVE_PROPERTY, /* done: a row of properties.def */
    DIRECTIVE_DONE,     /* done: the controller reads it */
    DIRECTIVE_MOOT,     /* not meaningful here */
    DIRECTIVE_WARN,     /* not done, and told */
    DIRECTIVE_REFUSE,   /* not done, and the file is refused */
};

struct directive {
    const char *name;
    const char *of;      /* the directive that it is an old name of, or NULL */
    const char *inert;   /* patterns of values that ask for nothing */
    const char *why;     /* why it is not done, or what it does */
    enum directive_section section;
    bool resource;       /* it may stand in [Slice] as well */
    enum directive_state state;
    size_t property;     /* for DIRECTIVE_PROPERTY: its index */
};

/* "Unit", "Service", "Install", "Slice". Static. */
const char *directive_section_name(enum directive_section section);

/* The section of that name. 0 or -ENOENT. */
int directive_section_find(const char *name, enum directive_section *section);

/* The directives, those that are properties first: fills *directive by its number. False past the
 * last.
 * */
bool directive_at(size_t number, struct directive *directive);

/* The directive of a section. Old names lead to what they stand for: directive->name is then the
 * present one, and `of` NULL. 0 or -ENOENT. */
int directive_find(enum directive_section section, const char *name, struct directive *directive);

/* Whether a value asks for nothing, so that it makes no difference that the directive is not done.
 */
bool directive_inert(const struct directive *directive, const char *value);

/* "yes", "no" and their like (systemd.syntax(7)). 0 or -EINVAL. */
int directive_boolean(const char *value, bool *yes);

/* The state in words, for people: "done", "not meaningful here", "not done: warned", "not done:
 * refused". Static. */
const char *directive_words(enum directive_state state);
