/* Settings that are one number. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/unit.h"
#include "controller/signal_name.h"
#include "controller/syntax.h"
#include "protocol/call_set.h"

#define SECOND UINT64_C(1000000)
enum { ERRNO_NAMED = 200 };

/* Stores a number that lies within the bounds of its row. Infinity does where nothing bounds it. */
static int set_within(struct settings *settings, size_t index, uint64_t number) {
    const struct holden_property *property = holden_property(index);
    if (number == UNIT_INFINITY ? property->maximum != INT64_MAX
                                : number > (uint64_t)property->maximum ||
                                      (int64_t)number < property->minimum)
        return -ERANGE;
    if (holden_record_properties.fields[index].type == HOLDEN_TYPE_U64)
        return settings_set(settings, index, &number);
    uint32_t narrow = (uint32_t)number;
    return settings_set(settings, index, &narrow);
}

/* A percentage of what the machine has, or a file system; only the kernel's own limits know what
 * that is. */
static int set_share(struct settings *settings, size_t index, const char *value) {
    uint64_t hundredths;
    if (holden_property(index)->home != HOLDEN_HOME_CGROUP &&
        holden_property(index)->syntax != HOLDEN_SYNTAX_DISK_QUOTA)
        return settings_refuse(settings, "%s=%s: a percentage means nothing here",
                               holden_property(index)->name, value);
    int r = unit_parse_percent(value, &hundredths);
    if (r == 0 && hundredths > 10000)
        r = -ERANGE;
    if (r == -ERANGE)
        return settings_refuse(settings, "%s=%s: out of range: 0%% to 100%%",
                               holden_property(index)->name, value);
    uint64_t share = HOLDEN_SHARE_BIT | (r == 0 ? hundredths : 0);
    return r < 0 ? r : settings_set(settings, index, &share);
}

static bool is_percent(const char *value) {
    size_t size = strlen(value);
    return size > 0 && value[size - 1] == '%';
}

int syntax_parse_size(struct settings *settings, size_t index, const char *value) {
    uint64_t size;
    if (is_percent(value))
        return set_share(settings, index, value);
    int r = unit_parse_size(value, &size);
    return r < 0 ? r : set_within(settings, index, size);
}

int syntax_parse_disk_quota(struct settings *settings, size_t index, const char *value) {
    bool on;
    if (syntax_read_boolean(value, &on) < 0 || on || strcmp(value, "0") == 0)
        return syntax_parse_size(settings, index, value);
    return settings_set(settings, index, &(uint64_t){UNIT_INFINITY});
}

int syntax_parse_count(struct settings *settings, size_t index, const char *value) {
    uint64_t count;
    if (is_percent(value))
        return set_share(settings, index, value);
    int r = unit_parse_count(value, &count);
    return r < 0 ? r : set_within(settings, index, count);
}

/* On the wire: microseconds of CPU time per second, so 1% is 10000. */
int syntax_parse_quota(struct settings *settings, size_t index, const char *value) {
    uint64_t hundredths = UNIT_INFINITY;
    int r = strcmp(value, "infinity") == 0 ? 0 : unit_parse_percent(value, &hundredths);
    if (r < 0 || hundredths == UNIT_INFINITY)
        return r < 0 ? r : set_within(settings, index, hundredths);
    return hundredths > INT64_MAX / 100 ? -ERANGE : set_within(settings, index, hundredths * 100);
}

/* TimeoutStopSec=0 has always meant no timeout to systemd. */
int syntax_parse_time(struct settings *settings, size_t index, const char *value) {
    uint64_t time;
    int r = unit_parse_time(value, SECOND, &time);
    if (r == 0 && time == 0 && (index == HOLDEN_INDEX(properties, timeout_stop) ||
                                index == HOLDEN_INDEX(properties, timeout_start)))
        time = UNIT_INFINITY;
    return r < 0 ? r : set_within(settings, index, time);
}

/* A number by itself, or followed by ns, is nanoseconds; every other unit is that of a time. */
int syntax_parse_nanoseconds(struct settings *settings, size_t index, const char *value) {
    uint64_t time;
    char digits[24];
    size_t size = strspn(value, "0123456789");
    bool plain = size > 0 && size < sizeof(digits) &&
                 (!value[size] || strcmp(value + size, "ns") == 0 ||
                  strcmp(value + size, "nsec") == 0);
    if (plain) {
        memcpy(digits, value, size);
        digits[size] = '\0';
    }
    int r = plain ? unit_parse_count(digits, &time) : unit_parse_time(value, 1, &time);
    if (r == 0 && !plain && time > INT64_MAX / 1000)
        return -ERANGE;
    return r < 0 ? r : set_within(settings, index, plain ? time : time * 1000);
}

int syntax_parse_weight(struct settings *settings, size_t index, const char *value) {
    uint64_t weight;
    int r = unit_parse_count(value, &weight);
    if (r == 0 && (weight < 1 || weight > 10000))
        return -ERANGE;
    return r < 0 ? r : settings_set(settings, index, &weight);
}

int syntax_parse_weight_or_idle(struct settings *settings, size_t index, const char *value) {
    uint64_t idle = 0;
    return strcmp(value, "idle") == 0 ? settings_set(settings, index, &idle)
                                      : syntax_parse_weight(settings, index, value);
}

int syntax_parse_integer(struct settings *settings, size_t index, const char *value) {
    const struct holden_property *property = holden_property(index);
    char *end;
    if (!isdigit((unsigned char)value[value[0] == '-' || value[0] == '+']))
        return -EINVAL;
    errno = 0;
    int64_t number = strtoll(value, &end, 10);
    if (*end)
        return -EINVAL;
    if (errno == ERANGE || number < property->minimum || number > property->maximum)
        return -ERANGE;
    return settings_set(settings, index, &number);
}

int syntax_read_boolean(const char *value, bool *truth) {
    static const char *const words[2][6] = {
        {"0", "no", "n", "false", "f", "off"}, {"1", "yes", "y", "true", "t", "on"},
    };
    for (size_t which = 0; which < 2; which++)
        for (size_t i = 0; i < ARRAY_SIZE(words[0]); i++)
            if (strcasecmp(value, words[which][i]) == 0) {
                *truth = which;
                return 0;
            }
    return -EINVAL;
}

int syntax_parse_boolean(struct settings *settings, size_t index, const char *value) {
    bool truth;
    int r = syntax_read_boolean(value, &truth);
    return r < 0 ? r : settings_set(settings, index, &truth);
}

int syntax_parse_mode(struct settings *settings, size_t index, const char *value) {
    char *end;
    if (!isdigit((unsigned char)*value))
        return -EINVAL;
    errno = 0;
    unsigned long mode = strtoul(value, &end, 8);
    if (*end)
        return -EINVAL;
    return errno == ERANGE || mode > INT64_MAX ? -ERANGE : set_within(settings, index, mode);
}

int syntax_parse_signal(struct settings *settings, size_t index, const char *value) {
    uint32_t number;
    int r = signal_parse(value, &number);
    return r < 0 ? r : set_within(settings, index, number);
}

int syntax_error_number(const char *text, uint32_t *number) {
    uint64_t value;
    if (strcmp(text, "kill") == 0) {
        *number = HOLDEN_CALL_KILL;
        return 0;
    }
    if (unit_parse_count(text, &value) == 0) {
        if (value > HOLDEN_CALL_ERROR_MOST)
            return -ERANGE;
        *number = (uint32_t)value;
        return 0;
    }
    for (int i = 1; i < ERRNO_NAMED; i++) {
        const char *name = strerrorname_np(i);
        if (!name || strcmp(name, text) != 0)
            continue;
        *number = (uint32_t)i;
        return 0;
    }
    return -EINVAL;
}

int syntax_parse_errno(struct settings *settings, size_t index, const char *value) {
    uint32_t number;
    int r = syntax_error_number(value, &number);
    if (r < 0)
        return r;
    if (number == 0)
        return -ERANGE;
    return set_within(settings, index, number == HOLDEN_CALL_KILL ? 0 : number);
}

/* Where "yes" and "no" are among the words, every other way to write a boolean is too. */
int syntax_parse_word(struct settings *settings, size_t index, const char *value) {
    const struct holden_enum *words = holden_record_properties.fields[index].enumeration;
    uint32_t number;
    bool truth;
    if (holden_number(words, value, &number) == 0 ||
        (syntax_read_boolean(value, &truth) == 0 &&
         holden_number(words, truth ? "yes" : "no", &number) == 0))
        return settings_set(settings, index, &number);
    char list[160];
    return settings_refuse(settings, "%s=%.100s: expected one of %s", holden_property(index)->name,
                           value, syntax_bounds(index, list, sizeof(list)));
}

static int print_text(struct buffer *out, const char *text) {
    return buffer_append(out, text, strlen(text));
}

static int print_share(uint64_t share, struct buffer *out) {
    char text[32];
    return print_text(out, unit_format_percent(share & ~HOLDEN_SHARE_BIT, text, sizeof(text)));
}

int syntax_print_size(size_t index, const void *value, struct buffer *out) {
    char text[32];
    uint64_t size = *(const uint64_t *)value;
    (void)index;
    return holden_is_share(size) ? print_share(size, out)
                                 : print_text(out, unit_format_size(size, text, sizeof(text)));
}

int syntax_print_count(size_t index, const void *value, struct buffer *out) {
    uint64_t count = *(const uint64_t *)value;
    (void)index;
    if (count == UNIT_INFINITY)
        return print_text(out, "infinity");
    return holden_is_share(count) ? print_share(count, out) : buffer_printf(out, "%" PRIu64, count);
}

int syntax_print_quota(size_t index, const void *value, struct buffer *out) {
    char text[32];
    uint64_t quota = *(const uint64_t *)value;
    (void)index;
    return print_text(out, quota == UNIT_INFINITY
                               ? "infinity"
                               : unit_format_percent(quota / 100, text, sizeof(text)));
}

int syntax_print_time(size_t index, const void *value, struct buffer *out) {
    char text[128];
    (void)index;
    return print_text(out, unit_format_time(*(const uint64_t *)value, text, sizeof(text)));
}

int syntax_print_nanoseconds(size_t index, const void *value, struct buffer *out) {
    char text[64];
    uint64_t time = *(const uint64_t *)value;
    (void)index;
    if (time % 1000 != 0)
        return buffer_printf(out, "%" PRIu64 "ns", time);
    return print_text(out, unit_format_time(time / 1000, text, sizeof(text)));
}

int syntax_print_weight(size_t index, const void *value, struct buffer *out) {
    uint64_t weight = *(const uint64_t *)value;
    (void)index;
    return weight == 0 ? print_text(out, "idle") : buffer_printf(out, "%" PRIu64, weight);
}

int syntax_print_integer(size_t index, const void *value, struct buffer *out) {
    (void)index;
    return buffer_printf(out, "%" PRId64, *(const int64_t *)value);
}

int syntax_print_boolean(size_t index, const void *value, struct buffer *out) {
    (void)index;
    return print_text(out, *(const bool *)value ? "yes" : "no");
}

int syntax_print_mode(size_t index, const void *value, struct buffer *out) {
    (void)index;
    return buffer_printf(out, "%04o", *(const uint32_t *)value);
}

int syntax_print_signal(size_t index, const void *value, struct buffer *out) {
    char text[32];
    (void)index;
    return print_text(out, signal_print(*(const uint32_t *)value, text, sizeof(text)));
}

int syntax_print_errno(size_t index, const void *value, struct buffer *out) {
    uint32_t number = *(const uint32_t *)value;
    const char *name = number > 0 && number < ERRNO_NAMED ? strerrorname_np((int)number) : NULL;
    (void)index;
    if (number == 0)
        return print_text(out, "kill");
    return name ? print_text(out, name) : buffer_printf(out, "%u", number);
}

int syntax_print_word(size_t index, const void *value, struct buffer *out) {
    const char *word = holden_word(holden_record_properties.fields[index].enumeration,
                                   *(const uint32_t *)value);
    return print_text(out, word ? word : "?");
}
