#include "agent/child_path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/cleanup.h"

enum { LINKS_MOST = 40 };

int child_path_open(const char *path) {
    struct open_how how = {.flags = O_PATH | O_CLOEXEC,
                           .resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
    return (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));
}

int child_path_has_link(const char *path) {
    _cleanup_close_ int fd = child_path_open(path);
    if (fd >= 0 || errno == ENOENT || errno == ENOTDIR)
        return 0;
    return errno == ELOOP ? 1 : -1;
}

/* Puts the target of a link in front of what is left of the path. */
static int put_before(char *rest, const char *target, size_t size) {
    size_t left = strlen(rest);
    if (size + left >= PATH_MAX) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memmove(rest + size, rest, left + 1);
    memcpy(rest, target, size);
    return 0;
}

/* Appends the first part of `rest` to `to`, by the rules of ".." and ".", and takes it off. */
static void step(char *rest, char *to) {
    size_t skip = strspn(rest, "/");
    size_t size = strcspn(rest + skip, "/");
    size_t at = strlen(to);
    if (size == 2 && memcmp(rest + skip, "..", 2) == 0) {
        char *slash = strrchr(to, '/');
        if (slash)
            *slash = '\0';
    } else if (size > 0 && !(size == 1 && rest[skip] == '.')) {
        to[at] = '/';
        memcpy(to + at + 1, rest + skip, size);
        to[at + 1 + size] = '\0';
    }
    memmove(rest, rest + skip + size, strlen(rest + skip + size) + 1);
}

int child_path_resolve(const char *path, char *to) {
    char rest[PATH_MAX], target[PATH_MAX];
    if (strlen(path) >= sizeof(rest)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    strcpy(rest, path);
    *to = '\0';
    for (unsigned links = 0; rest[strspn(rest, "/")];) {
        size_t before = strlen(to);
        if (before + strcspn(rest + strspn(rest, "/"), "/") + 2 > PATH_MAX) {
            errno = ENAMETOOLONG;
            return -1;
        }
        step(rest, to);
        ssize_t size = strlen(to) > before ? readlink(to, target, sizeof(target)) : -1;
        if (size < 0)
            continue;
        if (++links > LINKS_MOST || put_before(rest, target, (size_t)size) < 0) {
            errno = links > LINKS_MOST ? ELOOP : errno;
            return -1;
        }
        to[target[0] == '/' ? 0 : before] = '\0';
    }
    if (!*to)
        strcpy(to, "/");
    return 0;
}

/* Opens `name` in `directory` without following it, and makes it first where it is missing. */
static int enter(int directory, const char *name, bool is_directory) {
    int fd = openat(directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0 || errno != ENOENT)
        return fd;
    int made = is_directory ? mkdirat(directory, name, 0755)
                            : mknodat(directory, name, S_IFREG | 0644, 0);
    return made < 0 && errno != EEXIST ? -1
                                       : openat(directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
}

int child_path_make(const char *path, bool directory) {
    char name[NAME_MAX + 1];
    int at = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    for (path += strspn(path, "/"); at >= 0 && *path; path += strspn(path, "/")) {
        size_t size = strcspn(path, "/");
        if (size >= sizeof(name)) {
            close(at);
            errno = ENAMETOOLONG;
            return -1;
        }
        memcpy(name, path, size);
        name[size] = '\0';
        path += size;
        int next = enter(at, name, directory || *path);
        int error = errno;
        close(at);
        errno = error;
        at = next;
    }
    return at;
}
