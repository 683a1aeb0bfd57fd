#include "agent/child_landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/cleanup.h"

/* The library's headers may be older than the kernel. */
#define ACCESS_REFER (UINT64_C(1) << 13)
#define ACCESS_TRUNCATE (UINT64_C(1) << 14)
#define ACCESS_IOCTL_DEV (UINT64_C(1) << 15)

#define READS (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define WRITES \
    (LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | \
     LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR | \
     LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO | \
     LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM | ACCESS_REFER | \
     ACCESS_TRUNCATE | ACCESS_IOCTL_DEV)
/* What a rule for something else than a directory may have. */
#define OF_FILES \
    (LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | \
     ACCESS_TRUNCATE | ACCESS_IOCTL_DEV)

/* What came with which version. */
static const struct {
    long version;
    uint64_t access;
} versions[] = {{2, ACCESS_REFER}, {3, ACCESS_TRUNCATE}, {5, ACCESS_IOCTL_DEV}};

static uint64_t known_to(long version) {
    uint64_t known = LANDLOCK_ACCESS_FS_EXECUTE | READS | WRITES;
    for (size_t i = 0; i < ARRAY_SIZE(versions); i++)
        if (version < versions[i].version)
            known &= ~versions[i].access;
    return known;
}

static uint64_t access_of(const struct plan_access *rule) {
    return (rule->access & PLAN_ACCESS_READ ? READS : 0) |
           (rule->access & PLAN_ACCESS_WRITE ? WRITES : 0) |
           (rule->access & PLAN_ACCESS_EXEC ? LANDLOCK_ACCESS_FS_EXECUTE : 0);
}

static int add(const struct child *child, int ruleset, uint64_t known,
               const struct plan_access *rule) {
    const char *path = (const char *)child->plan + rule->path;
    struct stat status;
    _cleanup_close_ int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT && rule->optional ? 0 : -1;
    if (fstat(fd, &status) < 0)
        return -1;
    struct landlock_path_beneath_attr beneath = {
        .parent_fd = fd,
        .allowed_access = access_of(rule) & known & (S_ISDIR(status.st_mode) ? ~UINT64_C(0)
                                                                             : OF_FILES)};
    return (int)syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0);
}

int child_landlock(struct child *child) {
    struct plan_run run = child->plan->landlock;
    const struct plan_access *rules = child_run_at(child, run);
    if (run.count == 0)
        return 0;
    child->detail = PLAN_ACCESS_NONE;
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (version < 0)
        return -1;
    struct landlock_ruleset_attr handled = {.handled_access_fs = known_to(version)};
    _cleanup_close_ int ruleset = (int)syscall(SYS_landlock_create_ruleset, &handled,
                                               sizeof(handled.handled_access_fs), 0);
    if (ruleset < 0)
        return -1;
    for (uint32_t i = 0; i < run.count; i++)
        if (add(child, ruleset, handled.handled_access_fs, &rules[i]) < 0) {
            child->detail = i;
            return -1;
        }
    if (syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
        return -1;
    child->detail = 0;
    return 0;
}
