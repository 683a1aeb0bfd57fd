/* A tree is taken apart without going down: what is in a directory of the top is moved up to the
 * top. So neither its depth nor its breadth costs descriptors or memory. */
#include "agent/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent/detached.h"
#include "common/cleanup.h"
#include "common/file.h"

/* Entries that are removed while others wait; and passes, of which each level of the tree takes
 * one. */
enum { AT_ONCE = 512, PASSES = 1 << 20 };

struct remover {
    int top;
    uint64_t left;   /* entries that may yet be touched */
    uint64_t number; /* for names of what is moved up */
};

/* Removes an entry that is no directory, or an empty one. 0; -ENOTEMPTY; -errno. */
static int remove_simple(int directory, const char *name) {
    if (unlinkat(directory, name, 0) == 0 || errno == ENOENT)
        return 0;
    if (errno != EISDIR && errno != EPERM)
        return -errno;
    if (unlinkat(directory, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
        return 0;
    return errno == EEXIST ? -ENOTEMPTY : -errno;
}

static int move_up(struct remover *remover, int directory, const char *name) {
    char fresh[32];
    do {
        snprintf(fresh, sizeof(fresh), "%" PRIu64, remover->number++);
        if (renameat2(directory, name, remover->top, fresh, RENAME_NOREPLACE) == 0)
            return 0;
    } while (errno == EEXIST);
    return errno == EXDEV ? -EBUSY : -errno;
}

/* Empties a directory of the top, and removes it. */
static int empty(struct remover *remover, const char *name) {
    struct open_how how = {.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV};
    _cleanup_close_ int fd = (int)syscall(SYS_openat2, remover->top, name, &how, sizeof(how));
    if (fd < 0)
        return errno == EXDEV ? -EBUSY : -errno;
    DIR *entries = file_list(fd);
    if (!entries)
        return -errno;
    int r = 0;
    for (struct dirent *entry; r == 0 && (entry = readdir(entries));) {
        if (file_is_dots(entry->d_name))
            continue;
        if (remover->left-- == 0)
            r = -E2BIG;
        else if ((r = remove_simple(fd, entry->d_name)) == -ENOTEMPTY)
            r = move_up(remover, fd, entry->d_name);
    }
    closedir(entries);
    return r < 0 ? r : remove_simple(remover->top, name);
}

/* One pass over the top. 1 where there was something in it. */
static int pass(struct remover *remover) {
    DIR *entries = file_list(remover->top);
    if (!entries)
        return -errno;
    int r = 0;
    bool any = false;
    for (struct dirent *entry; r == 0 && (entry = readdir(entries));) {
        if (file_is_dots(entry->d_name))
            continue;
        any = true;
        if (remover->left-- == 0)
            r = -E2BIG;
        else if ((r = remove_simple(remover->top, entry->d_name)) == -ENOTEMPTY)
            r = empty(remover, entry->d_name);
        /* Filled again by somebody meanwhile: the next pass sees to it. */
        if (r == -ENOTEMPTY)
            r = 0;
    }
    closedir(entries);
    return r < 0 ? r : any;
}

/* 0 once it is empty; -E2BIG past the number of entries. */
static int take_apart(int top, uint64_t most) {
    struct remover remover = {.top = top, .left = most};
    int r = 1;
    for (unsigned passes = 0; r == 1; passes++)
        r = passes == PASSES ? -EBUSY : pass(&remover);
    return r;
}

/* Opens the directory that the path's last part is in, and returns where that part begins. */
static int open_parent(const char *path, const char **last) {
    char parent[8300];
    const char *slash = strrchr(path, '/');
    size_t size = (size_t)(slash - path);
    struct open_how how = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC};
    if (size >= sizeof(parent))
        return -ENAMETOOLONG;
    memcpy(parent, size ? path : "/", size ? size : 1);
    parent[size ? size : 1] = '\0';
    *last = slash + 1;
    /* /run and its like may be links themselves; nobody but root can make them so. */
    const char *below = strchr(parent + 1, '/');
    if (below)
        how.resolve = RESOLVE_NO_SYMLINKS;
    int fd = (int)syscall(SYS_openat2, AT_FDCWD, parent, &how, sizeof(how));
    return fd < 0 ? -errno : fd;
}

static int hand_over(int parent, const char *name, int top) {
    int r = detached_fork("remover");
    if (r != 0)
        return r < 0 ? r : 0;
    if (dup2(parent, 0) == 0 && dup2(top, 1) == 1)
        close_range(2, ~0U, 0);
    if (take_apart(1, UINT64_MAX) == 0)
        unlinkat(0, name, AT_REMOVEDIR);
    _exit(0);
}

static int remove_later(int parent, const char *name, int top) {
    char fresh[64];
    struct stat status;
    if (fstat(top, &status) < 0)
        return -errno;
    snprintf(fresh, sizeof(fresh), ".holden-removed-%" PRIu64 "-%d", (uint64_t)status.st_ino,
             (int)getpid());
    if (renameat2(parent, name, parent, fresh, RENAME_NOREPLACE) < 0)
        return -errno;
    return hand_over(parent, fresh, top);
}

int tree_remove(const char *path) {
    const char *name;
    _cleanup_close_ int parent = open_parent(path, &name);
    if (parent < 0)
        return parent;
    int r = remove_simple(parent, name);
    if (r != -ENOTEMPTY)
        return r;
    _cleanup_close_ int top =
        openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (top < 0)
        return -errno;
    r = take_apart(top, AT_ONCE);
    if (r == -E2BIG)
        return remove_later(parent, name, top);
    return r < 0 ? r : remove_simple(parent, name);
}

int tree_unlink_link(const char *path) {
    const char *name;
    char text[1];
    _cleanup_close_ int parent = open_parent(path, &name);
    if (parent < 0)
        return parent;
    if (readlinkat(parent, name, text, sizeof(text)) < 0)
        return -errno;
    return unlinkat(parent, name, 0) < 0 ? -errno : 0;
}
