#include "controller/syntax.h"

#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/unit.h"

static const struct syntax rows[HOLDEN_SYNTAXES] = {
    [HOLDEN_SYNTAX_SIZE] =
        {syntax_parse_size, syntax_print_size, "size",
         "a size: bytes, 512K, 100M, 1.5G, 50% of the machine's memory, or infinity", false},
    [HOLDEN_SYNTAX_COUNT] = {syntax_parse_count, syntax_print_count, "count",
                             "a number, a percentage of the machine's most, or infinity", false},
    [HOLDEN_SYNTAX_QUOTA] = {syntax_parse_quota, syntax_print_quota, "quota",
                             "a percentage of one CPU, such as 50% or 200%, or infinity", false},
    [HOLDEN_SYNTAX_TIME] = {syntax_parse_time, syntax_print_time, "time",
                            "a time: seconds, 1min 30s, 500ms, or infinity", false},
    [HOLDEN_SYNTAX_WEIGHT] = {syntax_parse_weight, syntax_print_weight, "weight",
                              "a number from 1 to 10000", false},
    [HOLDEN_SYNTAX_WEIGHT_OR_IDLE] = {syntax_parse_weight_or_idle, syntax_print_weight, "weight",
                                      "a number from 1 to 10000, or idle", false},
    [HOLDEN_SYNTAX_CPUS] = {syntax_parse_cpus, syntax_print_cpus, "cpus",
                            "a list of CPUs, such as 0-3,5", false},
    [HOLDEN_SYNTAX_DEVICE_SIZE] = {syntax_parse_device_size, syntax_print_device_size,
                                   "device size",
                                   "a path and bytes per second, such as /dev/sda 5M", false},
    [HOLDEN_SYNTAX_DEVICE_COUNT] = {syntax_parse_device_count, syntax_print_device_count,
                                    "device count",
                                    "a path and operations per second, such as /dev/sda 1000",
                                    false},
    [HOLDEN_SYNTAX_WORD] = {syntax_parse_word, syntax_print_word, "word", "one of its words",
                            false},
    [HOLDEN_SYNTAX_SIGNAL] = {syntax_parse_signal, syntax_print_signal, "signal",
                              "a signal, such as SIGTERM, TERM, 15 or SIGRTMIN+3", false},
    [HOLDEN_SYNTAX_INTEGER] = {syntax_parse_integer, syntax_print_integer, "number",
                               "a whole number", false},
    [HOLDEN_SYNTAX_BOOLEAN] = {syntax_parse_boolean, syntax_print_boolean, "boolean", "yes or no",
                               false},
    [HOLDEN_SYNTAX_MODE] = {syntax_parse_mode, syntax_print_mode, "mode",
                            "an octal mode, such as 0022", false},
    [HOLDEN_SYNTAX_USER] = {syntax_parse_user, syntax_print_user, "user", "a user's name or number",
                            false},
    [HOLDEN_SYNTAX_GROUP] = {syntax_parse_group, syntax_print_group, "group",
                             "a group's name or number", false},
    [HOLDEN_SYNTAX_GROUPS] = {syntax_parse_groups, syntax_print_group, "groups",
                              "names or numbers of groups", false},
    [HOLDEN_SYNTAX_DIRECTORY] = {syntax_parse_directory, syntax_print_text, "directory",
                                 "an absolute path or ~, a - before it lets it be missing", false},
    [HOLDEN_SYNTAX_ENVIRONMENT] = {syntax_parse_environment, syntax_print_assignment, "assignments",
                                   "VARIABLE=VALUE, quoted where it has spaces", false},
    [HOLDEN_SYNTAX_ENVIRONMENT_FILE] = {syntax_parse_environment_file, syntax_print_text, "file",
                                        "an absolute path, a - before it lets it be missing",
                                        false},
    [HOLDEN_SYNTAX_PASS_ENVIRONMENT] = {syntax_parse_words, syntax_print_text, "variables",
                                        "names of variables", false},
    [HOLDEN_SYNTAX_INPUT] = {syntax_parse_input, syntax_print_stream, "input", "null or file:PATH",
                             false},
    [HOLDEN_SYNTAX_OUTPUT] =
        {syntax_parse_output, syntax_print_stream, "output",
         "log, journal, null, file:PATH, append:PATH or truncate:PATH (StandardError= also inherit)",
         false},
    [HOLDEN_SYNTAX_NAMES] = {syntax_parse_names, syntax_print_names, "names",
                             "names, a leading ~ inverts", true},
    [HOLDEN_SYNTAX_ERRNO] = {syntax_parse_errno, syntax_print_errno, "error",
                             "an error, such as EPERM or 1, or kill", false},
    [HOLDEN_SYNTAX_WORDS] = {syntax_parse_words, syntax_print_text, "words", "words", false},
    [HOLDEN_SYNTAX_PROFILE] = {syntax_parse_profile, syntax_print_profile, "profile",
                               "the path of an OCI seccomp profile", false},
    [HOLDEN_SYNTAX_LIMIT_TIME] = {syntax_parse_limit_time, syntax_print_limit_time, "limit (time)",
                                  "a time, or SOFT:HARD, such as 10s or 1min:2min, or infinity",
                                  false},
    [HOLDEN_SYNTAX_LIMIT_MICROSECONDS] = {syntax_parse_limit_microseconds,
                                          syntax_print_limit_microseconds, "limit (time)",
                                          "microseconds or a time, or SOFT:HARD, or infinity",
                                          false},
    [HOLDEN_SYNTAX_LIMIT_SIZE] = {syntax_parse_limit_size, syntax_print_limit_size, "limit (size)",
                                  "a size, or SOFT:HARD, such as 64M or 1M:64M, or infinity",
                                  false},
    [HOLDEN_SYNTAX_LIMIT_COUNT] = {syntax_parse_limit_count, syntax_print_limit_count,
                                   "limit (count)",
                                   "a number, or SOFT:HARD, such as 1024:4096, or infinity", false},
    [HOLDEN_SYNTAX_LIMIT_NICE] =
        {syntax_parse_limit_nice, syntax_print_limit_count, "limit (nice)",
         "a nice level with its sign (+19 to -20), or the raw limit from 0 to 40, or SOFT:HARD",
         false},
};

const struct syntax *syntax_of(size_t index) {
    return &rows[holden_property(index)->syntax];
}

int syntax_print(const struct holden_properties *properties, size_t index, const char *between,
                 struct buffer *out) {
    const struct holden_field *field = &holden_record_properties.fields[index];
    const struct syntax *syntax = syntax_of(index);
    const void *member = (const uint8_t *)properties + field->offset;
    if (!field->repeated)
        return syntax->print(index, member, out);
    union {
        struct holden_nested nested;
        struct holden_view view;
        uint64_t number;
    } element;
    struct holden_repeated list = *(const struct holden_repeated *)member;
    int r = 0;
    for (bool first = true; r == 0 && holden_next(&list, field->type, &element); first = false) {
        if (!first)
            r = buffer_append(out, between, strlen(between));
        if (r == 0)
            r = syntax->print(index, &element, out);
    }
    return r;
}

static char *print_words(const struct holden_enum *words, char *text, size_t space) {
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < words->count && used < space; i++)
        used += (size_t)snprintf(text + used, space - used, "%s%s", i ? ", " : "",
                                 words->words[i].word);
    return text;
}

/* A bound as people would write it; false for kinds that have none. */
static bool print_bound(const struct holden_property *property, int64_t bound, char *text,
                        size_t space) {
    switch (property->syntax) {
    case HOLDEN_SYNTAX_SIZE: unit_format_size((uint64_t)bound, text, space); return true;
    case HOLDEN_SYNTAX_TIME: unit_format_time((uint64_t)bound, text, space); return true;
    case HOLDEN_SYNTAX_QUOTA: unit_format_percent((uint64_t)bound / 100, text, space); return true;
    case HOLDEN_SYNTAX_MODE: snprintf(text, space, "%04llo", (long long)bound); return true;
    case HOLDEN_SYNTAX_COUNT:
    case HOLDEN_SYNTAX_INTEGER:
    case HOLDEN_SYNTAX_SIGNAL: snprintf(text, space, "%lld", (long long)bound); return true;
    default: return false;
    }
}

char *syntax_bounds(size_t index, char *text, size_t space) {
    const struct holden_property *property = holden_property(index);
    char least[64];
    char most[64];
    text[0] = '\0';
    if (property->syntax == HOLDEN_SYNTAX_WORD)
        return print_words(holden_record_properties.fields[index].enumeration, text, space);
    if (property->syntax == HOLDEN_SYNTAX_WEIGHT ||
        property->syntax == HOLDEN_SYNTAX_WEIGHT_OR_IDLE)
        snprintf(text, space, "1 to 10000");
    else if (property->syntax == HOLDEN_SYNTAX_ERRNO)
        snprintf(text, space, "1 to %lld", (long long)property->maximum);
    if (*text || !print_bound(property, property->minimum, least, sizeof(least)))
        return text;
    print_bound(property, property->maximum, most, sizeof(most));
    if (property->maximum == INT64_MAX && property->minimum == 0)
        return text;
    if (property->maximum == INT64_MAX)
        snprintf(text, space, "at least %s", least);
    else
        snprintf(text, space, "%s to %s", least, most);
    return text;
}

const void *syntax_nested(const struct holden_record *record, const struct holden_nested *nested,
                          void *space) {
    struct holden_fault fault;
    if (nested->value)
        return nested->value;
    return holden_decode(record, nested->bytes.data, nested->bytes.size, space, &fault) < 0 ? NULL
                                                                                            : space;
}

bool syntax_word(const char **at, struct holden_view *word) {
    *at += strspn(*at, " \t\n");
    size_t size = strcspn(*at, " \t\n");
    *word = (struct holden_view){*at, size};
    *at += size;
    return size > 0;
}
