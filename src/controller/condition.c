#include "controller/condition.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "controller/condition_host.h"
#include "controller/condition_machine.h"
#include "controller/condition_virtual.h"

#define CONDITION_PRESSURE \
    "a share such as 20%, or 20%/10sec, 20%/1min, 20%/5min; that of a slice is not known here"

static bool path_exists(const char *path) {
    return access(path, F_OK) == 0;
}

static bool path_exists_glob(const char *pattern) {
    _cleanup_(globfree) glob_t found = {0};
    return glob(pattern, GLOB_NOSORT, NULL, &found) == 0;
}

static bool path_is_directory(const char *path) {
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static bool path_is_symbolic_link(const char *path) {
    struct stat status;
    return lstat(path, &status) == 0 && S_ISLNK(status.st_mode);
}

static bool path_is_mount_point(const char *path) {
    struct statx status;
    return statx(AT_FDCWD, path, 0, STATX_TYPE, &status) == 0 &&
           (status.stx_attributes & STATX_ATTR_MOUNT_ROOT);
}

/* What is not there is not read-only either, says systemd. */
static bool path_is_read_write(const char *path) {
    struct statvfs status;
    if (statvfs(path, &status) < 0)
        return true;
    return !(status.f_flag & ST_RDONLY) && (access(path, W_OK) == 0 || errno != EROFS);
}

static bool directory_not_empty(const char *path) {
    DIR *directory = opendir(path);
    bool found = false;
    if (!directory)
        return errno != ENOENT && errno != ENOTDIR;
    for (const struct dirent *entry; !found && (entry = readdir(directory));)
        found = strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(directory);
    return found;
}

static bool file_not_empty(const char *path) {
    struct stat status;
    return stat(path, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0;
}

static bool file_is_executable(const char *path) {
    struct stat status;
    return stat(path, &status) == 0 && S_ISREG(status.st_mode) && (status.st_mode & 0111);
}

/* A path has its own question, all else one of condition_host.h; with what its value is to be. */
static const struct row {
    const char *kind;
    bool (*path)(const char *value);
    condition_ask *ask;
    const char *value;
} rows[] = {
    {"PathExists", path_exists, NULL, NULL},
    {"PathExistsGlob", path_exists_glob, NULL, NULL},
    {"PathIsDirectory", path_is_directory, NULL, NULL},
    {"PathIsSymbolicLink", path_is_symbolic_link, NULL, NULL},
    {"PathIsMountPoint", path_is_mount_point, NULL, NULL},
    {"PathIsReadWrite", path_is_read_write, NULL, NULL},
    {"PathIsEncrypted", condition_path_is_encrypted, NULL, NULL},
    {"DirectoryNotEmpty", directory_not_empty, NULL, NULL},
    {"FileNotEmpty", file_not_empty, NULL, NULL},
    {"FileIsExecutable", file_is_executable, NULL, NULL},
    {"Architecture", NULL, condition_architecture, "an architecture"},
    {"Host", NULL, condition_host, "a host name or machine id"},
    {"KernelCommandLine", NULL, condition_kernel_command_line, "a word"},
    {"KernelVersion", NULL, condition_kernel_version, "patterns, or comparisons such as >=6.1"},
    {"OSRelease", NULL, condition_os_release, "comparisons such as ID=debian or VERSION_ID>=12"},
    {"Environment", NULL, condition_environment, "VARIABLE or VARIABLE=VALUE"},
    {"User", NULL, condition_user, "a user, or @system"},
    {"Group", NULL, condition_group, "a group"},
    {"CPUs", NULL, condition_cpus, "a number, after a comparison such as >= or <"},
    {"Memory", NULL, condition_memory, "a size, after a comparison such as >= or <"},
    {"Capability", NULL, condition_capability, "a capability, such as CAP_NET_ADMIN"},
    {"Security", NULL, condition_security,
     "selinux, apparmor, smack, tomoyo, ima, audit, uefi-secureboot or tpm2"},
    {"Firmware", NULL, condition_firmware,
     "uefi, device-tree, device-tree-compatible(NAME) or smbios-field(FIELD OPERATOR VALUE)"},
    {"ACPower", NULL, condition_ac_power, "yes or no"},
    {"Virtualization", NULL, condition_virtualization,
     "yes, no, vm, container, private-users, or a word such as kvm or docker"},
    {"CPUFeature", NULL, condition_cpu_feature, "a feature, such as sse4_2"},
    {"Credential", NULL, condition_credential, "the name of a credential"},
    {"NeedsUpdate", NULL, condition_needs_update, "/etc or /var"},
    {"FirstBoot", NULL, condition_first_boot, "yes or no"},
    {"ControlGroupController", NULL, condition_controller, "controllers, or v1 or v2"},
    {"MemoryPressure", NULL, condition_memory_pressure, CONDITION_PRESSURE},
    {"CPUPressure", NULL, condition_cpu_pressure, CONDITION_PRESSURE},
    {"IOPressure", NULL, condition_io_pressure, CONDITION_PRESSURE},
};

static const struct row *find(const char *name) {
    bool assertion = strncmp(name, "Assert", 6) == 0;
    const char *kind = assertion ? name + 6 : strncmp(name, "Condition", 9) == 0 ? name + 9 : "";
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (strcmp(rows[i].kind, kind) == 0)
            return &rows[i];
    return NULL;
}

bool condition_known(const char *name) {
    return find(name);
}

int condition_check(const char *name, const char *value, bool *holds, char why[160]) {
    const struct row *row = find(name);
    int r = !row         ? -ENOENT
            : row->ask   ? row->ask(value)
            : *value != '/' ? -EINVAL
                            : row->path(value);
    if (r >= 0)
        *holds = r;
    if (r == -EINVAL)
        snprintf(why, 160, "expected %s", row->value ? row->value : "an absolute path");
    else if (r < 0)
        snprintf(why, 160, "it cannot be told here whether that is so");
    return r < 0 ? r : 0;
}
