/* Settings that name a file or directory. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "controller/syntax.h"

enum { PATH_MOST = 4095 };

static int set_text(struct settings *settings, size_t index, const char *value) {
    struct holden_view view;
    int r = settings_text(settings, value, strlen(value), &view);
    return r < 0 ? r : settings_set(settings, index, &view);
}

/* An absolute path within the kernel's bound. */
static int check_path(struct settings *settings, size_t index, const char *path) {
    if (path[0] != '/')
        return settings_refuse(settings, "%s=%.200s: the path must be absolute",
                               holden_property(index)->name, path);
    if (strlen(path) > PATH_MOST)
        return settings_refuse(settings, "%s=%.60s…: a path has at most %d bytes",
                               holden_property(index)->name, path, PATH_MOST);
    return 0;
}

int syntax_parse_directory(struct settings *settings, size_t index, const char *value) {
    const char *path = value + (*value == '-');
    int r = strcmp(path, "~") == 0 ? 0 : check_path(settings, index, path);
    return r < 0 ? r : set_text(settings, index, value);
}

int syntax_parse_environment_file(struct settings *settings, size_t index, const char *value) {
    struct holden_view view;
    int r = check_path(settings, index, value + (*value == '-'));
    if (r == 0)
        r = settings_text(settings, value, strlen(value), &view);
    return r < 0 ? r : settings_append(settings, index, &view, sizeof(view));
}

/* Each part is absolute, as systemd has it. */
int syntax_parse_search_path(struct settings *settings, size_t index, const char *value) {
    int r = 0;
    for (const char *at = value; r == 0 && *at;) {
        struct holden_view view;
        size_t size = strcspn(at, ":");
        char *path = arena_copy(&settings->arena, at, size);
        if (!path)
            return -ENOMEM;
        at += size + (at[size] == ':');
        if (size == 0)
            continue;
        r = check_path(settings, index, path);
        if (r < 0)
            return r;
        syntax_simplify(path);
        view = holden_view(path);
        r = settings_append(settings, index, &view, sizeof(view));
    }
    return r;
}

int syntax_parse_run_path(struct settings *settings, size_t index, const char *value) {
    char path[PATH_MOST + 1];
    if (*value == '/')
        return syntax_parse_path(settings, index, value);
    int size = snprintf(path, sizeof(path), "/run/%s", value);
    return size < (int)sizeof(path) ? syntax_parse_path(settings, index, path)
                                    : check_path(settings, index, value);
}

/* The path is kept; the file is read when all settings are known, which its conditions may ask for.
 * */
int syntax_parse_profile(struct settings *settings, size_t index, const char *value) {
    settings->profile = arena_copy(&settings->arena, value, strlen(value));
    if (!settings->profile)
        return -ENOMEM;
    return settings_set(settings, index, &(struct holden_nested){0});
}

static bool has_path(uint32_t kind) {
    return kind == HOLDEN_stream_kind_FILE || kind == HOLDEN_stream_kind_APPEND ||
           kind == HOLDEN_stream_kind_TRUNCATE;
}

/* "word" or "word:PATH", of the kinds in the bit set `kinds`. */
static int parse_stream(struct settings *settings, size_t index, const char *value,
                        unsigned kinds) {
    char word[16];
    uint32_t kind;
    const char *colon = strchr(value, ':');
    size_t size = colon ? (size_t)(colon - value) : strlen(value);
    if (size >= sizeof(word))
        return -EINVAL;
    memcpy(word, value, size);
    word[size] = '\0';
    if (holden_number(&holden_enum_stream_kind, word, &kind) < 0 || !(kinds >> kind & 1) ||
        has_path(kind) != !!colon)
        return -EINVAL;
    int r = colon ? check_path(settings, index, colon + 1) : 0;
    struct holden_stream *stream = r < 0 ? NULL : arena_take(&settings->arena, sizeof(*stream));
    if (!stream)
        return r < 0 ? r : -ENOMEM;
    HOLDEN_SET(stream, stream, kind, kind);
    if (colon) {
        r = settings_text(settings, colon + 1, strlen(colon + 1), &stream->path);
        HOLDEN_MARK(stream, stream, path);
    }
    return r < 0 ? r : settings_set(settings, index, &(struct holden_nested){.value = stream});
}

int syntax_parse_input(struct settings *settings, size_t index, const char *value) {
    return parse_stream(settings, index, value,
                        1U << HOLDEN_stream_kind_NULL | 1U << HOLDEN_stream_kind_DATA |
                            1U << HOLDEN_stream_kind_FILE);
}

int syntax_parse_output(struct settings *settings, size_t index, const char *value) {
    unsigned kinds = 1U << HOLDEN_stream_kind_NULL | 1U << HOLDEN_stream_kind_LOG |
                     1U << HOLDEN_stream_kind_JOURNAL | 1U << HOLDEN_stream_kind_FILE |
                     1U << HOLDEN_stream_kind_APPEND | 1U << HOLDEN_stream_kind_TRUNCATE |
                     1U << HOLDEN_stream_kind_INHERIT;
    return parse_stream(settings, index, value, kinds);
}

int syntax_print_stream(size_t index, const void *value, struct buffer *out) {
    struct holden_stream decoded;
    const struct holden_stream *stream =
        holden_nested_value(&holden_record_stream, value, &decoded);
    (void)index;
    const char *word = stream ? holden_word(&holden_enum_stream_kind, stream->kind) : NULL;
    if (!word)
        return 0;
    int r = buffer_append(out, word, strlen(word));
    if (r < 0 || !HOLDEN_HAS(stream, stream, path))
        return r;
    return buffer_printf(out, ":%.*s", (int)stream->path.size, stream->path.data);
}

int syntax_print_profile(size_t index, const void *value, struct buffer *out) {
    struct holden_seccomp_profile decoded;
    const struct holden_seccomp_profile *profile =
        holden_nested_value(&holden_record_seccomp_profile, value, &decoded);
    (void)index;
    if (!profile)
        return 0;
    const char *word = holden_word(&holden_enum_seccomp_action, profile->default_action);
    return buffer_printf(out, "(%u rules, otherwise %s)", profile->rule.count, word ? word : "?");
}
