/* What every benchmark here shares: a clock, a series of durations, its summary, and a way to stop
 * early without leaving anything behind. Durations are nanoseconds throughout. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct measure_series {
    uint64_t *values;
    size_t count;
    size_t capacity;
};

struct measure_summary {
    size_t count;
    uint64_t min;
    uint64_t median;
    uint64_t p90;
};

/* The monotonic clock in nanoseconds (clock_gettime(2)). Cannot fail. */
uint64_t measure_now(void);

/* The processor time of the calling thread in nanoseconds. Cannot fail. */
uint64_t measure_cpu_now(void);

/* Makes an empty series for up to `capacity` values. 0, or -ENOMEM. The caller frees it with
 * measure_series_free(). */
int measure_series_init(size_t capacity, struct measure_series *series);

/* Frees what measure_series_init() made; a zeroed series is fine too. */
void measure_series_free(struct measure_series *series);

/* Appends one duration. 0, or -ENOSPC when the series is full. */
int measure_series_add(struct measure_series *series, uint64_t value);

/* Sorts the series and reads minimum, median and 90th percentile (nearest rank) from it; all zero
 * for an empty series. */
void measure_summarise(struct measure_series *series, struct measure_summary *summary);

/* Ratio of two durations, 0 when the second is 0. */
double measure_ratio(uint64_t value, uint64_t base);

/* Writes `"count":…,"min":…,"median":…,"p90":…` (no braces, nanoseconds) to `out`. */
void measure_write_json(FILE *out, const struct measure_summary *summary);

/* Writes minimum, median and p90 in microseconds as three right-aligned columns to `out`. */
void measure_write_columns(FILE *out, const struct measure_summary *summary);

/* Writes the kind of machine as JSON members: `"kernel":…,"cores":…` (no braces). */
void measure_write_machine_json(FILE *out);

/* Writes the kind of machine as one line of text. */
void measure_write_machine(FILE *out);

/* From here on SIGINT, SIGTERM and SIGHUP only make measure_interrupted() true, so that a benchmark
 * ends between two steps and cleans up; SIGPIPE is ignored. Success: 0 and in `*fd` a signalfd(2)
 * that the caller closes. Failure: -errno. Processes started later inherit the blocked signals. */
int measure_signals_open(int *fd);

/* Whether somebody asked the benchmark to end. `fd` is from measure_signals_open(). */
bool measure_interrupted(int fd);

/* Reads a count of 1..`limit` from `text`. 0, or -EINVAL, or -ERANGE. */
int measure_parse_count(const char *text, size_t limit, size_t *count);
