#include "agent/check.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent/gate.h"
#include "common/cleanup.h"
#include "common/file.h"

typedef void look(const struct hierarchy *hierarchy, struct check *check);

static void say(struct check *check, uint32_t severity, const char *detail, const char *remedy) {
    check->severity = severity;
    snprintf(check->detail, sizeof(check->detail), "%s", detail);
    snprintf(check->remedy, sizeof(check->remedy), "%s", remedy);
}

static void look_cgroup(const struct hierarchy *hierarchy, struct check *check) {
    if (hierarchy->root < 0) {
        say(check, HOLDEN_severity_MISSING, "no cgroup can be divided",
            "mount -t cgroup2 none /sys/fs/cgroup, or in a container: delegate its cgroup (podman "
            "run "
            "--cgroups=enabled --cgroupns=private with a writable /sys/fs/cgroup)");
        return;
    }
    say(check, HOLDEN_severity_OK, hierarchy->path, "");
    if (hierarchy->hybrid)
        say(check, HOLDEN_severity_LIMITED, "mounted, but cgroup v1 holds controllers (hybrid)",
            "boot with systemd.unified_cgroup_hierarchy=1 or cgroup_no_v1=all");
}

static void look_controller(const struct hierarchy *hierarchy, struct check *check, unsigned bit) {
    if (hierarchy->controllers & bit)
        say(check, HOLDEN_severity_OK, "usable", "");
    else if (hierarchy->hybrid && !(hierarchy->offered & bit))
        say(check, HOLDEN_severity_MISSING, "held by cgroup v1",
            "boot with systemd.unified_cgroup_hierarchy=1 or cgroup_no_v1=all");
    else if (hierarchy->offered & bit)
        say(check, HOLDEN_severity_MISSING, "not delegated to the agent's cgroup",
            "delegate it: Delegate=yes in the agent's unit, or write it to cgroup.subtree_control "
            "above");
    else
        say(check, HOLDEN_severity_MISSING, "not offered here",
            "a kernel with this controller; in a container or user session: delegate it from "
            "outside");
}

static void look_cpu(const struct hierarchy *h, struct check *check) {
    look_controller(h, check, CGROUP_CPU);
}
static void look_cpuset(const struct hierarchy *h, struct check *check) {
    look_controller(h, check, CGROUP_CPUSET);
}
static void look_memory(const struct hierarchy *h, struct check *check) {
    look_controller(h, check, CGROUP_MEMORY);
}
static void look_pids(const struct hierarchy *h, struct check *check) {
    look_controller(h, check, CGROUP_PIDS);
}
static void look_io(const struct hierarchy *h, struct check *check) {
    look_controller(h, check, CGROUP_IO);
}

static void look_kill(const struct hierarchy *hierarchy, struct check *check) {
    _cleanup_close_ int directory = -1;
    struct hierarchy copy = *hierarchy;
    const char probe[] = ".holden-check";
    bool there = hierarchy->root >= 0 && cgroup_make(&copy, probe, &directory) == 0 &&
                 faccessat(directory, "cgroup.kill", F_OK, 0) == 0;
    if (hierarchy->root >= 0)
        cgroup_remove(&copy, probe);
    say(check, there ? HOLDEN_severity_OK : HOLDEN_severity_LIMITED, there ? "there" : "not there",
        there ? "" : "Linux 5.14 or newer");
}

static void look_pidfd(const struct hierarchy *hierarchy, struct check *check) {
    (void)hierarchy;
    _cleanup_close_ int fd = pidfd_open(getpid(), 0);
    say(check, fd >= 0 ? HOLDEN_severity_OK : HOLDEN_severity_MISSING,
        fd >= 0 ? "there" : strerror(errno),
        fd >= 0 ? ""
                : "Linux 5.7 or newer, and no outer filter that forbids pidfd_open and clone3");
}

static void look_seccomp(const struct hierarchy *hierarchy, struct check *check) {
    (void)hierarchy;
    uint32_t action = SECCOMP_RET_KILL_PROCESS;
    bool there = syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
    say(check, there ? HOLDEN_severity_OK : HOLDEN_severity_MISSING,
        there ? "filters, kill-process" : strerror(errno),
        there ? "" : "a kernel with CONFIG_SECCOMP_FILTER");
}

static void look_bpf(const struct hierarchy *hierarchy, struct check *check) {
    (void)hierarchy;
    int r = gate_possible();
    say(check, r == 0 ? HOLDEN_severity_OK : HOLDEN_severity_MISSING,
        r == 0 ? "programs for a cgroup" : strerror(-r),
        r == 0 ? ""
        : r == -EPERM
            ? "run the agent with CAP_BPF and CAP_NET_ADMIN; in a container: podman run "
              "--privileged"
            : "a kernel of Linux 5.7 or newer with CONFIG_CGROUP_BPF");
}

static void look_capabilities(const struct hierarchy *hierarchy, struct check *check) {
    (void)hierarchy;
    bool root = geteuid() == 0 && prctl(PR_CAPBSET_READ, 8 /* CAP_SETPCAP */, 0, 0, 0) == 1;
    say(check, root ? HOLDEN_severity_OK : HOLDEN_severity_LIMITED, root ? "root" : "not root",
        root ? "" : "run the agent as root");
}

static void look_landlock(const struct hierarchy *hierarchy, struct check *check) {
    (void)hierarchy;
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    char text[64] = "not there";
    if (version > 0)
        snprintf(text, sizeof(text), "version %ld", version);
    say(check, version > 0 ? HOLDEN_severity_OK : HOLDEN_severity_MISSING, text,
        version > 0
            ? ""
            : "a kernel with CONFIG_SECURITY_LANDLOCK and lsm=…,landlock on its command line");
}

static void look_pressure(const struct hierarchy *hierarchy, struct check *check) {
    (void)hierarchy;
    char text[64];
    bool there = file_read(AT_FDCWD, "/proc/pressure/memory", text, sizeof(text)) > 0;
    say(check, there ? HOLDEN_severity_OK : HOLDEN_severity_MISSING, there ? "there" : "not there",
        there ? "" : "a kernel with CONFIG_PSI, and psi=1 on its command line");
}

static void look_namespaces(const struct hierarchy *hierarchy, struct check *check) {
    (void)hierarchy;
    static const char *const kinds[] = {"mnt", "pid", "net", "ipc", "uts", "user", "cgroup"};
    char missing[128] = "";
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        char path[64];
        snprintf(path, sizeof(path), "/proc/self/ns/%s", kinds[i]);
        if (access(path, F_OK) < 0) {
            strncat(missing, " ", sizeof(missing) - strlen(missing) - 1);
            strncat(missing, kinds[i], sizeof(missing) - strlen(missing) - 1);
        }
    }
    if (*missing)
        say(check, HOLDEN_severity_LIMITED, missing, "a kernel with these namespaces");
    else
        say(check, HOLDEN_severity_OK, "mnt pid net ipc uts user cgroup", "");
}

static void look_journal(const struct hierarchy *hierarchy, struct check *check) {
    (void)hierarchy;
    bool there = access("/run/systemd/journal/stdout", F_OK) == 0;
    say(check, there ? HOLDEN_severity_OK : HOLDEN_severity_LIMITED,
        there ? "journald listens" : "no journald",
        there ? "" : "nothing needs to be done: each process has a bounded log of its own");
}

static const struct {
    const char *name;
    look *look;
    const char *cost;
} rows[] = {
    {"cgroup2", look_cgroup,
     "no process can be started without a cgroup of its own; under hybrid, no limits"},
    {"memory", look_memory,
     "MemoryMax=, MemoryHigh=, MemoryLow=, MemoryMin=, MemorySwapMax=, OOMPolicy=kill are refused"},
    {"cpu", look_cpu, "CPUQuota= and CPUWeight= are refused"},
    {"pids", look_pids, "TasksMax= is refused"},
    {"io", look_io, "IOWeight=, IO*BandwidthMax= and IO*IOPSMax= are refused"},
    {"cpuset", look_cpuset, "AllowedCPUs= is refused (CPUAffinity= works)"},
    {"cgroup.kill", look_kill,
     "a whole cgroup is ended process by process, which a fork bomb can outrun"},
    {"pidfd", look_pidfd, "nothing can be started safely"},
    {"seccomp", look_seccomp, "SystemCallFilter= and SeccompProfile= are refused"},
    {"bpf", look_bpf,
     "DevicePolicy=, DeviceAllow=, IPAddress*=, SocketBind*= and RestrictNetworkInterfaces= are "
     "refused; PrivateDevices= does not imply DevicePolicy=closed"},
    {"privileges", look_capabilities, "User=, capabilities and some limits fail"},
    {"namespaces", look_namespaces, "isolation by namespaces is not possible"},
    {"landlock", look_landlock, "path rules without root are not possible"},
    {"psi", look_pressure, "stall times are not shown"},
    {"journald", look_journal, "StandardOutput=journal fails"},
};

void check_all(const struct hierarchy *hierarchy,
               void (*found)(void *data, const struct check *check), void *data) {
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct check check = {.name = rows[i].name, .cost = rows[i].cost};
        rows[i].look(hierarchy, &check);
        found(data, &check);
    }
}

static void print(void *data, const struct check *check) {
    bool *usable = data;
    printf("%-12s %-8s %s\n", check->name, holden_word(&holden_enum_severity, check->severity),
           check->detail);
    if (check->severity == HOLDEN_severity_OK)
        return;
    printf("%-21s without it: %s\n", "", check->cost);
    if (check->remedy[0])
        printf("%-21s remedy: %s\n", "", check->remedy);
    if (check->severity == HOLDEN_severity_MISSING &&
        (strcmp(check->name, "cgroup2") == 0 || strcmp(check->name, "pidfd") == 0))
        *usable = false;
}

int check_print(const struct hierarchy *hierarchy, const char *failure) {
    bool usable = true;
    check_all(hierarchy, print, &usable);
    if (failure)
        printf("\nAn agent cannot work here: %s\n", failure);
    else
        printf("\nAn agent can work here%s.\n", usable ? "" : ", but not well");
    return failure || !usable ? 1 : 0;
}
