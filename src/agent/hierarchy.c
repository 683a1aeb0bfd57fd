/* Finding and preparing the cgroup that the agent divides. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <linux/magic.h>
#include <unistd.h>

#include "agent/cgroup.h"
#include "common/cleanup.h"
#include "common/file.h"

const char *cgroup_controller_name(unsigned controller) {
    for (size_t i = 0; i < holden_enum_controller.count; i++)
        if (1U << holden_enum_controller.words[i].number == controller)
            return holden_enum_controller.words[i].word;
    return "?";
}

/* The bits of a file that lists controllers separated by spaces. */
static unsigned read_controllers(int directory, const char *file) {
    char text[256];
    unsigned bits = 0;
    if (file_read(directory, file, text, sizeof(text)) < 0)
        return 0;
    char *rest = text;
    for (char *word; (word = strsep(&rest, " \n"));)
        for (size_t i = 0; i < holden_enum_controller.count; i++)
            if (strcmp(word, holden_enum_controller.words[i].word) == 0)
                bits |= 1U << holden_enum_controller.words[i].number;
    return bits;
}

/* Where cgroup2 is mounted: /proc/self/mountinfo, proc(5), the field before " - cgroup2". */
static int find_mount(char **mount, bool *v1) {
    FILE *file = fopen("/proc/self/mountinfo", "re");
    if (!file)
        return -errno;
    char *line = NULL;
    size_t space = 0;
    *mount = NULL;
    while (getline(&line, &space, file) >= 0) {
        const char *type = strstr(line, " - ");
        char path[4096];
        if (!type || sscanf(line, "%*s %*s %*s %*s %4095s", path) != 1)
            continue;
        if (strncmp(type + 3, "cgroup ", 7) == 0)
            *v1 = true;
        if (!*mount && strncmp(type + 3, "cgroup2 ", 8) == 0)
            *mount = strdup(path);
    }
    int r = ferror(file) ? -EIO : *mount ? 0 : -ENOENT;
    free(line);
    fclose(file);
    return r;
}

/* The cgroup2 path of this process, as /proc/self/cgroup has it on the line "0::". */
static int own_cgroup(char *path, size_t space) {
    char text[8192];
    ssize_t size = file_read(AT_FDCWD, "/proc/self/cgroup", text, sizeof(text));
    if (size < 0)
        return (int)size;
    char *rest = text;
    for (char *line; (line = strsep(&rest, "\n"));)
        if (strncmp(line, "0::", 3) == 0 && strlen(line + 3) < space) {
            strcpy(path, line + 3);
            return 0;
        }
    return -ENOENT;
}

void hierarchy_enable(int directory, unsigned disabled) {
    unsigned there = read_controllers(directory, "cgroup.controllers");
    for (size_t i = 0; i < holden_enum_controller.count; i++) {
        char text[16];
        unsigned bit = 1U << holden_enum_controller.words[i].number;
        snprintf(text, sizeof(text), "%c%s", disabled & bit ? '-' : '+',
                 holden_enum_controller.words[i].word);
        if (there & bit)
            file_write(directory, "cgroup.subtree_control", text);
    }
}

/* Opens `path` below `mount`, making what is missing and enabling controllers on the way down. The
 * last cgroup's own subtree_control is left to the caller. */
static int open_down(struct hierarchy *hierarchy, int mount, const char *path, int *out) {
    _cleanup_close_ int at = fcntl(mount, F_DUPFD_CLOEXEC, 3);
    _cleanup_free_ char *copy = strdup(path);
    if (at < 0 || !copy)
        return -ENOMEM;
    char *rest = copy;
    for (char *name; (name = strsep(&rest, "/"));) {
        if (*name == '\0')
            continue;
        hierarchy_enable(at, 0);
        bool made = cgroup_mkdir(at, name) == 0;
        int next = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        if (next < 0)
            return -errno;
        hierarchy->made = made;
        close(at);
        at = next;
    }
    *out = TAKE_FD(at);
    return 0;
}

/* Moves agent and keeper to the leaf "agent": a cgroup with processes of its own cannot hand its
 * controllers down (the no-internal-processes rule of cgroups(7)). */
static int move_to_leaf(int root, pid_t keeper) {
    int r = cgroup_mkdir(root, "agent");
    if (r < 0 && r != -EEXIST)
        return r;
    _cleanup_close_ int leaf = openat(root, "agent", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (leaf < 0)
        return -errno;
    char text[32];
    snprintf(text, sizeof(text), "%d", (int)keeper);
    r = file_write(leaf, "cgroup.procs", text);
    if (r < 0)
        return r;
    return file_write(leaf, "cgroup.procs", "0");
}

/* Whether the mount begins at the root of all: only that has no cgroup.type (cgroups(7)). In a
 * container it begins at the container's cgroup, whose processes can be moved away. */
static bool is_whole(const struct hierarchy *hierarchy) {
    char path[4200];
    snprintf(path, sizeof(path), "%s/cgroup.type", hierarchy->mount ? hierarchy->mount : "");
    return access(path, F_OK) < 0;
}

/* The path below the mount that is meant: as given, or our own, or /holden in the root of all. */
static int choose_path(const struct hierarchy *hierarchy, const char *given, char *path,
                       size_t space, bool *own) {
    char mine[4096];
    int r = own_cgroup(mine, sizeof(mine));
    if (r < 0 && !given)
        return r;
    /* An agent that was started again already sits in the leaf of the cgroup it divides. */
    size_t size = r < 0 ? 0 : strlen(mine);
    if (size > 6 && strcmp(mine + size - 6, "/agent") == 0)
        strcpy(mine + size - 6, size == 6 ? "/" : "");
    size_t prefix = hierarchy->mount ? strlen(hierarchy->mount) : 0;
    if (given && prefix > 0 && strncmp(given, hierarchy->mount, prefix) == 0 &&
        given[prefix] == '/')
        given += prefix;
    if (!given)
        given = strcmp(mine, "/") == 0 && is_whole(hierarchy) ? "/holden" : mine;
    if (strlen(given) >= space)
        return -ENAMETOOLONG;
    strcpy(path, given);
    for (size_t end = strlen(path); end > 1 && path[end - 1] == '/'; end--)
        path[end - 1] = '\0';
    *own = r == 0 && strcmp(path, mine) == 0;
    return 0;
}

int hierarchy_open(struct hierarchy *hierarchy, const char *given, pid_t keeper,
                   struct failure *failure) {
    *hierarchy = (struct hierarchy){.root = -1};
    bool v1 = false;
    int r = find_mount(&hierarchy->mount, &v1);
    if (r < 0 && r != -ENOENT)
        return failure_errno(failure, -r, "cgroup", "cannot read /proc/self/mountinfo");
    if (r < 0)
        return failure_set(
            failure, HOLDEN_code_UNSUPPORTED, "cgroup",
            "no cgroup2 file system is mounted, and every process needs a cgroup of its "
            "own: mount -t cgroup2 none /sys/fs/cgroup");
    char path[4096];
    bool own = false;
    r = choose_path(hierarchy, given, path, sizeof(path), &own);
    if (r < 0)
        return failure_errno(failure, -r, "cgroup", "cannot tell which cgroup to divide");
    _cleanup_close_ int mount = open(hierarchy->mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (mount < 0)
        return failure_errno(failure, errno, "cgroup", "cannot open %s", hierarchy->mount);
    r = open_down(hierarchy, mount, path, &hierarchy->root);
    if (r < 0)
        return failure_errno(failure, -r, "cgroup", "cannot make or open cgroup %s below %s", path,
                             hierarchy->mount);
    bool stays = own && keeper == 0;
    if (own && !stays && (r = move_to_leaf(hierarchy->root, keeper)) < 0)
        return failure_errno(failure, -r, "cgroup",
                             "cannot move the agent to the leaf of cgroup %s", path);
    if (!stays)
        hierarchy_enable(hierarchy->root, 0);
    /* Once it has moved, an agent could hand down what the cgroup has. */
    hierarchy->controllers = read_controllers(
        hierarchy->root, stays ? "cgroup.controllers" : "cgroup.subtree_control");
    hierarchy->offered = read_controllers(mount, "cgroup.controllers");
    hierarchy->hybrid = v1 && hierarchy->offered != CGROUP_ALL;
    if (asprintf(&hierarchy->path, "%s%s", hierarchy->mount, strcmp(path, "/") ? path : "") < 0) {
        hierarchy->path = NULL;
        return failure_errno(failure, ENOMEM, "cgroup", "cannot keep the path");
    }
    return 0;
}

void hierarchy_close(struct hierarchy *hierarchy, bool remove) {
    if (remove && hierarchy->root >= 0) {
        unlinkat(hierarchy->root, "agent", AT_REMOVEDIR);
        if (hierarchy->made)
            rmdir(hierarchy->path);
    }
    if (hierarchy->root >= 0)
        close(hierarchy->root);
    free(hierarchy->path);
    free(hierarchy->mount);
    *hierarchy = (struct hierarchy){.root = -1};
}
