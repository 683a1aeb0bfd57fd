/* Settings that say what is where in the file system of a process. */
#include <errno.h>
#include <string.h>

#include "common/cleanup.h"
#include "controller/environment.h"
#include "controller/quoting.h"
#include "controller/syntax.h"
#include "controller/words.h"

enum { PATH_MOST = 4095 };

/* Why a path is none; NULL where it is one. It has to be without "..", which means something else
 * once another directory is mounted there. */
static const char *wrong_with(const char *path) {
    if (path[0] != '/')
        return "the path must be absolute";
    if (strlen(path) > PATH_MOST)
        return "a path has at most 4095 bytes";
    for (const char *at = path; (at = strstr(at, "/..")); at += 3)
        if (at[3] == '/' || at[3] == '\0')
            return "the path must do without \"..\"";
    return NULL;
}

void syntax_simplify(char *path) {
    char *to = path;
    for (const char *at = path; *at;) {
        size_t size = strcspn(at + 1, "/") + 1;
        if (size > 1 && !(size == 2 && at[1] == '.')) {
            memmove(to, at, size);
            to += size;
        }
        at += size;
    }
    if (to == path)
        *to++ = '/';
    *to = '\0';
}

static int refuse(struct settings *settings, size_t index, const char *value, const char *why) {
    char shown[WORDS_SHOWN];
    return settings_refuse(settings, "%s=%s: %s", holden_property(index)->name,
                           words_show(value, shown), why);
}

/* Checks the path that begins at `text` and copies it, behind the first `prefix` bytes of the word
 * that it ends, into the arena. */
static int take_path(struct settings *settings, size_t index, char *text, size_t prefix,
                     struct holden_view *view) {
    const char *wrong = wrong_with(text);
    if (wrong)
        return refuse(settings, index, text, wrong);
    syntax_simplify(text);
    return settings_text(settings, text - prefix, prefix + strlen(text), view);
}

int syntax_parse_path(struct settings *settings, size_t index, const char *value) {
    struct holden_view view;
    char *text = arena_copy(&settings->arena, value, strlen(value));
    if (!text)
        return -ENOMEM;
    int r = take_path(settings, index, text, 0, &view);
    return r < 0 ? r : settings_set(settings, index, &view);
}

/* A name is that of a file where ip-netns(8) keeps them. */
int syntax_parse_network(struct settings *settings, size_t index, const char *value) {
    _cleanup_(buffer_free) struct buffer path = {0};
    if (*value == '/')
        return syntax_parse_path(settings, index, value);
    if (strchr(value, '/') || *value == '.')
        return refuse(settings, index, value, "expected an absolute path, or a name");
    int r = buffer_printf(&path, "/run/netns/%s", value);
    if (r == 0)
        r = buffer_append(&path, "", 1);
    return r < 0 ? r : syntax_parse_path(settings, index, (const char *)buffer_bytes(&path));
}

int syntax_each_word(struct settings *settings, size_t index, const char *value,
                     int (*take)(struct settings *settings, size_t index, char *word)) {
    _cleanup_(buffer_free) struct buffer item = {0};
    int r;
    while ((r = quoting_item(&value, QUOTING_STRICT, &item)) > 0) {
        r = buffer_append(&item, "", 1);
        if (r == 0)
            r = take(settings, index, (char *)buffer_bytes(&item));
        if (r < 0)
            return r;
        item.size = 0;
    }
    return r == -EINVAL
               ? refuse(settings, index, value, "an open quote, or an unknown \\ sequence")
               : r;
}

static int add_path(struct settings *settings, size_t index, char *word) {
    struct holden_view view;
    size_t prefix = word[0] == '-';
    prefix += word[prefix] == '+';
    int r = take_path(settings, index, word + prefix, prefix, &view);
    return r < 0 ? r : settings_append(settings, index, &view, sizeof(view));
}

int syntax_parse_paths(struct settings *settings, size_t index, const char *value) {
    return syntax_each_word(settings, index, value, add_path);
}

/* Cuts the word at its next colon. Returns what is behind it, or NULL. */
static char *cut(char *word) {
    char *colon = strchr(word, ':');
    if (colon)
        *colon++ = '\0';
    return colon;
}

static int add_bind(struct settings *settings, size_t index, char *word) {
    struct holden_bind *bind = arena_take(&settings->arena, sizeof(*bind));
    if (!bind)
        return -ENOMEM;
    bool optional = *word == '-';
    char *source = word + optional;
    char *target = cut(source);
    char *option = target ? cut(target) : NULL;
    if (option && strcmp(option, "rbind") != 0 && strcmp(option, "norbind") != 0)
        return refuse(settings, index, option, "expected rbind or norbind behind the target");
    int r = take_path(settings, index, source, 0, &bind->source);
    HOLDEN_MARK(bind, bind, source);
    if (r == 0 && target && *target) {
        r = take_path(settings, index, target, 0, &bind->target);
        HOLDEN_MARK(bind, bind, target);
    }
    if (r < 0)
        return r;
    if (optional)
        HOLDEN_SET(bind, bind, optional, true);
    if (option && *option == 'n')
        HOLDEN_SET(bind, bind, single, true);
    struct holden_nested nested = {.value = bind};
    return settings_append(settings, index, &nested, sizeof(nested));
}

/* Forgetting one of the two lists forgets both (systemd.exec(5)). */
int syntax_parse_binds(struct settings *settings, size_t index, const char *value) {
    if (*value)
        return syntax_each_word(settings, index, value, add_bind);
    settings_reset(settings, HOLDEN_INDEX(properties, bind_paths));
    settings_reset(settings, HOLDEN_INDEX(properties, bind_read_only_paths));
    return 0;
}

static int add_temporary(struct settings *settings, size_t index, char *word) {
    struct holden_temporary_file_system *made = arena_take(&settings->arena, sizeof(*made));
    if (!made)
        return -ENOMEM;
    char *options = cut(word);
    int r = take_path(settings, index, word, 0, &made->path);
    HOLDEN_MARK(made, temporary_file_system, path);
    if (r == 0 && options && *options) {
        r = settings_text(settings, options, strlen(options), &made->options);
        HOLDEN_MARK(made, temporary_file_system, options);
    }
    struct holden_nested nested = {.value = made};
    return r < 0 ? r : settings_append(settings, index, &nested, sizeof(nested));
}

int syntax_parse_temporary(struct settings *settings, size_t index, const char *value) {
    return syntax_each_word(settings, index, value, add_temporary);
}

/* The names that systemd has for partitions of an image (systemd.exec(5)). */
static bool names_partition(const char *word) {
    static const char *const names[] = {"root", "usr", "home", "srv", "esp", "xbootldr", "tmp",
                                        "var"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (strcmp(word, names[i]) == 0)
            return true;
    return false;
}

static int add_image_options(struct settings *settings, size_t index, char *word) {
    struct holden_view view;
    char *colon = strchr(word, ':');
    char *options = word;
    if (colon) {
        *colon = '\0';
        if (names_partition(word))
            options = colon + 1;
        if (options != word && strcmp(word, "root") != 0)
            return refuse(settings, index, word,
                          "an image is one file system here, and has no such partition");
        *colon = ':';
    }
    if (settings_has(settings, index))
        return refuse(settings, index, options, "its options are given already");
    int r = settings_text(settings, options, strlen(options), &view);
    return r < 0 ? r : settings_set(settings, index, &view);
}

int syntax_parse_image_options(struct settings *settings, size_t index, const char *value) {
    return syntax_each_word(settings, index, value, add_image_options);
}

int syntax_print_path(size_t index, const void *value, struct buffer *out) {
    (void)index;
    return environment_print(*(const struct holden_view *)value, out);
}

/* The parts of one word, with colons between them. */
static int print_parts(const char *before, struct holden_view first, struct holden_view second,
                       const char *after, struct buffer *out) {
    _cleanup_(buffer_free) struct buffer word = {0};
    int r = buffer_printf(&word, "%s%.*s", before, (int)first.size, first.data);
    if (r == 0 && second.size > 0)
        r = buffer_printf(&word, ":%.*s%s", (int)second.size, second.data, after);
    if (r < 0)
        return r;
    return environment_print(
        (struct holden_view){(const char *)buffer_bytes(&word), word.size}, out);
}

int syntax_print_bind(size_t index, const void *value, struct buffer *out) {
    struct holden_bind decoded;
    const struct holden_bind *bind = holden_nested_value(&holden_record_bind, value, &decoded);
    (void)index;
    if (!bind)
        return 0;
    bool named = HOLDEN_HAS(bind, bind, target);
    return print_parts(bind->optional ? "-" : "", bind->source,
                       named || bind->single ? named ? bind->target : bind->source
                                             : (struct holden_view){0},
                       bind->single ? ":norbind" : "", out);
}

int syntax_print_temporary(size_t index, const void *value, struct buffer *out) {
    struct holden_temporary_file_system decoded;
    const struct holden_temporary_file_system *made =
        holden_nested_value(&holden_record_temporary_file_system, value, &decoded);
    (void)index;
    return made ? print_parts("", made->path, made->options, "", out) : 0;
}
