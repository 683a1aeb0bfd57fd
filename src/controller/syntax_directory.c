/* Settings that name directories in fixed places: RuntimeDirectory= and its like. */
#include <errno.h>
#include <string.h>

#include "common/cleanup.h"
#include "controller/environment.h"
#include "controller/syntax.h"
#include "controller/words.h"

enum { NAME_MOST = 4000 };

static int refuse(struct settings *settings, size_t index, const char *value, const char *why) {
    char shown[WORDS_SHOWN];
    return settings_refuse(settings, "%s=%s: %s", holden_property(index)->name,
                           words_show(value, shown), why);
}

/* "private" is where systemd keeps the directories of users that exist only for a while. */
static const char *wrong_with(const char *name) {
    if (!*name)
        return "the path is empty";
    if (strlen(name) > NAME_MOST)
        return "a path has at most 4000 bytes";
    if (strcmp(name, "private") == 0 || strncmp(name, "private/", 8) == 0)
        return "\"private\" is not for everybody";
    for (const char *at = name; (at = strstr(at, "..")); at += 2)
        if ((at == name || at[-1] == '/') && (at[2] == '/' || at[2] == '\0'))
            return "the path must do without \"..\"";
    return NULL;
}

static int take_name(struct settings *settings, size_t index, const char *text,
                     struct holden_view *view) {
    size_t size = strlen(text);
    char *path = *text == '/' ? NULL : arena_take(&settings->arena, size + 2);
    if (*text == '/')
        return refuse(settings, index, text, "the path must be relative: its place is fixed");
    if (!path)
        return -ENOMEM;
    path[0] = '/';
    memcpy(path + 1, text, size);
    syntax_simplify(path);
    const char *wrong = wrong_with(path + 1);
    if (wrong)
        return refuse(settings, index, text, wrong);
    *view = holden_view(path + 1);
    return 0;
}

static int add_directory(struct settings *settings, size_t index, char *word) {
    struct holden_directory *directory = arena_take(&settings->arena, sizeof(*directory));
    if (!directory)
        return -ENOMEM;
    char *link = strchr(word, ':');
    if (link && index == HOLDEN_INDEX(properties, configuration_directory))
        return refuse(settings, index, word, "there is no link to what is in /etc");
    if (link)
        *link++ = '\0';
    int r = take_name(settings, index, word, &directory->name);
    HOLDEN_MARK(directory, directory, name);
    if (r == 0 && link) {
        r = take_name(settings, index, link, &directory->link);
        HOLDEN_MARK(directory, directory, link);
    }
    struct holden_nested nested = {.value = directory};
    return r < 0 ? r : settings_append(settings, index, &nested, sizeof(nested));
}

int syntax_parse_directories(struct settings *settings, size_t index, const char *value) {
    return syntax_each_word(settings, index, value, add_directory);
}

int syntax_print_directory_name(size_t index, const void *value, struct buffer *out) {
    struct holden_directory decoded;
    const struct holden_directory *directory =
        holden_nested_value(&holden_record_directory, value, &decoded);
    _cleanup_(buffer_free) struct buffer word = {0};
    (void)index;
    if (!directory)
        return 0;
    int r = buffer_append(&word, directory->name.data, directory->name.size);
    if (r == 0 && HOLDEN_HAS(directory, directory, link))
        r = buffer_printf(&word, ":%.*s", (int)directory->link.size, directory->link.data);
    return r < 0 ? r
                 : environment_print((struct holden_view){(const char *)buffer_bytes(&word),
                                                          word.size}, out);
}
