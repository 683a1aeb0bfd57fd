/* What processes did over a time, sample by sample: what a report is made of. */
#pragma once

#include "monitor/fleet.h"
#include "monitor/user.h"

/* One sample of one process. */
struct series_point {
    uint64_t time;              /* microseconds since 1970 */
    double values[METRICS];     /* history.h */
};

/* One process. */
struct series {
    uint64_t key;               /* row_key() */
    unsigned agent;
    uint64_t id;
    char name[65];
    char command[256];
    char user[64];
    uint32_t state;             /* the last that was told */
    bool frozen;
    uint64_t memory_limit, tasks_limit; /* U64_MAX: none */
    uint64_t cpu;               /* microseconds used in all */
    uint64_t memory_peak;       /* bytes */
    struct series_point *points; /* owned */
    size_t count, space;
};

struct series_list {
    struct series **series;     /* sorted by key; owned */
    size_t count, space;
};

/* A process has at most so many points: of more, each second one is dropped. */
enum { SERIES_POINTS = 4096 };

/* Takes the sample that the feed has just been told, of the processes whose names are among these
 * (`count` 0: of all). 0 or -ENOMEM. */
int series_take(struct series_list *list, const struct feed *feed, const char *const *names,
                size_t count, struct users *users);

/* Frees all. */
void series_free(struct series_list *list);
