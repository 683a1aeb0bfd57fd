/* Units as people write them, by systemd's rules: sizes, counts, times, percents, sets of CPUs. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* "infinity" everywhere. */
#define UNIT_INFINITY UINT64_MAX

/* Bytes: a number with an optional fraction and suffix B, K, M, G, T, P, E (powers of 1024), or
 * "infinity" (systemd.resource-control(5)). 0; -EINVAL for no such thing; -ERANGE above INT64_MAX.
 * */
int unit_parse_size(const char *text, uint64_t *bytes);

/* The same with powers of 1000, as IOReadBandwidthMax= and IOWriteBandwidthMax= count them. */
int unit_parse_bandwidth(const char *text, uint64_t *bytes);

/* A plain number without sign, or "infinity". 0, -EINVAL, -ERANGE. */
int unit_parse_count(const char *text, uint64_t *count);

/* A percentage with up to two digits after the point ("50%", "12.25%"), as hundredths of a percent;
 * more than 100% is allowed. 0; -EINVAL; -ERANGE. */
int unit_parse_percent(const char *text, uint64_t *hundredths);

/* A time span as systemd.time(7) has them ("1min 30s", "500ms", "2h", "infinity"); a bare number
 * counts in `bare` microseconds (1000000 for seconds). Result in microseconds. 0, -EINVAL, -ERANGE.
 * */
int unit_parse_time(const char *text, uint64_t bare, uint64_t *microseconds);

/* A list of CPUs ("0-3,5" or "0 1 2") as a bit mask, bit N of byte N / 8, in `mask` of `space`
 * bytes; *size is the number of bytes used. 0; -EINVAL; -ERANGE for a CPU beyond the space. */
int unit_parse_cpus(const char *text, uint8_t *mask, size_t space, size_t *size);

/* The opposites, into `text` of `space` bytes, always terminated; what does not fit is cut. They
 * return `text`. Sizes: "100M", "1.5G", exact bytes where no suffix divides them ("1234"). */
char *unit_format_size(uint64_t bytes, char *text, size_t space);
char *unit_format_bandwidth(uint64_t bytes, char *text, size_t space);
char *unit_format_time(uint64_t microseconds, char *text, size_t space);
char *unit_format_percent(uint64_t hundredths, char *text, size_t space);
char *unit_format_cpus(const uint8_t *mask, size_t size, char *text, size_t space);

/* For people who glance: three significant digits ("97.6M", "1.02G", "512B", "3.25s"), cut and not
 * rounded; times from a minute on as their two largest units ("2min 3s"). */
char *unit_format_size_short(uint64_t bytes, char *text, size_t space);
char *unit_format_time_short(uint64_t microseconds, char *text, size_t space);
