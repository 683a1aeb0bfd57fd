/* Bounds as they are written in the policy's files. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "agent/bound.h"
#include "agent/calls.h"
#include "agent/capability.h"
#include "common/cleanup.h"
#include "common/unit.h"

#define INDEX(member) HOLDEN_INDEX(properties, member)
#define SECOND UINT64_C(1000000)

enum { ERRNO_NAMED = 200 };

/* What is being read. */
struct reading {
    struct bounds *bounds;
    struct arena *arena;
    size_t index;
    const char *text;
};

static void *member(const struct reading *reading) {
    return (uint8_t *)&reading->bounds->values +
           holden_record_properties.fields[reading->index].offset;
}

static int set_u64(const struct reading *reading, uint64_t value) {
    const struct holden_property *property = holden_property(reading->index);
    if (value > (uint64_t)property->maximum || (int64_t)value < property->minimum)
        return -EINVAL;
    memcpy(member(reading), &value, sizeof(value));
    return 0;
}

static int set_u32(const struct reading *reading, uint32_t value) {
    memcpy(member(reading), &value, sizeof(value));
    return 0;
}

/* A share of what the machine has is kept as that: what the machine has may change. */
static int set_share(const struct reading *reading) {
    uint64_t hundredths;
    if (unit_parse_percent(reading->text, &hundredths) < 0 || hundredths > 10000)
        return -EINVAL;
    hundredths |= HOLDEN_SHARE_BIT;
    memcpy(member(reading), &hundredths, sizeof(hundredths));
    return 0;
}

static int read_size(const struct reading *reading) {
    uint64_t value;
    if (strchr(reading->text, '%'))
        return set_share(reading);
    return unit_parse_size(reading->text, &value) < 0 ? -EINVAL : set_u64(reading, value);
}

static int read_count(const struct reading *reading) {
    uint64_t value;
    if (strchr(reading->text, '%'))
        return set_share(reading);
    return unit_parse_count(reading->text, &value) < 0 ? -EINVAL : set_u64(reading, value);
}

static int read_quota(const struct reading *reading) {
    uint64_t hundredths;
    if (unit_parse_percent(reading->text, &hundredths) < 0 || hundredths > INT64_MAX / 100)
        return -EINVAL;
    return set_u64(reading, hundredths * 100);
}

static int read_time(const struct reading *reading) {
    uint64_t value;
    return unit_parse_time(reading->text, SECOND, &value) < 0 ? -EINVAL : set_u64(reading, value);
}

static int read_boolean(const struct reading *reading) {
    if (strcasecmp(reading->text, "yes") != 0)
        return -EINVAL;
    *(bool *)member(reading) = true;
    return 0;
}

static int read_word(const struct reading *reading) {
    uint32_t value;
    const struct holden_enum *words = holden_record_properties.fields[reading->index].enumeration;
    return holden_number(words, reading->text, &value) < 0 ? -EINVAL : set_u32(reading, value);
}

static int read_mode(const struct reading *reading) {
    char *end;
    unsigned long value = strtoul(reading->text, &end, 8);
    return *end || end == reading->text || value > 07777 ? -EINVAL
                                                         : set_u32(reading, (uint32_t)value);
}

static int read_errno(const struct reading *reading) {
    for (int error = 1; error < ERRNO_NAMED; error++) {
        const char *name = strerrorname_np(error);
        if (name && strcmp(name, reading->text) == 0)
            return set_u32(reading, (uint32_t)error);
    }
    return strcmp(reading->text, "kill") == 0 ? set_u32(reading, 0) : -EINVAL;
}

/* On the wire it is the kinds that are left. */
static int read_namespaces(const struct reading *reading) {
    return strcasecmp(reading->text, "yes") != 0 ? -EINVAL : set_u32(reading, 0);
}

/* The next word of a text, moved past it. False at the end. */
static bool next_word(const char **text, struct holden_view *word) {
    *text += strspn(*text, " \t");
    *word = (struct holden_view){*text, strcspn(*text, " \t")};
    *text += word->size;
    return word->size > 0;
}

static size_t count_words(const char *text) {
    struct holden_view word;
    size_t count = 0;
    while (next_word(&text, &word))
        count++;
    return count;
}

/* Adds an element of `size` bytes to a repeated property. */
static int append(const struct reading *reading, const void *element, size_t size) {
    struct holden_repeated *list = member(reading);
    uint8_t *items = arena_take(reading->arena, (list->count + 1) * size);
    if (!items)
        return -ENOMEM;
    if (list->count > 0)
        memcpy(items, list->items, list->count * size);
    memcpy(items + list->count * size, element, size);
    *list = (struct holden_repeated){.count = list->count + 1, .items = items};
    return 0;
}

static int append_record(const struct reading *reading, const void *record, size_t size) {
    void *kept = arena_take(reading->arena, size);
    if (!kept)
        return -ENOMEM;
    memcpy(kept, record, size);
    return append(reading, &(struct holden_nested){.value = kept}, sizeof(struct holden_nested));
}

/* A list that the agent itself can make nothing of is no bound. */
static int check_names(const struct reading *reading) {
    const struct holden_repeated *list = member(reading);
    struct failure failure;
    struct calls calls = {0};
    uint64_t mask;
    int r = reading->index == INDEX(system_call_filter)
                ? calls_fold(*list, &calls, &failure)
                : capability_fold(*list, "", &mask, &failure);
    calls_free(&calls);
    return r == -ENOMEM ? r : r < 0 ? -EINVAL : 0;
}

static int read_names(const struct reading *reading) {
    struct holden_names names = {0};
    const char *text = reading->text + (*reading->text == '~');
    size_t count = count_words(text), at = 0;
    struct holden_view *words = arena_take(reading->arena, (count + 1) * sizeof(*words));
    if (!words)
        return -ENOMEM;
    while (next_word(&text, &words[at]))
        at++;
    if (*reading->text == '~')
        HOLDEN_SET(&names, names, inverted, true);
    if (count > 0)
        HOLDEN_SET(&names, names, name,
                   (struct holden_repeated){.count = (uint32_t)count, .items = words});
    int r = append_record(reading, &names, sizeof(names));
    return r < 0 ? r : check_names(reading);
}

static int read_words(const struct reading *reading) {
    const char *text = reading->text;
    struct holden_view word;
    int r = *text ? 0 : -EINVAL;
    while (r == 0 && next_word(&text, &word))
        r = append(reading, &word, sizeof(word));
    return r;
}

static const struct {
    const char *name;
    uint32_t number;
} families[] = {
#define FAMILY(name) {#name, name},
#include "protocol/families.def"
};

static int find_family(struct holden_view word, uint32_t *number) {
    for (size_t i = 0; i < ARRAY_SIZE(families); i++)
        if (holden_view_is(word, families[i].name)) {
            *number = families[i].number;
            return 0;
        }
    return -EINVAL;
}

static int read_families(const struct reading *reading) {
    const char *text = reading->text;
    size_t count = strcmp(text, "none") == 0 ? 0 : count_words(text), at = 0;
    struct holden_families *kept = arena_take(reading->arena, sizeof(*kept));
    uint32_t *list = arena_take(reading->arena, (count + 1) * sizeof(*list));
    if (!kept || !list)
        return -ENOMEM;
    struct holden_view word;
    int r = *text ? 0 : -EINVAL;
    while (r == 0 && at < count && next_word(&text, &word))
        r = find_family(word, &list[at++]);
    if (count > 0)
        HOLDEN_SET(kept, families, family,
                   (struct holden_repeated){.count = (uint32_t)count, .items = list});
    *(struct holden_nested *)member(reading) = (struct holden_nested){.value = kept};
    return r;
}

static int read_temporary(const struct reading *reading) {
    struct holden_temporary_file_system at = {0};
    const char *colon = strchr(reading->text, ':');
    size_t size = colon ? (size_t)(colon - reading->text) : strlen(reading->text);
    if (*reading->text != '/')
        return -EINVAL;
    HOLDEN_SET(&at, temporary_file_system, path, (struct holden_view){reading->text, size});
    if (colon)
        HOLDEN_SET(&at, temporary_file_system, options, holden_view(colon + 1));
    return append_record(reading, &at, sizeof(at));
}

/* PATH VALUE. The kernel limits whole disks only, so a partition is no device here. */
static int read_device(const struct reading *reading) {
    bool bandwidth = holden_property(reading->index)->syntax == HOLDEN_SYNTAX_DEVICE_SIZE;
    const char *rest = reading->text;
    struct holden_view word;
    struct stat status;
    uint64_t value;
    if (!next_word(&rest, &word))
        return -EINVAL;
    rest += strspn(rest, " \t");
    int r = bandwidth ? unit_parse_bandwidth(rest, &value) : unit_parse_count(rest, &value);
    if (r < 0 || value < 1 || value > INT64_MAX)
        return -EINVAL;
    const char *path = arena_copy(reading->arena, word.data, word.size);
    if (!path)
        return -ENOMEM;
    if (stat(path, &status) < 0 || !S_ISBLK(status.st_mode))
        return -ENODEV;
    struct holden_device_limit limit = {0};
    HOLDEN_SET(&limit, device_limit, major, major(status.st_rdev));
    HOLDEN_SET(&limit, device_limit, minor, minor(status.st_rdev));
    HOLDEN_SET(&limit, device_limit, value, value);
    return append_record(reading, &limit, sizeof(limit));
}

static int set_limit(const struct reading *reading, int r, uint64_t value) {
    struct holden_resource_limit *limit = arena_take(reading->arena, sizeof(*limit));
    if (!limit)
        return -ENOMEM;
    HOLDEN_SET(limit, resource_limit, soft, value);
    HOLDEN_SET(limit, resource_limit, hard, value);
    *(struct holden_nested *)member(reading) = (struct holden_nested){.value = limit};
    return r < 0 || value > INT64_MAX ? -EINVAL : 0;
}

/* RLIMIT_CPU counts whole seconds. */
static int read_limit_time(const struct reading *reading) {
    uint64_t value = 0;
    int r = unit_parse_time(reading->text, SECOND, &value);
    return set_limit(reading, r, value == UNIT_INFINITY ? value : (value + SECOND - 1) / SECOND);
}

static int read_limit_microseconds(const struct reading *reading) {
    uint64_t value = 0;
    int r = unit_parse_time(reading->text, 1, &value);
    return set_limit(reading, r, value);
}

static int read_limit_size(const struct reading *reading) {
    uint64_t value = 0;
    int r = unit_parse_size(reading->text, &value);
    return set_limit(reading, r, value);
}

static int read_limit_count(const struct reading *reading) {
    uint64_t value = 0;
    int r = unit_parse_count(reading->text, &value);
    return set_limit(reading, r, value);
}

static int (*const readers[HOLDEN_SYNTAXES])(const struct reading *reading) = {
    [HOLDEN_SYNTAX_SIZE] = read_size,
    [HOLDEN_SYNTAX_COUNT] = read_count,
    [HOLDEN_SYNTAX_QUOTA] = read_quota,
    [HOLDEN_SYNTAX_TIME] = read_time,
    [HOLDEN_SYNTAX_BOOLEAN] = read_boolean,
    [HOLDEN_SYNTAX_WORD] = read_word,
    [HOLDEN_SYNTAX_MODE] = read_mode,
    [HOLDEN_SYNTAX_ERRNO] = read_errno,
    [HOLDEN_SYNTAX_NAMESPACES] = read_namespaces,
    [HOLDEN_SYNTAX_NAMES] = read_names,
    [HOLDEN_SYNTAX_WORDS] = read_words,
    [HOLDEN_SYNTAX_FAMILIES] = read_families,
    [HOLDEN_SYNTAX_TEMPORARY] = read_temporary,
    [HOLDEN_SYNTAX_DEVICE_SIZE] = read_device,
    [HOLDEN_SYNTAX_DEVICE_COUNT] = read_device,
    [HOLDEN_SYNTAX_LIMIT_TIME] = read_limit_time,
    [HOLDEN_SYNTAX_LIMIT_MICROSECONDS] = read_limit_microseconds,
    [HOLDEN_SYNTAX_LIMIT_SIZE] = read_limit_size,
    [HOLDEN_SYNTAX_LIMIT_COUNT] = read_limit_count,
};

/* Those that a list of rows belongs to can be added to. */
static bool is_list(size_t index) {
    return holden_record_properties.fields[index].repeated;
}

int bound_read(struct bounds *bounds, struct arena *arena, size_t index, const char *text) {
    if (!bound_possible(index))
        return -ENOTSUP;
    if (holden_has(&bounds->values, index) && !is_list(index))
        return -EEXIST;
    const char *kept = arena_copy(arena, text, strlen(text));
    if (!kept)
        return -ENOMEM;
    const struct reading reading = {bounds, arena, index, kept};
    int r = readers[holden_property(index)->syntax](&reading);
    if (r < 0)
        return r;
    holden_mark(&bounds->values, index);
    bounds->texts[index] = kept;
    return 0;
}
