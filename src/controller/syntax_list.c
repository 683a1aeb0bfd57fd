/* Settings that are names or lists of them. */
#include <errno.h>
#include <grp.h>
#include <inttypes.h>
#include <pwd.h>
#include <string.h>

#include "controller/environment.h"
#include "controller/identity.h"
#include "controller/syntax.h"

enum { NAME_MOST = 64 };

/* Why one name of a NAMES setting cannot be sent. 0, or refused. */
static int check_name(struct settings *settings, size_t index, struct holden_view word) {
    const char *property = holden_property(index)->name;
    int size = (int)(word.size < 80 ? word.size : 80);
    if (word.data[0] == '@')
        return settings_refuse(settings,
                               "%s=%.*s: groups are not supported yet; name the system calls",
                               property, size, word.data);
    if (memchr(word.data, ':', word.size))
        return settings_refuse(settings, "%s=%.*s: an error for one call is not supported yet; "
                               "SystemCallErrorNumber= sets it for all", property, size, word.data);
    if (word.size > NAME_MOST)
        return settings_refuse(settings, "%s=%.*s…: a name has at most %d bytes", property, size,
                               word.data, NAME_MOST);
    return 0;
}

static int collect_names(struct settings *settings, size_t index, const char *value,
                         struct holden_names *names) {
    struct holden_view word;
    struct holden_view *list =
        arena_take(&settings->arena, (strlen(value) / 2 + 1) * sizeof(*list));
    if (!list)
        return -ENOMEM;
    uint32_t count = 0;
    while (syntax_word(&value, &word)) {
        int r = check_name(settings, index, word);
        if (r == 0)
            r = settings_text(settings, word.data, word.size, &list[count++]);
        if (r < 0)
            return r;
    }
    if (count > 0)
        HOLDEN_SET(names, names, name, (struct holden_repeated){.count = count, .items = list});
    return 0;
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
        if (index == HOLDEN_INDEX(properties, system_call_filter))
            return 0;
    }
    struct holden_nested nested = {.value = names};
    return settings_append(settings, index, &nested, sizeof(nested));
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

int syntax_print_names(size_t index, const void *value, struct buffer *out) {
    struct holden_names decoded;
    const struct holden_names *names = syntax_nested(&holden_record_names, value, &decoded);
    struct holden_view name;
    (void)index;
    if (!names)
        return 0;
    int r = names->inverted ? buffer_append(out, "~", 1) : 0;
    bool first = true;
    for (struct holden_repeated left = names->name; r == 0 && holden_next_view(&left, &name);
         first = false) {
        if (!first)
            r = buffer_append(out, " ", 1);
        if (r == 0)
            r = buffer_append(out, name.data, name.size);
    }
    return r;
}

int syntax_print_user(size_t index, const void *value, struct buffer *out) {
    struct holden_user decoded;
    const struct holden_user *user = syntax_nested(&holden_record_user, value, &decoded);
    (void)index;
    if (!user)
        return 0;
    const struct passwd *entry = getpwuid(user->uid);
    return entry ? buffer_append(out, entry->pw_name, strlen(entry->pw_name))
                 : buffer_printf(out, "%u", user->uid);
}

int syntax_print_group(size_t index, const void *value, struct buffer *out) {
    uint32_t gid = *(const uint32_t *)value;
    (void)index;
    const struct group *entry = getgrgid(gid);
    return entry ? buffer_append(out, entry->gr_name, strlen(entry->gr_name))
                 : buffer_printf(out, "%u", gid);
}
