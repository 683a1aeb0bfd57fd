#include "agent/confine.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdint.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/log.h"

enum { FILTER_MOST = 1024 }; /* instructions, of which there are about two for each call */

static const cap_value_t capabilities[] = {
#define CAPABILITY(name, use) name,
#define CALLS(use, names)
#include "agent/confine.def"
};

static const char *const calls[] = {
#define CAPABILITY(name, use)
#define CALLS(use, names) names,
#include "agent/confine.def"
};

static void free_set(cap_t *set) {
    if (*set)
        cap_free(*set);
}

static void release(scmp_filter_ctx *filter) {
    if (*filter)
        seccomp_release(*filter);
}

/* In a container it may not have all of them: none is taken that is not there. */
static int keep_capabilities(void) {
    _cleanup_(free_set) cap_t now = cap_get_proc();
    _cleanup_(free_set) cap_t kept = cap_init();
    if (!now || !kept)
        return -errno;
    for (size_t i = 0; i < ARRAY_SIZE(capabilities); i++) {
        cap_flag_value_t has = CAP_CLEAR;
        /* A kernel that is older does not know it. */
        if (cap_get_flag(now, capabilities[i], CAP_PERMITTED, &has) < 0 || has == CAP_CLEAR)
            continue;
        if (cap_set_flag(kept, CAP_PERMITTED, 1, &capabilities[i], CAP_SET) < 0 ||
            cap_set_flag(kept, CAP_EFFECTIVE, 1, &capabilities[i], CAP_SET) < 0)
            return -errno;
    }
    return cap_set_proc(kept) < 0 ? -errno : 0;
}

/* Each of the names, which are separated by spaces. */
static int allow(scmp_filter_ctx filter, const char *names) {
    char name[32];
    for (size_t length; *names; names += length + (names[length] == ' ')) {
        length = strcspn(names, " ");
        if (length >= sizeof(name))
            return -ENAMETOOLONG;
        memcpy(name, names, length);
        name[length] = '\0';
        int number = seccomp_syscall_resolve_name(name);
        int r = number < 0 ? 0 : seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 0);
        if (r < 0)
            return r;
    }
    return 0;
}

static int export_filter(int fd) {
    _cleanup_(release) scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
    int r = filter ? 0 : -ENOMEM;
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(calls); i++)
        r = allow(filter, calls[i]);
    return r == 0 ? seccomp_export_bpf(filter, fd) : r;
}

/* In a child, since the memory that it takes to make it would stay the agent's for good. */
static int make_filter(int fd) {
    int status = 0;
    pid_t pid = fork();
    if (pid == 0)
        _exit(-export_filter(fd));
    while (pid > 0 && waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -errno;
    if (pid < 0)
        return -errno;
    return WIFEXITED(status) ? -WEXITSTATUS(status) : -ENOMEM;
}

static int install_filter(void) {
    struct sock_filter code[FILTER_MOST];
    _cleanup_close_ int fd = memfd_create("filter", MFD_CLOEXEC);
    int r = fd < 0 ? -errno : make_filter(fd);
    ssize_t size = r < 0 ? 0 : pread(fd, code, sizeof(code), 0);
    if (r < 0 || size < 0)
        return r < 0 ? r : -errno;
    if (size == 0 || size == sizeof(code))
        return -E2BIG;
    struct sock_fprog program = {(unsigned short)((size_t)size / sizeof(*code)), code};
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0 ? -errno : 0;
}

static int say(const char *what, int r) {
    if (r < 0)
        log_error("cannot confine the agent itself: %s: %s", what, strerror(-r));
    return r;
}

int confine_self(void) {
    int r = say("no_new_privs", prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0);
    if (r == 0)
        r = say("capabilities", keep_capabilities());
    return r == 0 ? say("system calls", install_filter()) : r;
}
