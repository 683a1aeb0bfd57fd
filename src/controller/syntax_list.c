/* Settings that are names or lists of them. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/spelling.h"
#include "controller/account.h"
#include "controller/environment.h"
#include "controller/identity.h"
#include "controller/syntax.h"
#include "protocol/call_set.h"

enum { NAME_MOST = 64 };

/* Why one name of a NAMES setting cannot be sent. 0, or refused. */
static int check_name(struct settings *settings, size_t index, struct holden_view word) {
    const char *property = holden_property(index)->name;
    int size = (int)(word.size < 80 ? word.size : 80);
    if (word.size > NAME_MOST)
        return settings_refuse(settings, "%s=%.*s…: a name has at most %d bytes", property, size,
                               word.data, NAME_MOST);
    char name[NAME_MOST + 1] = "";
    memcpy(name, word.data, word.size);
    if (name[0] != '@' || holden_call_set_find(name))
        return 0;
    struct spelling spelling = {.wanted = name};
    for (size_t i = 0; holden_call_set(i); i++)
        spelling_offer(&spelling, holden_call_set(i)->name);
    return settings_refuse(settings, "%s=%s: there is no such set of system calls%s%s", property,
                           name, spelling.best[0] ? "; did you mean " : "", spelling.best);
}

/* The error behind the colon of "NAME:ERROR". */
static int read_error(struct settings *settings, size_t index, struct holden_view word,
                      const char *colon, uint32_t *error) {
    const char *property = holden_property(index)->name;
    int size = (int)(word.size < 80 ? word.size : 80);
    char text[24] = "";
    size_t length = (size_t)(word.data + word.size - colon - 1);
    if (index != HOLDEN_INDEX(properties, system_call_filter))
        return settings_refuse(settings, "%s=%.*s: a name here has no error", property, size,
                               word.data);
    if (length < sizeof(text))
        memcpy(text, colon + 1, length);
    if (syntax_error_number(text, error) == 0)
        return 0;
    return settings_refuse(settings, "%s=%.*s: behind the colon stands an error, such as EPERM, "
                           "0 to %d, or kill", property, size, word.data, HOLDEN_CALL_ERROR_MOST);
}

/* The names of one list and what follows their colons, while they are gathered. */
struct collection {
    struct holden_view *names;
    uint32_t *errors;
    uint32_t count;
    bool special; /* some name has an error of its own */
};

static int collect_name(struct settings *settings, size_t index, struct holden_view word,
                        struct collection *list) {
    const char *colon = memchr(word.data, ':', word.size);
    struct holden_view name = word;
    uint32_t error = HOLDEN_CALL_USUAL;
    int r = 0;
    if (colon) {
        name.size = (size_t)(colon - word.data);
        r = read_error(settings, index, word, colon, &error);
        list->special = true;
    }
    if (r == 0)
        r = check_name(settings, index, name);
    list->errors[list->count] = error;
    return r < 0 ? r : settings_text(settings, name.data, name.size, &list->names[list->count++]);
}

static int collect_names(struct settings *settings, size_t index, const char *value,
                         struct holden_names *names) {
    struct holden_view word;
    size_t most = strlen(value) / 2 + 1;
    struct collection list = {
        .names = arena_take(&settings->arena, most * sizeof(*list.names)),
        .errors = arena_take(&settings->arena, most * sizeof(*list.errors)),
    };
    if (!list.names || !list.errors)
        return -ENOMEM;
    while (syntax_word(&value, &word)) {
        int r = collect_name(settings, index, word, &list);
        if (r < 0)
            return r;
    }
    if (list.special && !names->inverted)
        return settings_refuse(settings, "%s=: only what is forbidden, behind a leading ~, "
                               "can have an error", holden_property(index)->name);
    if (list.count > 0)
        HOLDEN_SET(names, names, name,
                   (struct holden_repeated){.count = list.count, .items = list.names});
    if (list.special)
        HOLDEN_SET(names, names, error,
                   (struct holden_repeated){.count = list.count, .items = list.errors});
    return 0;
}

/* Whether the property is made of names of system calls. */
static bool of_calls(size_t index) {
    return index == HOLDEN_INDEX(properties, system_call_filter) ||
           index == HOLDEN_INDEX(properties, system_call_log);
}

/* An empty list of system calls forgets the filter. An empty list of capabilities is the empty set
 * and "~" the full one, and both forget what came before (systemd.exec(5)). */
int syntax_parse_names(struct settings *settings, size_t index, const char *value) {
    bool inverted = *value == '~';
    const char *list = value + inverted;
    struct holden_names *names = arena_take(&settings->arena, sizeof(*names));
    if (!names)
        return -ENOMEM;
    if (inverted)
        HOLDEN_SET(names, names, inverted, true);
    int r = collect_names(settings, index, list, names);
    if (r < 0)
        return r;
    if (names->name.count == 0) {
        settings_reset(settings, index);
        /* All but none are what SystemCallLog=~ logs. */
        if (of_calls(index) && !(inverted && index == HOLDEN_INDEX(properties, system_call_log)))
            return 0;
    }
    struct holden_nested nested = {.value = names};
    return settings_append(settings, index, &nested, sizeof(nested));
}

int syntax_parse_text(struct settings *settings, size_t index, const char *value) {
    struct holden_view view;
    size_t size = strlen(value);
    if ((int64_t)size > holden_property(index)->maximum)
        return -ERANGE;
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)value[i] < 0x20 || value[i] == 0x7f)
            return -EINVAL;
    int r = settings_text(settings, value, size, &view);
    return r < 0 ? r : settings_set(settings, index, &view);
}

int syntax_parse_words(struct settings *settings, size_t index, const char *value) {
    const int64_t most = holden_property(index)->maximum;
    struct holden_view word;
    while (syntax_word(&value, &word)) {
        struct holden_view copy;
        if ((int64_t)word.size > most)
            return -ERANGE;
        int r = settings_text(settings, word.data, word.size, &copy);
        if (r == 0)
            r = settings_append(settings, index, &copy, sizeof(copy));
        if (r < 0)
            return r;
    }
    return 0;
}

int syntax_parse_environment(struct settings *settings, size_t index, const char *value) {
    (void)index;
    return environment_assign(settings, value);
}

/* The name is kept; identity_finish() looks it up, which needs Group= too. */
int syntax_parse_user(struct settings *settings, size_t index, const char *value) {
    settings->user = arena_copy(&settings->arena, value, strlen(value));
    if (!settings->user)
        return -ENOMEM;
    return settings_set(settings, index, &(struct holden_nested){0});
}

int syntax_parse_group(struct settings *settings, size_t index, const char *value) {
    uint32_t gid;
    int r = identity_group(settings, index, value, &gid);
    return r < 0 ? r : settings_set(settings, index, &gid);
}

int syntax_parse_groups(struct settings *settings, size_t index, const char *value) {
    struct holden_view word;
    char name[256];
    while (syntax_word(&value, &word)) {
        uint32_t gid;
        if (word.size >= sizeof(name))
            return -EINVAL;
        memcpy(name, word.data, word.size);
        name[word.size] = '\0';
        int r = identity_group(settings, index, name, &gid);
        if (r == 0)
            r = settings_append(settings, index, &gid, sizeof(gid));
        if (r < 0)
            return r;
    }
    return 0;
}

int syntax_print_text(size_t index, const void *value, struct buffer *out) {
    const struct holden_view *text = value;
    (void)index;
    return buffer_append(out, text->data, text->size);
}

int syntax_print_assignment(size_t index, const void *value, struct buffer *out) {
    (void)index;
    return environment_print(*(const struct holden_view *)value, out);
}

static int print_error(uint32_t error, struct buffer *out) {
    const char *name = error == HOLDEN_CALL_KILL ? "kill" : strerrorname_np((int)error);
    return name ? buffer_printf(out, ":%s", name) : buffer_printf(out, ":%u", error);
}

int syntax_print_names(size_t index, const void *value, struct buffer *out) {
    struct holden_names decoded;
    const struct holden_names *names = holden_nested_value(&holden_record_names, value, &decoded);
    struct holden_view name;
    (void)index;
    if (!names)
        return 0;
    int r = names->inverted ? buffer_append(out, "~", 1) : 0;
    struct holden_repeated errors = names->error;
    bool first = true;
    for (struct holden_repeated left = names->name; r == 0 && holden_next_view(&left, &name);
         first = false) {
        uint32_t error = HOLDEN_CALL_USUAL;
        if (!first)
            r = buffer_append(out, " ", 1);
        if (r == 0)
            r = buffer_append(out, name.data, name.size);
        if (r == 0 && HOLDEN_HAS(names, names, error) && holden_next_u32(&errors, &error) &&
            error != HOLDEN_CALL_USUAL)
            r = print_error(error, out);
    }
    return r;
}

int syntax_print_user(size_t index, const void *value, struct buffer *out) {
    struct holden_user decoded;
    const struct holden_user *user = holden_nested_value(&holden_record_user, value, &decoded);
    (void)index;
    if (!user)
        return 0;
    if (HOLDEN_HAS(user, user, name))
        return buffer_append(out, user->name.data, user->name.size);
    _cleanup_(account_free) struct account account = {0};
    return account_by_uid(user->uid, &account) == 0
               ? buffer_append(out, account.name, strlen(account.name))
               : buffer_printf(out, "%u", user->uid);
}

int syntax_print_group(size_t index, const void *value, struct buffer *out) {
    uint32_t gid = *(const uint32_t *)value;
    (void)index;
    _cleanup_free_ char *name = NULL;
    return account_group_name(gid, &name) == 0 ? buffer_append(out, name, strlen(name))
                                               : buffer_printf(out, "%u", gid);
}
