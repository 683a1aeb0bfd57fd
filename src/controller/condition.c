#include "controller/condition.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "common/cleanup.h"

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

int condition_check(const char *name, const char *value, bool *holds) {
    static const struct { const char *kind; bool (*check)(const char *value); } rows[] = {
        {"PathExists", path_exists},
        {"PathExistsGlob", path_exists_glob},
        {"PathIsDirectory", path_is_directory},
        {"PathIsSymbolicLink", path_is_symbolic_link},
        {"PathIsMountPoint", path_is_mount_point},
        {"PathIsReadWrite", path_is_read_write},
        {"DirectoryNotEmpty", directory_not_empty},
        {"FileNotEmpty", file_not_empty},
        {"FileIsExecutable", file_is_executable},
    };
    bool assertion = strncmp(name, "Assert", 6) == 0;
    const char *kind = assertion ? name + 6 : strncmp(name, "Condition", 9) == 0 ? name + 9 : "";
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        if (strcmp(rows[i].kind, kind) != 0)
            continue;
        if (*value != '/')
            return -EINVAL;
        *holds = rows[i].check(value);
        return 0;
    }
    return -ENOENT;
}
