/* What a benchmark has found: figures in the order in which they were found, each with the target
 * that it has to meet, printed as a table or as JSON. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { FIGURES_MOST = 200 };

struct figure {
    char name[64];
    char note[160];      /* how it was measured, or what it is compared with */
    const char *unit;    /* "x" for a ratio; static */
    double value;
    double target;       /* at most this much, or at least with `at_least`; 0: none */
    bool at_least;
};

struct figures {
    struct figure list[FIGURES_MOST];
    size_t count;
};

/* Appends a figure; the name and the printf(3) note are copied. One past FIGURES_MOST is dropped.
 * The figure is returned for more to be set, never NULL. */
struct figure *figures_add(struct figures *figures, const char *name, double value,
                           const char *unit, double target, const char *note, ...)
    __attribute__((format(printf, 6, 7)));

/* Whether the figure has a target and misses it. */
bool figure_missed(const struct figure *figure);

/* Prints one line for the figure. */
void figure_print(const struct figure *figure, FILE *out);

/* Prints them as the JSON member "figures":[…]. */
void figures_print_json(const struct figures *figures, FILE *out);
