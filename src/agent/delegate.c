#include "agent/delegate.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "agent/limits.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "protocol/property.h"

/* Without these nothing can be done there; all others may be missing. */
static const char *const needed[] = {"cgroup.procs", "cgroup.subtree_control"};

static uint32_t wanted(const struct holden_properties *properties) {
    return HOLDEN_HAS(properties, properties, delegate) ? properties->delegate : 0;
}

bool delegate_wanted(const struct holden_properties *properties) {
    return wanted(properties) & HOLDEN_DELEGATED;
}

int delegate_check(const struct hierarchy *hierarchy, const struct holden_properties *properties,
                   struct failure *failure) {
    uint32_t named = wanted(properties) & CGROUP_ALL;
    if (wanted(properties) & ~(HOLDEN_DELEGATED | HOLDEN_EVERY_CONTROLLER | CGROUP_ALL))
        return failure_set(failure, HOLDEN_code_INVALID, "Delegate", "there is no such controller");
    for (unsigned bit = 1; bit <= CGROUP_ALL; bit <<= 1)
        if (named & ~hierarchy->controllers & bit)
            return limits_refuse(hierarchy, bit, "Delegate", "it cannot be handed on", failure);
    if (delegate_wanted(properties) && HOLDEN_HAS(properties, properties, disable_controllers) &&
        properties->disable_controllers != 0)
        return failure_set(failure, HOLDEN_code_INVALID, "DisableControllers",
                           "with Delegate= the process itself says what the cgroups below its own "
                           "get; leave one of the two out, or set this for its slice");
    return 0;
}

static bool is_needed(const char *file) {
    for (size_t i = 0; i < ARRAY_SIZE(needed); i++)
        if (strcmp(needed[i], file) == 0)
            return true;
    return false;
}

/* Before Linux 4.15 there is no list, which then is what was delegated until then. */
int delegate_give(int directory, uid_t uid, gid_t gid) {
    char files[4096] = "cgroup.procs\ncgroup.threads\ncgroup.subtree_control\n";
    char listed[sizeof(files)];
    if (file_read(AT_FDCWD, "/sys/kernel/cgroup/delegate", listed, sizeof(listed)) > 0)
        memcpy(files, listed, sizeof(files));
    char *rest = files;
    for (char *file; (file = strsep(&rest, "\n"));)
        if (*file && !strchr(file, '/') && fchownat(directory, file, uid, gid, 0) < 0 &&
            (errno != ENOENT || is_needed(file)))
            return -errno;
    return fchown(directory, uid, gid) < 0 ? -errno : 0;
}

int delegate_control(int directory, uid_t uid, gid_t gid, int *control) {
    int r = cgroup_mkdir(directory, ".control");
    if (r < 0 && r != -EEXIST)
        return r;
    _cleanup_close_ int fd =
        openat(directory, ".control", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return -errno;
    r = delegate_give(fd, uid, gid);
    /* Whoever owns it may have made it, and left it frozen: a command in it would never run. */
    if (r == 0)
        r = file_write(fd, "cgroup.freeze", "0");
    if (r == 0)
        *control = TAKE_FD(fd);
    return r;
}
