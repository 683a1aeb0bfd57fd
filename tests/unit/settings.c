#include "settings.h"

#include <stdlib.h>
#include <string.h>

#include "protocol/call_set.h"
#include "suite.h"

struct holden_repeated settings_views(struct holden_view *views, const char *const *strings) {
    uint32_t count = 0;
    for (; strings[count]; count++)
        views[count] = holden_view(strings[count]);
    return (struct holden_repeated){.count = count, .items = views};
}

static uint32_t error_of(const char *text) {
    if (strcmp(text, "kill") == 0)
        return HOLDEN_CALL_KILL;
    for (int i = 1; i < 200; i++)
        if (strerrorname_np(i) && strcmp(strerrorname_np(i), text) == 0)
            return (uint32_t)i;
    return (uint32_t)strtoul(text, NULL, 10);
}

/* Takes what stands behind colons off the names. */
static void fill_errors(struct properties *properties, size_t at, uint32_t count) {
    struct holden_names *list = &properties->lists[at];
    uint32_t *errors = properties->errors[at];
    bool any = false;
    for (uint32_t i = 0; i < count; i++) {
        struct holden_view *name = &properties->names[at][i];
        const char *colon = memchr(name->data, ':', name->size);
        errors[i] = HOLDEN_CALL_USUAL;
        if (!colon)
            continue;
        errors[i] = error_of(colon + 1);
        name->size = (size_t)(colon - name->data);
        any = true;
    }
    if (any)
        HOLDEN_SET(list, names, error, (struct holden_repeated){.count = count, .items = errors});
}

static void fill_list(struct properties *properties, size_t at, const char *const *strings) {
    struct holden_names *list = &properties->lists[at];
    struct holden_view *views = properties->names[at];
    *list = (struct holden_names){0};
    bool inverted = strings[0][0] == '~';
    if (inverted)
        HOLDEN_SET(list, names, inverted, true);
    struct holden_repeated names = settings_views(views, strings);
    if (inverted)
        views[0] = holden_view(strings[0] + 1);
    if (names.count == 1 && views[0].size == 0)
        return;
    HOLDEN_SET(list, names, name, names);
    fill_errors(properties, at, names.count);
}

struct holden_repeated properties_lists(struct properties *properties,
                                        const char *const *const *lists) {
    uint32_t count = 0;
    for (; lists[count]; count++) {
        assert_true(count < SETTINGS_LISTS);
        fill_list(properties, count, lists[count]);
        properties->nested[count] = (struct holden_nested){.value = &properties->lists[count]};
    }
    return (struct holden_repeated){.count = count, .items = properties->nested};
}

void properties_error(struct properties *properties, uint32_t error) {
    HOLDEN_SET(&properties->all, properties, system_call_error_number, error);
}

void profile_begin(struct profile *profile, uint32_t action) {
    HOLDEN_SET(&profile->all, seccomp_profile, default_action, action);
}

void profile_add_rule(struct profile *profile, uint32_t action, uint32_t error,
                      const char *const *names) {
    assert_true(profile->count < SETTINGS_RULES);
    struct holden_seccomp_rule *rule = &profile->rules[profile->count];
    HOLDEN_SET(rule, seccomp_rule, action, action);
    if (error)
        HOLDEN_SET(rule, seccomp_rule, error, error);
    HOLDEN_SET(rule, seccomp_rule, name, settings_views(profile->names[profile->count], names));
    profile->nested[profile->count++] = (struct holden_nested){.value = rule};
    HOLDEN_SET(
        &profile->all, seccomp_profile, rule,
        (struct holden_repeated){.count = (uint32_t)profile->count, .items = profile->nested});
}

void profile_condition(struct profile *profile, uint32_t index, uint32_t operator, uint64_t value,
                       uint64_t value_two) {
    size_t at = profile->count - 1;
    struct holden_seccomp_rule *rule = &profile->rules[at];
    uint32_t count = HOLDEN_HAS(rule, seccomp_rule, argument) ? rule->argument.count : 0;
    assert_true(count < SETTINGS_CONDITIONS);
    struct holden_seccomp_argument *argument = &profile->conditions[at][count];
    HOLDEN_SET(argument, seccomp_argument, index, index);
    HOLDEN_SET(argument, seccomp_argument, operator, operator);
    HOLDEN_SET(argument, seccomp_argument, value, value);
    if (value_two)
        HOLDEN_SET(argument, seccomp_argument, value_two, value_two);
    profile->nested_conditions[at][count] = (struct holden_nested){.value = argument};
    HOLDEN_SET(
        rule, seccomp_rule, argument,
        (struct holden_repeated){.count = count + 1, .items = profile->nested_conditions[at]});
}

const struct holden_properties *wire_pass(struct wire *wire,
                                          const struct holden_properties *properties) {
    struct holden_fault fault;
    assert_int_equal(holden_encode(&holden_record_properties, properties, &wire->bytes), 0);
    assert_int_equal(holden_decode(&holden_record_properties, buffer_bytes(&wire->bytes),
                                   wire->bytes.size, &wire->decoded, &fault),
                     0);
    return &wire->decoded;
}

void wire_free(struct wire *wire) {
    buffer_free(&wire->bytes);
}
