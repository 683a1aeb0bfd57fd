#include "agent/bound.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "agent/calls.h"
#include "agent/capability.h"
#include "agent/machine.h"
#include "common/cleanup.h"
#include "common/unit.h"
#include "protocol/call_set.h"

#define INDEX(member) HOLDEN_INDEX(properties, member)

/* Beside the limits of setrlimit(2). Of what is a limit on memory or IO only what keeps it from
 * taking more. */
static const size_t possible[] = {
    INDEX(memory_max), INDEX(memory_high), INDEX(memory_swap_max), INDEX(tasks_max),
    INDEX(cpu_quota), INDEX(runtime_max), INDEX(io_read_bandwidth_max),
    INDEX(io_write_bandwidth_max), INDEX(io_read_iops_max), INDEX(io_write_iops_max),
    INDEX(capability_bounding_set), INDEX(no_new_privileges), INDEX(dynamic_user),
    INDEX(device_policy), INDEX(private_tmp), INDEX(private_devices), INDEX(private_network),
    INDEX(private_ipc), INDEX(private_pids), INDEX(private_users), INDEX(protect_system),
    INDEX(protect_home), INDEX(protect_proc), INDEX(proc_subset), INDEX(protect_kernel_tunables),
    INDEX(protect_kernel_modules), INDEX(protect_kernel_logs), INDEX(protect_control_groups),
    INDEX(protect_clock), INDEX(protect_hostname), INDEX(temporary_file_system),
    INDEX(restrict_namespaces), INDEX(restrict_realtime), INDEX(restrict_suid_sgid),
    INDEX(restrict_address_families), INDEX(lock_personality), INDEX(memory_deny_write_execute),
    INDEX(keyring_mode), INDEX(system_call_architectures), INDEX(system_call_filter),
    INDEX(system_call_error_number), INDEX(umask),
};

static bool is_limit(size_t index) {
    for (size_t i = 0; i < HOLDEN_LIMITS; i++)
        if (holden_limits[i].index == index)
            return holden_property(index)->syntax != HOLDEN_SYNTAX_LIMIT_NICE;
    return false;
}

bool bound_possible(size_t index) {
    for (size_t i = 0; i < ARRAY_SIZE(possible); i++)
        if (possible[i] == index)
            return true;
    return is_limit(index);
}

static const void *member(const struct holden_properties *properties, size_t index) {
    return (const uint8_t *)properties + holden_record_properties.fields[index].offset;
}

static uint64_t u64_of(const struct holden_properties *properties, size_t index) {
    uint64_t value;
    memcpy(&value, member(properties, index), sizeof(value));
    if (!holden_is_share(value))
        return value;
    bool memory = holden_property(index)->syntax == HOLDEN_SYNTAX_SIZE;
    return machine_share(memory ? machine_memory() : machine_tasks(), value);
}

static uint32_t u32_of(const struct holden_properties *properties, size_t index) {
    uint32_t value;
    memcpy(&value, member(properties, index), sizeof(value));
    return value;
}

static bool number_holds(size_t index, const struct holden_properties *bound,
                         const struct holden_properties *asked) {
    return u64_of(asked, index) <= u64_of(bound, index);
}

static bool flag_holds(size_t index, const struct holden_properties *bound,
                       const struct holden_properties *asked) {
    (void)bound;
    return *(const bool *)member(asked, index);
}

/* How much a word of an enumeration protects, where its number does not say so. */
static uint32_t rank(size_t index, uint32_t number) {
    static const uint32_t homes[] = {
        [HOLDEN_protect_home_NO] = 0, [HOLDEN_protect_home_READ_ONLY] = 1,
        [HOLDEN_protect_home_TMPFS] = 2, [HOLDEN_protect_home_YES] = 3};
    static const uint32_t keyrings[] = {[HOLDEN_keyring_mode_INHERIT] = 0,
                                        [HOLDEN_keyring_mode_SHARED] = 1,
                                        [HOLDEN_keyring_mode_PRIVATE] = 2};
    if (index == INDEX(protect_home) && number < ARRAY_SIZE(homes))
        return homes[number];
    if (index == INDEX(keyring_mode) && number < ARRAY_SIZE(keyrings))
        return keyrings[number];
    return number;
}

static bool word_holds(size_t index, const struct holden_properties *bound,
                       const struct holden_properties *asked) {
    return rank(index, u32_of(asked, index)) >= rank(index, u32_of(bound, index));
}

static bool mode_holds(size_t index, const struct holden_properties *bound,
                       const struct holden_properties *asked) {
    return (u32_of(bound, index) & ~u32_of(asked, index)) == 0;
}

/* Refused is refused, by whatever error. */
static bool errno_holds(size_t index, const struct holden_properties *bound,
                        const struct holden_properties *asked) {
    (void)index;
    (void)bound;
    (void)asked;
    return true;
}

static bool namespaces_hold(size_t index, const struct holden_properties *bound,
                            const struct holden_properties *asked) {
    return (u32_of(asked, index) & ~u32_of(bound, index)) == 0;
}

static bool passes(const struct calls *calls, int number) {
    for (size_t i = 0; i < calls->count; i++)
        if (calls->list[i].number == number)
            return calls->allow && calls->list[i].error == HOLDEN_CALL_USUAL;
    return !calls->allow;
}

/* Whether no call passes `asked` that does not pass `bound`. */
static bool calls_hold(const struct calls *bound, const struct calls *asked) {
    if (!asked->given || (bound->allow && !asked->allow))
        return false;
    const struct calls *named = asked->allow ? asked : bound;
    for (size_t i = 0; i < named->count; i++)
        if (passes(asked, named->list[i].number) && !passes(bound, named->list[i].number))
            return false;
    return true;
}

static bool names_hold(size_t index, const struct holden_properties *bound,
                       const struct holden_properties *asked) {
    const struct holden_repeated *lists[] = {member(bound, index), member(asked, index)};
    struct failure failure;
    if (index == INDEX(capability_bounding_set)) {
        uint64_t masks[2];
        return capability_fold(*lists[0], "", &masks[0], &failure) == 0 &&
               capability_fold(*lists[1], "", &masks[1], &failure) == 0 &&
               (masks[1] & ~masks[0]) == 0;
    }
    struct calls calls[2] = {0};
    bool holds = calls_fold(*lists[0], &calls[0], &failure) == 0 &&
                 calls_fold(*lists[1], &calls[1], &failure) == 0 &&
                 calls_hold(&calls[0], &calls[1]);
    calls_free(&calls[0]);
    calls_free(&calls[1]);
    return holds;
}

static bool has_word(struct holden_repeated list, struct holden_view word) {
    struct holden_view one;
    while (holden_next_view(&list, &one))
        if (one.size == word.size && memcmp(one.data, word.data, word.size) == 0)
            return true;
    return false;
}

static bool words_hold(size_t index, const struct holden_properties *bound,
                       const struct holden_properties *asked) {
    const struct holden_repeated *allowed = member(bound, index);
    struct holden_repeated left;
    struct holden_view word;
    memcpy(&left, member(asked, index), sizeof(left));
    while (holden_next_view(&left, &word))
        if (!has_word(*allowed, word))
            return false;
    return true;
}

static bool has_family(const struct holden_families *families, uint32_t family) {
    struct holden_repeated left = families->family;
    uint32_t one;
    while (HOLDEN_HAS(families, families, family) && holden_next_u32(&left, &one))
        if (one == family)
            return true;
    return false;
}

/* A bound is always a list of what is allowed. */
static bool families_hold(size_t index, const struct holden_properties *bound,
                          const struct holden_properties *asked) {
    struct holden_families spaces[2];
    const struct holden_families *allowed = holden_nested_value(
        &holden_record_families, member(bound, index), &spaces[0]);
    const struct holden_families *wanted = holden_nested_value(
        &holden_record_families, member(asked, index), &spaces[1]);
    uint32_t family;
    if (!allowed || !wanted || (HOLDEN_HAS(wanted, families, inverted) && wanted->inverted))
        return false;
    struct holden_repeated left = wanted->family;
    while (HOLDEN_HAS(wanted, families, family) && holden_next_u32(&left, &family))
        if (!has_family(allowed, family))
            return false;
    return true;
}

static bool same_view(struct holden_view a, struct holden_view b) {
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

static bool has_temporary(struct holden_repeated list,
                          const struct holden_temporary_file_system *wanted) {
    struct holden_temporary_file_system space;
    struct holden_nested nested;
    while (holden_next_record(&list, &nested)) {
        const struct holden_temporary_file_system *one =
            holden_nested_value(&holden_record_temporary_file_system, &nested, &space);
        if (one && same_view(one->path, wanted->path) && same_view(one->options, wanted->options))
            return true;
    }
    return false;
}

static bool has_all_temporary(struct holden_repeated list, struct holden_repeated wanted) {
    struct holden_temporary_file_system space;
    struct holden_nested nested;
    while (holden_next_record(&wanted, &nested)) {
        const struct holden_temporary_file_system *one =
            holden_nested_value(&holden_record_temporary_file_system, &nested, &space);
        if (!one || !has_temporary(list, one))
            return false;
    }
    return true;
}

/* The very same, no more and no fewer: what else is mounted may show what it was to hide. */
static bool temporary_holds(size_t index, const struct holden_properties *bound,
                            const struct holden_properties *asked) {
    const struct holden_repeated *a = member(bound, index), *b = member(asked, index);
    return has_all_temporary(*a, *b) && has_all_temporary(*b, *a);
}

/* The value for a device in the list; false: it has none. */
static bool device_value(struct holden_repeated list, const struct holden_device_limit *device,
                         uint64_t *value) {
    struct holden_device_limit space;
    struct holden_nested nested;
    while (holden_next_record(&list, &nested)) {
        const struct holden_device_limit *one =
            holden_nested_value(&holden_record_device_limit, &nested, &space);
        if (one && one->major == device->major && one->minor == device->minor) {
            *value = one->value;
            return true;
        }
    }
    return false;
}

static bool devices_hold(size_t index, const struct holden_properties *bound,
                         const struct holden_properties *asked) {
    const struct holden_repeated *most = member(bound, index);
    struct holden_repeated left;
    struct holden_device_limit space;
    struct holden_nested nested;
    uint64_t value;
    memcpy(&left, member(asked, index), sizeof(left));
    while (holden_next_record(&left, &nested)) {
        const struct holden_device_limit *one =
            holden_nested_value(&holden_record_device_limit, &nested, &space);
        if (!one || (device_value(*most, one, &value) && one->value > value))
            return false;
    }
    return true;
}

/* Whether each device that the bound names is in what is asked for. */
static bool names_devices(size_t index, const struct holden_properties *bound,
                          const struct holden_properties *asked) {
    const struct holden_repeated *wanted = member(asked, index);
    struct holden_repeated left;
    struct holden_device_limit space;
    struct holden_nested nested;
    uint64_t value;
    memcpy(&left, member(bound, index), sizeof(left));
    while (holden_next_record(&left, &nested)) {
        const struct holden_device_limit *one =
            holden_nested_value(&holden_record_device_limit, &nested, &space);
        if (one && !device_value(*wanted, one, &value))
            return false;
    }
    return true;
}

static const struct holden_resource_limit *
limit_of(const struct holden_properties *properties, size_t index,
         struct holden_resource_limit *space) {
    return holden_nested_value(&holden_record_resource_limit, member(properties, index), space);
}

static bool limit_holds(size_t index, const struct holden_properties *bound,
                        const struct holden_properties *asked) {
    struct holden_resource_limit spaces[2];
    const struct holden_resource_limit *most = limit_of(bound, index, &spaces[0]);
    const struct holden_resource_limit *wanted = limit_of(asked, index, &spaces[1]);
    return most && wanted && wanted->hard <= most->hard && wanted->soft <= most->hard;
}

static bool (*const holders[HOLDEN_SYNTAXES])(size_t index, const struct holden_properties *bound,
                                              const struct holden_properties *asked) = {
    [HOLDEN_SYNTAX_SIZE] = number_holds,
    [HOLDEN_SYNTAX_COUNT] = number_holds,
    [HOLDEN_SYNTAX_QUOTA] = number_holds,
    [HOLDEN_SYNTAX_TIME] = number_holds,
    [HOLDEN_SYNTAX_BOOLEAN] = flag_holds,
    [HOLDEN_SYNTAX_WORD] = word_holds,
    [HOLDEN_SYNTAX_MODE] = mode_holds,
    [HOLDEN_SYNTAX_ERRNO] = errno_holds,
    [HOLDEN_SYNTAX_NAMESPACES] = namespaces_hold,
    [HOLDEN_SYNTAX_NAMES] = names_hold,
    [HOLDEN_SYNTAX_WORDS] = words_hold,
    [HOLDEN_SYNTAX_FAMILIES] = families_hold,
    [HOLDEN_SYNTAX_TEMPORARY] = temporary_holds,
    [HOLDEN_SYNTAX_DEVICE_SIZE] = devices_hold,
    [HOLDEN_SYNTAX_DEVICE_COUNT] = devices_hold,
    [HOLDEN_SYNTAX_LIMIT_TIME] = limit_holds,
    [HOLDEN_SYNTAX_LIMIT_MICROSECONDS] = limit_holds,
    [HOLDEN_SYNTAX_LIMIT_SIZE] = limit_holds,
    [HOLDEN_SYNTAX_LIMIT_COUNT] = limit_holds,
};

bool bound_holds(const struct bounds *bounds, size_t index,
                 const struct holden_properties *asked) {
    return !holden_has(&bounds->values, index) || !holden_has(asked, index) ||
           holders[holden_property(index)->syntax](index, &bounds->values, asked);
}

bool bound_stays(const struct bounds *bounds, size_t index,
                 const struct holden_properties *asked) {
    return !holden_has(&bounds->values, index) || !holden_has(asked, index) ||
           holders[holden_property(index)->syntax] != devices_hold ||
           names_devices(index, &bounds->values, asked);
}

bool bound_is_ceiling(size_t index) {
    uint8_t syntax = holden_property(index)->syntax;
    return holders[syntax] == number_holds || holders[syntax] == devices_hold ||
           holders[syntax] == limit_holds;
}

/* ---- putting them in force ---- */

static void copy(const struct holden_properties *from, size_t index,
                 struct holden_properties *properties) {
    const struct holden_field *field = &holden_record_properties.fields[index];
    size_t size = field->repeated ? sizeof(struct holden_repeated)
                                  : holden_size((enum holden_type)field->type);
    memcpy((uint8_t *)properties + field->offset, member(from, index), size);
    holden_mark(properties, index);
}

/* Devices that the list does not name, or allows more, get the bound; others keep what they have.
 */
static int impose_devices(const struct holden_properties *bound, size_t index, struct arena *arena,
                          struct holden_properties *properties) {
    struct holden_repeated *asked = (void *)((uint8_t *)properties +
                                             holden_record_properties.fields[index].offset);
    const struct holden_repeated *most = member(bound, index);
    struct holden_repeated left = *asked;
    struct holden_device_limit space;
    struct holden_nested nested;
    uint64_t value;
    uint32_t count = 0;
    struct holden_nested *items = arena_take(arena, (asked->count + most->count) * sizeof(*items));
    if (!items)
        return -ENOMEM;
    while (holden_next_record(&left, &nested)) {
        const struct holden_device_limit *one =
            holden_nested_value(&holden_record_device_limit, &nested, &space);
        if (one && (!device_value(*most, one, &value) || one->value <= value))
            items[count++] = nested;
    }
    const struct holden_repeated kept = {.count = count, .items = items};
    for (left = *most; holden_next_record(&left, &nested);)
        if (!device_value(kept, nested.value, &value))
            items[count++] = nested;
    *asked = (struct holden_repeated){.count = count, .items = items};
    return 0;
}

/* A process that asks for no limit has the keeper's, which may be less than the bound. */
static int impose_limit(const struct holden_properties *bound, size_t index, struct arena *arena,
                        struct holden_properties *properties) {
    struct holden_resource_limit space, *limit = arena_take(arena, sizeof(*limit));
    const struct holden_resource_limit *most = limit_of(bound, index, &space);
    struct rlimit own = {RLIM_INFINITY, RLIM_INFINITY};
    if (!limit || !most)
        return -ENOMEM;
    for (size_t i = 0; i < HOLDEN_LIMITS; i++)
        if (holden_limits[i].index == index)
            prlimit(getppid(), holden_limits[i].resource, NULL, &own);
    HOLDEN_SET(limit, resource_limit, soft, most->soft < own.rlim_cur ? most->soft : own.rlim_cur);
    HOLDEN_SET(limit, resource_limit, hard, most->hard < own.rlim_max ? most->hard : own.rlim_max);
    struct holden_nested *nested = (void *)((uint8_t *)properties +
                                            holden_record_properties.fields[index].offset);
    *nested = (struct holden_nested){.value = limit};
    holden_mark(properties, index);
    return 0;
}

static int impose(const struct bounds *bounds, size_t index, struct arena *arena,
                  struct holden_properties *properties) {
    bool asked = holden_has(properties, index);
    bool devices = holders[holden_property(index)->syntax] == devices_hold;
    if (asked && devices)
        return impose_devices(&bounds->values, index, arena, properties);
    if (asked && bound_holds(bounds, index, properties))
        return 0;
    if (is_limit(index))
        return impose_limit(&bounds->values, index, arena, properties);
    copy(&bounds->values, index, properties);
    return 0;
}

int bound_impose(const struct bounds *bounds, struct arena *arena,
                 struct holden_properties *properties) {
    int r = 0;
    for (size_t i = 0; r == 0 && i < HOLDEN_PROPERTIES; i++)
        if (holden_has(&bounds->values, i))
            r = impose(bounds, i, arena, properties);
    return r;
}

char *bound_show(size_t index, const struct holden_properties *asked, char *text, size_t space) {
    text[0] = '\0';
    if (!holden_has(asked, index) || holders[holden_property(index)->syntax] != number_holds)
        return text;
    uint64_t value = u64_of(asked, index);
    uint8_t syntax = holden_property(index)->syntax;
    if (value == UNIT_INFINITY)
        snprintf(text, space, "infinity");
    else if (syntax == HOLDEN_SYNTAX_SIZE)
        unit_format_size(value, text, space);
    else if (syntax == HOLDEN_SYNTAX_TIME)
        unit_format_time(value, text, space);
    else if (syntax == HOLDEN_SYNTAX_QUOTA)
        unit_format_percent(value / 100, text, space);
    else
        snprintf(text, space, "%" PRIu64, value);
    return text;
}
