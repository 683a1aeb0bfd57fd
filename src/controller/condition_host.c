#include "controller/condition_host.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/unit.h"
#include "common/version.h"
#include "controller/account.h"
#include "controller/condition_order.h"
#include "controller/directive.h"
#include "controller/syntax.h"

enum { TEXT_MOST = 65536, SYSTEM_UID_MOST = 999 };

int condition_architecture(const char *value) {
    static const struct { const char *machine, *name; } names[] = {
        {"x86_64", "x86-64"},   {"i686", "x86"},        {"i586", "x86"},      {"i486", "x86"},
        {"i386", "x86"},        {"aarch64", "arm64"},   {"aarch64_be", "arm64-be"},
        {"armv8l", "arm"},      {"armv7l", "arm"},      {"armv6l", "arm"},    {"armv5tel", "arm"},
        {"ppc64", "ppc64"},     {"ppc64le", "ppc64-le"}, {"ppc", "ppc"},      {"s390x", "s390x"},
        {"s390", "s390"},       {"riscv64", "riscv64"}, {"riscv32", "riscv32"},
        {"mips64", "mips64"},   {"mips", "mips"},       {"loongarch64", "loongarch64"},
        {"sparc64", "sparc64"}, {"alpha", "alpha"},     {"ia64", "ia64"},
    };
    struct utsname name;
    if (strcmp(value, "native") == 0)
        return 1;
    if (uname(&name) < 0)
        return -EOPNOTSUPP;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (strcmp(names[i].machine, name.machine) == 0)
            return strcmp(names[i].name, value) == 0;
    return -EOPNOTSUPP;
}

/* A host name, which may have wildcards, or a machine id. */
int condition_host(const char *value) {
    struct utsname name;
    char id[64];
    if (strlen(value) == 32 && strspn(value, "0123456789abcdefABCDEF") == 32)
        return file_read(AT_FDCWD, "/etc/machine-id", id, sizeof(id)) < 0
                   ? -EOPNOTSUPP
                   : strcasecmp(id, value) == 0;
    if (uname(&name) < 0)
        return -EOPNOTSUPP;
    return fnmatch(value, name.nodename, FNM_CASEFOLD) == 0;
}

/* A word of it as it is, or with a value where the condition has none. */
int condition_kernel_command_line(const char *value) {
    char text[TEXT_MOST];
    size_t size = strlen(value);
    if (file_read(AT_FDCWD, "/proc/cmdline", text, sizeof(text)) < 0)
        return -EOPNOTSUPP;
    char *rest = NULL;
    for (char *word = strtok_r(text, " \t\n", &rest); word; word = strtok_r(NULL, " \t\n", &rest))
        if (strncmp(word, value, size) == 0 &&
            (word[size] == '\0' || (word[size] == '=' && !strchr(value, '='))))
            return 1;
    return 0;
}

/* Words that must all hold: a pattern, or a comparison, before or as the version. */
int condition_kernel_version(const char *value) {
    struct utsname name;
    struct holden_view word;
    if (uname(&name) < 0)
        return -EOPNOTSUPP;
    bool any = false;
    for (const char *at = value; syntax_word(&at, &word); any = true) {
        char text[256] = "";
        if (word.size >= sizeof(text))
            return -EINVAL;
        memcpy(text, word.data, word.size);
        const char *version = text;
        enum condition_order order = condition_order(&version);
        if (order != ORDER_NONE && !*version) {
            if (!syntax_word(&at, &word) || word.size >= sizeof(text))
                return -EINVAL;
            memset(text, 0, sizeof(text));
            memcpy(text, word.data, word.size);
            version = text;
        }
        bool good = order == ORDER_NONE
                        ? fnmatch(version, name.release, 0) == 0
                        : condition_ordered(version_compare(name.release, version), order);
        if (!good)
            return 0;
    }
    return any ? 1 : -EINVAL;
}

/* The value of a field of os-release(5), without its quotes; false where it is not there. */
static bool find_release(const char *name, char value[256]) {
    char text[TEXT_MOST];
    size_t size = strlen(name);
    if (file_read(AT_FDCWD, "/etc/os-release", text, sizeof(text)) < 0 &&
        file_read(AT_FDCWD, "/usr/lib/os-release", text, sizeof(text)) < 0)
        return false;
    char *rest = NULL;
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        if (strncmp(line, name, size) != 0 || line[size] != '=')
            continue;
        const char *at = line + size + 1;
        size_t quoted = *at == '"' || *at == '\'';
        snprintf(value, 256, "%.*s", (int)strcspn(at + quoted, quoted ? (char[]){*at, 0} : " "),
                 at + quoted);
        return true;
    }
    return false;
}

static int compare_release(const char *text) {
    char name[64], value[256] = "";
    size_t size = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");
    if (size == 0 || size >= sizeof(name))
        return -EINVAL;
    snprintf(name, sizeof(name), "%.*s", (int)size, text);
    const char *wanted = text + size;
    enum condition_order order = condition_order(&wanted);
    if (order == ORDER_NONE || !*wanted)
        return -EINVAL;
    bool there = find_release(name, value);
    if (order == ORDER_EQUAL)
        return there && strcmp(value, wanted) == 0;
    if (order == ORDER_UNEQUAL)
        return !there || strcmp(value, wanted) != 0;
    return condition_ordered(version_compare(value, wanted), order);
}

int condition_os_release(const char *value) {
    struct holden_view word;
    int r = -EINVAL;
    for (const char *at = value; syntax_word(&at, &word);) {
        char text[256] = "";
        if (word.size >= sizeof(text))
            return -EINVAL;
        memcpy(text, word.data, word.size);
        r = compare_release(text);
        if (r <= 0)
            return r;
    }
    return r;
}

int condition_environment(const char *value) {
    char name[256];
    size_t size = strcspn(value, "=");
    if (size == 0 || size >= sizeof(name))
        return -EINVAL;
    snprintf(name, sizeof(name), "%.*s", (int)size, value);
    const char *found = getenv(name);
    return found && (value[size] == '\0' || strcmp(found, value + size + 1) == 0);
}

int condition_user(const char *value) {
    _cleanup_(account_free) struct account account = {0};
    uint64_t number;
    if (strcmp(value, "@system") == 0)
        return getuid() <= SYSTEM_UID_MOST || geteuid() <= SYSTEM_UID_MOST;
    if (unit_parse_count(value, &number) == 0)
        return number == getuid() || number == geteuid();
    int r = account_by_name(value, &account);
    if (r < 0)
        return r == -ENOENT ? 0 : -EOPNOTSUPP;
    return account.uid == getuid() || account.uid == geteuid();
}

int condition_group(const char *value) {
    gid_t groups[NGROUPS_MAX];
    uint64_t number;
    uint32_t gid;
    int r = 0;
    if (unit_parse_count(value, &number) == 0 && number < UINT32_MAX)
        gid = (uint32_t)number;
    else if ((r = account_group(value, &gid)) < 0)
        return r == -ENOENT ? 0 : -EOPNOTSUPP;
    int count = getgroups(NGROUPS_MAX, groups);
    for (int i = 0; i < count; i++)
        if (groups[i] == gid)
            return 1;
    return gid == getgid() || gid == getegid();
}

int condition_cpus(const char *value) {
    cpu_set_t set;
    uint64_t wanted;
    enum condition_order order = condition_order(&value);
    if (unit_parse_count(value, &wanted) < 0 || wanted > INT_MAX)
        return -EINVAL;
    if (sched_getaffinity(0, sizeof(set), &set) < 0)
        return -EOPNOTSUPP;
    uint64_t count = (uint64_t)CPU_COUNT(&set);
    return condition_ordered((count > wanted) - (count < wanted),
                             order == ORDER_NONE ? ORDER_LEAST : order);
}

int condition_memory(const char *value) {
    uint64_t wanted;
    enum condition_order order = condition_order(&value);
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    if (unit_parse_size(value, &wanted) < 0)
        return -EINVAL;
    if (pages < 0 || page < 0)
        return -EOPNOTSUPP;
    uint64_t bytes = (uint64_t)pages * (uint64_t)page;
    return condition_ordered((bytes > wanted) - (bytes < wanted),
                             order == ORDER_NONE ? ORDER_LEAST : order);
}
