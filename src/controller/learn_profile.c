/* Writing what was learned as an OCI profile. */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/log.h"
#include "controller/learn.h"

enum { PROFILE_MOST = 4 << 20 };

/* What crun and runc call between the filter and exec, by their sources and by trying. */
static const char *const engine[] = {
    "access", "arch_prctl", "brk", "capget", "capset", "chdir", "clock_gettime", "clone", "close",
    "close_range", "dup", "dup2", "dup3", "epoll_ctl", "epoll_pwait", "execve", "exit",
    "exit_group", "faccessat", "faccessat2", "fchdir", "fcntl", "fstat", "fstatfs", "futex",
    "getcwd", "getdents64", "getegid", "geteuid", "getgid", "getpid", "getppid", "gettid",
    "getuid", "ioctl", "keyctl", "lseek", "mmap", "mprotect", "munmap", "nanosleep", "newfstatat",
    "open", "openat", "openat2", "poll", "ppoll", "prctl", "prlimit64", "pselect6", "read",
    "readlink", "readlinkat", "recvfrom", "recvmsg", "rt_sigaction", "rt_sigprocmask",
    "rt_sigreturn",
    "sched_yield", "sendmsg", "sendto", "set_robust_list", "setgid", "setgroups", "setresgid",
    "setresuid", "setsid", "setuid", "sigaltstack", "stat", "statfs", "statx", "tgkill", "umask",
    "uname", "write", "writev",
};

static void release(json_t **value) {
    json_decref(*value);
}

static int fail(const char *path, const char *why) {
    log_error("%s: %s", path, why);
    return STATUS_FAILED;
}

/* The names that a profile's rule allows without a condition become members of the set. */
static void add_rule(json_t *set, json_t *rule) {
    size_t i;
    json_t *name;
    const char *action = json_string_value(json_object_get(rule, "action"));
    bool plain = action && strcmp(action, "SCMP_ACT_ALLOW") == 0 &&
                 json_array_size(json_object_get(rule, "args")) == 0;
    if (!plain)
        return;
    json_t *names = json_object_get(rule, "names");
    json_array_foreach(names, i, name) {
        if (json_is_string(name))
            json_object_set_new(set, json_string_value(name), json_true());
    }
}

/* Adds what the profile at `path` allows. One that is not there is none, unless it `must` be. */
static int add_profile(json_t *set, const char *path, bool must) {
    _cleanup_(buffer_free) struct buffer text = {0};
    json_error_t error;
    size_t i;
    json_t *rule;
    int r = file_read_all(AT_FDCWD, path, PROFILE_MOST, &text);
    if (r == -ENOENT && !must)
        return STATUS_DONE;
    if (r < 0)
        return fail(path, strerror(-r));
    _cleanup_(release) json_t *root = json_loadb((const char *)buffer_bytes(&text), text.size, 0,
                                                 &error);
    if (!json_is_object(root) || !json_is_array(json_object_get(root, "syscalls")))
        return fail(path, "is no seccomp profile, so that nothing can be added to it");
    json_t *rules = json_object_get(root, "syscalls");
    json_array_foreach(rules, i, rule) {
        add_rule(set, rule);
    }
    return STATUS_DONE;
}

static int compare(const void *left, const void *right) {
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* In the order of the alphabet. */
static json_t *sorted_names(json_t *set) {
    json_t *names = json_array();
    size_t count = json_object_size(set);
    const char **list = calloc(count ? count : 1, sizeof(*list));
    size_t used = 0;
    const char *key;
    json_t *value;
    json_object_foreach(set, key, value) {
        if (list)
            list[used++] = key;
    }
    if (list)
        qsort(list, used, sizeof(*list), compare);
    for (size_t i = 0; i < used; i++)
        json_array_append_new(names, json_string(list[i]));
    free(list);
    return names;
}

static const char *architecture(void) {
    static const char *const rows[][2] = {
        {"x86_64", "SCMP_ARCH_X86_64"},   {"aarch64", "SCMP_ARCH_AARCH64"},
        {"ppc64le", "SCMP_ARCH_PPC64LE"}, {"s390x", "SCMP_ARCH_S390X"},
        {"riscv64", "SCMP_ARCH_RISCV64"},
    };
    struct utsname name;
    for (size_t i = 0; uname(&name) == 0 && i < ARRAY_SIZE(rows); i++)
        if (strcmp(name.machine, rows[i][0]) == 0)
            return rows[i][1];
    return NULL;
}

static json_t *make_profile(json_t *set) {
    const char *native = architecture();
    json_t *architectures = json_array();
    if (native)
        json_array_append_new(architectures, json_string(native));
    return json_pack("{s:s, s:i, s:o, s:[{s:o, s:s}]}", "defaultAction", "SCMP_ACT_ERRNO",
                     "defaultErrnoRet", EPERM, "architectures", architectures, "syscalls", "names",
                     sorted_names(set), "action", "SCMP_ACT_ALLOW");
}

static int write_profile(const char *path, json_t *set) {
    _cleanup_(release) json_t *profile = make_profile(set);
    _cleanup_free_ char *text = profile ? json_dumps(profile, JSON_INDENT(2)) : NULL;
    _cleanup_(buffer_free) struct buffer bytes = {0};
    if (!text || buffer_printf(&bytes, "%s\n", text) < 0)
        return fail(path, "out of memory");
    int r = file_replace(AT_FDCWD, path, buffer_bytes(&bytes), bytes.size, 0644);
    return r < 0 ? fail(path, strerror(-r)) : STATUS_DONE;
}

int learn_write(const char *path, const struct options *options, struct holden_repeated calls) {
    _cleanup_(release) json_t *set = json_object();
    struct holden_view name;
    char text[65];
    int status = add_profile(set, path, false);
    if (status == STATUS_DONE && options->merge)
        status = add_profile(set, options->merge, true);
    if (status != STATUS_DONE)
        return status;
    while (holden_next_view(&calls, &name)) {
        size_t size = name.size < sizeof(text) ? name.size : sizeof(text) - 1;
        memcpy(text, name.data, size);
        text[size] = '\0';
        json_object_set_new(set, text, json_true());
    }
    for (size_t i = 0; options->engine && i < ARRAY_SIZE(engine); i++)
        json_object_set_new(set, engine[i], json_true());
    return write_profile(path, set);
}
