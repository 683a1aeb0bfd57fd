/* Prints what a process sees of itself, one "FIELD=VALUE" a line, so that the same settings under
 * two service managers can be compared (differential.bats).
 *
 *   probe KIND=NAME...    the machine's own namespaces, by readlink(2): mnt=mnt:[4026531841]
 *
 * It leaves nothing changed, and prints nothing that is another at each start: no pids, no numbers
 * of inodes or of devices without a name. */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <net/if.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "reach.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

enum { MOUNTS_MAX = 512, NAMES_MAX = 1024 };

struct mount {
    unsigned id;
    char device[32], root[256], point[256], flags[128], propagation[64], type[32], super[256];
};

static struct mount mounts[MOUNTS_MAX];
static size_t mount_count;

/* Prints a field; what could end its line is shown as '?'. */
__attribute__((format(printf, 2, 3))) static void show(const char *field, const char *format, ...) {
    char value[8192];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(value, sizeof(value), format, arguments);
    va_end(arguments);
    for (char *c = value; *c; c++)
        if ((unsigned char)*c < ' ')
            *c = '?';
    printf("%s=%s\n", field, value);
}

/* The field "GROUP.NAME", in a buffer that the next call uses again. */
static const char *field(const char *group, const char *name) {
    static char text[512];
    snprintf(text, sizeof(text), "%s.%s", group, name);
    return text;
}

/* access(2) with the effective ids. */
static long may(const char *path, int mode) {
    return syscall(SYS_faccessat2, AT_FDCWD, path, mode, AT_EACCESS);
}

static const char *outcome(long result) {
    return result < 0 ? strerrorname_np(errno) : "yes";
}

/* Reads a small file, without the newline at its end; the error's name if it cannot. */
static const char *slurp(const char *path) {
    static char text[65536];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return strerrorname_np(errno);
    size_t used = 0;
    ssize_t n;
    while (used < sizeof(text) - 1 && (n = read(fd, text + used, sizeof(text) - 1 - used)) > 0)
        used += (size_t)n;
    close(fd);
    text[used] = '\0';
    if (used && text[used - 1] == '\n')
        text[used - 1] = '\0';
    return text;
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Whether a name is another at each start, or that of something that others use meanwhile. */
static bool passing(const char *name) {
    static const char *const beginnings[] = {".", "systemd-private-", "namespace-dev-", "tmp.",
                                             "bats-run-", "diff-"};
    for (size_t i = 0; i < LENGTH(beginnings); i++)
        if (!strncmp(name, beginnings[i], strlen(beginnings[i])))
            return true;
    return strspn(name, "0123456789") == strlen(name);
}

/* Shows the entries of a directory in one field, sorted. */
static void show_entries(const char *name, const char *path) {
    char *names[NAMES_MAX], text[8000] = "";
    size_t count = 0, used = 0;
    DIR *directory = opendir(path);
    if (!directory) {
        show(name, "%s", strerrorname_np(errno));
        return;
    }
    struct dirent *entry;
    while (count < NAMES_MAX && (entry = readdir(directory)))
        if (!passing(entry->d_name))
            names[count++] = strdup(entry->d_name);
    closedir(directory);
    qsort(names, count, sizeof(names[0]), by_name);
    for (size_t i = 0; i < count && used < sizeof(text); i++)
        used += (size_t)snprintf(text + used, sizeof(text) - used, " %s", names[i]);
    show(name, "%s", text);
}

static void show_status(void) {
    static const char *const names[] = {
        "Umask",  "Uid",    "Gid",    "Groups", "CapInh",     "CapPrm",  "CapEff",
        "CapBnd", "CapAmb", "SigBlk", "SigIgn", "NoNewPrivs", "Seccomp", "Cpus_allowed_list",
        "Mems_allowed_list", "THP_enabled", "Speculation_Store_Bypass", "SpeculationIndirectBranch",
        "TracerPid"};
    char *rest, *line, *text = strdup(slurp("/proc/self/status"));
    for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        char *colon = strchr(line, ':');
        for (size_t i = 0; colon && i < LENGTH(names); i++)
            if ((size_t)(colon - line) == strlen(names[i]) &&
                !strncmp(line, names[i], strlen(names[i])))
                show(field("status", names[i]), "%s", colon + 1 + strspn(colon + 1, "\t "));
    }
    free(text);
    show("status.uid_map", "%s", slurp("/proc/self/uid_map"));
    show("status.gid_map", "%s", slurp("/proc/self/gid_map"));
    show("status.setgroups", "%s", slurp("/proc/self/setgroups"));
    show("status.login_uid", "%s", slurp("/proc/self/loginuid"));
    show("status.security", "%s", slurp("/proc/self/attr/current"));
}

static void show_limits(void) {
    static const struct {
        int resource;
        const char *name;
    } limits[] = {
        {RLIMIT_CPU, "CPU"},         {RLIMIT_FSIZE, "FSIZE"},   {RLIMIT_DATA, "DATA"},
        {RLIMIT_STACK, "STACK"},     {RLIMIT_CORE, "CORE"},     {RLIMIT_RSS, "RSS"},
        {RLIMIT_NOFILE, "NOFILE"},   {RLIMIT_AS, "AS"},         {RLIMIT_NPROC, "NPROC"},
        {RLIMIT_MEMLOCK, "MEMLOCK"}, {RLIMIT_LOCKS, "LOCKS"},   {RLIMIT_SIGPENDING, "SIGPENDING"},
        {RLIMIT_NICE, "NICE"},       {RLIMIT_RTPRIO, "RTPRIO"}, {RLIMIT_RTTIME, "RTTIME"},
        {RLIMIT_MSGQUEUE, "MSGQUEUE"},
    };
    for (size_t i = 0; i < LENGTH(limits); i++) {
        struct rlimit limit;
        if (getrlimit((__rlimit_resource_t)limits[i].resource, &limit) < 0)
            show(field("limit", limits[i].name), "%s", strerrorname_np(errno));
        else
            show(field("limit", limits[i].name), "%lld:%lld", (long long)limit.rlim_cur,
                 (long long)limit.rlim_max);
    }
}

static void show_scheduling(void) {
    struct sched_param parameter = {0};
    errno = 0;
    show("scheduling.nice", "%d", getpriority(PRIO_PROCESS, 0));
    show("scheduling.policy", "%d", sched_getscheduler(0));
    sched_getparam(0, &parameter);
    show("scheduling.priority", "%d", parameter.sched_priority);
    show("scheduling.io", "%ld", syscall(SYS_ioprio_get, 1, 0));
    show("scheduling.slack", "%d", prctl(PR_GET_TIMERSLACK));
    show("scheduling.oom_score", "%s", slurp("/proc/self/oom_score_adj"));
}

static void show_attributes(void) {
    int value = 0;
    struct utsname machine = {0};
    uname(&machine);
    show("attribute.personality", "%x", (unsigned)personality(0xffffffff));
    show("attribute.machine", "%s", machine.machine);
    show("attribute.host", "%s", machine.nodename);
    show("attribute.domain", "%s", machine.domainname);
    show("attribute.securebits", "%d", prctl(PR_GET_SECUREBITS));
    show("attribute.dumpable", "%d", prctl(PR_GET_DUMPABLE));
    prctl(PR_GET_PDEATHSIG, &value);
    show("attribute.death_signal", "%d", value);
    prctl(PR_GET_CHILD_SUBREAPER, &value);
    show("attribute.subreaper", "%d", value);
    show("attribute.no_huge_pages", "%d", prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0));
    show("attribute.machine_check", "%d", prctl(PR_MCE_KILL_GET, 0, 0, 0, 0));
    show("attribute.coredump_filter", "%s", slurp("/proc/self/coredump_filter"));
    show("attribute.session_leader", "%s", getsid(0) == getpid() ? "yes" : "no");
    show("attribute.group_leader", "%s", getpgrp() == getpid() ? "yes" : "no");
    int terminal = open("/dev/tty", O_RDWR | O_CLOEXEC);
    show("attribute.terminal", "%s", outcome(terminal));
}

static void show_descriptors(void) {
    char open_ones[4096] = "";
    size_t used = 0;
    for (int fd = 0; fd < 3; fd++) {
        char path[32], target[256] = "", name[16];
        struct stat stat = {0};
        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        snprintf(name, sizeof(name), "%d", fd);
        if (readlink(path, target, sizeof(target) - 1) < 0)
            snprintf(target, sizeof(target), "%s", strerrorname_np(errno));
        fstat(fd, &stat);
        show(field("descriptor", name), "%s %o flags %o", target, stat.st_mode & S_IFMT,
             (unsigned)fcntl(fd, F_GETFL));
    }
    for (int fd = 3; fd < 1024 && used < sizeof(open_ones); fd++)
        if (fcntl(fd, F_GETFD) >= 0)
            used += (size_t)snprintf(open_ones + used, sizeof(open_ones) - used, " %d", fd);
    show("descriptor.others", "%s", open_ones);
}

static void show_environment(void) {
    for (char **entry = environ; *entry; entry++) {
        char name[256];
        size_t length = strcspn(*entry, "=");
        snprintf(name, sizeof(name), "%.*s", (int)length, *entry);
        show(field("environment", name), "%s", *entry + length + 1);
    }
    char directory[4096];
    int policy = -1;
    unsigned long nodes[16] = {0};
    syscall(SYS_get_mempolicy, &policy, nodes, 8 * sizeof(nodes), NULL, 0);
    show("memory.policy", "%d %lx", policy, nodes[0]);
    show("directory", "%s", getcwd(directory, sizeof(directory)) ? directory : outcome(-1));
}

static void show_namespaces(char **machine) {
    for (; *machine; machine++) {
        char path[64], name[32], target[64] = "";
        snprintf(name, sizeof(name), "%.*s", (int)strcspn(*machine, "="), *machine);
        snprintf(path, sizeof(path), "/proc/self/ns/%s", name);
        bool known = readlink(path, target, sizeof(target) - 1) > 0;
        bool shared = known && !strcmp(target, *machine + strlen(name) + 1);
        show(field("namespace", name), "%s", !known ? "unknown" : shared ? "shared" : "own");
    }
}

/* A file that is not there counts as the kernel's default: its controller is off. */
static void show_cgroup(void) {
    static const struct {
        const char *file, *unset;
    } files[] = {
        {"memory.max", "max"},    {"memory.high", "max"},    {"memory.low", "0"},
        {"memory.min", "0"},      {"memory.swap.max", "max"}, {"memory.oom.group", "0"},
        {"cpu.max", "max 100000"}, {"cpu.weight", "100"},    {"cpu.idle", "0"},
        {"cpuset.cpus", ""},      {"cpuset.mems", ""},       {"pids.max", "max"},
        {"io.weight", "default 100"}, {"io.max", ""},        {"cgroup.type", "domain"},
        {"cgroup.max.depth", "max"}, {"cgroup.max.descendants", "max"}, {"cgroup.freeze", "0"},
        {"cgroup.subtree_control", ""},
    };
    const char *own = slurp("/proc/self/cgroup");
    char directory[1024], path[1100];
    snprintf(directory, sizeof(directory), "/sys/fs/cgroup%s",
             strncmp(own, "0::", 3) ? "?" : own + 3);
    for (size_t i = 0; i < LENGTH(files); i++) {
        snprintf(path, sizeof(path), "%s/%s", directory, files[i].file);
        const char *text = slurp(path);
        show(field("cgroup", files[i].file), "%s", strcmp(text, "ENOENT") ? text : files[i].unset);
    }
    show("cgroup.write", "%s", outcome(may(directory, W_OK)));
    static const char *const delegated[] = {
        "cgroup.procs",     "cgroup.subtree_control", "cgroup.threads", "cgroup.type",
        "cgroup.freeze",    "memory.oom.group",       "memory.max",     "cpu.weight",
        "cgroup.max.depth", "pids.max",
    };
    for (size_t i = 0; i < LENGTH(delegated); i++) {
        snprintf(path, sizeof(path), "%s/%s", directory, delegated[i]);
        show(field("cgroup-write", delegated[i]), "%s", outcome(may(path, W_OK)));
    }
}

static void show_keyring(void) {
    char text[512] = "";
    int keys[64];
    long user = syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_USER_KEYRING, 0);
    long n = syscall(SYS_keyctl, KEYCTL_DESCRIBE, KEY_SPEC_SESSION_KEYRING, text, sizeof(text) - 1);
    show("keyring.session", "%s", n < 0 ? strerrorname_np(errno) : text);
    n = syscall(SYS_keyctl, KEYCTL_READ, KEY_SPEC_SESSION_KEYRING, keys, sizeof(keys));
    bool linked = false;
    for (size_t i = 0; n > 0 && i < (size_t)n / sizeof(keys[0]) && i < LENGTH(keys); i++)
        linked |= keys[i] == user;
    show("keyring.has_user", "%s", n < 0 ? strerrorname_np(errno) : linked ? "yes" : "no");
}

static void show_network(void) {
    static const struct {
        const char *name;
        int family, type, protocol;
    } sockets[] = {
        {"unix", AF_UNIX, SOCK_STREAM, 0},   {"inet", AF_INET, SOCK_DGRAM, 0},
        {"ping", AF_INET, SOCK_DGRAM, 1},    {"raw", AF_INET, SOCK_RAW, 1},
        {"inet6", AF_INET6, SOCK_DGRAM, 0},  {"netlink", AF_NETLINK, SOCK_RAW, 0},
        {"packet", AF_PACKET, SOCK_DGRAM, 0}, {"vsock", 40, SOCK_STREAM, 0},
    };
    for (size_t i = 0; i < LENGTH(sockets); i++) {
        int fd = socket(sockets[i].family, sockets[i].type | SOCK_CLOEXEC, sockets[i].protocol);
        show(field("socket", sockets[i].name), "%s", outcome(fd));
        close(fd);
    }
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct ifreq request = {.ifr_name = "lo"};
    long r = fd < 0 ? -1 : ioctl(fd, SIOCGIFFLAGS, &request);
    show("network.lo", r < 0 ? "%s" : "%s %x", r < 0 ? strerrorname_np(errno) : "flags",
         (unsigned)request.ifr_flags);
    struct sockaddr_in nobody = {.sin_family = AF_INET, .sin_port = htons(9),
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    r = fd < 0 ? -1 : connect(fd, (struct sockaddr *)&nobody, sizeof(nobody));
    show("network.connect", "%s", outcome(r));
    close(fd);
    char *rest, *line, names[1024] = "", *text = strdup(slurp("/proc/self/net/dev"));
    for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        char *colon = strchr(line, ':');
        if (colon && !strchr(line, '|'))
            snprintf(names + strlen(names), sizeof(names) - strlen(names), "%.*s",
                     (int)(colon - line), line);
    }
    show("network.interfaces", "%s", names);
    free(text);
}

static void read_mounts(void) {
    char *rest, *line, *text = strdup(slurp("/proc/self/mountinfo"));
    for (line = strtok_r(text, "\n", &rest); line && mount_count < MOUNTS_MAX;
         line = strtok_r(NULL, "\n", &rest)) {
        struct mount *m = &mounts[mount_count];
        int optional = 0;
        if (sscanf(line, "%u %*u %31s %255s %255s %127s %n", &m->id, m->device, m->root, m->point,
                   m->flags, &optional) < 5)
            continue;
        char *end = strstr(line + optional - 1, " - ");
        if (!end || sscanf(end, " - %31s %*s %255s", m->type, m->super) < 2)
            continue;
        if (strstr(line + optional, "shared:") && strstr(line + optional, "shared:") < end)
            strcat(m->propagation, "shared ");
        if (strstr(line + optional, "master:") && strstr(line + optional, "master:") < end)
            strcat(m->propagation, "slave ");
        mount_count++;
    }
    free(text);
}

/* The mount that a path is on, NULL if that cannot be told. */
static const struct mount *mount_of(const char *path) {
    struct statx stat;
    int flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT;
    if (statx(AT_FDCWD, path, flags, 0x1000 /* STATX_MNT_ID */, &stat) < 0)
        return NULL;
    for (size_t i = 0; i < mount_count; i++)
        if (mounts[i].id == stat.stx_mnt_id)
            return &mounts[i];
    return NULL;
}

/* Whether a mount shows nothing but what would be at its point without it, with the same rights. */
static bool without_effect(const struct mount *m, const struct mount *above) {
    size_t point = strcmp(above->point, "/") ? strlen(above->point) : 0;
    size_t root = strcmp(above->root, "/") ? strlen(above->root) : 0;
    return !strcmp(m->device, above->device) && !strcmp(m->flags, above->flags) &&
           !strncmp(m->root, above->root, root) && !strcmp(m->root + root, m->point + point);
}

/* Whether a mount holds the credentials of another. */
static bool of_another(const struct mount *m) {
    const char *own = getenv("CREDENTIALS_DIRECTORY");
    return !strncmp(m->point, "/run/credentials/", 17) && (!own || strcmp(m->point, own) != 0);
}

/* The mounts that can be seen and have an effect. */
static void show_mounts(void) {
    for (size_t i = 0; i < mount_count; i++) {
        const struct mount *m = &mounts[i], *above;
        char directory[256];
        if (mount_of(m->point) != m || of_another(m))
            continue;
        snprintf(directory, sizeof(directory), "%s", m->point);
        char *slash = strrchr(directory, '/');
        slash[slash == directory] = '\0';
        above = strcmp(m->point, "/") ? mount_of(directory) : NULL;
        if (above && without_effect(m, above))
            continue;
        show(field("mount", m->point), "%s %s", m->type, m->flags);
        show(field("mount-root", m->point), "%s", m->root);
        show(field("mount-options", m->point), "%s", m->super);
        show(field("mount-propagation", m->point), "%s", m->propagation);
    }
}

static void show_path(const char *path) {
    struct stat stat;
    if (lstat(path, &stat) < 0) {
        show(field("stat", path), "%s", strerrorname_np(errno));
        return;
    }
    show(field("stat", path), "%06o %u %u", stat.st_mode, stat.st_uid, stat.st_gid);
    const struct mount *m = mount_of(path);
    show(field("on", path), "%s %s", m ? m->type : "unknown", m ? m->flags : "");
    if (S_ISLNK(stat.st_mode))
        return;
    bool directory = S_ISDIR(stat.st_mode);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    show(field("read", path), "%s", outcome(fd));
    close(fd);
    fd = directory ? (int)may(path, W_OK)
                   : open(path, O_WRONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    show(field("write", path), "%s", outcome(fd));
    if (!directory) {
        close(fd);
        show(field("execute", path), "%s", outcome(may(path, X_OK)));
    }
}

static void show_paths(void) {
    static const char *const paths[] = {
        "/", "/usr", "/usr/bin", "/usr/bin/env", "/usr/local", "/etc", "/etc/passwd", "/boot",
        "/home", "/root", "/run", "/run/user", "/run/systemd", "/srv", "/opt", "/tmp", "/var",
        "/var/tmp", "/var/lib", "/var/log", "/dev", "/dev/shm", "/dev/pts", "/dev/mqueue",
        "/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty",
        "/dev/ptmx", "/dev/kmsg", "/dev/mem", "/dev/vda", "/dev/console", "/dev/log", "/proc",
        "/proc/1/status", "/proc/1/environ", "/proc/1/root", "/proc/sys",
        "/proc/sys/kernel/hostname", "/proc/sys/kernel/domainname",
        "/proc/sys/net/ipv4/ip_forward", "/proc/kcore", "/proc/kallsyms", "/proc/kmsg",
        "/proc/sysrq-trigger", "/proc/acpi", "/proc/bus", "/proc/fs", "/proc/irq",
        "/proc/latency_stats", "/proc/mtrr", "/proc/timer_list", "/proc/timer_stats",
        "/proc/meminfo", "/proc/config.gz", "/proc/sched_debug", "/proc/scsi", "/proc/asound",
        "/proc/apm", "/sys", "/sys/kernel", "/sys/kernel/debug", "/sys/kernel/security",
        "/sys/fs/bpf", "/sys/fs/cgroup", "/sys/kernel/mm", "/usr/lib/modules", "/lib/modules",
        "/diff", "/diff/a", "/diff/a/b", "/diff/a/file", "/diff/file", "/diff/new",
        "/diff/link", "/diff/locked", "/srv/made", "/srv/a", "/run/credentials",
    };
    for (size_t i = 0; i < LENGTH(paths); i++)
        show_path(paths[i]);
    show_entries("entries./dev", "/dev");
    show_entries("entries./proc", "/proc");
    show_entries("entries./", "/");
    show_entries("entries./run", "/run");
    show_entries("entries./diff", "/diff");
    show_entries("entries./diff/new", "/diff/new");
    show_entries("entries./tmp", "/tmp");
    show_entries("entries./home", "/home");
}

/* The directories of its own, of which it is told. */
static void show_directories(void) {
    static const char *const names[] = {"RUNTIME_DIRECTORY", "STATE_DIRECTORY", "CACHE_DIRECTORY",
                                        "LOGS_DIRECTORY", "CONFIGURATION_DIRECTORY"};
    for (size_t i = 0; i < LENGTH(names); i++) {
        char *rest, *path, *text = strdup(getenv(names[i]) ? getenv(names[i]) : "");
        for (path = strtok_r(text, ":", &rest); path; path = strtok_r(NULL, ":", &rest))
            show_path(path);
        free(text);
    }
}

/* What a unit was handed: the content of each file, and the file as it is. */
static void show_credentials(void) {
    const char *directory = getenv("CREDENTIALS_DIRECTORY");
    if (!directory)
        return;
    show_entries("credentials", directory);
    DIR *opened = opendir(directory);
    struct dirent *entry;
    while (opened && (entry = readdir(opened))) {
        char path[4096];
        struct stat stat = {0};
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
        lstat(path, &stat);
        show(field("credential", entry->d_name), "%o %u %s", stat.st_mode, stat.st_uid,
             slurp(path));
    }
    if (opened)
        closedir(opened);
}

int main(int argc, char **argv) {
    static char buffer[1 << 20];
    (void)argc;
    setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
    show_descriptors();
    show_status();
    show_limits();
    show_scheduling();
    show_attributes();
    show_environment();
    show_namespaces(argv + 1);
    show_cgroup();
    show_keyring();
    show_network();
    read_mounts();
    show_mounts();
    show_paths();
    reach_show(show);
    show_directories();
    show_credentials();
    return 0;
}
