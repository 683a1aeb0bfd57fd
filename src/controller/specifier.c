#include "controller/specifier.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "controller/account.h"
#include "controller/environment_file.h"
#include "controller/quoting.h"
#include "protocol/client.h"

typedef int putter(const struct specifier *specifier, char letter, struct buffer *out);

static int put_text(struct buffer *out, const char *text) {
    return buffer_append(out, text, strlen(text));
}

/* ---- the unit's name ---- */

static int put_full(const struct specifier *specifier, char letter, struct buffer *out) {
    return put_text(out, letter == 'n' ? specifier->name->full : specifier->name->stem);
}

static int put_prefix(const struct specifier *specifier, char letter, struct buffer *out) {
    const char *prefix = specifier->name->prefix;
    return letter == 'p' ? put_text(out, prefix) : unit_name_unescape(prefix, out);
}

static int put_instance(const struct specifier *specifier, char letter, struct buffer *out) {
    const char *instance = specifier->name->instance;
    return letter == 'i' ? put_text(out, instance) : unit_name_unescape(instance, out);
}

/* What follows the last - of the prefix. */
static int put_last(const struct specifier *specifier, char letter, struct buffer *out) {
    const char *dash = strrchr(specifier->name->prefix, '-');
    const char *last = dash ? dash + 1 : specifier->name->prefix;
    return letter == 'j' ? put_text(out, last) : unit_name_unescape(last, out);
}

static int put_path(const struct specifier *specifier, char letter, struct buffer *out) {
    (void)letter;
    const struct unit_name *name = specifier->name;
    const char *escaped = name->templated ? name->instance : name->prefix;
    if (strcmp(escaped, "-") == 0)
        return put_text(out, "/");
    _cleanup_(buffer_free) struct buffer path = {0};
    int r = unit_name_unescape(escaped, &path);
    if (r == 0 && (path.size == 0 || buffer_bytes(&path)[0] != '/'))
        r = put_text(out, "/");
    return r < 0 ? r : buffer_append(out, buffer_bytes(&path), path.size);
}

static int put_fragment(const struct specifier *specifier, char letter, struct buffer *out) {
    const char *slash = strrchr(specifier->path, '/');
    size_t directory = slash && slash > specifier->path ? (size_t)(slash - specifier->path) : 1;
    return buffer_append(out, specifier->path,
                         letter == 'y' ? strlen(specifier->path) : directory);
}

/* ---- whoever applies it ---- */

static int put_user(const struct specifier *specifier, char letter, struct buffer *out) {
    (void)specifier;
    if (letter == 'U')
        return buffer_printf(out, "%u", (unsigned)geteuid());
    _cleanup_(account_free) struct account account = {0};
    if (account_by_uid(geteuid(), &account) < 0) {
        if (geteuid() != 0)
            return -ESRCH;
        account = (struct account){.name = "root", .home = "/root", .shell = "/bin/sh"};
    }
    return put_text(out, letter == 'u'   ? account.name
                         : letter == 'h' ? account.home
                                         : account.shell);
}

static int put_group(const struct specifier *specifier, char letter, struct buffer *out) {
    (void)specifier;
    if (letter == 'G')
        return buffer_printf(out, "%u", (unsigned)getegid());
    _cleanup_free_ char *name = NULL;
    if (account_group_name(getegid(), &name) == 0)
        return put_text(out, name);
    return getegid() == 0 ? put_text(out, "root") : -ESRCH;
}

/* Directories: the system's for root, those of the XDG base directories for others. */
static int put_directory(const struct specifier *specifier, char letter, struct buffer *out) {
    static const struct {
        char letter;
        const char *system, *variable, *home, *below;
    } rows[] = {
        {'t', "/run", "XDG_RUNTIME_DIR", NULL, ""},
        {'S', "/var/lib", "XDG_CONFIG_HOME", "/.config", ""},
        {'C', "/var/cache", "XDG_CACHE_HOME", "/.cache", ""},
        {'L', "/var/log", "XDG_CONFIG_HOME", "/.config", "/log"},
        {'E', "/etc", "XDG_CONFIG_HOME", "/.config", ""},
    };
    size_t i = 0;
    while (rows[i].letter != letter)
        i++;
    if (geteuid() == 0)
        return put_text(out, rows[i].system);
    const char *value = getenv(rows[i].variable);
    if (value && *value == '/')
        return buffer_printf(out, "%s%s", value, rows[i].below);
    if (!rows[i].home)
        return -ENOENT;
    int r = put_user(specifier, 'h', out);
    return r < 0 ? r : buffer_printf(out, "%s%s", rows[i].home, rows[i].below);
}

static int put_scratch(const struct specifier *specifier, char letter, struct buffer *out) {
    (void)specifier;
    return put_text(out, letter == 'T' ? "/tmp" : "/var/tmp");
}

/* ---- the machine ---- */

static int put_id(const struct specifier *specifier, char letter, struct buffer *out) {
    (void)specifier;
    char text[64];
    const char *path = letter == 'm' ? "/etc/machine-id" : "/proc/sys/kernel/random/boot_id";
    ssize_t size = file_read(AT_FDCWD, path, text, sizeof(text));
    if (size <= 0)
        return size < 0 ? (int)size : -ENODATA;
    int r = 0;
    for (const char *at = text; r == 0 && *at; at++)
        r = *at == '-' ? 0 : buffer_append(out, at, 1);
    return r;
}

static int put_machine(const struct specifier *specifier, char letter, struct buffer *out) {
    static const char *const names[][2] = {
        {"x86_64", "x86-64"}, {"aarch64", "arm64"},       {"i686", "x86"}, {"i386", "x86"},
        {"armv7l", "arm"},    {"ppc64le", "ppc64-le"},
    };
    (void)specifier;
    struct utsname uts;
    if (uname(&uts) < 0)
        return -errno;
    if (letter == 'v')
        return put_text(out, uts.release);
    if (letter == 'H' || letter == 'l')
        return buffer_append(out, uts.nodename,
                             letter == 'H' ? strlen(uts.nodename) : strcspn(uts.nodename, "."));
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (strcmp(uts.machine, names[i][0]) == 0)
            return put_text(out, names[i][1]);
    return put_text(out, uts.machine);
}

/* Keeps the one assignment that begins as list->items says. */
static int take_variable(struct settings *settings, struct holden_repeated *list,
                         struct holden_view assignment) {
    (void)settings;
    struct holden_view *wanted = (void *)list->items;
    size_t size = wanted[0].size;
    if (assignment.size >= size && memcmp(assignment.data, wanted[0].data, size) == 0)
        wanted[1] = (struct holden_view){assignment.data + size, assignment.size - size};
    return 0;
}

/* The value of NAME= in a file of assignments; nothing where it is not set. */
static int put_variable(const char *path, const char *name, struct buffer *out) {
    _cleanup_(settings_free) struct settings scratch = {0};
    struct holden_view wanted[2] = {holden_view(name), {NULL, 0}};
    struct holden_repeated list = {.items = wanted};
    int r = environment_file_read(&scratch, path, take_variable, &list);
    if (r < 0)
        return r == -ENOMEM ? r : -ENOENT;
    return wanted[1].size == 0 ? 0 : buffer_append(out, wanted[1].data, wanted[1].size);
}

static int put_release(const struct specifier *specifier, char letter, struct buffer *out) {
    static const struct { char letter; const char *name; } rows[] = {
        {'o', "ID="},       {'w', "VERSION_ID="}, {'W', "VARIANT_ID="},
        {'B', "BUILD_ID="}, {'M', "IMAGE_ID="},   {'A', "IMAGE_VERSION="},
    };
    (void)specifier;
    size_t i = 0;
    while (rows[i].letter != letter)
        i++;
    const char *path = access("/etc/os-release", F_OK) == 0 ? "/etc/os-release"
                                                            : "/usr/lib/os-release";
    return put_variable(path, rows[i].name, out);
}

static int put_pretty(const struct specifier *specifier, char letter, struct buffer *out) {
    (void)letter;
    size_t before = out->size;
    int r = put_variable("-/etc/machine-info", "PRETTY_HOSTNAME=", out);
    return r == 0 && out->size == before ? put_machine(specifier, 'l', out) : r;
}

/* Where the agent will put them. */
static int put_credentials(const struct specifier *specifier, char letter, struct buffer *out) {
    char path[PATH_MAX];
    (void)letter;
    int r = holden_credentials_path(holden_socket_path(specifier->socket), path, sizeof(path));
    return r < 0 ? r : buffer_printf(out, "%s/%s", path, specifier->process ? specifier->process
                                                                     : specifier->name->stem);
}

static putter *find(char letter) {
    static const struct { const char *letters; putter *put; } rows[] = {
        {"nN", put_full},        {"pP", put_prefix},      {"iI", put_instance},
        {"jJ", put_last},        {"f", put_path},         {"yY", put_fragment},
        {"uUhs", put_user},      {"gG", put_group},       {"tSCLE", put_directory},
        {"TV", put_scratch},     {"mb", put_id},          {"vHla", put_machine},
        {"owWBMA", put_release}, {"q", put_pretty},       {"d", put_credentials},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (strchr(rows[i].letters, letter))
            return rows[i].put;
    return NULL;
}

static int put_value(struct specifier *specifier, putter *put, char letter, struct buffer *out) {
    _cleanup_(buffer_free) struct buffer value = {0};
    int r = put(specifier, letter, &value);
    if (r < 0) {
        specifier->wrong = letter;
        return r;
    }
    const char *bytes = (const char *)buffer_bytes(&value);
    return specifier->quoted ? quoting_append(out, bytes, value.size)
                             : buffer_append(out, bytes, value.size);
}

int specifier_expand(struct specifier *specifier, const char *text, struct buffer *out) {
    int r = 0;
    while (r == 0 && *text) {
        putter *put = text[0] == '%' && text[1] ? find(text[1]) : NULL;
        bool percent = text[0] == '%' && text[1] == '%';
        r = put ? put_value(specifier, put, text[1], out) : buffer_append(out, text, 1);
        text += put || percent ? 2 : 1;
    }
    return r;
}
