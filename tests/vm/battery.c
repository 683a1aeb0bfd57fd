/* A battery of system calls whose outcome shows what a filter does: each is made by a child of its
 * own, with arguments for which it does nothing, and a line "NAME OUTCOME" says what came back: 0,
 * an error's name, or the signal that ended the child. The same line always comes of the same
 * filter. */
#include <errno.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define BAD ((long)1) /* an address where nothing is */

static const struct trial {
    const char *name;
    long number;
    long arguments[5];
} trials[] = {
#define TRIAL(name, ...) {#name, SYS_##name, {__VA_ARGS__}}
    TRIAL(access, BAD, 0),
    TRIAL(acct, BAD),
    TRIAL(add_key, BAD, BAD, BAD, 1, -1),
    TRIAL(adjtimex, BAD),
    TRIAL(bind, -1, 0, 0),
    TRIAL(bpf, 0, BAD, 0),
    TRIAL(chdir, BAD),
    TRIAL(chmod, BAD, 0),
    TRIAL(chown, BAD, 0, 0),
    TRIAL(chroot, BAD),
    TRIAL(clock_settime, -1, BAD),
    TRIAL(connect, -1, 0, 0),
    TRIAL(delete_module, BAD, 0),
    TRIAL(dup, -1),
    TRIAL(dup3, -1, -1, 0),
    TRIAL(fallocate, -1, 0, 0, 0),
    TRIAL(fchmod, -1, 0),
    TRIAL(fchown, -1, 0, 0),
    TRIAL(fsopen, BAD, 0),
    TRIAL(fsync, -1),
    TRIAL(getdents64, -1, 0, 0),
    TRIAL(getitimer, -1, 0),
    TRIAL(getpriority, 99, 0),
    TRIAL(getsid, 0),
    TRIAL(inotify_add_watch, -1, BAD, 0),
    TRIAL(io_setup, 0, BAD),
    TRIAL(ioctl, -1, 0, 0),
    TRIAL(kexec_load, 0, 17, BAD, 0),
    TRIAL(keyctl, 9999, 0, 0),
    TRIAL(kill, 0x7ffffff, 0),
    TRIAL(lseek, -1, 5, 0),
    TRIAL(madvise, 1, 1, 0),
    TRIAL(mincore, 1, 1, BAD),
    TRIAL(mkdir, BAD, 0),
    TRIAL(mknod, BAD, 0, 0),
    TRIAL(mount, BAD, BAD, BAD, 0, 0),
    TRIAL(move_mount, -1, BAD, -1, BAD, 0),
    TRIAL(name_to_handle_at, -1, BAD, BAD, BAD, 0),
    TRIAL(open_by_handle_at, -1, BAD, 0),
    TRIAL(openat2, -1, BAD, BAD, 0),
    TRIAL(perf_event_open, BAD, 0, -1, -1, 0),
    TRIAL(personality, 0xffffffff),
    TRIAL(pidfd_getfd, -1, 0, 0),
    TRIAL(pivot_root, BAD, BAD),
    TRIAL(prlimit64, 0, 99, 0, 0),
    TRIAL(process_vm_readv, 0x7ffffff, 0, 0, 0, 0),
    TRIAL(ptrace, 0x4206, 0x7ffffff, 0, 0),
    TRIAL(readlink, BAD, 0, 0),
    TRIAL(reboot, 0, 0, 0, 0),
    TRIAL(rename, BAD, BAD),
    TRIAL(request_key, BAD, BAD, BAD, 0),
    TRIAL(sched_setscheduler, -1, 0, BAD),
    TRIAL(sethostname, BAD, -1),
    TRIAL(setns, -1, 0),
    TRIAL(swapoff, BAD),
    TRIAL(symlink, BAD, BAD),
    TRIAL(syslog, -1, 0, 0),
    TRIAL(umount2, BAD, 0),
    TRIAL(unlink, BAD),
    TRIAL(unshare, 0x7),
    TRIAL(userfaultfd, 0xff),
    {"socket-unix", SYS_socket, {AF_UNIX, SOCK_STREAM, 0}},
    {"socket-vsock", SYS_socket, {40, 99, 0}},
    {"lseek-six", SYS_lseek, {-1, 6, 0}},
    {"lseek-large", SYS_lseek, {-1, 0x100000005, 0}},
    {"personality-8", SYS_personality, {8}},
};

static void make(const struct trial *trial) {
    const long *a = trial->arguments;
    long r = syscall(trial->number, a[0], a[1], a[2], a[3], a[4]);
    int error = r < 0 ? errno : 0;
    syscall(SYS_exit_group, error);
}

int main(void) {
    for (size_t i = 0; i < sizeof(trials) / sizeof(trials[0]); i++) {
        int status;
        pid_t pid = fork();
        if (pid == 0)
            make(&trials[i]);
        if (pid < 0 || waitpid(pid, &status, 0) != pid)
            return 1;
        if (WIFSIGNALED(status))
            printf("%s SIG%s\n", trials[i].name, sigabbrev_np(WTERMSIG(status)));
        else
            printf("%s %s\n", trials[i].name,
                   WEXITSTATUS(status) ? strerrorname_np(WEXITSTATUS(status)) : "0");
        fflush(stdout);
    }
    return 0;
}
