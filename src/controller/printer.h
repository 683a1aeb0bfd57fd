/* Prints what a process has written, as it comes: every byte as it is; or, on a terminal, such that
 * nothing in it can steer the terminal; or as JSON, one object a line. Or hands it on by lines. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/options.h"
#include "controller/output.h"

enum printer_kind { PRINTER_RAW, PRINTER_SAFE, PRINTER_JSON, PRINTER_LINES };

struct printer {
    enum printer_kind kind;
    struct output *output; /* borrowed */
    struct buffer held;    /* a line that has no end yet; SAFE: a part of a character */
    int (*line)(void *data, struct holden_view line); /* LINES: what becomes of each */
    void *data;            /* handed to it */
};

/* Chooses the kind: JSON where that is asked for, SAFE on a terminal unless --raw is given. */
void printer_open(struct printer *printer, struct output *output, const struct options *options);

/* Chooses LINES: each whole line, without its end, goes to `line`, which returns 0 or -errno. */
void printer_open_lines(struct printer *printer, struct output *output,
                        int (*line)(void *data, struct holden_view line), void *data);

/* Prints and writes out the next bytes. 0 or -errno. */
int printer_bytes(struct printer *printer, const char *bytes, size_t size);

/* Says that `count` bytes of the output of `name` are gone: {"missed":COUNT}, or a line on stderr.
 * 0 or -errno. */
int printer_missed(struct printer *printer, const char *name, uint64_t count);

/* Prints what is held, as nothing more comes, and frees it. 0 or -errno. */
int printer_close(struct printer *printer);
