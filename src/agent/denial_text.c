#include "agent/denial_text.h"

#include <ctype.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>

#include "common/cleanup.h"

enum { ARGUMENTS = 6, STRING_MOST = 80, PAGE = 4096 };

/* The kinds of a call's arguments: s a string, f a directory's descriptor, d a number, o a mode in
 * octal, x flags or an address. */
static const struct row {
    const char *name;
    const char *kinds;
} rows[] = {
    {"access", "so"},       {"acct", "s"},          {"bind", "dxd"},
    {"bpf", "dxd"},         {"chdir", "s"},         {"chmod", "so"},
    {"chown", "sdd"},       {"chroot", "s"},        {"clone", "xxxxx"},
    {"clock_settime", "dx"}, {"connect", "dxd"},    {"creat", "so"},
    {"delete_module", "sx"}, {"execve", "sxx"},     {"execveat", "fsxxx"},
    {"faccessat", "fso"},   {"fchmod", "do"},       {"fchmodat", "fso"},
    {"fchown", "ddd"},      {"fchownat", "fsddx"},  {"finit_module", "dsx"},
    {"init_module", "xds"}, {"ioctl", "dxx"},       {"kill", "dd"},
    {"lchown", "sdd"},      {"link", "ss"},         {"linkat", "fsfsx"},
    {"listen", "dd"},       {"lstat", "sx"},        {"memfd_create", "sx"},
    {"mkdir", "so"},        {"mkdirat", "fso"},     {"mknod", "sox"},
    {"mknodat", "fsox"},    {"mmap", "xxxxdx"},     {"mount", "sssxx"},
    {"move_mount", "fsfsx"}, {"mprotect", "xxx"},   {"name_to_handle_at", "fsxxx"},
    {"newfstatat", "fsxx"}, {"open", "sxo"},        {"openat", "fsxo"},
    {"openat2", "fsxd"},    {"open_tree", "fsx"},   {"perf_event_open", "xddd"},
    {"personality", "x"},   {"pivot_root", "ss"},   {"prctl", "dxxxx"},
    {"ptrace", "ddxx"},     {"quotactl", "xsdx"},   {"readlink", "sxd"},
    {"readlinkat", "fsxd"}, {"reboot", "xxxx"},     {"removexattr", "ss"},
    {"rename", "ss"},       {"renameat", "fsfs"},   {"renameat2", "fsfsx"},
    {"rmdir", "s"},         {"sched_setattr", "dxd"}, {"sched_setscheduler", "ddx"},
    {"setgid", "d"},        {"sethostname", "sd"},  {"setns", "dx"},
    {"setpriority", "ddd"}, {"setresgid", "ddd"},   {"setresuid", "ddd"},
    {"setuid", "d"},        {"setxattr", "ssxdx"},  {"socket", "ddd"},
    {"socketpair", "dddx"}, {"stat", "sx"},         {"statfs", "sx"},
    {"statx", "fsxxx"},     {"swapoff", "s"},       {"swapon", "sx"},
    {"symlink", "ss"},      {"symlinkat", "sfs"},   {"sysfs", "dxx"},
    {"syslog", "dxd"},      {"truncate", "sd"},     {"umount2", "sx"},
    {"uname", "x"},         {"unlink", "s"},        {"unlinkat", "fsx"},
    {"unshare", "x"},       {"utimensat", "fsxx"},
};

/* What is readable of a string in the thread's memory, up to the end of a page. */
static size_t read_string(pid_t thread, uint64_t address, char *text, size_t space) {
    size_t left = PAGE - (size_t)(address % PAGE);
    size_t size = space - 1;
    struct iovec here = {text, size};
    struct iovec there[2] = {{(void *)(uintptr_t)address, left < size ? left : size},
                             {(void *)(uintptr_t)(address + left), left < size ? size - left : 0}};
    ssize_t got = address ? process_vm_readv(thread, &here, 1, there, left < size ? 2 : 1, 0) : -1;
    text[got > 0 ? got : 0] = '\0';
    return got > 0 ? strlen(text) : 0;
}

static int put_string(pid_t thread, uint64_t address, char *text, size_t space) {
    char read[STRING_MOST + 1];
    size_t size = read_string(thread, address, read, sizeof(read));
    if (size == 0)
        return snprintf(text, space, address ? "0x%" PRIx64 : "NULL", address);
    for (size_t i = 0; i < size; i++)
        if (!isprint((unsigned char)read[i]) || read[i] == '"')
            read[i] = '?';
    return snprintf(text, space, "\"%s\"%s", read, size == STRING_MOST ? "..." : "");
}

static int put_one(char kind, uint64_t value, pid_t thread, char *text, size_t space) {
    switch (kind) {
    case 's': return put_string(thread, value, text, space);
    case 'f':
        if ((int)value == AT_FDCWD)
            return snprintf(text, space, "AT_FDCWD");
        return snprintf(text, space, "%d", (int)value);
    case 'd': return snprintf(text, space, "%d", (int)value);
    case 'o': return snprintf(text, space, "0%o", (unsigned)value);
    default: return snprintf(text, space, value < 10 ? "%" PRIu64 : "0x%" PRIx64, value);
    }
}

static const char *kinds_of(const char *name, const struct seccomp_data *call) {
    static const char all[] = "xxxxxx";
    size_t count = ARGUMENTS;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (strcmp(rows[i].name, name) == 0)
            return rows[i].kinds;
    while (count > 0 && call->args[count - 1] == 0)
        count--;
    return all + ARGUMENTS - count;
}

void denial_text_arguments(const char *name, const struct seccomp_data *call, pid_t thread,
                            char *text, size_t space) {
    const char *kinds = kinds_of(name, call);
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; kinds[i] && used + 3 < space; i++) {
        if (i > 0)
            used += (size_t)snprintf(text + used, space - used, ", ");
        used += (size_t)put_one(kinds[i], call->args[i], thread, text + used, space - used);
    }
}
