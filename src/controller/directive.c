#include "controller/directive.h"

#include <errno.h>
#include <fnmatch.h>
#include <string.h>
#include <strings.h>

#include "common/cleanup.h"
#include "protocol/property.h"

static const struct directive table[] = {
#define SECTION_UNIT .section = DIRECTIVE_UNIT
#define SECTION_INSTALL .section = DIRECTIVE_INSTALL
#define SECTION_SERVICE .section = DIRECTIVE_SERVICE
#define SECTION_SLICE .section = DIRECTIVE_SLICE
#define SECTION_RESOURCE .section = DIRECTIVE_SERVICE, .resource = true
#define DIRECTIVE(section_, name_, state_, inert_, why_)                                        \
    {.name = #name_, .inert = (inert_), .why = (why_), SECTION_##section_,                      \
     .state = DIRECTIVE_##state_},
#define ALIAS(section_, name_, of_)                                                             \
    {.name = #name_, .of = #of_, .inert = "", .why = "the old name of " #of_ "=",               \
     .section = DIRECTIVE_##section_, .state = DIRECTIVE_MOOT},
#include "controller/directives.def"
};

static const char *const section_names[DIRECTIVE_SECTIONS] = {
    [DIRECTIVE_UNIT] = "Unit", [DIRECTIVE_SERVICE] = "Service", [DIRECTIVE_INSTALL] = "Install",
    [DIRECTIVE_SLICE] = "Slice",
};

const char *directive_section_name(enum directive_section section) {
    return section_names[section];
}

int directive_section_find(const char *name, enum directive_section *section) {
    for (size_t i = 0; i < DIRECTIVE_SECTIONS; i++)
        if (strcmp(section_names[i], name) == 0) {
            *section = (enum directive_section)i;
            return 0;
        }
    return -ENOENT;
}

static void from_property(size_t index, struct directive *directive) {
    *directive = (struct directive){.name = holden_property(index)->name,
                                    .inert = "",
                                    .why = holden_property(index)->doc,
                                    .section = DIRECTIVE_SERVICE,
                                    .resource = holden_property_of_slice(index),
                                    .state = DIRECTIVE_PROPERTY,
                                    .property = index};
}

/* Properties first, then the rows of the table. */
static bool row_at(size_t number, struct directive *directive) {
    if (number < HOLDEN_PROPERTIES) {
        from_property(number, directive);
        return true;
    }
    number -= HOLDEN_PROPERTIES;
    if (number >= ARRAY_SIZE(table))
        return false;
    *directive = table[number];
    return true;
}

bool directive_at(size_t number, struct directive *directive) {
    const size_t rows = HOLDEN_PROPERTIES + ARRAY_SIZE(table);
    if (number < rows)
        return row_at(number, directive);
    number -= rows;
    for (size_t i = 0; i < rows; i++)
        if (row_at(i, directive) && directive->resource && number-- == 0) {
            directive->section = DIRECTIVE_SLICE;
            return true;
        }
    return false;
}

static const struct directive *find_row(enum directive_section section, const char *name) {
    for (size_t i = 0; i < ARRAY_SIZE(table); i++)
        if ((table[i].section == section || (section == DIRECTIVE_SLICE && table[i].resource)) &&
            strcmp(table[i].name, name) == 0)
            return &table[i];
    return NULL;
}

/* A directive that moved from [Service] to [Unit] is its own old name there. */
static int find_present(enum directive_section section, const char *name,
                        struct directive *directive) {
    size_t index;
    if (section == DIRECTIVE_SERVICE && holden_property_find(name, &index) == 0) {
        from_property(index, directive);
        return 0;
    }
    const struct directive *row = find_row(section, name);
    if (!row || row->of)
        row = find_row(DIRECTIVE_UNIT, name);
    if (!row || row->of)
        return -ENOENT;
    *directive = *row;
    return 0;
}

int directive_find(enum directive_section section, const char *name, struct directive *directive) {
    size_t index;
    const struct directive *row = find_row(section, name);
    if (row && row->of)
        return find_present(section, row->of, directive);
    if (row) {
        *directive = *row;
        directive->section = section;
        return 0;
    }
    if ((section != DIRECTIVE_SERVICE && section != DIRECTIVE_SLICE) ||
        holden_property_find(name, &index) < 0 ||
        (section == DIRECTIVE_SLICE && !holden_property_of_slice(index)))
        return -ENOENT;
    from_property(index, directive);
    directive->section = section;
    return 0;
}

int directive_boolean(const char *value, bool *yes) {
    static const char *const words[] = {"1", "yes", "y",  "true",  "t", "on",
                                        "0", "no",  "n", "false", "f", "off"};
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (strcasecmp(value, words[i]) == 0) {
            *yes = i < ARRAY_SIZE(words) / 2;
            return 0;
        }
    return -EINVAL;
}

static size_t take_word(const char **at, const char **word) {
    *at += strspn(*at, " \t");
    *word = *at;
    *at += strcspn(*at, " \t");
    return (size_t)(*at - *word);
}

static bool word_matches(const char *patterns, const char *word) {
    const char *pattern;
    bool yes;
    for (size_t size; (size = take_word(&patterns, &pattern)) > 0;) {
        char text[32] = "";
        memcpy(text, pattern, size < sizeof(text) ? size : sizeof(text) - 1);
        if (strcmp(text, "no") == 0 && directive_boolean(word, &yes) == 0 && !yes)
            return true;
        if (fnmatch(text, word, 0) == 0)
            return true;
    }
    return false;
}

bool directive_inert(const struct directive *directive, const char *value) {
    const char *word;
    for (size_t size; (size = take_word(&value, &word)) > 0;) {
        char text[256] = "";
        if (size >= sizeof(text))
            return false;
        memcpy(text, word, size);
        if (!word_matches(directive->inert, text))
            return false;
    }
    return true;
}

const char *directive_words(enum directive_state state) {
    static const char *const words[] = {
        [DIRECTIVE_PROPERTY] = "done",          [DIRECTIVE_DONE] = "done",
        [DIRECTIVE_MOOT] = "not meaningful here", [DIRECTIVE_WARN] = "not done: warned about",
        [DIRECTIVE_REFUSE] = "not done: refused",
    };
    return words[state];
}
