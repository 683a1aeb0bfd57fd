#include "agent/child_quota.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/dqblk_xfs.h>
#include <linux/fs.h>
#include <linux/quota.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"

/* Those of systemd: people give away small ones. */
enum { DEPTH_MOST = 256, ENTRIES_ROOM = 2048, TRIES = 100 };
#define PROJECT_FIRST UINT32_C(0x80000000)
#define PROJECT_LAST (UINT32_MAX - 1)
#define HUNDREDTHS 10000

static long control(int fd, unsigned command, uint32_t project, void *data) {
    return syscall(SYS_quotactl_fd, fd, QCMD(command, PRJQUOTA), project, data);
}

/* Whether the file system has project quotas, and holds people to them. */
static bool is_possible(int fd) {
    struct fs_quota_stat state = {0};
    return control(fd, Q_XGETQSTAT, 0, &state) == 0 && state.qs_flags & FS_QUOTA_PDQ_ENFD;
}

static bool is_ours(uint32_t project) {
    return project >= PROJECT_FIRST && project <= PROJECT_LAST;
}

/* ---- whose a file is ---- */

static int project_of(int fd, uint32_t *project) {
    struct fsxattr attributes;
    if (ioctl(fd, FS_IOC_FSGETXATTR, &attributes) < 0)
        return -1;
    *project = attributes.fsx_projid;
    return 0;
}

static int give_project(int fd, uint32_t project, bool directory) {
    struct fsxattr attributes;
    if (ioctl(fd, FS_IOC_FSGETXATTR, &attributes) < 0)
        return -1;
    uint32_t inherit = directory ? FS_XFLAG_PROJINHERIT : 0;
    if (attributes.fsx_projid == project && (attributes.fsx_xflags & inherit) == inherit)
        return 0;
    attributes.fsx_projid = project;
    attributes.fsx_xflags |= inherit;
    return ioctl(fd, FS_IOC_FSSETXATTR, &attributes);
}

static int give_tree(int directory, uint32_t project, unsigned depth);

/* A file that has other names may be one outside, of which somebody has made a name in here. */
static int give_entry(int directory, const char *name, uint32_t project, unsigned depth) {
    struct stat status;
    if (fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : -1;
    bool inner = S_ISDIR(status.st_mode);
    if (!inner && (!S_ISREG(status.st_mode) || status.st_nlink > 1))
        return 0;
    _cleanup_close_ int fd =
        openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT || errno == ELOOP ? 0 : -1;
    return inner ? give_tree(fd, project, depth + 1) : give_project(fd, project, false);
}

/* The top comes last: as long as it is of another project, all of it is looked at again. It may
 * have been read before. */
static int give_tree(int directory, uint32_t project, unsigned depth) {
    _Alignas(struct dirent64) char room[ENTRIES_ROOM];
    long size;
    if (depth == DEPTH_MOST) {
        errno = ENAMETOOLONG;
        return -1;
    }
    if (lseek(directory, 0, SEEK_SET) < 0)
        return -1;
    while ((size = syscall(SYS_getdents64, directory, room, sizeof(room))) > 0)
        for (long at = 0; at < size;) {
            const struct dirent64 *entry = (const void *)(room + at);
            if (!file_is_dots(entry->d_name) &&
                give_entry(directory, entry->d_name, project, depth) < 0)
                return -1;
            at += entry->d_reclen;
        }
    return size < 0 ? -1 : give_project(directory, project, true);
}

/* ---- which project ---- */

/* One that nothing is counted for, and that has no limit: where the seed says, or near. */
static int find_project(int fd, uint64_t seed, uint32_t *project) {
    for (uint32_t i = 0; i < TRIES; i++) {
        struct if_dqblk used = {0};
        uint32_t one = PROJECT_FIRST | ((uint32_t)(seed ^ seed >> 32) + i);
        if (!is_ours(one) || (control(fd, Q_GETQUOTA, one, &used) < 0 && errno != ENOENT) ||
            used.dqb_curspace || used.dqb_curinodes || used.dqb_bhardlimit || used.dqb_ihardlimit)
            continue;
        *project = one;
        return 0;
    }
    errno = EBUSY;
    return -1;
}

/* Makes the directory part of the setting's project. */
static int join_project(struct child_quota *quota, uint64_t seed, int fd) {
    struct fsxattr attributes;
    if (ioctl(fd, FS_IOC_FSGETXATTR, &attributes) < 0)
        return -1;
    if (quota->seed != seed) {
        uint32_t project = attributes.fsx_projid;
        if (!is_ours(project) && find_project(fd, seed, &project) < 0)
            return -1;
        *quota = (struct child_quota){seed, project};
    }
    if (attributes.fsx_projid == quota->project && attributes.fsx_xflags & FS_XFLAG_PROJINHERIT)
        return 0;
    return give_tree(fd, quota->project, 0);
}

/* ---- how much ---- */

/* No limit is 0 to the kernel, so nothing at all is one block. A share is one of the whole file
 * system, as seen above the directory: within a project statfs(2) tells of the quota. */
static int work_out(uint64_t quota, int fd, struct if_dqblk *limits) {
    struct statvfs all;
    if (!(quota & PLAN_QUOTA_SHARE) || quota == UINT64_MAX) {
        limits->dqb_bhardlimit = quota / QIF_DQBLKSIZE + (quota % QIF_DQBLKSIZE != 0);
        if (quota == UINT64_MAX)
            limits->dqb_bhardlimit = 0;
        if (quota == 0)
            limits->dqb_bhardlimit = limits->dqb_ihardlimit = 1;
        return 0;
    }
    uint64_t share = quota & ~PLAN_QUOTA_SHARE;
    share = share < HUNDREDTHS ? share : HUNDREDTHS;
    struct stat inner, outer;
    _cleanup_close_ int above = openat(fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (above < 0 || fstat(fd, &inner) < 0 || fstat(above, &outer) < 0)
        return -1;
    if (inner.st_dev != outer.st_dev) {
        errno = EXDEV;
        return -1;
    }
    if (fstatvfs(above, &all) < 0)
        return -1;
    limits->dqb_bhardlimit = all.f_blocks * share / HUNDREDTHS * all.f_frsize / QIF_DQBLKSIZE;
    limits->dqb_ihardlimit = all.f_files * share / HUNDREDTHS;
    if (limits->dqb_bhardlimit == 0)
        limits->dqb_bhardlimit = 1;
    if (limits->dqb_ihardlimit == 0 && all.f_files > 0)
        limits->dqb_ihardlimit = 1;
    return 0;
}

static int limit(uint32_t project, uint64_t quota, int fd) {
    struct if_dqblk limits = {.dqb_valid = QIF_LIMITS}, found = {0};
    if (work_out(quota, fd, &limits) < 0 || control(fd, Q_SETQUOTA, project, &limits) < 0 ||
        control(fd, Q_GETQUOTA, project, &found) < 0)
        return -1;
    if (found.dqb_bhardlimit == limits.dqb_bhardlimit &&
        found.dqb_ihardlimit == limits.dqb_ihardlimit)
        return 0;
    errno = CHILD_QUOTA_IMPOSSIBLE;
    return -1;
}

/* One that it had before is lifted. */
static int lift(int fd) {
    uint32_t project;
    return project_of(fd, &project) < 0 || !is_ours(project) || !is_possible(fd)
               ? 0
               : limit(project, UINT64_MAX, fd);
}

int child_quota_set(struct child_quota *quota, const struct plan_directory *wanted, int fd) {
    if (wanted->seed == 0)
        return 0;
    if (wanted->quota == UINT64_MAX)
        return lift(fd);
    if (!is_possible(fd)) {
        errno = CHILD_QUOTA_IMPOSSIBLE;
        return -1;
    }
    return join_project(quota, wanted->seed, fd) < 0 ? -1
                                                     : limit(quota->project, wanted->quota, fd);
}
