#include "controller/identity.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

#include "common/cleanup.h"
#include "common/unit.h"
#include "controller/account.h"
#include "controller/environment.h"
#include "controller/words.h"
#include "protocol/dynamic_user.h"

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
    int r = account_group(name, gid);
    return r < 0 ? refuse_name(settings, holden_property(index)->name, name, r == -ENOENT ? 0 : -r)
                 : 0;
}

static int find_groups(struct settings *settings, const char *name, gid_t gid,
                       struct holden_user *user) {
    _cleanup_free_ uint32_t *found = NULL;
    size_t count;
    int r = account_groups(name, gid, &found, &count);
    if (r < 0)
        return settings_refuse(settings, "User=%s: cannot read the user's groups: %s", name,
                               strerror(-r));
    uint32_t *groups = arena_take(&settings->arena, count * sizeof(*groups));
    if (!groups)
        return -ENOMEM;
    memcpy(groups, found, count * sizeof(*groups));
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
static int set_login(struct settings *settings, const struct account *entry) {
    int r = environment_base(settings, "USER", entry->name);
    if (r == 0)
        r = environment_base(settings, "LOGNAME", entry->name);
    if (r == 0 && *entry->home && strcmp(entry->home, "/") != 0)
        r = environment_base(settings, "HOME", entry->home);
    if (r == 0 && is_shell(entry->shell))
        r = environment_base(settings, "SHELL", entry->shell);
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

/* User=, by name or number. 0 with *entry; -ENOENT with the number in *uid, or UINT32_MAX there for
 * nobody; -errno. */
static int look_up(const char *name, uint32_t *uid, struct account *entry) {
    uint64_t number;
    bool numeric = strcmp(name, "infinity") != 0 && unit_parse_count(name, &number) == 0;
    *uid = numeric && is_id(number) ? (uint32_t)number : UINT32_MAX;
    if (numeric && *uid == UINT32_MAX)
        return -ENOENT;
    int r = numeric ? account_by_uid(*uid, entry) : account_by_name(name, entry);
    if (r == -ENOENT && strcmp(name, "root") == 0)
        *uid = 0;
    return r;
}

static int use_account(struct settings *settings, const struct account *entry,
                       struct holden_user *user, const char **home) {
    const struct holden_properties *properties = &settings->properties;
    gid_t gid = HOLDEN_HAS(properties, properties, group) ? properties->group : entry->gid;
    HOLDEN_SET(user, user, uid, entry->uid);
    HOLDEN_SET(user, user, gid, entry->gid);
    *home = arena_copy(&settings->arena, entry->home, strlen(entry->home));
    int r = *home ? set_login(settings, entry) : -ENOMEM;
    return r < 0 ? r : find_groups(settings, entry->name, gid, user);
}

/* A name that nobody has, which the agent is to make a user of. */
static int use_new_name(struct settings *settings, struct holden_user *user) {
    char shown[WORDS_SHOWN];
    if (!holden_user_name_valid(holden_view(settings->user)))
        return settings_refuse(settings,
                               "User=%s: no such user, and no name for one who is made up: at most "
                               "%d letters, digits, _ and -, a letter or _ first",
                               words_show(settings->user, shown), HOLDEN_USER_NAME_MOST);
    HOLDEN_SET(user, user, uid, HOLDEN_UID_MADE_UP);
    HOLDEN_SET(user, user, gid, HOLDEN_UID_MADE_UP);
    HOLDEN_SET(user, user, name, holden_view(settings->user));
    return 0;
}

static bool is_number(const char *name) {
    return *name && name[strspn(name, "0123456789")] == '\0';
}

static int use_user(struct settings *settings, struct holden_user *user, const char **home) {
    _cleanup_(account_free) struct account entry = {0};
    uint32_t uid;
    int r = look_up(settings->user, &uid, &entry);
    if (r == 0)
        return use_account(settings, &entry, user, home);
    if (r == -ENOENT && uid != 0 && holden_dynamic_user(&settings->properties) &&
        !is_number(settings->user))
        return use_new_name(settings, user);
    return r != -ENOENT || uid == UINT32_MAX
               ? refuse_name(settings, "User", settings->user, r == -ENOENT ? 0 : -r)
               : use_number(settings, uid, user);
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
    } else if (holden_dynamic_user(&settings->properties)) {
        r = 0;
    } else {
        r = use_caller(settings, &home);
    }
    return r < 0 ? r : resolve_home(settings, home);
}

bool identity_is_root(const struct settings *settings) {
    const struct holden_user *user = settings->properties.user.value;
    if (holden_user_made_up(&settings->properties))
        return false;
    return HOLDEN_HAS(&settings->properties, properties, user) && user ? user->uid == 0
                                                                       : getauxval(AT_EUID) == 0;
}
