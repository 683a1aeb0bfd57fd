/* The last ten minutes of one process, as averages over some seconds each. Whoever fills it says
 * when a value was true, so that values may come from samples or from an agent that kept them. */
#pragma once

#include <stdint.h>

/* What is kept of a process; amounts as in struct row_rates. */
enum metric {
    METRIC_CPU,       /* percent of one CPU */
    METRIC_THROTTLED, /* percent of the time */
    METRIC_MEMORY,    /* bytes */
    METRIC_IO,        /* bytes per second */
    METRIC_TASKS,
    METRIC_STALL,     /* percent of the time */
    METRICS,
};

/* A slot is what is averaged over. Values are kept with some three digits. */
#define HISTORY_SLOT UINT64_C(5000000) /* microseconds */
enum { HISTORY_SLOTS = 120, HISTORY_BLOCKS = 4 };

struct history {
    uint64_t last;                    /* the newest slot, counted from 1970; 0: nothing is kept */
    uint32_t told;                    /* so many values are averaged in it */
    uint16_t *blocks[HISTORY_BLOCKS]; /* made when they are needed; owned */
};

/* Takes what was true at `time` (microseconds since 1970), NAN for unknown. A time before the
 * newest slot fills its own slot if that is still kept and nothing is known of it. 0 or -ENOMEM. */
int history_put(struct history *history, uint64_t time, const double values[METRICS]);

/* The value in a slot, NAN where it is not known. */
double history_get(const struct history *history, uint64_t slot, enum metric metric);

/* Frees what is kept. */
void history_free(struct history *history);
