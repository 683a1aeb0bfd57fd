#include "controller/condition_machine.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

#include "common/cleanup.h"
#include "common/file.h"
#include "common/version.h"
#include "controller/condition_order.h"
#include "controller/directive.h"

enum { DEPTH_MOST = 16 };

/* ---- firmware ---- */

/* The list of names in it, each ended by a NUL. */
static bool is_compatible(const char *name) {
    char text[4096];
    _cleanup_close_ int fd = open("/proc/device-tree/compatible", O_RDONLY | O_CLOEXEC);
    ssize_t size = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
    if (size <= 0)
        return false;
    text[size] = '\0';
    for (const char *at = text; at < text + size; at += strlen(at) + 1)
        if (strcmp(at, name) == 0)
            return true;
    return false;
}

static void cut_space(char *text) {
    size_t size = strlen(text);
    while (size > 0 && strchr(" \t\n", text[size - 1]))
        text[--size] = '\0';
}

/* "=" and "!=" compare as they are, "$=" and "!$=" by patterns, all others versions. */
static int compare_field(const char *found, const char *operation) {
    bool unlike = *operation == '!';
    const char *at = operation + unlike;
    if (*at == '$' && at[1] == '=') {
        at += 2 + strspn(at + 2, " \t");
        return (fnmatch(at, found, 0) == 0) != unlike;
    }
    enum condition_order order = condition_order(&operation);
    if (order == ORDER_NONE)
        return -EINVAL;
    if (order == ORDER_EQUAL || order == ORDER_UNEQUAL)
        return (strcmp(found, operation) == 0) == (order == ORDER_EQUAL);
    return condition_ordered(version_compare(found, operation), order);
}

/* FIELD OPERATOR VALUE, where a field is a file in sysfs. */
static int ask_field(char *expression) {
    char path[PATH_MAX], found[4096], name[NAME_MAX + 1];
    size_t size = strcspn(expression, "!<=>$");
    if (size == 0 || size > NAME_MAX || !expression[size])
        return -EINVAL;
    snprintf(name, sizeof(name), "%.*s", (int)size, expression);
    cut_space(name);
    if (!*name || strchr(name, '/') || *name == '.')
        return -EINVAL;
    snprintf(path, sizeof(path), "/sys/class/dmi/id/%s", name);
    if (file_read(AT_FDCWD, path, found, sizeof(found)) < 0)
        return 0;
    cut_space(found);
    return compare_field(found, expression + size);
}

/* NAME(ARGUMENT): whether it is that, with the argument. */
static bool takes_argument(const char *value, const char *name, char argument[256]) {
    size_t size = strlen(name), all = strlen(value);
    if (strncmp(value, name, size) != 0 || value[size] != '(' || value[all - 1] != ')' ||
        all - size - 2 >= 256)
        return false;
    snprintf(argument, 256, "%.*s", (int)(all - size - 2), value + size + 1);
    return true;
}

int condition_firmware(const char *value) {
    char argument[256];
    if (strcmp(value, "uefi") == 0)
        return access("/sys/firmware/efi/", F_OK) == 0;
    if (strcmp(value, "device-tree") == 0)
        return access("/sys/firmware/devicetree/", F_OK) == 0;
    if (takes_argument(value, "device-tree-compatible", argument))
        return is_compatible(argument);
    if (takes_argument(value, "smbios-field", argument))
        return ask_field(argument);
    return -EINVAL;
}

/* ---- power ---- */

#define SUPPLIES "/sys/class/power_supply"

static bool read_supply(const char *name, const char *file, char text[64]) {
    char path[PATH_MAX];
    snprintf(path, sizeof(path), SUPPLIES "/%s/%s", name, file);
    return file_read(AT_FDCWD, path, text, 64) >= 0;
}

/* One that is there, and of the machine rather than of a device such as a mouse. */
static bool discharges(const char *name) {
    char text[64];
    if (read_supply(name, "scope", text) && strncmp(text, "Device", 6) == 0)
        return false;
    if (!read_supply(name, "present", text) || strtol(text, NULL, 10) == 0)
        return false;
    return !read_supply(name, "status", text) || strncmp(text, "Discharging", 11) == 0;
}

/* It is also where nothing is known of any. */
static bool on_ac_power(void) {
    bool online = false, discharging = false;
    char text[64];
    DIR *supplies = opendir(SUPPLIES);
    if (!supplies)
        return true;
    for (const struct dirent *entry; (entry = readdir(supplies));) {
        if (*entry->d_name == '.' || !read_supply(entry->d_name, "type", text))
            continue;
        if (strncmp(text, "Battery", 7) == 0)
            discharging |= discharges(entry->d_name);
        else if (read_supply(entry->d_name, "online", text))
            online |= strtol(text, NULL, 10) > 0;
    }
    closedir(supplies);
    return online || !discharging;
}

int condition_ac_power(const char *value) {
    bool wanted;
    return directive_boolean(value, &wanted) < 0 ? -EINVAL : on_ac_power() == wanted;
}

/* ---- CPU ---- */

#if defined(__x86_64__) || defined(__i386__)
enum { EBX, ECX, EDX, REGISTERS };

static const struct feature {
    const char *name;
    unsigned leaf, reg, bit;
} features[] = {
    {"fpu", 1, EDX, 0},      {"vme", 1, EDX, 1},       {"de", 1, EDX, 2},
    {"pse", 1, EDX, 3},      {"tsc", 1, EDX, 4},       {"msr", 1, EDX, 5},
    {"pae", 1, EDX, 6},      {"mce", 1, EDX, 7},       {"cx8", 1, EDX, 8},
    {"apic", 1, EDX, 9},     {"sep", 1, EDX, 11},      {"mtrr", 1, EDX, 12},
    {"pge", 1, EDX, 13},     {"mca", 1, EDX, 14},      {"cmov", 1, EDX, 15},
    {"pat", 1, EDX, 16},     {"pse36", 1, EDX, 17},    {"clflush", 1, EDX, 19},
    {"mmx", 1, EDX, 23},     {"fxsr", 1, EDX, 24},     {"sse", 1, EDX, 25},
    {"sse2", 1, EDX, 26},    {"ht", 1, EDX, 28},       {"pni", 1, ECX, 0},
    {"pclmul", 1, ECX, 1},   {"monitor", 1, ECX, 3},   {"ssse3", 1, ECX, 9},
    {"fma3", 1, ECX, 12},    {"cx16", 1, ECX, 13},     {"sse4_1", 1, ECX, 19},
    {"sse4_2", 1, ECX, 20},  {"movbe", 1, ECX, 22},    {"popcnt", 1, ECX, 23},
    {"aes", 1, ECX, 25},     {"xsave", 1, ECX, 26},    {"osxsave", 1, ECX, 27},
    {"avx", 1, ECX, 28},     {"f16c", 1, ECX, 29},     {"rdrand", 1, ECX, 30},
    {"bmi1", 7, EBX, 3},     {"avx2", 7, EBX, 5},      {"bmi2", 7, EBX, 8},
    {"rdseed", 7, EBX, 18},  {"adx", 7, EBX, 19},      {"sha_ni", 7, EBX, 29},
    {"syscall", 0x80000001, EDX, 11}, {"rdtscp", 0x80000001, EDX, 27},
    {"lm", 0x80000001, EDX, 29},      {"lahf_lm", 0x80000001, ECX, 0},
    {"abm", 0x80000001, ECX, 5},      {"constant_tsc", 0x80000007, EDX, 8},
};

int condition_cpu_feature(const char *value) {
    for (size_t i = 0; i < ARRAY_SIZE(features); i++) {
        unsigned a, b, c, d;
        const struct feature *feature = &features[i];
        if (strcmp(feature->name, value) != 0)
            continue;
        if (!__get_cpuid_count(feature->leaf, 0, &a, &b, &c, &d))
            return 0;
        const unsigned registers[REGISTERS] = {[EBX] = b, [ECX] = c, [EDX] = d};
        return registers[feature->reg] >> feature->bit & 1;
    }
    return 0;
}
#else
/* Other processors have none of these names. */
int condition_cpu_feature(const char *value) {
    return *value ? 0 : -EINVAL;
}
#endif

/* ---- credentials ---- */

static bool has_credential(const char *directory, const char *name) {
    char path[PATH_MAX];
    int size = snprintf(path, sizeof(path), "%s/%s", directory, name);
    return size < (int)sizeof(path) && faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Where systemd's manager has them, unless the caller has its own. */
int condition_credential(const char *value) {
    static const struct { const char *variable, *usual; } places[] = {
        {"CREDENTIALS_DIRECTORY", "/run/credentials/@system"},
        {"ENCRYPTED_CREDENTIALS_DIRECTORY", "/run/credentials/@encrypted"},
    };
    if (!*value || strchr(value, '/') || strlen(value) > NAME_MAX || *value == '.')
        return -EINVAL;
    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        const char *own = getenv(places[i].variable);
        if (has_credential(own ? own : places[i].usual, value))
            return 1;
    }
    return 0;
}

/* ---- updates ---- */

/* The boolean that the kernel was started with under that name; false where there is none. */
static bool boot_says(const char *name, bool *truth) {
    char text[65536], *rest = NULL;
    bool found = false;
    size_t size = strlen(name);
    if (file_read(AT_FDCWD, "/proc/cmdline", text, sizeof(text)) < 0)
        return false;
    for (char *word = strtok_r(text, " \t\n", &rest); word; word = strtok_r(NULL, " \t\n", &rest))
        if (strncmp(word, name, size) == 0 && (word[size] == '\0' || word[size] == '=')) {
            *truth = true;
            found = word[size] == '\0' || directive_boolean(word + size + 1, truth) == 0;
        }
    return found;
}

/* Nanoseconds since 1970 that the stamp file itself tells, where its file system has none. */
static uint64_t told_by(const char *stamp) {
    char text[4096];
    if (file_read(AT_FDCWD, stamp, text, sizeof(text)) < 0)
        return 0;
    const char *at = strstr(text, "TIMESTAMP_NSEC=");
    return at ? strtoull(at + strlen("TIMESTAMP_NSEC="), NULL, 10) : 0;
}

/* /usr is newer than the stamp in there. What cannot be told counts as in need. */
int condition_needs_update(const char *value) {
    struct stat usr, stamp;
    struct statvfs system;
    char path[PATH_MAX];
    bool told;
    if (*value != '/' || strlen(value) > PATH_MAX - sizeof("/.updated"))
        return -EINVAL;
    if (boot_says("systemd.condition-needs-update", &told))
        return told;
    if (statvfs(value, &system) == 0 && system.f_flag & ST_RDONLY)
        return 0;
    snprintf(path, sizeof(path), "%s/.updated", value);
    if (lstat(path, &stamp) < 0 || lstat("/usr/", &usr) < 0)
        return 1;
    if (usr.st_mtim.tv_sec != stamp.st_mtim.tv_sec)
        return usr.st_mtim.tv_sec > stamp.st_mtim.tv_sec;
    if (usr.st_mtim.tv_nsec == 0 || stamp.st_mtim.tv_nsec > 0)
        return usr.st_mtim.tv_nsec > stamp.st_mtim.tv_nsec;
    uint64_t ours = told_by(path);
    uint64_t theirs = (uint64_t)usr.st_mtim.tv_sec * 1000000000 + (uint64_t)usr.st_mtim.tv_nsec;
    return ours == 0 || theirs > ours;
}

/* ---- encryption ---- */

/* By the name that device-mapper gives such a device, or each of those that it is made of. */
static bool is_encrypted(const char *device, unsigned depth) {
    char path[PATH_MAX], text[256];
    snprintf(path, sizeof(path), "%s/dm/uuid", device);
    if (file_read(AT_FDCWD, path, text, sizeof(text)) >= 0 && strncmp(text, "CRYPT-", 6) == 0)
        return true;
    snprintf(path, sizeof(path), "%s/slaves", device);
    DIR *slaves = depth < DEPTH_MOST ? opendir(path) : NULL;
    bool all = slaves, any = false;
    for (const struct dirent *entry; all && (entry = readdir(slaves));) {
        if (*entry->d_name == '.')
            continue;
        any = true;
        int size = snprintf(path, sizeof(path), "%s/slaves/%s", device, entry->d_name);
        all = size < (int)sizeof(path) && is_encrypted(path, depth + 1);
    }
    if (slaves)
        closedir(slaves);
    return all && any;
}

/* The device that a file system without a number of its own, such as btrfs, is mounted from. */
static bool find_device(dev_t number, dev_t *device) {
    char line[8192];
    unsigned major_, minor_;
    struct stat status;
    bool found = false;
    FILE *table = fopen("/proc/self/mountinfo", "re");
    while (table && !found && fgets(line, sizeof(line), table)) {
        char source[PATH_MAX];
        const char *end = strstr(line, " - ");
        found = sscanf(line, "%*s %*s %u:%u", &major_, &minor_) == 2 &&
                makedev(major_, minor_) == number && end &&
                sscanf(end, " - %*s %4095s", source) == 1 && stat(source, &status) == 0 &&
                S_ISBLK(status.st_mode);
    }
    if (table)
        fclose(table);
    if (found)
        *device = status.st_rdev;
    return found;
}

bool condition_path_is_encrypted(const char *path) {
    struct stat status;
    char device[64];
    if (stat(path, &status) < 0)
        return false;
    dev_t number = S_ISBLK(status.st_mode) ? status.st_rdev : status.st_dev;
    if (major(number) == 0 && !find_device(number, &number))
        return false;
    snprintf(device, sizeof(device), "/sys/dev/block/%u:%u", major(number), minor(number));
    return is_encrypted(device, 0);
}
