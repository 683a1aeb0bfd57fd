#include "agent/child_directory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent/child_path.h"
#include "common/cleanup.h"

enum { DEPTH_MOST = 256, ENTRIES_ROOM = 2048, MODE_BITS = 07777, PARENT_MODE = 0755 };

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

static bool is_dots(const char *name) {
    return name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'));
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
            if (!is_dots(entry->d_name) &&
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
static int enter(int directory, const char *name) {
    const int flags = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    int fd = openat(directory, name, flags);
    if (fd >= 0 || errno != ENOENT)
        return fd;
    if (mkdirat(directory, name, PARENT_MODE) < 0 && errno != EEXIST)
        return -1;
    return openat(directory, name, flags);
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

/* Opens what the path's last part, which goes to `last`, is to be in. */
static int open_parent(const char *prefix, const char *path, char last[NAME_MAX + 1]) {
    int at = open_prefix(prefix);
    while (at >= 0 && take_part(&path, last) == 0) {
        if (!*path)
            return at;
        int next = enter(at, last);
        int error = errno;
        close(at);
        errno = error;
        at = next;
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
    if (status.st_uid == plan->uid && status.st_gid == plan->gid)
        return 0;
    return give_tree(&(struct giver){plan->uid, status.st_uid, plan->gid}, fd, 0);
}

static int make_directory(const struct plan *plan, const struct plan_directory *wanted, int parent,
                          const char *name) {
    bool made = mkdirat(parent, name, 0700) == 0;
    if (!made && errno != EEXIST)
        return -1;
    _cleanup_close_ int fd =
        openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return -1;
    if (wanted->kind == PLAN_DIRECTORY_OWN)
        return make_own(plan, fd, wanted->mode);
    return made ? fchmod(fd, wanted->mode) : 0;
}

static int make_link(const char *text, int parent, const char *name) {
    char found[PATH_MAX];
    if (symlinkat(text, parent, name) == 0)
        return 0;
    ssize_t size = errno == EEXIST ? readlinkat(parent, name, found, sizeof(found)) : -1;
    if (size >= 0 && (size_t)size == strlen(text) && memcmp(found, text, (size_t)size) == 0)
        return 0;
    if (size >= 0 || errno == EINVAL)
        errno = EEXIST;
    return -1;
}

static int make(struct child *child, const struct plan_directory *wanted) {
    char name[NAME_MAX + 1];
    const char *base = (const char *)child->plan;
    _cleanup_close_ int parent = open_parent(base + wanted->prefix, base + wanted->path, name);
    if (parent < 0)
        return -1;
    return wanted->kind == PLAN_DIRECTORY_LINK
               ? make_link(base + wanted->text, parent, name)
               : make_directory(child->plan, wanted, parent, name);
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
    umask(child->plan->umask);
    return 0;
}
