#include "common/unit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool is_space(char c) {
    return c == ' ' || c == '\t';
}

/* A number as written: the whole part, and the fraction as digits over a power of ten. */
struct decimal {
    uint64_t whole;
    uint64_t fraction;
    uint64_t scale; /* 1 where there is no fraction */
};

/* Reads digits, and a fraction where one follows; *at moves behind them. Digits of the fraction
 * beyond the ninth cannot matter and are skipped. */
static int take_decimal(const char **at, struct decimal *number) {
    struct decimal read = {.scale = 1};
    if (!is_digit(**at))
        return -EINVAL;
    for (; is_digit(**at); ++*at)
        if (__builtin_mul_overflow(read.whole, 10, &read.whole) ||
            __builtin_add_overflow(read.whole, (uint64_t)(**at - '0'), &read.whole))
            return -ERANGE;
    if (**at == '.') {
        ++*at;
        if (!is_digit(**at))
            return -EINVAL;
        for (; is_digit(**at); ++*at)
            if (read.scale < UINT64_C(1000000000)) {
                read.fraction = read.fraction * 10 + (uint64_t)(**at - '0');
                read.scale *= 10;
            }
    }
    *number = read;
    return 0;
}

/* number × unit, cut to an integer, at most INT64_MAX. */
static int multiply(const struct decimal *number, uint64_t unit, uint64_t *product) {
    uint64_t whole;
    if (__builtin_mul_overflow(number->whole, unit, &whole))
        return -ERANGE;
    unsigned __int128 part = (unsigned __int128)number->fraction * unit / number->scale;
    if (__builtin_add_overflow(whole, (uint64_t)part, &whole) || whole > INT64_MAX)
        return -ERANGE;
    *product = whole;
    return 0;
}

static const char size_suffixes[] = "BKMGTPE";

static int parse_scaled(const char *text, uint64_t base, uint64_t *bytes) {
    if (strcmp(text, "infinity") == 0) {
        *bytes = UNIT_INFINITY;
        return 0;
    }
    struct decimal number;
    int r = take_decimal(&text, &number);
    if (r < 0)
        return r;
    const char *suffix = *text ? strchr(size_suffixes, *text) : size_suffixes;
    if (!suffix || (*text && text[1]))
        return -EINVAL;
    uint64_t unit = 1;
    for (; suffix > size_suffixes; suffix--)
        unit *= base;
    return multiply(&number, unit, bytes);
}

int unit_parse_size(const char *text, uint64_t *bytes) {
    return parse_scaled(text, 1024, bytes);
}

int unit_parse_bandwidth(const char *text, uint64_t *bytes) {
    return parse_scaled(text, 1000, bytes);
}

int unit_parse_count(const char *text, uint64_t *count) {
    if (strcmp(text, "infinity") == 0) {
        *count = UNIT_INFINITY;
        return 0;
    }
    struct decimal number;
    const char *end = text;
    int r = take_decimal(&end, &number);
    if (r < 0)
        return r;
    if (*end || number.scale > 1)
        return -EINVAL;
    *count = number.whole;
    return number.whole > INT64_MAX ? -ERANGE : 0;
}

int unit_parse_percent(const char *text, uint64_t *hundredths) {
    struct decimal number;
    int r = take_decimal(&text, &number);
    if (r < 0)
        return r;
    if (strcmp(text, "%") != 0 || number.scale > 100)
        return -EINVAL;
    return multiply(&number, 100, hundredths);
}

/* Names of the units of systemd.time(7), in microseconds; the first name of a row is what is
 * printed. A month is 30.44 days and a year 365.25 days, as there. */
static const struct {
    uint64_t unit;
    const char *names[4];
    bool printed;
} time_units[] = {
    {UINT64_C(31557600000000), {"y", "year", "years"}, false},
    {UINT64_C(2629800000000), {"M", "month", "months"}, false},
    {UINT64_C(604800000000), {"w", "week", "weeks"}, true},
    {UINT64_C(86400000000), {"d", "day", "days"}, true},
    {UINT64_C(3600000000), {"h", "hr", "hour", "hours"}, true},
    {UINT64_C(60000000), {"min", "m", "minute", "minutes"}, true},
    {UINT64_C(1000000), {"s", "sec", "second", "seconds"}, true},
    {UINT64_C(1000), {"ms", "msec"}, true},
    {UINT64_C(1), {"us", "usec", "\xc2\xb5s", "\xce\xbcs"}, true},
};

/* The unit whose name stands at *at, which moves behind it; 0 for none. */
static uint64_t take_unit(const char **at) {
    size_t size = strcspn(*at, "0123456789. \t");
    for (size_t i = 0; i < ARRAY_SIZE(time_units); i++)
        for (size_t n = 0; n < ARRAY_SIZE(time_units[i].names) && time_units[i].names[n]; n++)
            if (strlen(time_units[i].names[n]) == size &&
                memcmp(*at, time_units[i].names[n], size) == 0) {
                *at += size;
                return time_units[i].unit;
            }
    return 0;
}

int unit_parse_time(const char *text, uint64_t bare, uint64_t *microseconds) {
    while (is_space(*text))
        text++;
    if (strcmp(text, "infinity") == 0) {
        *microseconds = UNIT_INFINITY;
        return 0;
    }
    if (!*text)
        return -EINVAL;
    uint64_t sum = 0;
    while (*text) {
        struct decimal number;
        uint64_t part;
        int r = take_decimal(&text, &number);
        if (r < 0)
            return r;
        while (is_space(*text))
            text++;
        uint64_t unit = is_digit(*text) || !*text ? bare : take_unit(&text);
        if (unit == 0)
            return -EINVAL;
        r = multiply(&number, unit, &part);
        if (r < 0 || __builtin_add_overflow(sum, part, &sum) || sum > INT64_MAX)
            return -ERANGE;
        while (is_space(*text))
            text++;
    }
    *microseconds = sum;
    return 0;
}

static int take_cpu(const char **at, size_t space, size_t *cpu) {
    struct decimal number;
    int r = take_decimal(at, &number);
    if (r < 0)
        return r;
    if (number.scale > 1)
        return -EINVAL;
    if (number.whole / 8 >= space)
        return -ERANGE;
    *cpu = (size_t)number.whole;
    return 0;
}

int unit_parse_cpus(const char *text, uint8_t *mask, size_t space, size_t *size) {
    size_t used = 0;
    memset(mask, 0, space);
    for (;;) {
        size_t first;
        size_t last;
        text += strspn(text, ", \t");
        if (!*text)
            break;
        int r = take_cpu(&text, space, &first);
        if (r < 0)
            return r;
        last = first;
        if (*text == '-') {
            text++;
            r = take_cpu(&text, space, &last);
            if (r < 0)
                return r;
        }
        if (last < first || !strchr(", \t", *text))
            return -EINVAL;
        for (size_t cpu = first; cpu <= last; cpu++)
            mask[cpu / 8] |= (uint8_t)(1U << (cpu % 8));
        if (last / 8 >= used)
            used = last / 8 + 1;
    }
    if (used == 0)
        return -EINVAL;
    *size = used;
    return 0;
}

/* Exact: the largest suffix that leaves at most one digit behind the point. */
static char *format_scaled(uint64_t bytes, uint64_t base, char *text, size_t space) {
    if (bytes == UNIT_INFINITY) {
        snprintf(text, space, "infinity");
        return text;
    }
    uint64_t unit = 1;
    size_t suffix = 0;
    uint64_t best = 1;
    for (size_t i = 1; size_suffixes[i] && unit <= bytes / base; i++) {
        unit *= base;
        if (bytes % unit * 10 % unit == 0) {
            suffix = i;
            best = unit;
        }
    }
    uint64_t tenths = bytes % best * 10 / best;
    char letter[2] = {suffix ? size_suffixes[suffix] : '\0', '\0'};
    if (tenths)
        snprintf(text, space, "%" PRIu64 ".%" PRIu64 "%s", bytes / best, tenths, letter);
    else
        snprintf(text, space, "%" PRIu64 "%s", bytes / best, letter);
    return text;
}

char *unit_format_size(uint64_t bytes, char *text, size_t space) {
    return format_scaled(bytes, 1024, text, space);
}

char *unit_format_bandwidth(uint64_t bytes, char *text, size_t space) {
    return format_scaled(bytes, 1000, text, space);
}

/* Writes the `most` largest units that are not zero. */
static char *format_span(uint64_t microseconds, unsigned most, char *text, size_t space) {
    if (microseconds == UNIT_INFINITY || microseconds == 0) {
        snprintf(text, space, "%s", microseconds ? "infinity" : "0");
        return text;
    }
    size_t used = 0;
    if (space > 0)
        text[0] = '\0';
    for (size_t i = 0; i < ARRAY_SIZE(time_units) && most > 0 && used < space; i++) {
        uint64_t count = microseconds / time_units[i].unit;
        if (!time_units[i].printed || (count == 0 && used == 0))
            continue;
        most--;
        if (count == 0)
            continue;
        microseconds %= time_units[i].unit;
        used += (size_t)snprintf(text + used, space - used, "%s%" PRIu64 "%s", used ? " " : "",
                                 count, time_units[i].names[0]);
    }
    return text;
}

char *unit_format_time(uint64_t microseconds, char *text, size_t space) {
    return format_span(microseconds, UINT32_MAX, text, space);
}

char *unit_format_percent(uint64_t hundredths, char *text, size_t space) {
    unsigned rest = (unsigned)(hundredths % 100);
    if (rest % 10)
        snprintf(text, space, "%" PRIu64 ".%02u%%", hundredths / 100, rest);
    else if (rest)
        snprintf(text, space, "%" PRIu64 ".%u%%", hundredths / 100, rest / 10);
    else
        snprintf(text, space, "%" PRIu64 "%%", hundredths / 100);
    return text;
}

static bool has_cpu(const uint8_t *mask, size_t size, size_t cpu) {
    return cpu / 8 < size && (mask[cpu / 8] >> (cpu % 8) & 1);
}

char *unit_format_cpus(const uint8_t *mask, size_t size, char *text, size_t space) {
    size_t used = 0;
    if (space > 0)
        text[0] = '\0';
    for (size_t first = 0; first < size * 8 && used < space; first++) {
        if (!has_cpu(mask, size, first))
            continue;
        size_t last = first;
        while (has_cpu(mask, size, last + 1))
            last++;
        used += (size_t)snprintf(text + used, space - used, "%s%zu", used ? "," : "", first);
        if (last > first && used < space)
            used += (size_t)snprintf(text + used, space - used, "-%zu", last);
        first = last;
    }
    return text;
}

/* Three significant digits of value / unit. */
static void format_three(uint64_t value, uint64_t unit, const char *name, char *text,
                         size_t space) {
    uint64_t whole = value / unit;
    uint64_t hundredths = (uint64_t)((unsigned __int128)(value % unit) * 100 / unit);
    if (whole >= 100 || hundredths == 0)
        snprintf(text, space, "%" PRIu64 "%s", whole, name);
    else if (whole >= 10)
        snprintf(text, space, "%" PRIu64 ".%" PRIu64 "%s", whole, hundredths / 10, name);
    else
        snprintf(text, space, "%" PRIu64 ".%02" PRIu64 "%s", whole, hundredths, name);
}

char *unit_format_size_short(uint64_t bytes, char *text, size_t space) {
    if (bytes == UNIT_INFINITY) {
        snprintf(text, space, "infinity");
        return text;
    }
    uint64_t unit = 1;
    size_t suffix = 0;
    while (bytes / unit >= 1000 && size_suffixes[suffix + 1]) {
        unit *= 1024;
        suffix++;
    }
    char name[2] = {size_suffixes[suffix], '\0'};
    format_three(bytes, unit, name, text, space);
    return text;
}

char *unit_format_time_short(uint64_t microseconds, char *text, size_t space) {
    if (microseconds == 0 || microseconds >= 60000000)
        return format_span(microseconds, 2, text, space);
    if (microseconds >= 1000000)
        format_three(microseconds, 1000000, "s", text, space);
    else if (microseconds >= 1000)
        format_three(microseconds, 1000, "ms", text, space);
    else
        format_three(microseconds, 1, "us", text, space);
    return text;
}
