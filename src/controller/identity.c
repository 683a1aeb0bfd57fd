#include "controller/identity.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

#include "common/cleanup.h"
#include "common/unit.h"
#include "controller/environment.h"
#include "controller/words.h"

enum { GROUPS_MOST = 65536 };

/* Numbers that the kernel or old file systems use for "none" are nobody's (systemd.exec(5)). */
static bool is_id(uint64_t number) {
    return number < UINT32_MAX && number != UINT16_MAX;
}

static int refuse_name(struct settings *settings, const char *property, const char *name,
                       int error) {
    char shown[WORDS_SHOWN];
    return settings_refuse(settings, "%s=%s: %s", property, words_show(name, shown),
                           error                           ? strerror(error)
                           : strcmp(property, "User") == 0 ? "no such user"
                                                           : "no such group");
}

int identity_group(struct settings *settings, size_t index, const char *name, uint32_t *gid) {
    uint64_t number;
    if (strcmp(name, "infinity") != 0 && unit_parse_count(name, &number) == 0) {
        if (!is_id(number))
            return settings_refuse(settings, "%s=%s: out of range: 0 to 4294967294, but not 65535",
                                   holden_property(index)->name, name);
        *gid = (uint32_t)number;
        return 0;
    }
    errno = 0;
    const struct group *entry = getgrnam(name);
    if (!entry)
        return refuse_name(settings, holden_property(index)->name, name,
                           errno == ENOENT ? 0 : errno);
    *gid = entry->gr_gid;
    return 0;
}

/* All groups of a user. *groups is in the arena. */
static int find_groups(struct settings *settings, const char *name, gid_t gid,
                       struct holden_user *user) {
    int count = 0;
    getgrouplist(name, gid, NULL, &count);
    if (count < 1 || count > GROUPS_MOST)
        return settings_refuse(settings, "User=%s: cannot read the user's groups", name);
    gid_t *groups = arena_take(&settings->arena, (size_t)count * sizeof(*groups));
    if (!groups)
        return -ENOMEM;
    if (getgrouplist(name, gid, groups, &count) < 0)
        return settings_refuse(settings, "User=%s: cannot read the user's groups", name);
    HOLDEN_SET(user, user, group,
               (struct holden_repeated){.count = (uint32_t)count, .items = groups});
    return 0;
}

static bool is_shell(const char *path) {
    const char *slash = strrchr(path, '/');
    return *path && slash && strcmp(slash, "/nologin") != 0 && strcmp(slash, "/false") != 0;
}

/* The variables that systemd sets where User= is given; a home of / and a shell that lets nobody in
 * are no use to anyone. */
static int set_login(struct settings *settings, const struct passwd *entry) {
    int r = environment_base(settings, "USER", entry->pw_name);
    if (r == 0)
        r = environment_base(settings, "LOGNAME", entry->pw_name);
    if (r == 0 && *entry->pw_dir && strcmp(entry->pw_dir, "/") != 0)
        r = environment_base(settings, "HOME", entry->pw_dir);
    if (r == 0 && is_shell(entry->pw_shell))
        r = environment_base(settings, "SHELL", entry->pw_shell);
    return r;
}

/* A number without an entry, as in a container that has no list of users. */
static int use_number(struct settings *settings, uint32_t uid, struct holden_user *user) {
    if (uid != 0 && !HOLDEN_HAS(&settings->properties, properties, group))
        return settings_refuse(
            settings, "User=%u: no such user here; with Group= a number alone will do", uid);
    HOLDEN_SET(user, user, uid, uid);
    HOLDEN_SET(user, user, gid, uid == 0 ? 0 : settings->properties.group);
    return 0;
}

/* The entry of User=, or NULL with the number in *uid, or UINT32_MAX there for nobody. */
static const struct passwd *look_up(const char *name, uint32_t *uid, int *error) {
    uint64_t number;
    bool numeric = strcmp(name, "infinity") != 0 && unit_parse_count(name, &number) == 0;
    errno = 0;
    *uid = numeric && is_id(number) ? (uint32_t)number : UINT32_MAX;
    if (numeric && *uid == UINT32_MAX)
        return NULL;
    const struct passwd *entry = numeric ? getpwuid(*uid) : getpwnam(name);
    if (!entry && strcmp(name, "root") == 0)
        *uid = 0;
    *error = errno == ENOENT || errno == ESRCH ? 0 : errno;
    return entry;
}

static int use_user(struct settings *settings, struct holden_user *user, const char **home) {
    uint32_t uid;
    int error = 0;
    const struct passwd *entry = look_up(settings->user, &uid, &error);
    if (!entry && uid == UINT32_MAX)
        return refuse_name(settings, "User", settings->user, error);
    if (!entry)
        return use_number(settings, uid, user);
    const struct holden_properties *properties = &settings->properties;
    gid_t gid = HOLDEN_HAS(properties, properties, group) ? properties->group : entry->pw_gid;
    HOLDEN_SET(user, user, uid, entry->pw_uid);
    HOLDEN_SET(user, user, gid, entry->pw_gid);
    *home = arena_copy(&settings->arena, entry->pw_dir, strlen(entry->pw_dir));
    int r = *home ? set_login(settings, entry) : -ENOMEM;
    const char *name =
        r < 0 ? NULL : arena_copy(&settings->arena, entry->pw_name, strlen(entry->pw_name));
    if (!name)
        return r < 0 ? r : -ENOMEM;
    return find_groups(settings, name, gid, user);
}

/* Somebody who is not root runs it as himself, and expects his own home and shell. */
static int use_caller(struct settings *settings, const char **home) {
    static const char *const names[] = {"USER", "LOGNAME", "HOME", "SHELL"};
    *home = getenv("HOME");
    if (getauxval(AT_EUID) == 0)
        return 0;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        const char *value = getenv(names[i]);
        int r = value ? environment_base(settings, names[i], value) : 0;
        if (r < 0)
            return r;
    }
    return 0;
}

/* "~" or "-~" becomes the home directory. */
static int resolve_home(struct settings *settings, const char *home) {
    struct holden_view *directory = &settings->properties.working_directory;
    if (!HOLDEN_HAS(&settings->properties, properties, working_directory) ||
        directory->data[directory->size - 1] != '~' || directory->size > 2)
        return 0;
    if (!home || *home != '/')
        return settings_refuse(settings,
                               "WorkingDirectory=~: no home directory is known; name one");
    size_t size = strlen(home);
    bool optional = directory->data[0] == '-';
    char *path = arena_take(&settings->arena, size + 2);
    if (!path)
        return -ENOMEM;
    path[0] = '-';
    memcpy(path + optional, home, size);
    *directory = (struct holden_view){path, size + optional};
    return 0;
}

int identity_finish(struct settings *settings) {
    const char *home = NULL;
    int r;
    if (HOLDEN_HAS(&settings->properties, properties, user)) {
        struct holden_user *user = arena_take(&settings->arena, sizeof(*user));
        r = user ? use_user(settings, user, &home) : -ENOMEM;
        settings->properties.user = (struct holden_nested){.value = user};
    } else {
        r = use_caller(settings, &home);
    }
    return r < 0 ? r : resolve_home(settings, home);
}

bool identity_is_root(const struct settings *settings) {
    const struct holden_user *user = settings->properties.user.value;
    return HOLDEN_HAS(&settings->properties, properties, user) && user ? user->uid == 0
                                                                       : getauxval(AT_EUID) == 0;
}
