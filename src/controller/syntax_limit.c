/* Resource limits: SOFT:HARD, or one value for both (systemd.exec(5), LimitCPU= and on). */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/unit.h"
#include "controller/syntax.h"

#define SECOND UINT64_C(1000000)
enum { NICE_LIMIT_MOST = 40, NICE_ZERO = 20 };

typedef int read_value(const char *text, uint64_t *value);

static int read_microseconds(const char *text, uint64_t *value) {
    return unit_parse_time(text, 1, value);
}

/* RLIMIT_CPU counts whole seconds; part of one counts as one. */
static int read_seconds(const char *text, uint64_t *value) {
    uint64_t time;
    int r = unit_parse_time(text, SECOND, &time);
    if (r == 0)
        *value = time == UNIT_INFINITY ? time : (time + SECOND - 1) / SECOND;
    return r;
}

/* RLIMIT_NICE is 20 less the nice level; a number without sign is the raw limit. */
static int read_nice(const char *text, uint64_t *value) {
    uint64_t number;
    int r = unit_parse_count(text + (*text == '+' || *text == '-'), &number);
    if (r < 0)
        return r;
    if (strcmp(text, "infinity") == 0) {
        *value = UNIT_INFINITY;
        return 0;
    }
    if (*text == '+'   ? number >= NICE_ZERO
        : *text == '-' ? number > NICE_ZERO
                       : number > NICE_LIMIT_MOST)
        return -ERANGE;
    *value = *text == '+' ? NICE_ZERO - number : *text == '-' ? NICE_ZERO + number : number;
    return 0;
}

static int parse_limit(struct settings *settings, size_t index, const char *text,
                       read_value *read) {
    struct holden_resource_limit limit = {0};
    char soft[64];
    const char *hard = strchr(text, ':');
    size_t size = hard ? (size_t)(hard - text) : strlen(text);
    if (size >= sizeof(soft))
        return -EINVAL;
    memcpy(soft, text, size);
    soft[size] = '\0';
    int r = read(soft, &limit.soft);
    if (r == 0)
        r = read(hard ? hard + 1 : soft, &limit.hard);
    if (r < 0)
        return r;
    if (limit.soft > limit.hard)
        return settings_refuse(settings, "%s=%s: the soft limit is above the hard one",
                               holden_property(index)->name, text);
    HOLDEN_MARK(&limit, resource_limit, soft);
    HOLDEN_MARK(&limit, resource_limit, hard);
    struct holden_resource_limit *kept = arena_take(&settings->arena, sizeof(*kept));
    if (!kept)
        return -ENOMEM;
    *kept = limit;
    return settings_set(settings, index, &(struct holden_nested){.value = kept});
}

int syntax_parse_limit_time(struct settings *settings, size_t index, const char *value) {
    return parse_limit(settings, index, value, read_seconds);
}

int syntax_parse_limit_microseconds(struct settings *settings, size_t index, const char *value) {
    return parse_limit(settings, index, value, read_microseconds);
}

int syntax_parse_limit_size(struct settings *settings, size_t index, const char *value) {
    return parse_limit(settings, index, value, unit_parse_size);
}

int syntax_parse_limit_count(struct settings *settings, size_t index, const char *value) {
    return parse_limit(settings, index, value, unit_parse_count);
}

int syntax_parse_limit_nice(struct settings *settings, size_t index, const char *value) {
    return parse_limit(settings, index, value, read_nice);
}

typedef char *format_value(uint64_t value, char *text, size_t space);

static char *format_seconds(uint64_t value, char *text, size_t space) {
    return unit_format_time(value == UNIT_INFINITY ? value : value * SECOND, text, space);
}

static char *format_count(uint64_t value, char *text, size_t space) {
    return value == UNIT_INFINITY ? unit_format_size(value, text, space)
                                  : (snprintf(text, space, "%" PRIu64, value), text);
}

static int print_limit(const struct holden_nested *nested, format_value *format,
                       struct buffer *out) {
    struct holden_resource_limit decoded;
    const struct holden_resource_limit *limit =
        holden_nested_value(&holden_record_resource_limit, nested, &decoded);
    char soft[128];
    char hard[128];
    if (!limit)
        return 0;
    format(limit->soft, soft, sizeof(soft));
    format(limit->hard, hard, sizeof(hard));
    return limit->soft == limit->hard ? buffer_append(out, soft, strlen(soft))
                                      : buffer_printf(out, "%s:%s", soft, hard);
}

int syntax_print_limit_time(size_t index, const void *value, struct buffer *out) {
    (void)index;
    return print_limit(value, format_seconds, out);
}

int syntax_print_limit_microseconds(size_t index, const void *value, struct buffer *out) {
    (void)index;
    return print_limit(value, unit_format_time, out);
}

int syntax_print_limit_size(size_t index, const void *value, struct buffer *out) {
    (void)index;
    return print_limit(value, unit_format_size, out);
}

int syntax_print_limit_count(size_t index, const void *value, struct buffer *out) {
    (void)index;
    return print_limit(value, format_count, out);
}
