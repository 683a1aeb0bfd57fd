/* The options of the command line, read into one struct by the table in options.def. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/option.h"
#include "protocol/client.h"

enum option_index {
#define OPTION(row, letter, name, value, doc) OPTION_##row,
#include "controller/options.def"
    OPTION_COUNT
};

/* A set of options: bit N for option N. */
#define OPTION_BIT(row) (UINT64_C(1) << OPTION_##row)
#define OPTIONS_GLOBAL                                                                             \
    (OPTION_BIT(SOCKET) | OPTION_BIT(JSON) | OPTION_BIT(NO_COLOR) | OPTION_BIT(HELP))

/* What was given; texts belong to the command line. */
struct options {
    const char *socket;      /* NULL unless given */
    const char *name;        /* NULL unless given */
    const char *output;      /* NULL unless given */
    const char *textfile;    /* NULL unless given */
    const char *merge;       /* NULL unless given */
    const char **properties; /* in their order; owned, allocated by the first */
    size_t property_count;
    uint64_t lines;          /* valid with has_lines */
    uint64_t since;          /* valid with has_since */
    uint64_t timeout;        /* microseconds; valid with has_timeout */
    uint64_t ago, step;      /* microseconds; 0 unless given */
    uint64_t duration;       /* microseconds; 0 unless given */
    uint64_t threshold;      /* 0 to 100; valid with has_threshold */
    uint32_t signal;         /* 0 unless given */
    bool json, no_color, help, version;
    bool wait, terminal, ended, usage, follow, raw, every, dry_run, strict, directives, sandboxes;
    bool engine, capabilities;
    bool has_lines, has_since, has_timeout, has_threshold;
};

/* Adds a setting, as another -p does. The text stays the caller's. 0 or -ENOMEM. */
int options_add_property(struct options *options, const char *text);

/* Frees what the options own. */
void options_free(struct options *options);

/* Copies the rows of a set into `rows`, which has space for OPTION_COUNT. Returns how many. */
size_t options_rows(uint64_t set, struct option_row *rows);
