#include "controller/credential.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "controller/quoting.h"
#include "controller/specifier.h"
#include "controller/syntax.h"
#include "controller/words.h"

#define SET HOLDEN_INDEX(properties, set_credential)
#define LOAD HOLDEN_INDEX(properties, load_credential)

enum { NAME_MOST = 255, ALL_MOST = 1 << 20, DEPTH_MOST = 8 };

static int refuse(struct settings *settings, size_t index, const char *value, const char *why) {
    char shown[WORDS_SHOWN];
    return settings_refuse(settings, "%s=%s: %s", holden_property(index)->name,
                           words_show(value, shown), why);
}

/* Takes the name in front of the first colon off *value. 0 with what it comes to in `name`. */
static int take_name(struct settings *settings, size_t index, const char **value, bool expand,
                     struct buffer *name) {
    _cleanup_(buffer_free) struct buffer text = {0};
    size_t size = strcspn(*value, ":");
    int r = buffer_append(&text, *value, size);
    if (r == 0)
        r = buffer_append(&text, "", 1);
    const char *written = (const char *)buffer_bytes(&text);
    if (r == 0)
        r = expand && settings->specifier ? specifier_expand(settings->specifier, written, name)
                                          : buffer_append(name, written, size);
    if (r == 0)
        r = buffer_append(name, "", 1);
    if (r < 0)
        return r == -ENOMEM ? r : refuse(settings, index, written, "a specifier has no value here");
    const char *at = (const char *)buffer_bytes(name);
    size = strlen(at);
    bool good = size > 0 && size <= NAME_MOST && strcmp(at, ".") != 0 && strcmp(at, "..") != 0;
    for (size_t i = 0; i < size; i++)
        good = good && (unsigned char)at[i] > ' ' && at[i] != 0x7f && at[i] != '/';
    if (!good)
        return refuse(settings, index, *value, "the name is that of a file: 1 to 255 characters, "
                                               "without spaces, slashes and colons");
    *value += strcspn(*value, ":");
    return 0;
}

/* Adds a credential, in place of one of the same name. The bytes are copied. */
static int put(struct settings *settings, const char *name, const void *bytes, size_t size) {
    struct holden_repeated *list = settings_member(settings, SET);
    const struct holden_nested *items = list->items;
    struct holden_credential *made = NULL;
    for (uint32_t i = 0; i < list->count && !made; i++) {
        const struct holden_credential *at = items[i].value;
        if (holden_view_is(at->name, name))
            made = (void *)(uintptr_t)at;
    }
    bool fresh = !made;
    if (fresh && !(made = arena_take(&settings->arena, sizeof(*made))))
        return -ENOMEM;
    int r = settings_text(settings, bytes, size, &made->data);
    HOLDEN_MARK(made, credential, data);
    if (r == 0 && fresh) {
        r = settings_text(settings, name, strlen(name), &made->name);
        HOLDEN_MARK(made, credential, name);
    }
    struct holden_nested nested = {.value = made};
    return r < 0 || !fresh ? r : settings_append(settings, SET, &nested, sizeof(nested));
}

/* ---- what is written out ---- */

int syntax_parse_set_credential(struct settings *settings, size_t index, const char *value) {
    _cleanup_(buffer_free) struct buffer name = {0};
    _cleanup_(buffer_free) struct buffer text = {0};
    const char *at = value;
    int r = take_name(settings, index, &at, true, &name);
    if (r < 0)
        return r;
    if (*at != ':')
        return -EINVAL;
    r = quoting_unescape(at + 1, &text);
    if (r == -EINVAL)
        return refuse(settings, index, value, "an unknown \\ sequence");
    return r < 0 ? r
                 : put(settings, (const char *)buffer_bytes(&name), buffer_bytes(&text),
                       text.size);
}

int syntax_parse_load_credential(struct settings *settings, size_t index, const char *value) {
    _cleanup_(buffer_free) struct buffer name = {0};
    const char *at = value;
    struct holden_view view;
    int r = take_name(settings, index, &at, false, &name);
    if (r < 0)
        return r;
    if (*at && (!at[1] || strlen(at + 1) >= PATH_MAX))
        return refuse(settings, index, value, "behind the colon stands a path");
    if (*at && at[1] != '/' && strchr(at + 1, '/'))
        return refuse(settings, index, value, "the path must be absolute, or the name of a stored "
                                              "credential");
    r = settings_text(settings, value, strlen(value), &view);
    return r < 0 ? r : settings_append(settings, index, &view, sizeof(view));
}

int syntax_print_credential(size_t index, const void *value, struct buffer *out) {
    struct holden_credential decoded;
    const struct holden_credential *credential =
        holden_nested_value(&holden_record_credential, value, &decoded);
    (void)index;
    if (!credential)
        return 0;
    return buffer_printf(out, "%.*s:(%llu bytes)", (int)credential->name.size,
                         credential->name.data,
                         HOLDEN_HAS(credential, credential, size)
                             ? (unsigned long long)credential->size
                             : (unsigned long long)credential->data.size);
}

/* ---- what is loaded ---- */

struct loader {
    struct settings *settings;
    const char *value; /* as it was written */
};

static int load(const struct loader *loader, const char *name, const char *path, unsigned depth);

static int fail(const struct loader *loader, const char *path, int error) {
    char shown[WORDS_SHOWN], text[WORDS_SHOWN];
    return settings_refuse(loader->settings, "LoadCredential=%s: %s: %s",
                           words_show(loader->value, shown), words_show(path, text),
                           error == EFBIG ? "larger than 1 MiB, which is the most that all "
                                            "credentials together can be"
                                          : strerror(error));
}

static int load_file(const struct loader *loader, const char *name, const char *path) {
    _cleanup_(buffer_free) struct buffer bytes = {0};
    int r = file_read_all(AT_FDCWD, path, ALL_MOST, &bytes);
    if (r < 0)
        return fail(loader, path, -r);
    return put(loader->settings, name, buffer_bytes(&bytes), bytes.size);
}

/* Every file below, each under the name of the whole with its own behind an underscore. */
static int load_directory(const struct loader *loader, const char *name, const char *path,
                          unsigned depth) {
    struct dirent **entries;
    int count = depth == DEPTH_MOST ? -1 : scandir(path, &entries, NULL, alphasort);
    int r = count < 0 ? fail(loader, path, depth == DEPTH_MOST ? ELOOP : errno) : 0;
    for (int i = 0; i < count; i++) {
        char inner[NAME_MOST + 1], below[PATH_MAX];
        const char *entry = entries[i]->d_name;
        bool dots = strcmp(entry, ".") == 0 || strcmp(entry, "..") == 0;
        if (r == 0 && !dots &&
            ((size_t)snprintf(inner, sizeof(inner), "%s_%s", name, entry) >= sizeof(inner) ||
             (size_t)snprintf(below, sizeof(below), "%s/%s", path, entry) >= sizeof(below)))
            r = fail(loader, path, ENAMETOOLONG);
        else if (r == 0 && !dots)
            r = load(loader, inner, below, depth + 1);
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
    return r;
}

/* What is neither a file nor a directory would be waited for. */
static int load(const struct loader *loader, const char *name, const char *path, unsigned depth) {
    struct stat status;
    if (stat(path, &status) < 0)
        return fail(loader, path, errno);
    if (S_ISDIR(status.st_mode))
        return load_directory(loader, name, path, depth);
    if (!S_ISREG(status.st_mode))
        return refuse(loader->settings, LOAD, loader->value,
                      "only a file or a directory can be loaded");
    return load_file(loader, name, path);
}

/* Where a credential without a path is stored: what the caller itself was given, then the
 * directories of systemd.exec(5). */
static bool find_stored(const char *stored, char path[PATH_MAX]) {
    const char *const places[] = {getenv("CREDENTIALS_DIRECTORY"), "/etc/credstore",
                                  "/run/credstore", "/usr/local/lib/credstore",
                                  "/usr/lib/credstore"};
    struct stat status;
    for (size_t i = 0; i < ARRAY_SIZE(places); i++)
        if (places[i] &&
            (size_t)snprintf(path, PATH_MAX, "%s/%s", places[i], stored) < PATH_MAX &&
            stat(path, &status) == 0)
            return true;
    return false;
}

static bool is_set(struct settings *settings, const char *name) {
    const struct holden_repeated *list = settings_member(settings, SET);
    const struct holden_nested *items = list->items;
    for (uint32_t i = 0; i < list->count; i++)
        if (holden_view_is(((const struct holden_credential *)items[i].value)->name, name))
            return true;
    return false;
}

static int load_one(struct settings *settings, const char *value) {
    const struct loader loader = {settings, value};
    char name[NAME_MOST + 1] = "", path[PATH_MAX];
    struct stat status;
    size_t size = strcspn(value, ":");
    memcpy(name, value, size < NAME_MOST ? size : NAME_MOST);
    const char *from = value[size] ? value + size + 1 : name;
    if (from[0] != '/')
        return find_stored(from, path) ? load(&loader, name, path, 0) : 0;
    if (stat(from, &status) < 0 && errno == ENOENT && is_set(settings, name))
        return 0;
    return load(&loader, name, from, 0);
}

int credential_finish(struct settings *settings) {
    struct holden_repeated left = *(struct holden_repeated *)settings_member(settings, LOAD);
    struct holden_view value;
    size_t total = 0;
    int r = 0;
    while (r == 0 && holden_next_view(&left, &value))
        r = load_one(settings, value.data);
    if (r < 0)
        return r;
    settings_reset(settings, LOAD);
    const struct holden_repeated *list = settings_member(settings, SET);
    const struct holden_nested *items = list->items;
    for (uint32_t i = 0; i < list->count; i++) {
        const struct holden_credential *at = items[i].value;
        total += at->name.size + at->data.size;
    }
    return total > ALL_MOST ? settings_refuse(settings, "SetCredential=: all credentials together "
                                                        "are larger than 1 MiB")
                            : 0;
}
