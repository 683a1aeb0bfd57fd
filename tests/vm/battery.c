/* A battery of system calls whose outcome shows what a filter does: each is made with arguments for
 * which it does nothing that lasts, and a line "NAME OUTCOME" says what came back: 0, an error's
 * name, or the signal that ended who made it. The same line always comes of the same filter. */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define BAD ((long)1) /* an address where nothing is */

static const struct trial {
    const char *name;
    long number;
    long arguments[6];
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
    TRIAL(capset, BAD, BAD),
    TRIAL(clock_adjtime, -1, BAD),
    TRIAL(clone3, BAD, 88),
    TRIAL(epoll_ctl, -1, 0, -1, BAD),
    TRIAL(finit_module, -1, BAD, 0),
    TRIAL(init_module, BAD, 0, BAD),
    TRIAL(io_uring_setup, 0, BAD),
    TRIAL(ioperm, -1, 0, 0),
    TRIAL(iopl, 9),
    TRIAL(ioprio_set, 99, 0, 0),
    TRIAL(listen, -1, 0),
    TRIAL(memfd_create, BAD, 0),
    TRIAL(mlockall, 0x80),
    TRIAL(modify_ldt, 99, BAD, 0),
    TRIAL(mq_open, BAD, 0, 0, 0),
    TRIAL(msgget, 0x7ffffff, 0),
    TRIAL(pipe2, BAD, -1),
    TRIAL(pkey_alloc, -1, 0),
    TRIAL(prctl, 9999, 0, 0, 0, 0),
    TRIAL(quotactl, -1, BAD, 0, BAD),
    TRIAL(sched_setattr, -1, BAD, 0),
    TRIAL(sendto, -1, BAD, 0, 0, 0),
    TRIAL(setdomainname, BAD, -1),
    TRIAL(setresuid, -1, -1, -1),
    TRIAL(setrlimit, 99, BAD),
    TRIAL(settimeofday, BAD, 0),
    TRIAL(sigaltstack, BAD, 0),
    TRIAL(swapon, BAD, 0),
    TRIAL(sysfs, 99, 0, 0),
    TRIAL(timer_create, 99, 0, 0),
    TRIAL(uselib, BAD),
    TRIAL(ustat, -1, BAD),
    TRIAL(wait4, 0x7ffffff, 0, 0, 0),
    {"chmod-setuid", SYS_chmod, {BAD, 04755}},
    {"clone-uts", SYS_clone, {CLONE_NEWUTS | CLONE_SIGHAND}},
    {"creat-setuid", SYS_creat, {BAD, 04755}},
    {"fchmod-setgid", SYS_fchmod, {-1, 02755}},
    {"fchmodat-setuid", SYS_fchmodat, {-1, BAD, 04755}},
    {"mkdir-setgid", SYS_mkdir, {BAD, 02755}},
    {"mknod-setuid", SYS_mknod, {BAD, 04755, 0}},
    {"open-setuid", SYS_open, {BAD, O_CREAT, 04755}},
    {"open-plain", SYS_open, {BAD, O_CREAT, 0755}},
    {"openat-setuid", SYS_openat, {-1, BAD, O_CREAT, 04755}},
    {"mmap-wx", SYS_mmap, {0, 4096, 7, 0x22, -1, 0}},
    {"mmap-x", SYS_mmap, {0, 4096, 5, 0x22, -1, 0}},
    {"mprotect-x", SYS_mprotect, {1, 1, 4}},
    {"pkey_mprotect-x", SYS_pkey_mprotect, {1, 1, 4, -1}},
    {"shmat-x", SYS_shmat, {-1, 0, 0100000}},
    {"scheduler-batch", SYS_sched_setscheduler, {-1, 3, BAD}},
    {"scheduler-fifo", SYS_sched_setscheduler, {-1, 1, BAD}},
    {"setns-net", SYS_setns, {-1, CLONE_NEWNET}},
    {"setns-uts", SYS_setns, {-1, CLONE_NEWUTS}},
    {"unshare-cgroup", SYS_unshare, {CLONE_NEWCGROUP}},
    {"unshare-files", SYS_unshare, {CLONE_FILES}},
    {"unshare-ipc", SYS_unshare, {CLONE_NEWIPC}},
    {"unshare-mount", SYS_unshare, {CLONE_NEWNS}},
    {"unshare-net", SYS_unshare, {CLONE_NEWNET}},
    {"unshare-pid", SYS_unshare, {CLONE_NEWPID}},
    {"unshare-user", SYS_unshare, {CLONE_NEWUSER}},
    {"unshare-uts", SYS_unshare, {CLONE_NEWUTS}},
    {"socket-inet", SYS_socket, {AF_INET, 99, 0}},
    {"socket-inet6", SYS_socket, {AF_INET6, 99, 0}},
    {"socket-netlink", SYS_socket, {AF_NETLINK, 99, 0}},
    {"socket-packet", SYS_socket, {AF_PACKET, 99, 0}},
    {"socketpair", SYS_socketpair, {AF_UNIX, 99, 0, 0}},
    {"socket-unix", SYS_socket, {AF_UNIX, SOCK_STREAM, 0}},
    {"socket-vsock", SYS_socket, {40, 99, 0}},
    {"lseek-six", SYS_lseek, {-1, 6, 0}},
    {"lseek-large", SYS_lseek, {-1, 0x100000005, 0}},
    {"personality-8", SYS_personality, {8}},
#ifdef __x86_64__
    {"x32-getppid", 0x40000000 | SYS_getppid, {0}},
#endif
};

enum { COUNT = sizeof(trials) / sizeof(trials[0]) };

/* Shared with the child that makes the calls, which can die of any of them. */
struct shared {
    size_t next; /* the trial to make */
    int results[COUNT]; /* an errno, or a signal below zero */
};

static int make(const struct trial *trial) {
    const long *a = trial->arguments;
    return syscall(trial->number, a[0], a[1], a[2], a[3], a[4], a[5]) < 0 ? errno : 0;
}

/* Makes calls up to one that succeeds, since that may have changed the process. */
static _Noreturn void work(struct shared *shared) {
    int result = 1;
    while (result && shared->next < COUNT) {
        result = make(&trials[shared->next]);
        shared->results[shared->next++] = result;
    }
    syscall(SYS_exit_group, 0);
    __builtin_unreachable();
}

int main(void) {
    struct shared *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
                                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        return 1;
    while (shared->next < COUNT) {
        int status;
        pid_t pid = fork();
        if (pid == 0)
            work(shared);
        if (pid < 0 || waitpid(pid, &status, 0) != pid)
            return 1;
        if (WIFSIGNALED(status) && shared->next < COUNT)
            shared->results[shared->next++] = -WTERMSIG(status);
    }
    for (size_t i = 0; i < COUNT; i++) {
        int result = shared->results[i];
        if (result < 0)
            printf("%s SIG%s\n", trials[i].name, sigabbrev_np(-result));
        else
            printf("%s %s\n", trials[i].name, result ? strerrorname_np(result) : "0");
    }
    return 0;
}
