#include "agent/child_directory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent/child_path.h"
#include "common/cleanup.h"
#include "common/file.h"

enum { DEPTH_MOST = 256, ENTRIES_ROOM = 2048, MODE_BITS = 07777, PARENT_MODE = 0755,
       PRIVATE_MODE = 0700 };

/* ---- giving it away ---- */

struct giver {
    uid_t uid, from; /* to whom; whose its top is by now */
    gid_t gid;
};

static int give_tree(const struct giver *giver, int directory, unsigned depth);

/* A file that has other names may be one outside, of which somebody has made a name in here: it is
 * given away only where it was the top's owner's already. */
static bool may_give(const struct giver *giver, const struct stat *status) {
    return status->st_nlink <= 1 || status->st_uid == giver->from;
}

static int give_entry(const struct giver *giver, int directory, const char *name, unsigned depth) {
    struct stat status;
    _cleanup_close_ int fd = openat(directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? 0 : -1;
    if (fstat(fd, &status) < 0)
        return -1;
    if (!S_ISDIR(status.st_mode))
        return may_give(giver, &status)
                   ? fchownat(fd, "", giver->uid, giver->gid, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW)
                   : 0;
    _cleanup_close_ int inner = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return inner < 0 ? -1 : give_tree(giver, inner, depth + 1);
}

/* The top comes last: as long as it has the wrong owner, all of it is looked at again. */
static int give_tree(const struct giver *giver, int directory, unsigned depth) {
    _Alignas(struct dirent64) char room[ENTRIES_ROOM];
    long size;
    if (depth == DEPTH_MOST) {
        errno = ENAMETOOLONG;
        return -1;
    }
    while ((size = syscall(SYS_getdents64, directory, room, sizeof(room))) > 0)
        for (long at = 0; at < size;) {
            const struct dirent64 *entry = (const void *)(room + at);
            if (!file_is_dots(entry->d_name) &&
                give_entry(giver, directory, entry->d_name, depth) < 0)
                return -1;
            at += entry->d_reclen;
        }
    return size < 0 ? -1 : fchown(directory, giver->uid, giver->gid);
}

/* ---- making it ---- */

static int open_prefix(const char *prefix) {
    int fd = open(prefix, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return fd >= 0 || errno != ENOENT ? fd : child_path_make(prefix, true);
}

/* Opens a directory that others are to be in, and makes it first where it is missing. */
static int enter(int directory, const char *name, uint32_t mode) {
    const int flags = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    int fd = openat(directory, name, flags);
    if (fd >= 0 || errno != ENOENT)
        return fd;
    if (mkdirat(directory, name, mode) < 0 && errno != EEXIST)
        return -1;
    return openat(directory, name, flags);
}

/* Keeps everybody but root away from files whose owner's number will be another's some day. */
static int enter_private(int prefix, const char *name) {
    struct stat status;
    _cleanup_close_ int fd = enter(prefix, name, PRIVATE_MODE);
    if (fd < 0 || fstat(fd, &status) < 0)
        return -1;
    if (status.st_uid != geteuid() || status.st_mode & ~(unsigned)S_IFMT & ~PRIVATE_MODE) {
        errno = CHILD_DIRECTORY_EXPOSED;
        return -1;
    }
    return TAKE_FD(fd);
}

/* Takes the first part off the path. 0, or -1 where it is longer than a name can be. */
static int take_part(const char **path, char part[NAME_MAX + 1]) {
    size_t size = strcspn(*path, "/");
    if (size > NAME_MAX) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(part, *path, size);
    part[size] = '\0';
    *path += size + ((*path)[size] == '/');
    return 0;
}

static bool is_private(const char *path) {
    return strncmp(path, PLAN_PRIVATE, strlen(PLAN_PRIVATE)) == 0;
}

/* Opens what the path's last part, which goes to `last`, is to be in. */
static int open_parent(const char *prefix, const char *path, char last[NAME_MAX + 1]) {
    int at = open_prefix(prefix);
    bool private = is_private(path);
    while (at >= 0 && take_part(&path, last) == 0) {
        if (!*path)
            return at;
        int next = private ? enter_private(at, last) : enter(at, last, PARENT_MODE);
        int error = errno;
        close(at);
        errno = error;
        at = next;
        private = false;
    }
    if (at >= 0)
        close(at);
    return -1;
}

static int make_own(const struct plan *plan, int fd, uint32_t mode) {
    struct stat status;
    if (fstat(fd, &status) < 0 ||
        ((status.st_mode & MODE_BITS) != mode && fchmod(fd, mode) < 0))
        return -1;
    if (status.st_uid == plan->owner && status.st_gid == plan->owner_group)
        return 0;
    return give_tree(&(struct giver){plan->owner, status.st_uid, plan->owner_group}, fd, 0);
}

/* ---- links ---- */

static bool holds(int parent, const char *name, const char *text) {
    char found[PATH_MAX];
    ssize_t size = readlinkat(parent, name, found, sizeof(found));
    return size >= 0 && (size_t)size == strlen(text) && memcmp(found, text, (size_t)size) == 0;
}

static int make_link(const char *text, int parent, const char *name) {
    struct stat status;
    if (symlinkat(text, parent, name) == 0 || (errno == EEXIST && holds(parent, name, text)))
        return 0;
    if (errno == EINVAL || fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) == 0)
        errno = EEXIST;
    return -1;
}

/* ---- in public ---- */

static const char *text_at(const struct child *child, uint64_t offset) {
    return (const char *)child->plan + offset;
}

/* It was private before: the link in its place becomes the directory again. */
static int take_back(struct child *child, const struct plan_directory *wanted, int parent,
                     const char *name) {
    const char *text = text_at(child, wanted->text);
    char path[PATH_MAX], last[NAME_MAX + 1];
    if (!*text || !holds(parent, name, text)) {
        errno = ENOTDIR;
        return -1;
    }
    if (strlen(text_at(child, wanted->path)) >= sizeof(path) - strlen(PLAN_PRIVATE)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    strcpy(stpcpy(path, PLAN_PRIVATE), text_at(child, wanted->path));
    _cleanup_close_ int private = open_parent(text_at(child, wanted->prefix), path, last);
    if (private < 0 || unlinkat(parent, name, 0) < 0)
        return -1;
    child->moved = renameat(private, last, parent, name) == 0;
    if (child->moved || (errno == ENOENT && mkdirat(parent, name, 0700) == 0))
        return 0;
    int error = errno;
    make_link(text, parent, name);
    errno = error;
    return -1;
}

static int open_own(struct child *child, const struct plan_directory *wanted, int parent,
                    const char *name) {
    const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    int fd = openat(parent, name, flags);
    if (fd >= 0 || (errno != ENOTDIR && errno != ELOOP))
        return fd;
    return take_back(child, wanted, parent, name) < 0 ? -1 : openat(parent, name, flags);
}

static int make_directory(struct child *child, const struct plan_directory *wanted, int parent,
                          const char *name) {
    bool made = mkdirat(parent, name, 0700) == 0;
    if (!made && errno != EEXIST)
        return -1;
    _cleanup_close_ int fd = open_own(child, wanted, parent, name);
    if (fd < 0)
        return -1;
    if (wanted->kind != PLAN_DIRECTORY_PLAIN)
        return make_own(child->plan, fd, wanted->mode) < 0
                   ? -1
                   : child_quota_set(&child->quota, wanted, fd);
    return made ? fchmod(fd, wanted->mode) : 0;
}

/* ---- in private ---- */

/* It was public before. Where there is one in private already, no link can be made. */
static int move_in(struct child *child, int public, const char *name, int parent) {
    struct stat status;
    if (fstatat(public, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : -1;
    if (!S_ISDIR(status.st_mode))
        return 0;
    if (renameat2(public, name, parent, name, RENAME_NOREPLACE) < 0)
        return -1;
    child->moved = true;
    return 0;
}

/* Opens where the link to it is to be. */
static int open_public(struct child *child, const struct plan_directory *wanted) {
    char name[NAME_MAX + 1];
    return open_parent(text_at(child, wanted->prefix),
                       text_at(child, wanted->path) + strlen(PLAN_PRIVATE), name);
}

static int make_private(struct child *child, const struct plan_directory *wanted, int parent,
                        const char *name) {
    const char *text = text_at(child, wanted->text);
    if (!*text)
        return make_directory(child, wanted, parent, name);
    _cleanup_close_ int public = open_public(child, wanted);
    return public < 0 || move_in(child, public, name, parent) < 0 ||
                   make_directory(child, wanted, parent, name) < 0
               ? -1
               : make_link(text, public, name);
}

/* ---- each ---- */

static int make(struct child *child, const struct plan_directory *wanted) {
    char name[NAME_MAX + 1];
    _cleanup_close_ int parent =
        open_parent(text_at(child, wanted->prefix), text_at(child, wanted->path), name);
    if (parent < 0)
        return -1;
    if (wanted->kind == PLAN_DIRECTORY_LINK)
        return make_link(text_at(child, wanted->text), parent, name);
    return wanted->kind == PLAN_DIRECTORY_PRIVATE ? make_private(child, wanted, parent, name)
                                                  : make_directory(child, wanted, parent, name);
}

int child_directory(struct child *child) {
    struct plan_run run = child->plan->directories;
    const struct plan_directory *wanted = child_run_at(child, run);
    if (run.count == 0)
        return 0;
    umask(0);
    for (uint32_t i = 0; i < run.count; i++) {
        child->detail = i;
        if (make(child, &wanted[i]) < 0)
            return -1;
    }
    child->detail = 0;
    child->origin->reports[child->plan->report].detail = child->moved;
    umask(child->plan->umask);
    return 0;
}
