#include "controller/syntax.h"

#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/unit.h"

#define ROW_OF(SYNTAX, parse_, print_, words_, expects_, empty_)                                \
    [HOLDEN_SYNTAX_##SYNTAX] = {.parse = syntax_parse_##parse_, .print = syntax_print_##print_, \
                                .words = (words_), .expects = (expects_),                       \
                                .reads_empty = (empty_)},
#define ROW(...) ROW_OF(__VA_ARGS__, false)
/* An empty value says more than "forget it". */
#define EMPTY_ROW(...) ROW_OF(__VA_ARGS__, true)
static const struct syntax rows[HOLDEN_SYNTAXES] = {
    ROW(SIZE, size, size, "size",
        "a size: bytes, 512K, 100M, 1.5G, 50% of the machine's memory, or infinity")
    ROW(DISK_QUOTA, disk_quota, size, "quota",
        "a size: bytes, 512K, 100M, 1.5G, 50% of the file system, or off")
    ROW(COUNT, count, count, "count", "a number, a percentage of the machine's most, or infinity")
    ROW(QUOTA, quota, quota, "quota", "a percentage of one CPU, such as 50% or 200%, or infinity")
    ROW(TIME, time, time, "time", "a time: seconds, 1min 30s, 500ms, or infinity")
    ROW(WEIGHT, weight, weight, "weight", "a number from 1 to 10000")
    ROW(WEIGHT_OR_IDLE, weight_or_idle, weight, "weight", "a number from 1 to 10000, or idle")
    ROW(CPUS, cpus, cpus, "cpus", "a list of CPUs, such as 0-3,5")
    ROW(DEVICE_SIZE, device_size, device_size, "device size",
        "a path and bytes per second, such as /dev/sda 5M")
    ROW(DEVICE_COUNT, device_count, device_count, "device count",
        "a path and operations per second, such as /dev/sda 1000")
    ROW(DEVICE_WEIGHT, device_weight, device_count, "device weight",
        "a path and a number from 1 to 10000, such as /dev/sda 200")
    ROW(DEVICE_TIME, device_time, device_time, "device time",
        "a path and a time, such as /dev/sda 25ms")
    EMPTY_ROW(DEVICES, devices, devices, "devices",
        "a path below /dev, or char- or block- and a class of /proc/devices, and some of rwm")
    EMPTY_ROW(ADDRESSES, addresses, addresses, "addresses",
        "IP addresses such as 10.0.0.0/8 or ::1, any, localhost, link-local or multicast")
    EMPTY_ROW(BIND_RULES, bind_rules, bind_rules, "ports",
        "any, or ipv4 or ipv6, tcp or udp, and a port or PORT-PORT (1 to 65535), such as tcp:80")
    EMPTY_ROW(INTERFACES, interfaces, interfaces, "interfaces",
        "names of network interfaces, a leading ~ inverts")
    ROW(WORD, word, word, "word", "one of its words")
    ROW(SIGNAL, signal, signal, "signal", "a signal, such as SIGTERM, TERM, 15 or SIGRTMIN+3")
    ROW(INTEGER, integer, integer, "number", "a whole number")
    ROW(BOOLEAN, boolean, boolean, "boolean", "yes or no")
    ROW(COREDUMP_FILTER, coredump_filter, coredump_filter, "kinds of memory",
        "kinds of memory such as private-anonymous or elf-headers, default, all, or a mask, 0x33")
    ROW(SECURE_BITS, secure_bits, secure_bits, "bits",
        "some of noroot no-setuid-fixup keep-caps, each with -locked behind it where wanted")
    ROW(MODE, mode, mode, "mode", "an octal mode, such as 0022")
    ROW(USER, user, user, "user", "a user's name or number")
    ROW(GROUP, group, group, "group", "a group's name or number")
    ROW(GROUPS, groups, group, "groups", "names or numbers of groups")
    ROW(DIRECTORY, directory, text, "directory",
        "an absolute path or ~, a - before it lets it be missing")
    ROW(ENVIRONMENT, environment, assignment, "assignments",
        "VARIABLE=VALUE, quoted where it has spaces")
    ROW(ENVIRONMENT_FILE, environment_file, text, "file",
        "an absolute path, a - before it lets it be missing")
    ROW(PASS_ENVIRONMENT, words, text, "variables", "names of variables")
    ROW(SEARCH_PATH, search_path, text, "paths", "absolute paths, separated by colons")
    EMPTY_ROW(INPUT_TEXT, input_text, text, "text", "a text, with escapes as in C")
    EMPTY_ROW(INPUT_DATA, input_data, input_data, "data", "bytes in Base64")
    ROW(INPUT, input, stream, "input", "null, data or file:PATH")
    ROW(OUTPUT, output, stream, "output",
        "log, journal, null, inherit, file:PATH, append:PATH or truncate:PATH")
    EMPTY_ROW(NAMES, names, names, "names", "names, a leading ~ inverts")
    ROW(NAMESPACES, namespaces, namespaces, "namespaces",
        "yes, no, or some of cgroup ipc net mnt pid user uts, a leading ~ inverts")
    ROW(FAMILIES, families, families, "families",
        "none, or address families such as AF_UNIX AF_INET, a leading ~ inverts")
    ROW(ERRNO, errno, errno, "error", "an error, such as EPERM or 1, or kill")
    ROW(WORDS, words, text, "words", "words")
    ROW(TEXT, text, text, "text", "a text without control characters")
    ROW(EXEC, exec, exec, "command", "a command with its arguments, a - before it lets it fail")
    ROW(EXIT_STATUS, exit_status, exit_status, "exit statuses",
        "exit statuses from 0 to 255 or their names, and signals, such as 3 TEMPFAIL SIGTERM")
    ROW(PROFILE, profile, profile, "profile", "the path of an OCI seccomp profile")
    ROW(LIMIT_TIME, limit_time, limit_time, "limit (time)",
        "a time, or SOFT:HARD, such as 10s or 1min:2min, or infinity")
    ROW(LIMIT_MICROSECONDS, limit_microseconds, limit_microseconds, "limit (time)",
        "microseconds or a time, or SOFT:HARD, or infinity")
    ROW(LIMIT_SIZE, limit_size, limit_size, "limit (size)",
        "a size, or SOFT:HARD, such as 64M or 1M:64M, or infinity")
    ROW(LIMIT_COUNT, limit_count, limit_count, "limit (count)",
        "a number, or SOFT:HARD, such as 1024:4096, or infinity")
    ROW(LIMIT_NICE, limit_nice, limit_count, "limit (nice)",
        "a nice level with its sign (+19 to -20), or the raw limit from 0 to 40, or SOFT:HARD")
    ROW(NANOSECONDS, nanoseconds, nanoseconds, "time",
        "nanoseconds, or a time with a unit, such as 50000 or 1ms")
    ROW(PATH, path, text, "path", "an absolute path")
    ROW(RUN_PATH, run_path, text, "path", "a path, absolute or below /run")
    ROW(NETWORK, network, text, "network namespace",
        "the path or the name of a network namespace, as of ip-netns(8)")
    ROW(PATHS, paths, path, "paths",
        "absolute paths, a - before one lets it be missing, a + means below RootDirectory=")
    EMPTY_ROW(BINDS, binds, bind, "binds",
        "SOURCE, SOURCE:TARGET or SOURCE:TARGET:norbind, a - before it lets it be missing")
    ROW(DIRECTORIES, directories, directory_name, "directories",
        "relative paths without \"..\", each with :LINK behind it where wanted")
    ROW(SET_CREDENTIAL, set_credential, credential, "credential",
        "NAME:TEXT, where the name is that of a file")
    ROW(LOAD_CREDENTIAL, load_credential, text, "credential",
        "NAME or NAME:PATH, where the name is that of a file")
    ROW(TEMPORARY, temporary, temporary, "file systems",
        "PATH or PATH:OPTIONS, such as /var:ro,size=10M")
    ROW(IMAGE_OPTIONS, image_options, text, "mount options",
        "mount options, root: before them where wanted, such as ro,nosuid")
    EMPTY_ROW(DELEGATE, delegate, delegate, "controllers",
        "yes, no, or some of cpu cpuset io memory pids")
    ROW(SLICE, slice, text, "slice", "the name of a slice, such as web-shop.slice")
    ROW(CONTROLLERS, controllers, controllers, "controllers", "some of cpu cpuset io memory pids")
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
    if (!between)
        between = holden_property(index)->syntax == HOLDEN_SYNTAX_EXEC ? " ; " : " ";
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

bool syntax_word(const char **at, struct holden_view *word) {
    *at += strspn(*at, " \t\n");
    size_t size = strcspn(*at, " \t\n");
    *word = (struct holden_view){*at, size};
    *at += size;
    return size > 0;
}
