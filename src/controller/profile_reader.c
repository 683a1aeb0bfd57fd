#include "controller/profile_reader.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/unit.h"

int profile_refuse(struct profile_reader *reader, const char *format, ...) {
    char text[700];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    return settings_refuse(reader->settings, "SeccompProfile=%.200s: %s%s", reader->name,
                           reader->place, text);
}

/* A member that is there and not null. */
static json_t *member(json_t *object, const char *key) {
    json_t *value = json_object_get(object, key);
    return json_is_null(value) ? NULL : value;
}

int profile_string(struct profile_reader *reader, json_t *object, const char *key,
                   const char **value) {
    json_t *found = member(object, key);
    if (found && !json_is_string(found))
        return profile_refuse(reader, "%s must be a string", key);
    if (found)
        *value = json_string_value(found);
    return 0;
}

int profile_array(struct profile_reader *reader, json_t *object, const char *key, json_t **value) {
    json_t *found = member(object, key);
    if (found && !json_is_array(found))
        return profile_refuse(reader, "%s must be an array", key);
    *value = found;
    return 0;
}

/* Digits in quotes, up to 2^64-1. */
static int read_digits(const char *text, uint64_t *value) {
    uint64_t number = 0;
    if (!*text)
        return -EINVAL;
    for (; *text; text++)
        if (*text < '0' || *text > '9' || __builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, (uint64_t)(*text - '0'), &number))
            return -EINVAL;
    *value = number;
    return 0;
}

int profile_number(struct profile_reader *reader, json_t *object, const char *key, uint64_t *value,
                   bool *given) {
    json_t *found = member(object, key);
    *given = found;
    if (!found)
        return 0;
    if (json_is_integer(found) && json_integer_value(found) >= 0) {
        *value = (uint64_t)json_integer_value(found);
        return 0;
    }
    if (json_is_string(found) && read_digits(json_string_value(found), value) == 0)
        return 0;
    return profile_refuse(reader, "%s must be a whole number from 0 to 2^64-1", key);
}

int profile_only(struct profile_reader *reader, json_t *object, const char *const *known,
                 size_t count) {
    const char *key;
    json_t *value;
    if (!json_is_object(object))
        return profile_refuse(reader, "must be an object");
    json_object_foreach(object, key, value) {
        size_t i = 0;
        while (i < count && strcmp(known[i], key) != 0)
            i++;
        if (i == count)
            return profile_refuse(reader, "unknown member \"%.60s\"", key);
    }
    return 0;
}

int profile_action(struct profile_reader *reader, const char *name, uint32_t *action) {
    /* The older name of the same. */
    if (strcmp(name, "SCMP_ACT_KILL") == 0)
        name = "SCMP_ACT_KILL_THREAD";
    if (holden_number(&holden_enum_seccomp_action, name, action) == 0)
        return 0;
    if (strcmp(name, "SCMP_ACT_NOTIFY") == 0)
        return profile_refuse(reader, "action %s is not supported", name);
    return profile_refuse(reader, "unknown action %.60s", name);
}

int profile_error(struct profile_reader *reader, json_t *object, const char *number_key,
                  const char *name_key, uint32_t *error, bool *given) {
    enum { NAMED = 200, MOST = 4095 };
    uint64_t number = 0;
    const char *name = NULL;
    int r = profile_number(reader, object, number_key, &number, given);
    if (r == 0)
        r = profile_string(reader, object, name_key, &name);
    if (r < 0)
        return r;
    if (*given && number > MOST)
        return profile_refuse(reader, "%s must be at most %d", number_key, MOST);
    if (*given)
        *error = (uint32_t)number;
    if (!name || !*name)
        return 0;
    for (int i = 1; i < NAMED; i++) {
        const char *known = strerrorname_np(i);
        if (!known || strcmp(known, name) != 0)
            continue;
        *error = (uint32_t)i;
        *given = true;
        return 0;
    }
    return profile_refuse(reader, "unknown error %.60s", name);
}
