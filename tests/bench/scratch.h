/* The cgroup that a benchmark works in: a parent, and short-lived leaves below it that carry the
 * same three limits that a confined start carries. See cgroups(7) and the kernel's cgroup-v2. */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>

enum { SCRATCH_LIMITS = 3 };

/* One limit as it is written into each leaf. `wanted` is what a confined start writes; `file` is
 * what this machine has: the same, or a stand-in where the controller is missing. */
struct scratch_limit {
    const char *wanted;
    const char *file;
    const char *value;
};

struct scratch {
    char path[PATH_MAX];
    int fd;            /* the parent */
    bool made;         /* we made the parent, so we remove it */
    unsigned enabled;  /* rows whose controller we enabled in the parent, to be undone */
    struct scratch_limit limits[SCRATCH_LIMITS];
};

/* Opens the parent cgroup `path`, or holden-bench-PID below the cgroup v2 root for NULL; makes it
 * where it is missing, enables memory, cpu and pids for its leaves where the machine offers them,
 * and tries each limit on a leaf. 0, and `*scratch` is to be closed with scratch_close(); or -errno
 * (-ENODEV where `path` is not in a cgroup v2 file system). */
int scratch_open(const char *path, struct scratch *scratch);

/* Undoes what scratch_open() did: controllers disabled again, the parent removed if it was made.
 * 0, or -errno of the removal. */
int scratch_close(struct scratch *scratch);

/* Whether any limit is a stand-in. */
bool scratch_has_standin(const struct scratch *scratch);

/* Makes the leaf `name`. 0 and in `*fd` its O_PATH descriptor, fit for CLONE_INTO_CGROUP, which the
 * caller closes; or -errno, and no leaf remains. */
int scratch_leaf_make(const struct scratch *scratch, const char *name, int *fd);

/* Writes the three limits into the leaf at `leaf_fd`. 0 or -errno. */
int scratch_leaf_limit(const struct scratch *scratch, int leaf_fd);

/* Removes the leaf `name`; where the kernel still counts a dead process in it (EBUSY), tries again
 * for up to ten seconds. 0 or -errno. */
int scratch_leaf_remove(const struct scratch *scratch, const char *name);

/* Writes `text` into `file` of the cgroup at `cgroup_fd`, in one write(2). 0 or -errno. */
int scratch_write(int cgroup_fd, const char *file, const char *text);

/* Says in words (`json` false) or as the JSON member `"limits":[…]` what each leaf gets. */
void scratch_describe(const struct scratch *scratch, bool json, FILE *out);
