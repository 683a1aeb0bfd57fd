#include "agent/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/file.h"
#include "suite.h"

/* What a confined process finds out about itself: the number of the line that is not as it should
 * be, or 0. */
#define FAILS_UNLESS(condition) \
    do                          \
        if (!(condition))       \
            return __LINE__;    \
    while (0)

static bool unknown(long result) {
    return result < 0 && errno == ENOSYS;
}

static int calls(void) {
    char text[16];
    FAILS_UNLESS(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
    FAILS_UNLESS(unknown(unshare(CLONE_NEWNS)));
    FAILS_UNLESS(unknown(setuid(1)));
    FAILS_UNLESS(unknown(setgid(1)));
    FAILS_UNLESS(unknown(mount("none", "/tmp", "tmpfs", 0, NULL)));
    FAILS_UNLESS(unknown(chroot("/")));
    FAILS_UNLESS(unknown(syscall(SYS_init_module, NULL, 0, "")));
    FAILS_UNLESS(unknown(syscall(SYS_kexec_load, 0, 0, NULL, 0)));
    FAILS_UNLESS(unknown(syscall(SYS_process_vm_writev, getpid(), NULL, 0, NULL, 0, 0)));
    FAILS_UNLESS(unknown(syscall(SYS_clock_settime, 0, NULL)));
    FAILS_UNLESS(unknown(syscall(SYS_io_uring_setup, 1, NULL)));
    FAILS_UNLESS(file_read(AT_FDCWD, "/proc/self/comm", text, sizeof(text)) > 0);
    return 0;
}

static int capabilities(void) {
    /* Not one of those that it keeps: neither is it there, nor does a program have it. */
    FAILS_UNLESS(syscall(SYS_mknodat, AT_FDCWD, "/tmp/never", S_IFCHR | 0600, 0x101) < 0);
    FAILS_UNLESS(errno == EPERM);
    /* CAP_KILL is bit 5, CAP_SETUID 7, CAP_MKNOD 27. */
    execl("/bin/sh", "sh", "-c",
          "c=$(sed -n 's/^CapEff:[[:space:]]*//p' /proc/self/status); "
          "[ $((0x$c >> 5 & 1)) = 1 ] && [ $((0x$c >> 27 & 1)) = 0 ] && [ $((0x$c >> 7 & 1)) = 0 ]",
          (char *)NULL);
    return __LINE__;
}

/* In a child, since it is for good. */
static int confined(int (*look)(void)) {
    int status = 0;
    pid_t pid = fork();
    if (pid == 0)
        _exit(confine_self() < 0 ? 1 : look() & 0xff);
    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(what_it_does_not_need_is_a_call_that_is_not_there) {
    assert_int_equal(confined(calls), 0);
}

TEST(it_keeps_few_capabilities_and_gains_none_by_exec) {
    if (geteuid() != 0)
        skip();
    assert_int_equal(confined(capabilities), 0);
}

UNIT_MAIN
