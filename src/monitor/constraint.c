#include "monitor/constraint.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/unit.h"

#define MEBIBYTE UINT64_C(1048576)
#define SECOND UINT64_C(1000000)

enum { HUNDREDTHS = 10000, PER_HUNDREDTH = 100 };

static int read_share(const char *text, uint64_t *share) {
    uint64_t hundredths;
    int r = unit_parse_percent(text, &hundredths);
    if (r == 0 && hundredths > HUNDREDTHS)
        return -ERANGE;
    if (r == 0)
        *share = HOLDEN_SHARE_BIT | hundredths;
    return r;
}

static bool is_percent(const char *text) {
    size_t size = strlen(text);
    return size > 0 && text[size - 1] == '%';
}

static int read_size(const char *text, uint64_t *number) {
    return is_percent(text) ? read_share(text, number) : unit_parse_size(text, number);
}

static int read_count(const char *text, uint64_t *number) {
    return is_percent(text) ? read_share(text, number) : unit_parse_count(text, number);
}

/* On the wire: microseconds of CPU time per second. */
static int read_quota(const char *text, uint64_t *number) {
    uint64_t hundredths;
    int r = strcmp(text, "infinity") == 0 ? 1 : unit_parse_percent(text, &hundredths);
    if (r < 0)
        return r;
    if (r == 0 && hundredths > INT64_MAX / PER_HUNDREDTH)
        return -ERANGE;
    *number = r ? UNIT_INFINITY : hundredths * PER_HUNDREDTH;
    return 0;
}

static int read_time(const char *text, uint64_t *number) {
    return unit_parse_time(text, SECOND, number);
}

static int read_weight(const char *text, uint64_t *number) {
    uint64_t weight;
    int r = unit_parse_count(text, &weight);
    if (r == 0 && (weight < 1 || weight > 10000))
        return -ERANGE;
    if (r == 0)
        *number = weight;
    return r;
}

static int read_weight_or_idle(const char *text, uint64_t *number) {
    if (strcmp(text, "idle") != 0)
        return read_weight(text, number);
    *number = 0;
    return 0;
}

static char *print_size(uint64_t number, char *text, size_t space) {
    if (holden_is_share(number))
        return unit_format_percent(number & ~HOLDEN_SHARE_BIT, text, space);
    return unit_format_size(number, text, space);
}

static char *print_count(uint64_t number, char *text, size_t space) {
    if (holden_is_share(number))
        return unit_format_percent(number & ~HOLDEN_SHARE_BIT, text, space);
    snprintf(text, space, number == UNIT_INFINITY ? "infinity" : "%" PRIu64, number);
    return text;
}

static char *print_quota(uint64_t number, char *text, size_t space) {
    return number == UNIT_INFINITY ? print_count(number, text, space)
                                   : unit_format_percent(number / PER_HUNDREDTH, text, space);
}

static char *print_weight_or_idle(uint64_t number, char *text, size_t space) {
    snprintf(text, space, number ? "%" PRIu64 : "idle", number);
    return text;
}

/* How a number of each syntax is read and printed; the others cannot be typed here. */
static const struct {
    int (*read)(const char *text, uint64_t *number);
    char *(*print)(uint64_t number, char *text, size_t space);
} syntaxes[HOLDEN_SYNTAXES] = {
    [HOLDEN_SYNTAX_SIZE] = {read_size, print_size},
    [HOLDEN_SYNTAX_COUNT] = {read_count, print_count},
    [HOLDEN_SYNTAX_QUOTA] = {read_quota, print_quota},
    [HOLDEN_SYNTAX_TIME] = {read_time, unit_format_time},
    [HOLDEN_SYNTAX_WEIGHT] = {read_weight, print_count},
    [HOLDEN_SYNTAX_WEIGHT_OR_IDLE] = {read_weight_or_idle, print_weight_or_idle},
};

static bool is_typed_here(size_t index) {
    const struct holden_property *property = holden_property(index);
    return property->live && property->home == HOLDEN_HOME_CGROUP &&
           syntaxes[property->syntax].read;
}

__attribute__((format(printf, 2, 3))) static int refuse(char wrong[CONSTRAINT_TEXT],
                                                        const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(wrong, CONSTRAINT_TEXT, format, arguments);
    va_end(arguments);
    return -EINVAL;
}

static void put(struct holden_properties *limits, size_t index, uint64_t number) {
    memcpy((char *)limits + holden_record_properties.fields[index].offset, &number, sizeof(number));
    holden_mark(limits, index);
}

static uint64_t get(const struct holden_properties *limits, size_t index) {
    uint64_t number;
    memcpy(&number, (const char *)limits + holden_record_properties.fields[index].offset,
           sizeof(number));
    return number;
}

/* Infinity is allowed where nothing bounds the number. */
static bool is_within(const struct holden_property *property, uint64_t number) {
    if (number == UNIT_INFINITY || holden_is_share(number))
        return property->maximum == INT64_MAX;
    return number <= (uint64_t)property->maximum && (int64_t)number >= property->minimum;
}

static int take_property(const char *name, const char *value, struct holden_properties *limits,
                         char wrong[CONSTRAINT_TEXT]) {
    size_t index;
    if (holden_property_find(name, &index) < 0)
        return refuse(wrong, "no property %s", name);
    const struct holden_property *property = holden_property(index);
    if (!property->live)
        return refuse(wrong, "%s cannot change on a live process", name);
    if (!is_typed_here(index))
        return refuse(wrong, "%s cannot be set here; `holden constrain` can", name);
    if (holden_has(limits, index))
        return refuse(wrong, "%s is given twice", name);
    uint64_t number;
    int r = syntaxes[property->syntax].read(value, &number);
    if (r == 0 && !is_within(property, number))
        r = -ERANGE;
    if (r < 0)
        return refuse(wrong, "%s=%s: %s", name, value,
                      r == -ERANGE ? "out of range" : "not understood");
    put(limits, index, number);
    return 0;
}

/* The bare numbers in front: memory in MiB, CPU in percent. */
static int take_number(const char *word, size_t place, struct holden_properties *limits,
                       char wrong[CONSTRAINT_TEXT]) {
    uint64_t number;
    if (place > 1)
        return refuse(wrong, "%s: write Property=value", word);
    int r = place == 0         ? unit_parse_count(word, &number)
            : is_percent(word) ? unit_parse_percent(word, &number)
                               : unit_parse_count(word, &number);
    if (r < 0 && r != -ERANGE)
        return refuse(wrong, "%s: %s", word,
                      place == 0 ? "not a number of MiB" : "not a percentage");
    if (r == 0 && place == 0 && number <= INT64_MAX / MEBIBYTE) {
        put(limits, HOLDEN_INDEX(properties, memory_max), number * MEBIBYTE);
        return 0;
    }
    uint64_t unit = is_percent(word) ? PER_HUNDREDTH : HUNDREDTHS;
    if (r == 0 && place == 1 && number <= INT64_MAX / unit && number * unit >= 1000) {
        put(limits, HOLDEN_INDEX(properties, cpu_quota), number * unit);
        return 0;
    }
    return refuse(wrong, "%s: out of range", word);
}

int constraint_parse(const char *text, struct holden_properties *limits,
                     char wrong[CONSTRAINT_TEXT]) {
    char words[CONSTRAINT_TEXT];
    struct holden_properties read = {0};
    size_t count = 0;
    char *rest = words;
    if (snprintf(words, sizeof(words), "%s", text) >= (int)sizeof(words))
        return refuse(wrong, "too long");
    for (char *word; (word = strsep(&rest, " \t"));) {
        if (!*word)
            continue;
        char *equals = strchr(word, '=');
        if (equals)
            *equals = '\0';
        int r = equals ? take_property(word, equals + 1, &read, wrong)
                       : take_number(word, count, &read, wrong);
        if (r < 0)
            return r;
        count += equals ? 2 : 1;
    }
    if (count == 0)
        return refuse(wrong, "give MEMORY_MB [CPU_PERCENT] or Property=value");
    *limits = read;
    return 0;
}

void constraint_print(const struct holden_properties *before, const struct holden_properties *after,
                      char text[CONSTRAINT_TEXT]) {
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < HOLDEN_PROPERTIES && used < CONSTRAINT_TEXT; i++) {
        char new[64];
        char old[64] = "unset";
        if (!is_typed_here(i) || !holden_has(after, i))
            continue;
        syntaxes[holden_property(i)->syntax].print(get(after, i), new, sizeof(new));
        if (holden_has(before, i))
            syntaxes[holden_property(i)->syntax].print(get(before, i), old, sizeof(old));
        used += (size_t)snprintf(text + used, CONSTRAINT_TEXT - used, "%s%s=%s (was %s)",
                                 used ? ", " : "", holden_property(i)->name, new, old);
    }
}
