#include "agent/child_namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"

/* A /proc that knows the child by the pid that the child has to itself. */
static int open_proc(const struct child *child) {
    if (!(child->plan->namespaces & CLONE_NEWPID))
        return open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
    _cleanup_close_ int context = fsopen("proc", FSOPEN_CLOEXEC);
    if (context < 0 || fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
        return -1;
    return fsmount(context, FSMOUNT_CLOEXEC,
                   MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
}

int child_namespace_enter(struct child *child) {
    bool mounts = child->plan->has & PLAN_HAS_MOUNTS;
    uint32_t flags = child->plan->namespaces & ~(uint32_t)(CLONE_NEWUSER | CLONE_NEWPID);
    if (mounts || (child->plan->namespaces & CLONE_NEWUSER)) {
        child->proc = open_proc(child);
        if (child->proc < 0 && errno != ENOENT)
            return -1;
    }
    if (mounts)
        flags |= CLONE_NEWNS;
    return flags ? unshare((int)flags) : 0;
}

static int bring_up_loopback(void) {
    struct ifreq request = {.ifr_name = "lo"};
    _cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &request) < 0)
        return -1;
    request.ifr_flags |= IFF_UP;
    return ioctl(fd, SIOCSIFFLAGS, &request);
}

int child_namespace_network(struct child *child) {
    if (child->plan->namespaces & CLONE_NEWNET)
        return bring_up_loopback();
    if (child->plan->network.count == 0)
        return 0;
    _cleanup_close_ int fd =
        open(child_run_at(child, child->plan->network), O_RDONLY | O_CLOEXEC | O_NOCTTY);
    return fd < 0 ? -1 : setns(fd, CLONE_NEWNET);
}

/* ---- users ---- */

/* Writes the number at `at`. Returns what is behind it. */
static char *put_number(char *at, uint32_t number) {
    char digits[10];
    size_t count = 0;
    do
        digits[count++] = (char)('0' + number % 10);
    while (number /= 10);
    while (count > 0)
        *at++ = digits[--count];
    return at;
}

static char *put_line(char *at, uint32_t id) {
    at = put_number(at, id);
    *at++ = ' ';
    at = put_number(at, id);
    memcpy(at, " 1\n", 3);
    return at + 3;
}

/* Root and the id stay what they are; there is nobody else (user_namespaces(7)). */
static int write_map(int proc, pid_t pid, const char *name, uint32_t id) {
    char path[32], map[64];
    char *end = put_number(path, (uint32_t)pid);
    strcpy(end, name);
    _cleanup_close_ int fd = openat(proc, path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    end = put_line(map, 0);
    if (id != 0)
        end = put_line(end, id);
    return write(fd, map, (size_t)(end - map)) < 0 ? -1 : 0;
}

/* It may not leave its groups, by which files may be kept from it (user_namespaces(7)). */
static int keep_groups(int proc, pid_t pid) {
    char path[32];
    char *end = put_number(path, (uint32_t)pid);
    strcpy(end, "/setgroups");
    _cleanup_close_ int fd = openat(proc, path, O_WRONLY | O_CLOEXEC);
    return fd < 0 || write(fd, "deny", 4) < 0 ? -1 : 0;
}

/* Waits in the new namespace for its end. It shares the child's memory, so it leaves all of it
 * alone. */
static _Noreturn int keep_open(void *nothing) {
    (void)nothing;
    for (;;)
        syscall(SYS_ppoll, NULL, 0, NULL, NULL, 0);
}

/* Only who is outside of a user namespace may say who is in it (user_namespaces(7)). So another
 * process is born into it, which shares the child's memory since copying that would take longer;
 * the child says who is in it, and follows. Until the other has ended, its stack stays as it is. */
int child_namespace_users(struct child *child) {
    const struct plan *plan = child->plan;
    uint32_t uid = plan->has & PLAN_HAS_IDS ? plan->uid : 0;
    uint32_t gid = plan->has & PLAN_HAS_IDS ? plan->gid : 0;
    _cleanup_close_ int pidfd = -1;
    if (!(plan->namespaces & CLONE_NEWUSER))
        return 0;
    child->first_user = clone(keep_open, child->first_user_stack + sizeof(child->first_user_stack),
                              CLONE_NEWUSER | CLONE_VM | CLONE_PIDFD | SIGCHLD, NULL, &pidfd);
    if (child->first_user < 0)
        return -1;
    int result = 0;
    if (keep_groups(child->proc, child->first_user) < 0 ||
        write_map(child->proc, child->first_user, "/uid_map", uid) < 0 ||
        write_map(child->proc, child->first_user, "/gid_map", gid) < 0 ||
        setns(pidfd, CLONE_NEWUSER) < 0)
        result = -1;
    int error = errno;
    if (kill(child->first_user, SIGKILL) < 0)
        return -1;
    errno = error;
    return result;
}

int child_namespace_alone(struct child *child) {
    if (child->first_user > 0)
        while (waitpid(child->first_user, NULL, 0) < 0)
            if (errno != EINTR)
                return -1;
    return 0;
}
