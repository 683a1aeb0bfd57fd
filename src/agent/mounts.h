/* What the settings of a process make of its file system: a flat list of mounts, sorted and without
 * what makes no difference, for its plan. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "agent/plan.h"
#include "daemon/failure.h"
#include "protocol/message.h"

enum { MOUNTS_MOST = 2000 };

struct process;
struct mounts_text; /* a string that they own */

struct mounts {
    bool own;              /* it gets a mount table of its own */
    bool inaccessible;     /* nodes for what is inaccessible are needed */
    const char *root;      /* the directory that becomes its /, or NULL */
    bool image;            /* that is a file with a file system instead */
    const char *root_options; /* then: those of the file system's own, comma-separated */
    uint32_t root_flags;   /* and PLAN_MOUNT_RDONLY, NOSUID, NODEV, NOEXEC */
    struct plan_mount *at; /* owned; their strings are pointers here */
    size_t *properties;    /* owned: by plan_mount.number, the index of the property that wants it */
    size_t count;
    size_t added;          /* numbers given so far */
    struct mounts_text *texts;
};

/* Works out the list; `process` (or NULL) is whose it is, to whom only its own credentials are
 * shown. 0; or refused with *failure: a path that is not absolute, more than
 * MOUNTS_MOST places. Where no property asks for a mount, nothing is allocated. Settings that are
 * only dropped by others are not told of. To be freed either way. */
int mounts_collect(const struct process *process, const struct holden_properties *properties,
                   struct mounts *mounts, struct failure *failure);
void mounts_free(struct mounts *mounts);

/* Says of which property and path the mount of that number is, as a child reports it; or the root,
 * for enum plan_root_fault. Views of `mounts`. */
void mounts_name(const struct mounts *mounts, uint32_t number, const char **property,
                 const char **path);
