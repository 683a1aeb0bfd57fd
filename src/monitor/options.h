/* The command line, read by one table. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "monitor/column.h"

struct options {
    const char *socket;   /* NULL unless given */
    uint64_t interval;    /* microseconds */
    enum column sort;
    bool reversed;        /* against the column's own direction */
    bool ended;           /* ended processes too */
    bool once, json, no_color, help, version;
};

/* Reads the command line. STATUS_DONE, or STATUS_USAGE after one line on stderr. */
int options_read(struct options *options, int count, char **words);

/* Prints the help of the command line, of the columns and of the keys to standard output. */
void options_help(void);
