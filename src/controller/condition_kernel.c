/* Conditions about what the kernel offers. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/netlink.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/unit.h"
#include "controller/condition_host.h"
#include "controller/directive.h"
#include "controller/syntax.h"

/* By their numbers (capabilities(7)), without CAP_. */
static const char *const capabilities[] = {
    "chown", "dac_override", "dac_read_search", "fowner", "fsetid", "kill", "setgid", "setuid",
    "setpcap", "linux_immutable", "net_bind_service", "net_broadcast", "net_admin", "net_raw",
    "ipc_lock", "ipc_owner", "sys_module", "sys_rawio", "sys_chroot", "sys_ptrace", "sys_pacct",
    "sys_admin", "sys_boot", "sys_nice", "sys_resource", "sys_time", "sys_tty_config", "mknod",
    "lease", "audit_write", "audit_control", "setfcap", "mac_override", "mac_admin", "syslog",
    "wake_alarm", "block_suspend", "audit_read", "perfmon", "bpf", "checkpoint_restore",
};

/* Whether it is in the bounding set of who asks. */
int condition_capability(const char *value) {
    char text[8192];
    if (strncasecmp(value, "cap_", 4) != 0)
        return -EINVAL;
    size_t number = 0;
    while (number < ARRAY_SIZE(capabilities) && strcasecmp(capabilities[number], value + 4) != 0)
        number++;
    if (number == ARRAY_SIZE(capabilities))
        return -EINVAL;
    if (file_read(AT_FDCWD, "/proc/self/status", text, sizeof(text)) < 0)
        return -EOPNOTSUPP;
    const char *line = strstr(text, "\nCapBnd:");
    return line ? (int)(strtoull(line + strlen("\nCapBnd:"), NULL, 16) >> number & 1)
                : -EOPNOTSUPP;
}

static bool exists(const char *path) {
    return access(path, F_OK) == 0;
}

static bool has_apparmor(void) {
    char text[8];
    return file_read(AT_FDCWD, "/sys/module/apparmor/parameters/enabled", text, sizeof(text)) > 0 &&
           *text == 'Y';
}

static bool has_selinux(void) {
    return exists("/sys/fs/selinux/enforce");
}

static bool has_smack(void) {
    return exists("/sys/fs/smackfs/");
}

static bool has_tomoyo(void) {
    return exists("/sys/kernel/security/tomoyo/version");
}

static bool has_ima(void) {
    return exists("/sys/kernel/security/ima/");
}

static bool has_audit(void) {
    _cleanup_close_ int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_AUDIT);
    return fd >= 0 || (errno != EAFNOSUPPORT && errno != EPROTONOSUPPORT && errno != EPERM);
}

/* Four bytes of attributes come before the value. */
static bool has_secure_boot(void) {
    char bytes[8] = "";
    _cleanup_close_ int fd = open(
        "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c",
        O_RDONLY | O_CLOEXEC);
    return fd >= 0 && read(fd, bytes, 5) == 5 && bytes[4] == 1;
}

static bool has_tpm2(void) {
    return exists("/sys/class/tpmrm/tpmrm0");
}

int condition_security(const char *value) {
    static const struct { const char *name; bool (*ask)(void); } rows[] = {
        {"selinux", has_selinux}, {"apparmor", has_apparmor}, {"smack", has_smack},
        {"tomoyo", has_tomoyo},   {"ima", has_ima},           {"audit", has_audit},
        {"uefi-secureboot", has_secure_boot},                 {"tpm2", has_tpm2},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (strcmp(rows[i].name, value) == 0)
            return rows[i].ask();
    return -EINVAL;
}

int condition_first_boot(const char *value) {
    bool wanted;
    if (directive_boolean(value, &wanted) < 0)
        return -EINVAL;
    return exists("/run/systemd/first-boot") == wanted;
}

/* The controllers of the root of cgroup v2, wherever that is mounted. */
static int read_controllers(char *text, size_t space) {
    char mounts[65536], path[4200];
    if (file_read(AT_FDCWD, "/proc/self/mounts", mounts, sizeof(mounts)) < 0)
        return -EOPNOTSUPP;
    char *rest = NULL;
    for (char *line = strtok_r(mounts, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        char place[4096], kind[64];
        if (sscanf(line, "%*s %4095s %63s", place, kind) != 2 || strcmp(kind, "cgroup2") != 0)
            continue;
        snprintf(path, sizeof(path), "%s/cgroup.controllers", place);
        return file_read(AT_FDCWD, path, text, space) < 0 ? -EOPNOTSUPP : 0;
    }
    return -EOPNOTSUPP;
}

static bool holds_word(const char *text, struct holden_view word) {
    struct holden_view other;
    while (syntax_word(&text, &other))
        if (other.size == word.size && memcmp(other.data, word.data, word.size) == 0)
            return true;
    return false;
}

/* Words that must all be there; v1 and v2 are the versions of the whole. */
int condition_controller(const char *value) {
    char text[1024] = "";
    struct holden_view word;
    bool unified = exists("/sys/fs/cgroup/cgroup.controllers"), any = false;
    for (const char *at = value; syntax_word(&at, &word); any = true) {
        bool first = holden_view_is(word, "v1"), second = holden_view_is(word, "v2");
        if ((first && unified) || (second && !unified))
            return 0;
        if (first || second)
            continue;
        int r = *text ? 0 : read_controllers(text, sizeof(text));
        if (r < 0)
            return r;
        if (!holds_word(text, word))
            return 0;
    }
    return any ? 1 : -EINVAL;
}

/* LIMIT%[/SPAN]: some task waits for a CPU, all wait for memory or IO, for that share of the time
 * at most. Of the pressure in a slice nothing is known here. */
static int ask_pressure(const char *path, const char *line, const char *value) {
    static const struct { const char *span, *field; } spans[] = {
        {"10sec", "avg10="}, {"1min", "avg60="}, {"5min", "avg300="},
    };
    char text[1024], limit[32];
    uint64_t hundredths;
    const char *field = "avg300=", *slash = strchr(value, '/');
    size_t size = slash ? (size_t)(slash - value) : strlen(value);
    if (size == 0 || size >= sizeof(limit) || strchr(value, ':'))
        return -EINVAL;
    snprintf(limit, sizeof(limit), "%.*s", (int)size, value);
    if (unit_parse_percent(limit, &hundredths) < 0 || hundredths > 10000)
        return -EINVAL;
    if (slash)
        field = NULL;
    for (size_t i = 0; slash && i < ARRAY_SIZE(spans); i++)
        if (strcmp(spans[i].span, slash + 1) == 0)
            field = spans[i].field;
    if (!field)
        return -EINVAL;
    if (file_read(AT_FDCWD, path, text, sizeof(text)) < 0)
        return -EOPNOTSUPP;
    const char *at = strstr(text, line);
    at = at ? strstr(at, field) : NULL;
    if (!at)
        return -EOPNOTSUPP;
    return strtod(at + strlen(field), NULL) * 100 <= (double)hundredths;
}

int condition_memory_pressure(const char *value) {
    return ask_pressure("/proc/pressure/memory", "full ", value);
}

int condition_cpu_pressure(const char *value) {
    return ask_pressure("/proc/pressure/cpu", "some ", value);
}

int condition_io_pressure(const char *value) {
    return ask_pressure("/proc/pressure/io", "full ", value);
}
