/* Contestants that take turns: one turn of each in every round, so that a busy moment of the
 * machine falls on all of them alike. The first one is the base that the others are compared with.
 */
#pragma once

#include "measure.h"

struct contestant {
    const char *name;
    const char *what;  /* in words */
    /* Takes one turn: what is between its call and its return is measured. 0 or -errno. */
    int (*turn)(void *data);
    void *data;
    unsigned every;    /* takes part in each `every`-th round; 0 and 1: in all */
    unsigned each; /* turns in a round, of which the round's value is the median; 0 and 1: one */
};

struct contest_result {
    struct measure_summary time;  /* of the rounds' values, nanoseconds */
    double of_medians;            /* median here by median of the base */
    double of_pairs;              /* median of the ratios within a round */
    double low, high;             /* 10th and 90th percentile of those ratios */
};

/* Runs `rounds` rounds of the `count` contestants, after two that do not count, each in an order of
 * its own. `signals` as measure_interrupted(). 0, and results[i] belongs to
 * contestants[i]; or -errno after a line on stderr that names who failed. */
int contest_run(const struct contestant *contestants, size_t count, size_t rounds, int signals,
                struct contest_result *results);
