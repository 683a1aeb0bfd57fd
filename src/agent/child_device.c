#include "agent/child_device.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "common/cleanup.h"

static const struct {
    const char *path; /* on the way to it there is /dev/ */
    unsigned major, minor;
    const char *alias; /* what links to it */
} nodes[] = {
#define DEVICE(name, major, minor) {"/dev/" name, major, minor, "char/" #major ":" #minor},
#include "agent/standard_devices.def"
};
_Static_assert(ARRAY_SIZE(nodes) == CHILD_DEVICE_NODES, "a descriptor per node");
enum { PTMX = CHILD_DEVICE_NODES - 1, NAME_AT = 5 };

static const struct {
    const char *path;
    bool needed;
} kept[] = {
    {"/dev/pts", true}, {"/dev/shm", true}, {"/dev/mqueue", false}, {"/dev/hugepages", false},
};
_Static_assert(ARRAY_SIZE(kept) == CHILD_DEVICE_KEPT, "a descriptor per file system");

static const struct {
    const char *name;
    const char *target;
} links[] = {
    {"core", "/proc/kcore"},        {"fd", "/proc/self/fd"},       {"stdin", "/proc/self/fd/0"},
    {"stdout", "/proc/self/fd/1"},  {"stderr", "/proc/self/fd/2"},
    {"log", "/run/systemd/journal/dev-log"},
};

static int clone_of(const char *path) {
    return open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
}

/* Takes hold of the file systems below /dev, and makes the directories for them. */
static int keep(struct child_device *device, int root) {
    for (size_t i = 0; i < ARRAY_SIZE(kept); i++) {
        device->kept[i] = clone_of(kept[i].path);
        if (device->kept[i] < 0 && kept[i].needed)
            return -1;
        if (mkdirat(root, kept[i].path + NAME_AT, 0755) < 0)
            return -1;
    }
    return 0;
}

/* A device, or where none may be made, a file for the one that there is. */
static int make_node(struct child_device *device, int root, size_t i) {
    char alias[NAME_MAX] = "../";
    const char *name = nodes[i].path + NAME_AT;
    device->nodes[i] = -1;
    if (mknodat(root, name, S_IFCHR | 0666, makedev(nodes[i].major, nodes[i].minor)) < 0) {
        if (errno != EPERM || mknodat(root, name, S_IFREG | 0666, 0) < 0 ||
            (device->nodes[i] = clone_of(nodes[i].path)) < 0)
            return -1;
    }
    strcpy(alias + 3, name);
    return symlinkat(alias, root, nodes[i].alias);
}

/* Where /dev/ptmx is a link, the device is that of /dev/pts. */
static int make_nodes(struct child_device *device, int root) {
    char target[16];
    bool linked = readlink(nodes[PTMX].path, target, sizeof(target)) > 0;
    if (mkdirat(root, "char", 0755) < 0)
        return -1;
    for (size_t i = 0; i < ARRAY_SIZE(nodes) - linked; i++)
        if (make_node(device, root, i) < 0)
            return -1;
    device->nodes[PTMX] = linked ? -1 : device->nodes[PTMX];
    return linked ? symlinkat("pts/ptmx", root, "ptmx") : 0;
}

static int make_links(int root) {
    for (size_t i = 0; i < ARRAY_SIZE(links); i++)
        if (symlinkat(links[i].target, root, links[i].name) < 0)
            return -1;
    return 0;
}

int child_device_make(struct child_device *device, const char *options) {
    _cleanup_close_ int context = fsopen("tmpfs", FSOPEN_CLOEXEC);
    if (context < 0 || fsconfig(context, FSCONFIG_SET_STRING, "source", "tmpfs", 0) < 0 ||
        fsconfig(context, FSCONFIG_SET_STRING, "mode", "0755", 0) < 0 ||
        fsconfig(context, FSCONFIG_SET_STRING, "size", options, 0) < 0 ||
        fsconfig(context, FSCONFIG_SET_STRING, "nr_inodes", "64k", 0) < 0 ||
        fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
        return -1;
    int root = fsmount(context, FSMOUNT_CLOEXEC,
                       MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_STRICTATIME);
    if (root < 0 || keep(device, root) < 0 || make_nodes(device, root) < 0 || make_links(root) < 0)
        return -1;
    return root;
}

static int fill(int mount, int root, const char *path) {
    return mount < 0 ? 0 : move_mount(mount, "", root, path + NAME_AT, MOVE_MOUNT_F_EMPTY_PATH);
}

int child_device_fill(const struct child_device *device, int root) {
    for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
        if (fill(device->kept[i], root, kept[i].path) < 0)
            return -1;
    for (size_t i = 0; i < ARRAY_SIZE(nodes); i++)
        if (fill(device->nodes[i], root, nodes[i].path) < 0)
            return -1;
    return 0;
}
