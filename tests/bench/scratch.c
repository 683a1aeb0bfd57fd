#include "scratch.h"

#include "common/cleanup.h"
#include "measure.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

struct limit_row {
    const char *controller;
    struct scratch_limit real;
    struct scratch_limit standin; /* exists in every cgroup v2, changes nothing for one process */
};

static const struct limit_row limit_rows[] = {
    {"memory",
     {"memory.max", "memory.max", "104857600"},
     {"memory.max", "cgroup.max.descendants", "16"}},
    {"cpu", {"cpu.max", "cpu.max", "50000 100000"}, {"cpu.max", "cgroup.max.depth", "4"}},
    {"pids", {"pids.max", "pids.max", "64"}, {"pids.max", "cgroup.freeze", "0"}},
};
_Static_assert(ARRAY_SIZE(limit_rows) == SCRATCH_LIMITS, "one row per limit");

static const char *const cgroup_roots[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};
static const char probe_leaf[] = "probe";
static const uint64_t remove_patience = 10000000000U;

int scratch_write(int cgroup_fd, const char *file, const char *text) {
    _cleanup_close_ int fd = openat(cgroup_fd, file, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    size_t length = strlen(text);
    ssize_t written = write(fd, text, length);
    if (written < 0)
        return -errno;
    return (size_t)written == length ? 0 : -EIO;
}

static bool in_cgroup2(const char *path) {
    struct statfs info;
    return statfs(path, &info) == 0 && info.f_type == CGROUP2_SUPER_MAGIC;
}

static int choose_path(const char *path, char *chosen, size_t size) {
    if (path)
        return snprintf(chosen, size, "%s", path) < (int)size ? 0 : -ENAMETOOLONG;
    for (size_t i = 0; i < ARRAY_SIZE(cgroup_roots); i++) {
        if (!in_cgroup2(cgroup_roots[i]))
            continue;
        snprintf(chosen, size, "%s/holden-bench-%d", cgroup_roots[i], getpid());
        return 0;
    }
    return -ENODEV;
}

static bool controller_enabled(int cgroup_fd, const char *controller) {
    char text[512];
    _cleanup_close_ int fd = openat(cgroup_fd, "cgroup.subtree_control", O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
    if (length < 0)
        return false;
    text[length] = '\0';
    char *rest = text;
    for (char *word = strtok_r(rest, " \n", &rest); word; word = strtok_r(NULL, " \n", &rest))
        if (strcmp(word, controller) == 0)
            return true;
    return false;
}

/* sign is '+' or '-'. */
static int switch_controller(int cgroup_fd, char sign, const char *controller) {
    char text[32];
    snprintf(text, sizeof(text), "%c%s", sign, controller);
    return scratch_write(cgroup_fd, "cgroup.subtree_control", text);
}

static void enable_controllers(struct scratch *scratch) {
    for (size_t i = 0; i < ARRAY_SIZE(limit_rows); i++) {
        const char *controller = limit_rows[i].controller;
        if (!controller_enabled(scratch->fd, controller) &&
            switch_controller(scratch->fd, '+', controller) == 0)
            scratch->enabled |= 1U << i;
    }
}

/* A limit counts as there only when this kernel accepts it, on a leaf like those to come. */
static int choose_limits(struct scratch *scratch) {
    _cleanup_close_ int leaf = -1;
    int r = scratch_leaf_make(scratch, probe_leaf, &leaf);
    if (r < 0)
        return r;
    for (size_t i = 0; i < ARRAY_SIZE(limit_rows); i++) {
        const struct limit_row *row = &limit_rows[i];
        bool real = scratch_write(leaf, row->real.file, row->real.value) == 0;
        scratch->limits[i] = real ? row->real : row->standin;
    }
    r = scratch_leaf_limit(scratch, leaf);
    int removed = scratch_leaf_remove(scratch, probe_leaf);
    return r < 0 ? r : removed;
}

int scratch_open(const char *path, struct scratch *scratch) {
    struct scratch opened = {.fd = -1};
    int r = choose_path(path, opened.path, sizeof(opened.path));
    if (r < 0)
        return r;
    opened.made = mkdir(opened.path, 0755) == 0;
    if (!opened.made && errno != EEXIST)
        return -errno;
    opened.fd = open(opened.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    r = opened.fd < 0 ? -errno : in_cgroup2(opened.path) ? 0 : -ENODEV;
    if (r == 0) {
        enable_controllers(&opened);
        r = choose_limits(&opened);
    }
    if (r < 0) {
        scratch_close(&opened);
        return r;
    }
    *scratch = opened;
    return 0;
}

int scratch_close(struct scratch *scratch) {
    for (size_t i = 0; scratch->fd >= 0 && i < ARRAY_SIZE(limit_rows); i++)
        if (scratch->enabled & (1U << i))
            switch_controller(scratch->fd, '-', limit_rows[i].controller);
    cleanup_close(&scratch->fd);
    scratch->fd = -1;
    return scratch->made && rmdir(scratch->path) < 0 ? -errno : 0;
}

bool scratch_has_standin(const struct scratch *scratch) {
    for (size_t i = 0; i < SCRATCH_LIMITS; i++)
        if (strcmp(scratch->limits[i].wanted, scratch->limits[i].file) != 0)
            return true;
    return false;
}

int scratch_leaf_make(const struct scratch *scratch, const char *name, int *fd) {
    if (mkdirat(scratch->fd, name, 0755) < 0)
        return -errno;
    int opened = openat(scratch->fd, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (opened < 0) {
        int r = -errno;
        unlinkat(scratch->fd, name, AT_REMOVEDIR);
        return r;
    }
    *fd = opened;
    return 0;
}

int scratch_leaf_limit(const struct scratch *scratch, int leaf_fd) {
    for (size_t i = 0; i < SCRATCH_LIMITS; i++) {
        int r = scratch_write(leaf_fd, scratch->limits[i].file, scratch->limits[i].value);
        if (r < 0)
            return r;
    }
    return 0;
}

int scratch_leaf_remove(const struct scratch *scratch, const char *name) {
    uint64_t deadline = measure_now() + remove_patience;
    while (unlinkat(scratch->fd, name, AT_REMOVEDIR) < 0) {
        if (errno != EBUSY || measure_now() > deadline)
            return -errno;
        sched_yield();
    }
    return 0;
}

void scratch_describe(const struct scratch *scratch, bool json, FILE *out) {
    fputs(json ? "\"limits\":[" : "limits written into each cgroup:\n", out);
    for (size_t i = 0; i < SCRATCH_LIMITS; i++) {
        const struct scratch_limit *limit = &scratch->limits[i];
        bool standin = strcmp(limit->wanted, limit->file) != 0;
        if (json)
            fprintf(out, "%s{\"wanted\":\"%s\",\"file\":\"%s\",\"value\":\"%s\",\"standin\":%s}",
                    i > 0 ? "," : "", limit->wanted, limit->file, limit->value,
                    standin ? "true" : "false");
        else if (standin)
            fprintf(out, "  %s=%s  STAND-IN for %s: its controller is not available here\n",
                    limit->file, limit->value, limit->wanted);
        else
            fprintf(out, "  %s=%s\n", limit->file, limit->value);
    }
    if (json)
        fputc(']', out);
}
