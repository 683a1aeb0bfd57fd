#include "controller/settings.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/spelling.h"
#include "controller/credential.h"
#include "controller/environment.h"
#include "controller/exec_setting.h"
#include "controller/identity.h"
#include "controller/profile.h"
#include "controller/syntax.h"
#include "controller/words.h"
#include "protocol/json.h"
#include "protocol/sandbox.h"

void settings_free(struct settings *settings) {
    arena_free(&settings->arena);
}

int settings_refuse(struct settings *settings, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(settings->wrong, sizeof(settings->wrong), format, arguments);
    va_end(arguments);
    for (char *at = settings->wrong; *at; at++)
        if ((unsigned char)*at < 0x20 || *at == 0x7f)
            *at = '?';
    return -EINVAL;
}

void *settings_member(struct settings *settings, size_t index) {
    return (uint8_t *)&settings->properties + holden_record_properties.fields[index].offset;
}

bool settings_has(const struct settings *settings, size_t index) {
    return holden_has(&settings->properties, index);
}

static size_t type_size(uint8_t type) {
    static const size_t sizes[] = {
        [HOLDEN_TYPE_U32] = sizeof(uint32_t),
        [HOLDEN_TYPE_U64] = sizeof(uint64_t),
        [HOLDEN_TYPE_I64] = sizeof(int64_t),
        [HOLDEN_TYPE_BOOL] = sizeof(bool),
        [HOLDEN_TYPE_STRING] = sizeof(struct holden_view),
        [HOLDEN_TYPE_BYTES] = sizeof(struct holden_view),
        [HOLDEN_TYPE_ENUM] = sizeof(uint32_t),
        [HOLDEN_TYPE_FD] = sizeof(uint32_t),
        [HOLDEN_TYPE_RECORD] = sizeof(struct holden_nested),
    };
    return sizes[type];
}

int settings_set(struct settings *settings, size_t index, const void *value) {
    memcpy(settings_member(settings, index), value,
           type_size(holden_record_properties.fields[index].type));
    holden_mark(&settings->properties, index);
    return 0;
}

/* A list's memory doubles whenever its count is a power of two. */
int settings_append(struct settings *settings, size_t index, const void *element, size_t size) {
    struct holden_repeated *list = settings_member(settings, index);
    uint8_t *items = (uint8_t *)list->items;
    if ((list->count & (list->count - 1)) == 0) {
        items = arena_take(&settings->arena, (list->count ? list->count * 2 : 1) * size);
        if (!items)
            return -ENOMEM;
        if (list->count > 0)
            memcpy(items, list->items, list->count * size);
    }
    memcpy(items + list->count * size, element, size);
    list->items = items;
    list->count++;
    holden_mark(&settings->properties, index);
    return 0;
}

void settings_reset(struct settings *settings, size_t index) {
    const struct holden_field *field = &holden_record_properties.fields[index];
    memset(settings_member(settings, index), 0,
           field->repeated ? sizeof(struct holden_repeated) : type_size(field->type));
    holden_unmark(&settings->properties, index);
}

int settings_text(struct settings *settings, const char *text, size_t size,
                  struct holden_view *view) {
    const char *copy = arena_copy(&settings->arena, text, size);
    if (!copy)
        return -ENOMEM;
    *view = (struct holden_view){copy, size};
    return 0;
}

static int refuse_unknown(struct settings *settings, const char *name) {
    char shown[WORDS_SHOWN];
    struct spelling spelling = {.wanted = name};
    for (size_t i = 0; i < HOLDEN_PROPERTIES; i++)
        spelling_offer(&spelling, holden_property(i)->name);
    words_show(name, shown);
    if (spelling.best[0])
        return settings_refuse(settings,
                               "no property '%s'; did you mean %s? `properties` lists them", shown,
                               spelling.best);
    return settings_refuse(settings, "no property '%s'; `properties` lists them", shown);
}

static int refuse_range(struct settings *settings, size_t index, const char *value) {
    char shown[WORDS_SHOWN];
    char bounds[160];
    syntax_bounds(index, bounds, sizeof(bounds));
    return settings_refuse(settings, "%s=%s: out of range%s%s", holden_property(index)->name,
                           words_show(value, shown), *bounds ? ": " : "; expected ",
                           *bounds ? bounds : syntax_of(index)->expects);
}

static int assign(struct settings *settings, const char *name, const char *value) {
    size_t index;
    if (holden_property_find(name, &index) < 0)
        return refuse_unknown(settings, name);
    const struct syntax *syntax = syntax_of(index);
    settings->wrong[0] = '\0';
    if (!holden_json_is_utf8(holden_view(value))) {
        char shown[WORDS_SHOWN];
        return settings_refuse(settings, "%s=%s: not UTF-8", name, words_show(value, shown));
    }
    if (!*value && !syntax->reads_empty) {
        settings_reset(settings, index);
        return 0;
    }
    /* What is refused leaves nothing of itself, such as the first words of a list. */
    struct holden_properties before = settings->properties;
    int r = syntax->parse(settings, index, value);
    if (r < 0)
        settings->properties = before;
    if (r == 0 || settings->wrong[0])
        return r;
    if (r == -ERANGE) {
        refuse_range(settings, index, value);
    } else if (r == -ENOMEM) {
        settings_refuse(settings, "%s: out of memory", name);
    } else {
        char shown[WORDS_SHOWN];
        settings_refuse(settings, "%s=%s: expected %s", name, words_show(value, shown),
                        syntax->expects);
    }
    return r == -ENOMEM ? r : -EINVAL;
}

/* ---- Sandbox= ---- */

struct settings_line {
    struct settings_line *next;
    const char *name;
    const char *value;
};

static int keep_line(struct settings *settings, const char *name, const char *value) {
    struct settings_line *line = arena_take(&settings->arena, sizeof(*line));
    size_t index;
    if (!line || holden_property_find(name, &index) < 0)
        return -ENOMEM;
    *line = (struct settings_line){
        .name = holden_property(index)->name,
        .value = arena_copy(&settings->arena, value, strlen(value))};
    if (settings->last)
        settings->last->next = line;
    else
        settings->first = line;
    settings->last = line;
    return line->value ? 0 : -ENOMEM;
}

/* The settings of a sandbox count as if they had come before all that has been assigned. */
static int begin_anew(struct settings *settings) {
    const size_t index = HOLDEN_INDEX(properties, sandbox);
    bool boxed = settings_has(settings, index);
    uint32_t sandbox = settings->properties.sandbox;
    int r = 0;
    settings->properties = (struct holden_properties){0};
    settings->user = settings->profile = NULL;
    for (const struct sandbox_setting *at = boxed ? sandbox_first(sandbox) : NULL; r == 0 && at;
         at = sandbox_next(at))
        r = assign(settings, at->name, at->value);
    for (const struct settings_line *at = settings->first; r == 0 && at; at = at->next)
        r = assign(settings, at->name, at->value);
    return r;
}

int settings_assign(struct settings *settings, const char *name, const char *value) {
    int r = assign(settings, name, value);
    if (r == 0)
        r = keep_line(settings, name, value);
    if (r == 0 && strcmp(name, "Sandbox") == 0)
        r = begin_anew(settings);
    if (r == -ENOMEM && !settings->wrong[0])
        settings_refuse(settings, "%s: out of memory", name);
    return r;
}

int settings_assign_text(struct settings *settings, const char *text) {
    char name[64];
    size_t size = strcspn(text, "=");
    char shown[WORDS_SHOWN];
    if (!text[size])
        return settings_refuse(settings, "'%s': expected PROPERTY=VALUE, such as MemoryMax=100M",
                               words_show(text, shown));
    if (size >= sizeof(name))
        return settings_refuse(settings, "no property '%s'; `properties` lists them",
                               words_show(text, shown));
    memcpy(name, text, size);
    name[size] = '\0';
    return settings_assign(settings, name, text + size + 1);
}

int settings_finish(struct settings *settings) {
    settings_reset(settings, HOLDEN_INDEX(properties, sandbox));
    int r = identity_finish(settings);
    if (r == 0)
        r = environment_finish(settings);
    if (r == 0)
        r = exec_setting_finish(settings);
    if (r == 0)
        r = credential_finish(settings);
    if (r == 0)
        r = profile_finish(settings);
    if (r == -ENOMEM && !settings->wrong[0])
        settings_refuse(settings, "out of memory");
    return r;
}
