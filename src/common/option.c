#include "common/option.h"

#include <stdio.h>
#include <string.h>

static const struct option_row *find_long(const struct option_row *rows, size_t count,
                                          const char *name, size_t size) {
    for (size_t i = 0; i < count; i++)
        if (rows[i].name && strlen(rows[i].name) == size && strncmp(rows[i].name, name, size) == 0)
            return &rows[i];
    return NULL;
}

static const struct option_row *find_letter(const struct option_row *rows, size_t count,
                                            char letter) {
    for (size_t i = 0; i < count; i++)
        if (rows[i].letter && rows[i].letter == letter)
            return &rows[i];
    return NULL;
}

static int complain(const char *program, const char *argument, const char *wrong) {
    fprintf(stderr, "%s: option '%s': %s; see %s --help\n", program, argument, wrong, program);
    return -1;
}

/* Hands one value to its row. 0, or -1 after saying what is wrong. */
static int take(const struct option_row *row, const char *program, const char *argument,
                const char *value, void *into) {
    const char *wrong = row->take(into, value);
    return wrong ? complain(program, argument, wrong) : 0;
}

/* "--name", "--name=value", "--name value". Returns how many arguments it used, or -1. */
static int parse_long(const struct option_row *rows, size_t count, const char *program,
                      const char *argument, const char *next, void *into) {
    const char *name = argument + 2;
    size_t size = strcspn(name, "=");
    const struct option_row *row = find_long(rows, count, name, size);
    if (!row)
        return complain(program, argument, "unknown");
    if (!row->value)
        return name[size] ? complain(program, argument, "takes no value")
                          : take(row, program, argument, NULL, into) < 0 ? -1 : 1;
    if (name[size])
        return take(row, program, argument, name + size + 1, into) < 0 ? -1 : 1;
    if (!next)
        return complain(program, argument, "a value is missing");
    return take(row, program, argument, next, into) < 0 ? -1 : 2;
}

/* "-abc", "-nvalue", "-n value". Returns how many arguments it used, or -1. */
static int parse_letters(const struct option_row *rows, size_t count, const char *program,
                         const char *argument, const char *next, void *into) {
    for (const char *at = argument + 1; *at; at++) {
        const struct option_row *row = find_letter(rows, count, *at);
        if (!row)
            return complain(program, argument, "unknown");
        if (!row->value) {
            if (take(row, program, argument, NULL, into) < 0)
                return -1;
            continue;
        }
        if (at[1])
            return take(row, program, argument, at + 1, into) < 0 ? -1 : 1;
        if (!next)
            return complain(program, argument, "a value is missing");
        return take(row, program, argument, next, into) < 0 ? -1 : 2;
    }
    return 1;
}

int option_parse(const struct option_row *rows, size_t count, const char *program, int argc,
                 char *const *arguments, void *into) {
    int at = 1;
    while (at < argc) {
        const char *argument = arguments[at];
        const char *next = at + 1 < argc ? arguments[at + 1] : NULL;
        if (strcmp(argument, "--") == 0)
            return at + 1;
        if (argument[0] != '-' || argument[1] == '\0')
            return at;
        int used = argument[1] == '-' ? parse_long(rows, count, program, argument, next, into)
                                      : parse_letters(rows, count, program, argument, next, into);
        if (used < 0)
            return -1;
        at += used;
    }
    return at;
}

void option_help(const struct option_row *rows, size_t count) {
    for (size_t i = 0; i < count; i++) {
        char left[64];
        snprintf(left, sizeof(left), "%c%c%s%s%s%s%s", rows[i].letter ? '-' : ' ',
                 rows[i].letter ? rows[i].letter : ' ',
                 rows[i].letter && rows[i].name ? ", " : rows[i].name ? "  " : "",
                 rows[i].name ? "--" : "", rows[i].name ? rows[i].name : "",
                 rows[i].value ? " " : "", rows[i].value ? rows[i].value : "");
        printf("  %-28s %s\n", left, rows[i].doc);
    }
}
