#include "agent/dynamic_user.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/agent.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "common/log.h"

enum { COUNT = DYNAMIC_USER_LAST - DYNAMIC_USER_FIRST + 1, TRIES = 16 };

/* ---- names and numbers ---- */

/* FNV-1a: of where a name leads to nobody but this agent need know. */
static uint64_t hash(const char *name) {
    uint64_t hash = UINT64_C(14695981039346656037);
    for (; *name; name++)
        hash = (hash ^ (unsigned char)*name) * UINT64_C(1099511628211);
    return hash;
}

void dynamic_user_name(const struct process *process, const struct holden_properties *properties,
                       char name[HOLDEN_USER_NAME_MOST + 1]) {
    struct holden_view view = holden_view(process->name);
    struct holden_user user;
    if (holden_user_given(properties, &user) && HOLDEN_HAS(&user, user, name))
        view = user.name;
    if (holden_user_name_valid(view))
        snprintf(name, HOLDEN_USER_NAME_MOST + 1, "%.*s", (int)view.size, view.data);
    else
        snprintf(name, HOLDEN_USER_NAME_MOST + 1, "_du%016" PRIx64, hash(process->name));
}

static bool in_range(uid_t uid) {
    return uid >= DYNAMIC_USER_FIRST && uid <= DYNAMIC_USER_LAST;
}

int dynamic_user_check(const struct holden_properties *properties, struct failure *failure) {
    struct holden_user user;
    if (holden_user_made_up(properties) && geteuid() != 0)
        return failure_set(failure, HOLDEN_code_UNSUPPORTED, "DynamicUser",
                           "only an agent that runs as root can make users up");
    if (!holden_user_given(properties, &user) || user.uid != HOLDEN_UID_MADE_UP)
        return 0;
    if (!holden_dynamic_user(properties))
        return failure_set(failure, HOLDEN_code_INVALID, "User",
                           "%u is nobody's number; only with DynamicUser=yes is a user made up",
                           (unsigned)HOLDEN_UID_MADE_UP);
    if (HOLDEN_HAS(&user, user, name) && !holden_user_name_valid(user.name))
        return failure_set(failure, HOLDEN_code_INVALID, "User",
                           "\"%.*s\" is no name for a user who is made up: at most %d letters, "
                           "digits, \"_\" and \"-\", a letter or \"_\" first",
                           (int)(user.name.size < 80 ? user.name.size : 80), user.name.data,
                           HOLDEN_USER_NAME_MOST);
    return 0;
}

/* ---- locks ---- */

static const char *directory_of(const struct dynamic_users *users) {
    return users->locks ? users->locks : DYNAMIC_USER_LOCKS;
}

static void path_of(const struct dynamic_users *users, uid_t uid, char path[PATH_MAX]) {
    snprintf(path, PATH_MAX, "%s/%u", directory_of(users), (unsigned)uid);
}

/* /run/systemd is not there where systemd is not. */
static int make_directory(const char *path) {
    char above[PATH_MAX];
    snprintf(above, sizeof(above), "%s", path);
    char *slash = strrchr(above, '/');
    if (mkdir(path, 0755) == 0 || errno == EEXIST)
        return 0;
    if (errno != ENOENT || !slash || slash == above)
        return -errno;
    *slash = '\0';
    if (mkdir(above, 0755) < 0 && errno != EEXIST)
        return -errno;
    return mkdir(path, 0755) < 0 && errno != EEXIST ? -errno : 0;
}

/* As systemd does it: whoever has the lock of a file that is still there has the number, and
 * removes the file before giving the lock up. The descriptor; -EBUSY: it is taken; -errno. */
static int lock(const struct dynamic_users *users, uid_t uid) {
    char path[PATH_MAX];
    struct stat status;
    path_of(users, uid, path);
    for (unsigned tries = 0; tries < TRIES; tries++) {
        _cleanup_close_ int fd =
            open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
        if (fd < 0)
            return -errno;
        if (flock(fd, LOCK_EX | LOCK_NB) < 0)
            return errno == EWOULDBLOCK ? -EBUSY : -errno;
        if (fstat(fd, &status) < 0)
            return -errno;
        if (status.st_nlink > 0)
            return TAKE_FD(fd);
    }
    return -EBUSY;
}

/* The kernel is asked whether a process of that user exists, which it mostly tells without looking
 * for one: somebody may have the number who knows nothing of these locks. */
static bool runs_somebody(uid_t uid) {
    errno = 0;
    return getpriority(PRIO_USER, uid) != -1 || errno != ESRCH;
}

static void unlock(const struct dynamic_users *users, uid_t uid, int fd) {
    char path[PATH_MAX];
    path_of(users, uid, path);
    unlink(path);
    close(fd);
}

/* Whom it is locked for is for people to read, as systemd writes it. */
static int try(const struct dynamic_users *users, uid_t uid, const char *name, int *fd) {
    char text[HOLDEN_USER_NAME_MOST + 2];
    int r = lock(users, uid);
    if (r < 0)
        return r;
    int size = snprintf(text, sizeof(text), "%s\n", name);
    *fd = r;
    r = ftruncate(*fd, 0) < 0 ? -errno : file_write_all(*fd, text, (size_t)size);
    if (r == 0 && runs_somebody(uid))
        r = -EBUSY;
    if (r < 0)
        unlock(users, uid, *fd);
    return r;
}

/* One after the other from where the name leads to. */
static int pick(const struct dynamic_users *users, const char *name, uid_t earlier, uid_t *uid,
                int *fd) {
    int r = -EBUSY;
    if (in_range(earlier))
        r = try(users, *uid = earlier, name, fd);
    for (unsigned i = 0; r == -EBUSY && i < COUNT; i++)
        r = try(users, *uid = (uid_t)(DYNAMIC_USER_FIRST + (hash(name) + i) % COUNT), name, fd);
    return r;
}

/* ---- those in use ---- */

static struct dynamic_user *find(const struct dynamic_users *users, const char *name, uid_t uid) {
    struct dynamic_user *user;
    LIST_FOREACH(user, &users->all, of_agent)
        if (strcmp(user->name, name) == 0 && (uid == 0 || user->uid == uid))
            return user;
    return NULL;
}

static void use(struct process *process, struct dynamic_user *user) {
    user->uses++;
    process->dynamic_user = user;
}

/* 0 with the user in the list and used. Takes over `fd`. */
static int add(struct process *process, const char *name, uid_t uid, int fd) {
    struct dynamic_users *users = &process->agent->dynamic_users;
    struct dynamic_user *user = calloc(1, sizeof(*user));
    if (!user) {
        if (fd >= 0)
            unlock(users, uid, fd);
        return -ENOMEM;
    }
    *user = (struct dynamic_user){.uid = uid, .lock = fd};
    snprintf(user->name, sizeof(user->name), "%s", name);
    LIST_INSERT_HEAD(&users->all, user, of_agent);
    use(process, user);
    return 0;
}

static int take_new(struct process *process, const char *name, struct failure *failure) {
    struct dynamic_users *users = &process->agent->dynamic_users;
    uid_t uid = 0;
    int fd = -1;
    int r = make_directory(directory_of(users));
    if (r == 0)
        r = pick(users, name, process->user, &uid, &fd);
    if (r == 0)
        r = add(process, name, uid, fd);
    if (r == -EBUSY)
        return failure_set(failure, HOLDEN_code_TOO_MANY, "DynamicUser",
                           "all users from %d to %d are taken", DYNAMIC_USER_FIRST,
                           DYNAMIC_USER_LAST);
    return r < 0 ? failure_errno(failure, -r, "DynamicUser", "cannot lock a user's number in %s",
                                 directory_of(users))
                 : 0;
}

int dynamic_user_take(struct process *process, const struct holden_properties *properties,
                      uid_t *uid, struct failure *failure) {
    char name[HOLDEN_USER_NAME_MOST + 1];
    int r = 0;
    if (!process->dynamic_user) {
        dynamic_user_name(process, properties, name);
        struct dynamic_user *user = find(&process->agent->dynamic_users, name, 0);
        if (user)
            use(process, user);
        else
            r = take_new(process, name, failure);
    }
    if (r == 0 && process->dynamic_user)
        *uid = process->dynamic_user->uid;
    return r;
}

void dynamic_user_recover(struct process *process, const struct holden_properties *properties) {
    struct dynamic_users *users = &process->agent->dynamic_users;
    char name[HOLDEN_USER_NAME_MOST + 1];
    if (!holden_user_made_up(properties) || !in_range(process->user) || process->dynamic_user)
        return;
    dynamic_user_name(process, properties, name);
    struct dynamic_user *user = find(users, name, process->user);
    if (user) {
        use(process, user);
        return;
    }
    int fd = make_directory(directory_of(users));
    if (fd == 0)
        fd = lock(users, process->user);
    int r = add(process, name, process->user, fd < 0 ? -1 : fd);
    if (fd < 0 || r < 0)
        log_warning("%s: its user %u cannot be locked again in %s: %s", process->name,
                    (unsigned)process->user, directory_of(users), strerror(fd < 0 ? -fd : -r));
}

static void drop(struct process *process, bool keep) {
    struct dynamic_user *user = process->dynamic_user;
    process->dynamic_user = NULL;
    if (!user || --user->uses > 0)
        return;
    if (user->lock >= 0 && keep)
        close(user->lock);
    else if (user->lock >= 0)
        unlock(&process->agent->dynamic_users, user->uid, user->lock);
    LIST_REMOVE(user, of_agent);
    free(user);
}

void dynamic_user_release(struct process *process) {
    drop(process, false);
}

void dynamic_user_leave(struct process *process) {
    drop(process, true);
}
