/* The command line, read by one table. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "monitor/column.h"
#include "monitor/fleet.h"

struct options {
    const char *sockets[FLEET_MOST]; /* of the agents; the default where none is given */
    size_t count;
    uint64_t interval;    /* microseconds */
    enum column sort;
    bool reversed;        /* against the column's own direction */
    bool ended;           /* ended processes too */
    const char *record;   /* a file to write all that is told to, or NULL */
    const char *replay;   /* a recording to show in place of agents, or NULL */
    uint64_t at;          /* where it begins, microseconds from its start; U64_MAX: not given */
    double speed;         /* of it */
    bool paused;
    bool once, json, csv, lines, no_color, help, version;
};

/* Reads the command line. STATUS_DONE, or STATUS_USAGE after one line on stderr. */
int options_read(struct options *options, int count, char **words);

/* Whether something is to be printed in place of the screen. */
bool options_are_plain(const struct options *options);

/* Prints the help of the command line, of the columns and of the keys to standard output. */
void options_help(void);
