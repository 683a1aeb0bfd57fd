#include "agent/child_mount.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/child_attribute.h"
#include "agent/child_device.h"
#include "agent/child_image.h"
#include "agent/child_path.h"
#include "agent/child_system.h"
#include "agent/mount_order.h"
#include "common/cleanup.h"

/* What one run of the step holds. What is left open is close-on-exec. */
struct mounter {
    struct child *child;
    struct plan_mount *mounts;
    size_t count;
    int nodes; /* directory of the inaccessible nodes */
    struct child_device device;
};

static char *pointed(const struct plan *plan, uint64_t offset) {
    return offset ? (char *)(uintptr_t)plan + offset : NULL;
}

static const char *text(uint64_t pointer) {
    return (const char *)(uintptr_t)pointer;
}

static int attach(int mount, int target) {
    return move_mount(mount, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
}

static int clone_tree(int directory, const char *path, unsigned flags) {
    return open_tree(directory, path, flags | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
}

/* Slaves hear of changes that other mount tables pass on, and pass none back. Shared as well, in
 * the end, they pass on what they hear, and what changes here, to tables that the process makes. */
static int propagate(uint64_t how) {
    struct mount_attr attributes = {.propagation = how};
    return mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &attributes, sizeof(attributes));
}

/* ---- what is taken hold of first ---- */

static int take_source(struct mounter *mounter, struct plan_mount *mount) {
    if (mount->kind == PLAN_MOUNT_DEVICES)
        return mount->fd = child_device_make(&mounter->device, text(mount->options));
    if (mount->kind != PLAN_MOUNT_BIND)
        return 0;
    mount->fd = clone_tree(AT_FDCWD, text(mount->source),
                           mount->flags & PLAN_MOUNT_RECURSIVE ? AT_RECURSIVE : 0);
    return mount->fd < 0 && errno == ENOENT && (mount->flags & PLAN_MOUNT_OPTIONAL) ? 0
                                                                                  : mount->fd;
}

static int take_sources(struct mounter *mounter) {
    const struct plan *plan = mounter->child->plan;
    for (size_t i = 0; i < mounter->count; i++) {
        struct plan_mount *mount = &mounter->mounts[i];
        mount->path = (uintptr_t)pointed(plan, mount->path);
        mount->source = (uintptr_t)pointed(plan, mount->source);
        mount->options = (uintptr_t)pointed(plan, mount->options);
        mount->fd = -1;
        mounter->child->detail = mount->number;
        if (take_source(mounter, mount) < 0)
            return -1;
    }
    if (plan->nodes.count > 0) {
        mounter->nodes = open(child_run_at(mounter->child, plan->nodes),
                              O_PATH | O_DIRECTORY | O_CLOEXEC);
        return mounter->nodes < 0 ? -1 : 0;
    }
    return 0;
}

/* ---- the root ---- */

static int become_root(int mount) {
    return fchdir(mount) < 0 || chroot(".") < 0 ? -1 : 0;
}

/* Where something is mounted on the root, everybody there has to be led into it. */
static int change_root(struct mounter *mounter) {
    struct plan_run root = mounter->child->plan->root;
    if (root.count == 0)
        return 0;
    mounter->child->detail = PLAN_ROOT;
    int tree = mounter->child->plan->has & PLAN_HAS_IMAGE
                   ? child_image_mount(mounter->child)
                   : clone_tree(AT_FDCWD, child_run_at(mounter->child, root), AT_RECURSIVE);
    if (tree < 0)
        return -1;
    int r = move_mount(tree, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH);
    return r < 0 ? -1 : become_root(tree);
}

/* ---- one mount ---- */

/* Whether something is mounted right there: 1, 0, or -1 with errno. */
static int is_mount(int fd) {
    struct statx status;
    if (statx(fd, "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT, 0, &status) < 0)
        return -1;
    return (status.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

/* Opens the place of a mount that needs it to be there. 1, 0 where it may be missing and is. */
static int find(struct plan_mount *mount, int *target) {
    *target = child_path_open(mount_path(mount));
    if (*target >= 0)
        return 1;
    return errno == ENOENT && (mount->flags & PLAN_MOUNT_OPTIONAL) ? 0 : -1;
}

/* Puts what `fd` holds at the mount's path, which is made where it is missing. */
static int place(struct plan_mount *mount, int fd, bool directory) {
    _cleanup_close_ int target = child_path_make(mount_path(mount), directory);
    if (target < 0)
        return -1;
    mount->fd = fd;
    if (attach(fd, target) < 0)
        return -1;
    return mount_path(mount)[1] ? 0 : become_root(fd);
}

/* What only changes its bits has to be a mount of its own. */
static int make_own(struct mounter *mounter, struct plan_mount *mount) {
    (void)mounter;
    int target;
    int r = find(mount, &target);
    if (r <= 0)
        return r;
    mount->fd = target;
    r = is_mount(target);
    if (r != 0)
        return r < 0 ? -1 : 0;
    int tree = clone_tree(target, "", AT_EMPTY_PATH | AT_RECURSIVE);
    if (tree < 0)
        return -1;
    mount->fd = tree;
    r = attach(tree, target);
    close(target);
    return r;
}

static const char *node_for(mode_t mode) {
    switch (mode & S_IFMT) {
    case S_IFDIR: return "dir";
    case S_IFCHR: return "chr";
    case S_IFBLK: return "blk";
    case S_IFIFO: return "fifo";
    case S_IFSOCK: return "sock";
    default: return "reg";
    }
}

static int cover(struct mounter *mounter, struct plan_mount *mount) {
    int target;
    struct stat status;
    int r = find(mount, &target);
    if (r <= 0)
        return r;
    _cleanup_close_ int held = target;
    if (fstat(held, &status) < 0)
        return -1;
    mount->fd = clone_tree(mounter->nodes, node_for(status.st_mode), 0);
    return mount->fd < 0 ? -1 : attach(mount->fd, held);
}

static int bind(struct mounter *mounter, struct plan_mount *mount) {
    struct stat status;
    (void)mounter;
    if (mount->fd < 0)
        return 0;
    if (fstat(mount->fd, &status) < 0)
        return -1;
    if (mount->flags & PLAN_MOUNT_FALLBACK) {
        int target = child_path_open(mount_path(mount));
        int r = target < 0 ? 0 : is_mount(target);
        if (r != 0) {
            close(mount->fd);
            mount->fd = target;
            return r < 0 ? -1 : 0;
        }
        cleanup_close(&target);
    }
    return place(mount, mount->fd, S_ISDIR(status.st_mode));
}

static int make_system(const char *type, uint64_t options, unsigned attributes) {
    struct child_system system = {.type = type, .source = type,
                                  .options = (char *)(uintptr_t)options, .attributes = attributes};
    return child_system_make(&system);
}

static int make_temporary(struct mounter *mounter, struct plan_mount *mount) {
    (void)mounter;
    unsigned attributes = MOUNT_ATTR_STRICTATIME |
                          (mount->flags & PLAN_MOUNT_NOSUID ? MOUNT_ATTR_NOSUID : 0) |
                          (mount->flags & PLAN_MOUNT_NODEV ? MOUNT_ATTR_NODEV : 0);
    if (mount->flags & PLAN_MOUNT_FALLBACK) {
        _cleanup_close_ int target = child_path_open(mount_path(mount));
        int r = target < 0 ? 0 : is_mount(target);
        if (r != 0)
            return r < 0 ? -1 : 0;
    }
    if (mount->flags & PLAN_MOUNT_OPTIONAL && access(mount_path(mount), F_OK) < 0)
        return 0;
    int fd = make_system("tmpfs", mount->options, attributes);
    return fd < 0 ? -1 : place(mount, fd, true);
}

/* In a user namespace that sees a /proc with holes in it, no new one may be mounted. */
static int make_proc(struct mounter *mounter, struct plan_mount *mount) {
    (void)mounter;
    int fd = make_system("proc", mount->options,
                         MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
    if (fd >= 0)
        return place(mount, fd, true);
    if (errno != EPERM || !(mount->flags & PLAN_MOUNT_RELAXED))
        return -1;
    _cleanup_close_ int target = child_path_open(mount_path(mount));
    int r = target < 0 ? -1 : is_mount(target);
    errno = EPERM;
    return r > 0 ? 0 : -1;
}

static int make_queues(struct mounter *mounter, struct plan_mount *mount) {
    (void)mounter;
    int fd = make_system("mqueue", 0,
                         MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
    return fd < 0 ? -1 : place(mount, fd, true);
}

static int place_devices(struct mounter *mounter, struct plan_mount *mount) {
    return place(mount, mount->fd, true) < 0 ? -1
                                             : child_device_fill(&mounter->device, mount->fd);
}

static int (*const makers[])(struct mounter *mounter, struct plan_mount *mount) = {
    [PLAN_MOUNT_INACCESSIBLE] = cover,
    [PLAN_MOUNT_BIND] = bind,
    [PLAN_MOUNT_DEVICES] = place_devices,
    [PLAN_MOUNT_PRIVATE] = make_temporary,
    [PLAN_MOUNT_PROC] = make_proc,
    [PLAN_MOUNT_READ_ONLY] = make_own,
    [PLAN_MOUNT_READ_WRITE] = make_own,
    [PLAN_MOUNT_NO_EXEC] = make_own,
    [PLAN_MOUNT_EXEC] = make_own,
    [PLAN_MOUNT_TEMPORARY] = make_temporary,
    [PLAN_MOUNT_QUEUES] = make_queues,
    [PLAN_MOUNT_AS_IS] = make_own,
};
_Static_assert(ARRAY_SIZE(makers) == PLAN_MOUNT_KINDS, "a row per kind");

/* Replaces a path with links in it by what it comes to, in the tree as it is by now; then it may
 * have its turn at another time. 1 where that is so. */
static int follow_links(struct mounter *mounter, size_t at) {
    char resolved[PATH_MAX];
    struct plan_mount *mount = &mounter->mounts[at];
    int has = mount->flags & PLAN_MOUNT_LITERAL ? 0 : child_path_has_link(mount_path(mount));
    if (has <= 0)
        return has;
    if (child_path_resolve(mount_path(mount), resolved) < 0)
        return -1;
    size_t size = strlen(resolved) + 1;
    char *kept = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (kept == MAP_FAILED)
        return -1;
    mount->path = (uintptr_t)memcpy(kept, resolved, size);
    mounter->count = mount_order(mounter->mounts, at, mounter->count);
    return 1;
}

static int make_all(struct mounter *mounter) {
    for (size_t i = 0; i < mounter->count;) {
        struct plan_mount *mount = &mounter->mounts[i];
        mounter->child->detail = mount->number;
        if (mount->kind >= PLAN_MOUNT_KINDS) {
            errno = EINVAL;
            return -1;
        }
        int r = follow_links(mounter, i);
        if (r == 0)
            r = makers[mount->kind](mounter, mount);
        if (r < 0)
            return -1;
        i += r == 0;
    }
    mount_sort(mounter->mounts, mounter->count);
    return child_attribute_set(mounter->child, mounter->mounts, mounter->count);
}

int child_mount(struct child *child) {
    if (!(child->plan->has & PLAN_HAS_MOUNTS))
        return 0;
    struct mounter mounter = {
        .child = child,
        .mounts = child_run_at(child, child->plan->mounts),
        .count = child->plan->mounts.count,
        .nodes = -1,
    };
    child->detail = PLAN_ROOT;
    umask(0);
    if (propagate(MS_SLAVE) < 0 || take_sources(&mounter) < 0 || change_root(&mounter) < 0 ||
        make_all(&mounter) < 0 || propagate(MS_SHARED) < 0)
        return -1;
    umask(child->plan->umask);
    return 0;
}
