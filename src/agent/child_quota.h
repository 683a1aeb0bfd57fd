/* A disk quota for directories that a child has made: StateDirectoryQuota= and its like. The file
 * system counts what belongs to a project, a number that each file has (quotactl(2), PRJQUOTA;
 * FS_IOC_FSSETXATTR of ioctl_xfs_fsgetxattr(2)). */
#pragma once

#include <errno.h>
#include <stdint.h>

#include "agent/plan.h"

/* The file system counts nothing by projects, or holds nobody to it. */
#define CHILD_QUOTA_IMPOSSIBLE EBADSLT

/* The project of all directories of one setting, while they are made. */
struct child_quota {
    uint64_t seed; /* of the setting's; 0: none yet */
    uint32_t project;
};

/* Holds the directory `fd`, with all that is in it, to its quota. One that has a project of those
 * that are given away here keeps it. What was asked for is read back. No quota takes off the one
 * that it has. 0, or -1 with errno: CHILD_QUOTA_IMPOSSIBLE where there is a quota. */
int child_quota_set(struct child_quota *quota, const struct plan_directory *wanted, int fd);
