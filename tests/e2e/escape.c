/* A hostile program: each attempt to get out of a sandbox is made in a child of its own.
 *
 *   escape list             the names of all attempts
 *   escape NAME [ARG]       makes one: prints "NAME: out" where it has come of anything, else
 *                           "NAME: ERROR" with why not, or "NAME: SIGNAL" where that ended it
 *   escape all PID DIR      makes all of them; PID is a process outside, DIR a directory outside
 *
 * An attempt returns 0 for "out" and an error number otherwise. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <linux/mount.h>
#include <linux/perf_event.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static pid_t outside;           /* somebody's process */
static const char *elsewhere;   /* somebody's directory */

static int result(long r) {
    return r < 0 ? errno : 0;
}

static int call(long number, long a, long b, long c, long d, long e) {
    return result(syscall(number, a, b, c, d, e));
}

#define CALL(name, a, b, c, d, e) \
    call(SYS_##name, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e))

static int write_to(const char *path, const char *text) {
    int fd = open(path, O_WRONLY);
    int r = fd < 0 ? errno : write(fd, text, strlen(text)) < 0 ? errno : 0;
    if (fd >= 0)
        close(fd);
    return r;
}

static int make_in(const char *directory) {
    char path[300];
    snprintf(path, sizeof(path), "%s/escaped", directory);
    return result(open(path, O_WRONLY | O_CREAT | O_EXCL, 0600));
}

static int reads(const char *path) {
    char byte;
    int fd = open(path, O_RDONLY);
    return fd < 0 ? errno : read(fd, &byte, 1) < 0 ? errno : 0;
}

/* Whether the directory can be listed, and has anything in it. */
static int shows(const char *path) {
    DIR *directory = opendir(path);
    if (!directory)
        return errno;
    for (const struct dirent *entry; (entry = readdir(directory));)
        if (entry->d_name[0] != '.')
            return 0;
    return ENOENT;
}

static int socket_of(int family, int type) {
    return result(socket(family, type, 0));
}

/* ---- mounts ---- */

static int mount_tmpfs(void) { return result(mount("none", "/tmp", "tmpfs", 0, NULL)); }
static int mount_proc(void) { return result(mount("none", "/tmp", "proc", 0, NULL)); }
static int mount_bind(void) { return result(mount("/", "/tmp", NULL, MS_BIND | MS_REC, NULL)); }
static int mount_writable(void) {
    return result(mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND, NULL));
}
static int mount_cgroups(void) { return result(mount("none", "/tmp", "cgroup2", 0, NULL)); }
static int unmount_proc(void) { return result(umount2("/proc", MNT_DETACH)); }
static int unmount_tmp(void) { return result(umount2("/tmp", MNT_DETACH)); }
static int mount_open_tree(void) { return CALL(open_tree, AT_FDCWD, "/", OPEN_TREE_CLONE, 0, 0); }
static int mount_fsopen(void) { return CALL(fsopen, "tmpfs", 0, 0, 0, 0); }
static int mount_setattr_writable(void) {
    struct mount_attr attributes = {.attr_clr = MOUNT_ATTR_RDONLY};
    return CALL(mount_setattr, AT_FDCWD, "/", AT_RECURSIVE, &attributes, sizeof(attributes));
}
static int change_root(void) { return result(chroot("/tmp")); }
static int pivot(void) { return CALL(pivot_root, ".", ".", 0, 0, 0); }

/* ---- files ---- */

static int write_etc(void) { return make_in("/etc"); }
static int write_usr(void) { return make_in("/usr"); }
static int write_var(void) { return make_in("/var"); }
static int write_root(void) { return make_in("/"); }
static int read_passwords(void) { return result(open("/etc/shadow", O_RDONLY)); }
static int write_elsewhere(void) { return make_in(elsewhere); }
static int see_home(void) { return shows("/home") == 0 ? 0 : shows("/root"); }
static int see_run(void) { return shows("/run"); }
static int set_user_id(void) {
    int fd = open("/tmp/setuid", O_WRONLY | O_CREAT, 0755);
    return fd < 0 ? errno : result(fchmod(fd, 04755));
}
static int make_set_user_id(void) {
    return result(open("/tmp/setuid2", O_WRONLY | O_CREAT | O_EXCL, 04755));
}
static int give_away(void) {
    int fd = open("/tmp/given", O_WRONLY | O_CREAT, 0755);
    return fd < 0 ? errno : result(fchown(fd, 1, 1));
}
static int by_handle(void) {
    struct { struct file_handle handle; uint64_t inode; } handle = {{8, 1, {}}, 2};
    int root = open("/", O_RDONLY | O_DIRECTORY);
    return CALL(open_by_handle_at, root, &handle, O_RDONLY, 0, 0);
}
static int through_symlink(void) {
    return symlink("/etc", "/tmp/way") < 0 ? errno : make_in("/tmp/way");
}
static int through_proc_root(void) { return make_in("/proc/1/root/etc"); }
static int through_proc_cwd(void) { return make_in("/proc/1/cwd"); }

/* ---- descriptors ---- */

/* Beside the three streams only what opendir() has opened. */
static int more_descriptors(void) {
    DIR *directory = opendir("/proc/self/fd");
    if (!directory)
        return errno;
    for (const struct dirent *entry; (entry = readdir(directory));) {
        int fd = atoi(entry->d_name);
        if (entry->d_name[0] != '.' && fd > 2 && fd != dirfd(directory))
            return 0;
    }
    return EBADF;
}
static int streams_lead_up(void) {
    for (int fd = 0; fd < 3; fd++)
        if (openat(fd, "..", O_RDONLY | O_DIRECTORY) >= 0)
            return 0;
    return ENOTDIR;
}
static int push_into_terminal(void) {
    for (int fd = 0; fd < 3; fd++)
        if (ioctl(fd, TIOCSTI, "x") == 0)
            return 0;
    return errno;
}
static int take_descriptor(void) {
    int pidfd = (int)syscall(SYS_pidfd_open, outside, 0);
    if (pidfd < 0)
        return errno;
    return CALL(pidfd_getfd, pidfd, 0, 0, 0, 0);
}

/* ---- cgroups and kernel settings ---- */

static int cgroup_leave(void) { return write_to("/sys/fs/cgroup/cgroup.procs", "0"); }
static int cgroup_leave_v1(void) { return write_to("/sys/fs/cgroup/unified/cgroup.procs", "0"); }
static int cgroup_make(void) {
    return mkdir("/sys/fs/cgroup/escaped", 0755) == 0 ? 0
           : mkdir("/sys/fs/cgroup/unified/escaped", 0755) == 0 ? 0 : errno;
}
static int set_core_pattern(void) { return write_to("/proc/sys/kernel/core_pattern", "|/tmp/x"); }
static int set_modprobe(void) { return write_to("/proc/sys/kernel/modprobe", "/tmp/x"); }
static int set_binfmt(void) {
    return write_to("/proc/sys/fs/binfmt_misc/register", ":x:M::x::/x:");
}
static int set_uevent_helper(void) { return write_to("/sys/kernel/uevent_helper", "/tmp/x"); }
static int press_sysrq(void) { return write_to("/proc/sysrq-trigger", "h"); }
static int read_kcore(void) { return reads("/proc/kcore"); }
static int read_kmsg(void) { return reads("/dev/kmsg") == 0 ? 0 : reads("/proc/kmsg"); }
static int read_memory(void) { return reads("/dev/mem"); }
static int spare_from_memory(void) { return write_to("/proc/self/oom_score_adj", "-1000"); }
static int map_users(void) { return write_to("/proc/self/uid_map", "0 0 4294967295"); }

/* ---- devices ---- */

static int node_of(mode_t mode, dev_t device) {
    if (mknod("/tmp/node", mode | 0600, device) < 0)
        return errno;
    return result(open("/tmp/node", O_RDONLY));
}
static int node_character(void) { return node_of(S_IFCHR, makedev(1, 1)); }
static int node_block(void) { return node_of(S_IFBLK, makedev(8, 0)); }
static int open_console(void) { return result(open("/dev/console", O_WRONLY | O_NOCTTY)); }
static int open_disk(void) {
    static const char *const paths[] = {"/dev/sda", "/dev/vda", "/dev/nvme0n1", "/dev/loop0",
                                        "/dev/dm-0"};
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
        if (open(paths[i], O_RDONLY) >= 0)
            return 0;
    return errno;
}
static int open_fuse(void) { return result(open("/dev/fuse", O_RDWR)); }
static int open_ports(void) { return CALL(iopl, 3, 0, 0, 0, 0); }

/* ---- other processes ---- */

/* Whom that reached is to be seen outside; in here there is always somebody. */
static int signal_all(void) {
    kill(-1, SIGURG);
    return ESRCH;
}
static int signal_one(void) { return result(kill(outside, SIGURG)); }
static int signal_thread(void) { return CALL(tgkill, outside, outside, SIGURG, 0, 0); }
static int trace_outside(void) { return result(ptrace(PTRACE_SEIZE, outside, NULL, NULL)); }
static int trace_init(void) { return result(ptrace(PTRACE_SEIZE, 1, NULL, NULL)); }
static int write_memory(void) {
    char byte = 0;
    struct iovec here = {&byte, 1}, there = {&byte, 1};
    return result(process_vm_writev(outside, &here, 1, &there, 1, 0));
}
static int see_outside(void) {
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)outside);
    return reads(path);
}
static int limit_outside(void) {
    struct rlimit limit = {1, 1};
    return result(prlimit(outside, RLIMIT_NOFILE, &limit, NULL));
}

/* ---- namespaces and identities ---- */

static int unshare_user(void) { return result(unshare(CLONE_NEWUSER)); }
static int unshare_mounts(void) { return result(unshare(CLONE_NEWNS)); }
static int clone_user(void) {
    long pid = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL);
    if (pid == 0)
        _exit(0);
    return result(pid);
}
static int clone3_user(void) {
    struct clone_args arguments = {.flags = CLONE_NEWUSER, .exit_signal = SIGCHLD};
    long pid = syscall(SYS_clone3, &arguments, sizeof(arguments));
    if (pid == 0)
        _exit(0);
    return result(pid);
}
static int enter_namespace(void) {
    int fd = open("/proc/1/ns/mnt", O_RDONLY);
    return fd < 0 ? errno : result(setns(fd, 0));
}
static int become_other(void) { return CALL(setresuid, 1, 1, 1, 0, 0); }
static int join_groups(void) { return CALL(setgroups, 1, &(gid_t){0}, 0, 0, 0); }
static int raise_capabilities(void) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2] = {{~0U, ~0U, ~0U}, {~0U, ~0U, ~0U}};
    return CALL(capset, &header, data, 0, 0, 0);
}
static int have_capability(void) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2] = {0};
    if (syscall(SYS_capget, &header, data) < 0)
        return errno;
    return data[0].permitted || data[1].permitted ? 0 : EPERM;
}
static int allow_privileges(void) { return result(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0)); }
static int change_personality(void) { return result(personality(ADDR_NO_RANDOMIZE)); }
static int set_host_name(void) { return result(sethostname("escaped", 7)); }

/* ---- the kernel ---- */

static int ring_setup(void) { return CALL(io_uring_setup, 1, &(char[256]){0}, 0, 0, 0); }
static int load_bpf(void) { return CALL(bpf, 5, &(char[128]){0}, 128, 0, 0); }
static int trace_kernel(void) {
    struct perf_event_attr attributes = {.size = sizeof(attributes)};
    return CALL(perf_event_open, &attributes, 0, -1, -1, 0);
}
static int load_kernel(void) { return CALL(kexec_load, 0, 0, NULL, 0, 0); }
static int load_module(void) { return CALL(finit_module, 0, "", 0, 0, 0); }
static int unload_module(void) { return CALL(delete_module, "dummy", O_NONBLOCK, 0, 0, 0); }
static int handle_faults(void) { return CALL(userfaultfd, 0, 0, 0, 0, 0); }
static int reboot_machine(void) { return CALL(reboot, 0xfee1dead, 672274793, 0, NULL, 0); }
static int swap_on(void) { return CALL(swapon, "/tmp/x", 0, 0, 0, 0); }
static int account(void) { return CALL(acct, NULL, 0, 0, 0, 0); }
static int read_log(void) { return CALL(syslog, 3, &(char[16]){0}, 16, 0, 0); }
static int set_clock(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return result(clock_settime(CLOCK_REALTIME, &now));
}
static int add_key(void) { return CALL(add_key, "user", "escaped", "x", 1, KEY_SPEC_USER_KEYRING); }
static int join_keyring(void) { return CALL(keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL, 0, 0, 0); }
static int watch_all_files(void) { return CALL(fanotify_init, 0, 0, 0, 0, 0); }
static int old_calls(void) {
#ifdef __x86_64__
    /* mkdir(2) of 32-bit programs, which a filter for one architecture does not see. */
    long r;
    void *low = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    if (low == MAP_FAILED)
        return errno;
    strcpy(low, "/tmp/old");
    __asm__ volatile("int $0x80" : "=a"(r) : "a"(39), "b"(low), "c"(0700) : "memory");
    return r < 0 ? (int)-r : 0;
#else
    return ENOSYS;
#endif
}

/* ---- memory and limits ---- */

static int write_and_execute(void) {
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return page == MAP_FAILED ? errno : 0;
}
static int become_executable(void) {
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return page == MAP_FAILED ? errno : result(mprotect(page, 4096, PROT_READ | PROT_EXEC));
}
static int real_time(void) {
    struct sched_param priority = {.sched_priority = 1};
    return result(sched_setscheduler(0, SCHED_FIFO, &priority));
}
static int raise_priority(void) { return result(setpriority(PRIO_PROCESS, 0, -20)); }
static int raise_limit(void) {
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_max += limit.rlim_max < RLIM_INFINITY;
    return result(setrlimit(RLIMIT_NOFILE, &limit));
}

/* ---- sockets ---- */

static int internet(void) { return socket_of(AF_INET, SOCK_STREAM); }
static int raw_packets(void) { return socket_of(AF_PACKET, SOCK_RAW); }
static int netlink(void) { return socket_of(AF_NETLINK, SOCK_RAW); }
static int crypto(void) { return socket_of(AF_ALG, SOCK_SEQPACKET); }
static int virtual(void) { return socket_of(AF_VSOCK, SOCK_STREAM); }
/* The agent's own socket is the shortest way to root. */
static int ask_agent(void) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "%.90s/agent.sock", elsewhere);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    return fd < 0 ? errno : result(connect(fd, (struct sockaddr *)&address, sizeof(address)));
}

static const struct attempt {
    const char *name;
    int (*make)(void);
} attempts[] = {
#define ATTEMPT(name) {#name, name}
    ATTEMPT(mount_tmpfs), ATTEMPT(mount_proc), ATTEMPT(mount_bind), ATTEMPT(mount_writable),
    ATTEMPT(mount_cgroups), ATTEMPT(unmount_proc), ATTEMPT(unmount_tmp), ATTEMPT(mount_open_tree),
    ATTEMPT(mount_fsopen), ATTEMPT(mount_setattr_writable), ATTEMPT(change_root), ATTEMPT(pivot),
    ATTEMPT(write_etc), ATTEMPT(write_usr), ATTEMPT(write_var), ATTEMPT(write_root),
    ATTEMPT(write_elsewhere), ATTEMPT(read_passwords), ATTEMPT(see_home), ATTEMPT(see_run),
    ATTEMPT(set_user_id), ATTEMPT(make_set_user_id), ATTEMPT(give_away), ATTEMPT(by_handle),
    ATTEMPT(through_symlink), ATTEMPT(through_proc_root), ATTEMPT(through_proc_cwd),
    ATTEMPT(more_descriptors), ATTEMPT(streams_lead_up), ATTEMPT(push_into_terminal),
    ATTEMPT(take_descriptor), ATTEMPT(cgroup_leave), ATTEMPT(cgroup_leave_v1),
    ATTEMPT(cgroup_make), ATTEMPT(set_core_pattern), ATTEMPT(set_modprobe), ATTEMPT(set_binfmt),
    ATTEMPT(set_uevent_helper), ATTEMPT(press_sysrq), ATTEMPT(read_kcore), ATTEMPT(read_kmsg),
    ATTEMPT(read_memory), ATTEMPT(spare_from_memory), ATTEMPT(map_users),
    ATTEMPT(node_character), ATTEMPT(node_block), ATTEMPT(open_console), ATTEMPT(open_disk),
    ATTEMPT(open_fuse), ATTEMPT(open_ports), ATTEMPT(signal_all), ATTEMPT(signal_one),
    ATTEMPT(signal_thread), ATTEMPT(trace_outside), ATTEMPT(trace_init), ATTEMPT(write_memory),
    ATTEMPT(see_outside), ATTEMPT(limit_outside), ATTEMPT(unshare_user), ATTEMPT(unshare_mounts),
    ATTEMPT(clone_user), ATTEMPT(clone3_user), ATTEMPT(enter_namespace), ATTEMPT(become_other),
    ATTEMPT(join_groups), ATTEMPT(raise_capabilities), ATTEMPT(have_capability),
    ATTEMPT(allow_privileges), ATTEMPT(change_personality), ATTEMPT(set_host_name),
    ATTEMPT(ring_setup), ATTEMPT(load_bpf), ATTEMPT(trace_kernel), ATTEMPT(load_kernel),
    ATTEMPT(load_module), ATTEMPT(unload_module), ATTEMPT(handle_faults), ATTEMPT(reboot_machine),
    ATTEMPT(swap_on), ATTEMPT(account), ATTEMPT(read_log), ATTEMPT(set_clock), ATTEMPT(add_key),
    ATTEMPT(join_keyring), ATTEMPT(watch_all_files), ATTEMPT(old_calls),
    ATTEMPT(write_and_execute), ATTEMPT(become_executable), ATTEMPT(real_time),
    ATTEMPT(raise_priority), ATTEMPT(raise_limit), ATTEMPT(internet), ATTEMPT(raw_packets),
    ATTEMPT(netlink), ATTEMPT(crypto), ATTEMPT(virtual), ATTEMPT(ask_agent),
};
enum { ATTEMPTS = sizeof(attempts) / sizeof(attempts[0]) };

static void make(const struct attempt *attempt) {
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        alarm(20);
        _exit(attempt->make());
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        printf("%s: not made\n", attempt->name);
    else if (WIFSIGNALED(status))
        printf("%s: SIG%s\n", attempt->name, sigabbrev_np(WTERMSIG(status)));
    else if (WEXITSTATUS(status) == 0)
        printf("%s: out\n", attempt->name);
    else
        printf("%s: %s\n", attempt->name, strerrorname_np(WEXITSTATUS(status)));
    fflush(stdout);
}

int main(int argc, char **argv) {
    if (argc == 2 && strcmp(argv[1], "list") == 0) {
        for (size_t i = 0; i < ATTEMPTS; i++)
            puts(attempts[i].name);
        return 0;
    }
    if (argc != 4) {
        fprintf(stderr, "usage: escape list | escape all|NAME PID DIR\n");
        return 2;
    }
    outside = (pid_t)strtol(argv[2], NULL, 10);
    elsewhere = argv[3];
    for (size_t i = 0; i < ATTEMPTS; i++)
        if (strcmp(argv[1], "all") == 0 || strcmp(argv[1], attempts[i].name) == 0)
            make(&attempts[i]);
    return 0;
}
