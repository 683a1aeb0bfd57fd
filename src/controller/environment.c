#include "controller/environment.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "controller/environment_file.h"
#include "controller/quoting.h"
#include "controller/words.h"

bool environment_valid(struct holden_view assignment) {
    size_t i = 0;
    while (i < assignment.size &&
           (isalnum((unsigned char)assignment.data[i]) || assignment.data[i] == '_'))
        i++;
    return i > 0 && i < assignment.size && assignment.data[i] == '=' &&
           !isdigit((unsigned char)assignment.data[0]);
}

static int refuse_item(struct settings *settings, const char *value, const char *why) {
    char shown[WORDS_SHOWN];
    return settings_refuse(settings, "Environment=%s: %s", words_show(value, shown), why);
}

int environment_assign(struct settings *settings, const char *value) {
    const size_t index = HOLDEN_INDEX(properties, environment);
    const size_t most = (size_t)holden_property(index)->maximum;
    _cleanup_(buffer_free) struct buffer item = {0};
    const char *at = value;
    int r;
    while ((r = quoting_item(&at, QUOTING_STRICT, &item)) > 0) {
        struct holden_view view = {(const char *)buffer_bytes(&item), item.size};
        if (!environment_valid(view))
            return refuse_item(settings, value,
                               "expected VARIABLE=VALUE, quoted where it has spaces");
        if (view.size >= most)
            return refuse_item(settings, value,
                               "a variable with its value has at most 131071 bytes");
        r = settings_text(settings, view.data, view.size, &view);
        if (r == 0)
            r = settings_append(settings, index, &view, sizeof(view));
        if (r < 0)
            return r;
        item.size = 0;
    }
    return r == -EINVAL ? refuse_item(settings, value, "an open quote, or an unknown \\ sequence")
                        : r;
}

/* Lists that are not properties grow as settings_append() lets those grow. */
static int push(struct settings *settings, struct holden_repeated *list, struct holden_view view) {
    struct holden_view *items = (void *)list->items;
    if ((list->count & (list->count - 1)) == 0) {
        items = arena_take(&settings->arena, (list->count ? list->count * 2 : 1) * sizeof(*items));
        if (!items)
            return -ENOMEM;
        if (list->count > 0)
            memcpy(items, list->items, list->count * sizeof(*items));
    }
    items[list->count++] = view;
    list->items = items;
    return 0;
}

/* Adds an assignment, in place of one of the same variable. Lists are short: each variable is
 * compared with all. */
static int put(struct settings *settings, struct holden_repeated *list, struct holden_view view) {
    struct holden_view *items = (void *)list->items;
    size_t name = (size_t)((const char *)memchr(view.data, '=', view.size) - view.data) + 1;
    for (uint32_t i = 0; i < list->count; i++)
        if (items[i].size >= name && memcmp(items[i].data, view.data, name) == 0) {
            items[i] = view;
            return 0;
        }
    return push(settings, list, view);
}

static int put_pair(struct settings *settings, struct holden_repeated *list, const char *name,
                    const char *value) {
    size_t name_size = strlen(name);
    size_t value_size = strlen(value);
    char *text = arena_take(&settings->arena, name_size + value_size + 2);
    if (!text)
        return -ENOMEM;
    memcpy(text, name, name_size);
    text[name_size] = '=';
    memcpy(text + name_size + 1, value, value_size);
    return put(settings, list, (struct holden_view){text, name_size + 1 + value_size});
}

int environment_base(struct settings *settings, const char *name, const char *value) {
    return put_pair(settings, &settings->base, name, value);
}

static int put_all(struct settings *settings, struct holden_repeated *list,
                   struct holden_repeated from) {
    struct holden_view view;
    int r = 0;
    while (r == 0 && holden_next_view(&from, &view))
        r = put(settings, list, view);
    return r;
}

static int put_passed(struct settings *settings, struct holden_repeated *list,
                      struct holden_repeated names) {
    struct holden_view name;
    int r = 0;
    while (r == 0 && holden_next_view(&names, &name)) {
        const char *value = getenv(name.data);
        if (value)
            r = put_pair(settings, list, name.data, value);
    }
    return r;
}

static int put_files(struct settings *settings, struct holden_repeated *list,
                     struct holden_repeated paths) {
    struct holden_view path;
    int r = 0;
    while (r == 0 && holden_next_view(&paths, &path)) {
        struct holden_repeated read = {0};
        r = environment_file_read(settings, path.data, push, &read);
        if (r == 0)
            r = put_all(settings, list, read);
    }
    return r;
}

int environment_finish(struct settings *settings) {
    struct holden_properties *properties = &settings->properties;
    struct holden_repeated list = {0};
    int r = put_all(settings, &list, settings->base);
    if (r == 0)
        r = put_passed(settings, &list, properties->pass_environment);
    if (r == 0)
        r = put_all(settings, &list, properties->environment);
    if (r == 0)
        r = put_files(settings, &list, properties->environment_file);
    if (r < 0)
        return r;
    settings_reset(settings, HOLDEN_INDEX(properties, pass_environment));
    settings_reset(settings, HOLDEN_INDEX(properties, environment_file));
    if (list.count > 0)
        HOLDEN_SET(properties, properties, environment, list);
    return 0;
}

int environment_print(struct holden_view assignment, struct buffer *out) {
    bool plain = true;
    for (size_t i = 0; i < assignment.size; i++)
        plain = plain && !strchr(" \t\r\n\"'\\", assignment.data[i]) &&
                (unsigned char)assignment.data[i] >= 0x20 && assignment.data[i] != 0x7f;
    if (plain)
        return buffer_append(out, assignment.data, assignment.size);
    int r = buffer_append(out, "\"", 1);
    for (size_t i = 0; r == 0 && i < assignment.size; i++) {
        unsigned char c = (unsigned char)assignment.data[i];
        if (c < 0x20 || c == 0x7f)
            r = buffer_printf(out, "\\x%02x", c);
        else
            r = buffer_printf(out, c == '"' || c == '\\' ? "\\%c" : "%c", c);
    }
    return r < 0 ? r : buffer_append(out, "\"", 1);
}
