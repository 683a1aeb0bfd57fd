/* One element of "syscalls". */
#include <errno.h>
#include <string.h>

#include "common/cleanup.h"
#include "controller/profile_reader.h"

enum { NAME_MOST = 64, ARGUMENTS = 6 };

static int read_argument(struct profile_reader *reader, json_t *from,
                         struct holden_seccomp_argument *argument) {
    static const char *const known[] = {"index", "value", "valueTwo", "op"};
    uint64_t index = 0;
    bool given;
    const char *name = NULL;
    int r = profile_only(reader, from, known, ARRAY_SIZE(known));
    if (r == 0)
        r = profile_number(reader, from, "index", &index, &given);
    if (r == 0 && (!given || index >= ARGUMENTS))
        return profile_refuse(reader, "index of an argument must be from 0 to 5");
    if (r == 0)
        r = profile_number(reader, from, "value", &argument->value, &given);
    if (r == 0)
        r = profile_number(reader, from, "valueTwo", &argument->value_two, &given);
    if (r == 0 && given)
        HOLDEN_MARK(argument, seccomp_argument, value_two);
    if (r == 0)
        r = profile_string(reader, from, "op", &name);
    if (r < 0)
        return r;
    if (!name || holden_number(&holden_enum_seccomp_operator, name, &argument->operator) < 0)
        return profile_refuse(reader, "unknown op %.60s", name ? name : "(none)");
    argument->index = (uint32_t)index;
    HOLDEN_MARK(argument, seccomp_argument, index);
    HOLDEN_MARK(argument, seccomp_argument, value);
    HOLDEN_MARK(argument, seccomp_argument, operator);
    return 0;
}

/* Conditions of a rule: an array of nested seccomp_argument in the arena. *twice is set where two
 * are about the same argument. */
static int read_arguments(struct profile_reader *reader, json_t *from, struct holden_nested **list,
                          uint32_t *count, bool *twice) {
    unsigned seen = 0;
    size_t size = json_array_size(from);
    struct arena *arena = &reader->settings->arena;
    struct holden_nested *nested = arena_take(arena, (size + 1) * sizeof(*nested));
    struct holden_seccomp_argument *arguments = arena_take(arena, (size + 1) * sizeof(*arguments));
    if (!nested || !arguments)
        return -ENOMEM;
    for (size_t i = 0; i < size; i++) {
        int r = read_argument(reader, json_array_get(from, i), &arguments[i]);
        if (r < 0)
            return r;
        nested[i].value = &arguments[i];
        if (seen >> arguments[i].index & 1)
            *twice = true;
        seen |= 1U << arguments[i].index;
    }
    *list = nested;
    *count = (uint32_t)size;
    return 0;
}

static int add_name(struct profile_reader *reader, json_t *value, struct holden_view *name) {
    if (!json_is_string(value) || json_string_length(value) == 0 ||
        json_string_length(value) > NAME_MOST)
        return profile_refuse(reader, "a name must be a string of 1 to %d bytes", NAME_MOST);
    return settings_text(reader->settings, json_string_value(value), json_string_length(value),
                         name);
}

/* "names", or the older "name" for one. */
static int read_names(struct profile_reader *reader, json_t *from,
                      struct holden_seccomp_rule *rule) {
    json_t *names = NULL;
    json_t *single = json_object_get(from, "name");
    int r = profile_array(reader, from, "names", &names);
    if (r < 0)
        return r;
    uint32_t count = 0;
    size_t size = json_array_size(names);
    struct holden_view *list = arena_take(&reader->settings->arena, (size + 1) * sizeof(*list));
    if (!list)
        return -ENOMEM;
    for (size_t i = 0; r == 0 && i < size; i++)
        r = add_name(reader, json_array_get(names, i), &list[count++]);
    if (r == 0 && single && json_string_length(single) > 0)
        r = add_name(reader, single, &list[count++]);
    if (r == 0 && count == 0)
        return profile_refuse(reader, "names no system call");
    if (r == 0)
        HOLDEN_SET(rule, seccomp_rule, name,
                   (struct holden_repeated){.count = count, .items = list});
    return r;
}

static int read_action(struct profile_reader *reader, json_t *from,
                       struct holden_seccomp_rule *rule) {
    const char *action = NULL;
    bool given = false;
    int r = profile_string(reader, from, "action", &action);
    if (r == 0 && !action)
        return profile_refuse(reader, "action is missing");
    if (r == 0)
        r = profile_action(reader, action, &rule->action);
    if (r == 0)
        r = profile_error(reader, from, "errnoRet", "errno", &rule->error, &given);
    if (r < 0)
        return r;
    HOLDEN_MARK(rule, seccomp_rule, action);
    if (given)
        HOLDEN_MARK(rule, seccomp_rule, error);
    return 0;
}

static uint32_t error_of(bool given, uint32_t error) {
    return given ? error : EPERM;
}

/* A rule that says what happens anyway only gets in the compiler's way. */
static bool is_default(const struct holden_seccomp_rule *rule,
                       const struct holden_seccomp_profile *profile) {
    if (rule->action != profile->default_action)
        return false;
    return rule->action != HOLDEN_seccomp_action_ERRNO ||
           error_of(HOLDEN_HAS(rule, seccomp_rule, error), rule->error) ==
               error_of(HOLDEN_HAS(profile, seccomp_profile, default_error),
                        profile->default_error);
}

static int emit(struct profile_reader *reader, const struct holden_seccomp_rule *rule,
                struct holden_nested *arguments, uint32_t count, struct buffer *rules) {
    struct holden_seccomp_rule *kept = arena_take(&reader->settings->arena, sizeof(*kept));
    if (!kept)
        return -ENOMEM;
    *kept = *rule;
    if (count > 0)
        HOLDEN_SET(kept, seccomp_rule, argument,
                   (struct holden_repeated){.count = count, .items = arguments});
    struct holden_nested nested = {.value = kept};
    return buffer_append(rules, &nested, sizeof(nested));
}

int profile_rule(struct profile_reader *reader, json_t *from,
                 const struct holden_seccomp_profile *profile, struct buffer *rules) {
    static const char *const known[] = {"names", "name",    "action",   "errnoRet", "errno",
                                        "args",  "comment", "includes", "excludes"};
    struct holden_seccomp_rule rule = {0};
    struct holden_nested *arguments = NULL;
    json_t *conditions = NULL;
    uint32_t count = 0;
    bool twice = false;
    int r = profile_only(reader, from, known, ARRAY_SIZE(known));
    if (r == 0)
        r = read_action(reader, from, &rule);
    if (r == 0)
        r = read_names(reader, from, &rule);
    if (r == 0)
        r = profile_array(reader, from, "args", &conditions);
    if (r == 0)
        r = read_arguments(reader, conditions, &arguments, &count, &twice);
    if (r == 0)
        r = profile_applies(reader, from);
    if (r <= 0 || is_default(&rule, profile))
        return r < 0 ? r : 0;
    if (!twice)
        return emit(reader, &rule, arguments, count, rules);
    /* Two conditions on one argument have always meant that either is enough (as runc has it). */
    for (r = 0; r == 0 && count > 0; count--)
        r = emit(reader, &rule, &arguments[count - 1], 1, rules);
    return r;
}
