#include "agent/credential.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/agent.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "common/log.h"
#include "common/name.h"
#include "protocol/client.h"

enum { FILE_MODE = 0400, DIRECTORY_MODE = 0500, BASE_MODE = 0711, NAME_MOST = 255 };

#define BASE_MODE_TEXT "0711"
#define QUIET (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

/* ---- the directory of all ---- */

void credentials_open(struct credentials *credentials, const char *socket) {
    char path[PATH_MAX];
    *credentials = (struct credentials){.directory = -1};
    if (holden_credentials_path(socket, path, sizeof(path)) == 0)
        credentials->path = strdup(path);
    /* Where that cannot be told there may be some: who clears up looks again. */
    credentials->used =
        credentials->path &&
        (faccessat(AT_FDCWD, credentials->path, F_OK, 0) == 0 || errno != ENOENT);
}

static bool is_mount(int fd) {
    struct statx status;
    return statx(fd, "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT, 0, &status) == 0 &&
           (status.stx_attributes & STATX_ATTR_MOUNT_ROOT);
}

/* Another mount of what is mounted there, nowhere in the tree, by which it can be written to. */
static int open_writable(int mounted) {
    struct mount_attr writable = {.attr_clr = MOUNT_ATTR_RDONLY};
    _cleanup_close_ int fd = open_tree(mounted, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC |
                                                        AT_EMPTY_PATH);
    if (fd < 0 || mount_setattr(fd, "", AT_EMPTY_PATH, &writable, sizeof(writable)) < 0)
        return -errno;
    return TAKE_FD(fd);
}

/* A new ramfs at `place`, an O_PATH descriptor of the path. The one to write by, or -errno. */
static int mount_on(int place, const char *path) {
    struct mount_attr closed = {.attr_set = MOUNT_ATTR_RDONLY};
    _cleanup_close_ int context = fsopen("ramfs", FSOPEN_CLOEXEC);
    if (context < 0 || fsconfig(context, FSCONFIG_SET_STRING, "mode", BASE_MODE_TEXT, 0) < 0 ||
        fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
        return -errno;
    _cleanup_close_ int mount = fsmount(context, FSMOUNT_CLOEXEC, QUIET);
    if (mount < 0 || move_mount(mount, "", place, "",
                                MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
        return -errno;
    int fd = open_writable(mount);
    if (fd >= 0 && mount_setattr(mount, "", AT_EMPTY_PATH, &closed, sizeof(closed)) == 0)
        return fd;
    int error = fd < 0 ? -fd : errno;
    cleanup_close(&fd);
    umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW);
    return -error;
}

/* What is there; -ENOENT where nothing is, made anew where `make`. */
static int open_base(struct credentials *credentials, bool make) {
    struct stat status;
    if (credentials->directory >= 0)
        return 0;
    if (!credentials->path)
        return -ENOENT;
    if (make && mkdir(credentials->path, BASE_MODE) < 0 && errno != EEXIST)
        return -errno;
    _cleanup_close_ int fd =
        open(credentials->path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &status) < 0)
        return -errno;
    if (status.st_uid != geteuid() || (status.st_mode & (S_IWGRP | S_IWOTH)))
        return -EPERM;
    int writable = is_mount(fd) ? open_writable(fd)
                   : make       ? mount_on(fd, credentials->path)
                                : -ENOENT;
    if (writable < 0) {
        writable = open(credentials->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (writable < 0 || fchmod(writable, BASE_MODE) < 0) {
            cleanup_close(&writable);
            return -errno;
        }
    }
    credentials->directory = writable;
    credentials->used = true;
    return 0;
}

void credentials_close(struct credentials *credentials, bool remove) {
    cleanup_close(&credentials->directory);
    credentials->directory = -1;
    if (remove && credentials->used) {
        umount2(credentials->path, MNT_DETACH | UMOUNT_NOFOLLOW);
        rmdir(credentials->path);
    }
    free(credentials->path);
    credentials->path = NULL;
}

/* ---- the directory of one ---- */

/* The bytes are gone from memory before the file is. */
static void wipe(int directory, const char *name) {
    static const char zeros[4096];
    struct stat status;
    _cleanup_close_ int fd = openat(directory, name, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0 && fstat(fd, &status) == 0)
        for (off_t left = status.st_size; left > 0;) {
            ssize_t size = write(fd, zeros, left < (off_t)sizeof(zeros) ? (size_t)left
                                                                        : sizeof(zeros));
            left = size > 0 ? left - size : 0;
        }
    unlinkat(directory, name, 0);
}

static int remove_named(const struct credentials *credentials, const char *name) {
    _cleanup_close_ int fd = openat(credentials->directory, name,
                                    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *entries = fd < 0 ? NULL : file_list(fd);
    if (!entries)
        return errno == ENOENT ? 0 : -errno;
    fchmod(fd, 0700); /* what needs no right but root's, another user's agent needs */
    for (struct dirent *entry; (entry = readdir(entries));)
        if (!file_is_dots(entry->d_name))
            wipe(fd, entry->d_name);
    closedir(entries);
    return unlinkat(credentials->directory, name, AT_REMOVEDIR) < 0 ? -errno : 0;
}

static bool next(struct holden_repeated *left, struct holden_credential *credential) {
    struct holden_nested nested;
    struct holden_fault fault;
    return holden_next_record(left, &nested) &&
           holden_decode(&holden_record_credential, nested.bytes.data, nested.bytes.size,
                         credential, &fault) == 0;
}

/* The later of two with one name holds. */
static int write_one(int directory, const struct holden_credential *credential, uid_t uid) {
    char name[NAME_MOST + 1];
    snprintf(name, sizeof(name), "%.*s", (int)credential->name.size, credential->name.data);
    wipe(directory, name);
    _cleanup_close_ int fd =
        openat(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
    if (fd < 0)
        return -errno;
    int r = file_write_all(fd, credential->data.data, credential->data.size);
    return r < 0 ? r : fchown(fd, uid, (gid_t)-1) < 0 ? -errno : 0;
}

static int write_all(const struct credentials *credentials, const char *name,
                     struct holden_repeated left, uid_t uid) {
    struct holden_credential credential;
    int r = remove_named(credentials, name);
    if (r == 0 && mkdirat(credentials->directory, name, 0700) < 0)
        r = -errno;
    _cleanup_close_ int fd = r < 0 ? -1
                                   : openat(credentials->directory, name,
                                            O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (r == 0 && fd < 0)
        r = -errno;
    while (r == 0 && next(&left, &credential))
        r = write_one(fd, &credential, uid);
    if (r == 0 && (fchmod(fd, DIRECTORY_MODE) < 0 || fchown(fd, uid, (gid_t)-1) < 0))
        r = -errno;
    return r;
}

int credential_make(struct process *process, const struct holden_properties *properties,
                    const struct identity *identity, char *path, size_t space,
                    struct failure *failure) {
    struct credentials *credentials = &process->agent->credentials;
    *path = '\0';
    if (!HOLDEN_HAS(properties, properties, set_credential))
        return 0;
    int r = open_base(credentials, true);
    if (r == 0)
        r = write_all(credentials, process->name, properties->set_credential, identity->uid);
    if (r < 0) {
        credential_remove(process);
        return failure_errno(failure, -r, "SetCredential", "cannot make %s/%s",
                             credentials->path ? credentials->path : "credentials",
                             process->name);
    }
    credential_find(process, properties, path, space);
    return 0;
}

void credential_find(const struct process *process, const struct holden_properties *properties,
                     char *path, size_t space) {
    const char *base = process->agent->credentials.path;
    *path = '\0';
    if (HOLDEN_HAS(properties, properties, set_credential) && base)
        snprintf(path, space, "%s/%s", base, process->name);
}

void credential_remove(struct process *process) {
    struct credentials *credentials = &process->agent->credentials;
    int r = credentials->used ? open_base(credentials, false) : -ENOENT;
    if (r == 0)
        r = remove_named(credentials, process->name);
    if (r < 0 && r != -ENOENT)
        log_warning("the credentials of %s cannot be removed from %s: %s", process->name,
                    credentials->path, strerror(-r));
}

void credentials_sweep(struct agent *agent) {
    struct credentials *credentials = &agent->credentials;
    if (!credentials->used || open_base(credentials, false) < 0)
        return;
    DIR *entries = file_list(credentials->directory);
    for (struct dirent *entry; entries && (entry = readdir(entries));) {
        const struct process *process = process_by_name(&agent->processes,
                                                        holden_view(entry->d_name));
        if (name_valid(entry->d_name, strlen(entry->d_name)) &&
            (!process || !process_alive(process)))
            remove_named(credentials, entry->d_name);
    }
    if (entries)
        closedir(entries);
}

/* ---- what is asked for ---- */

static bool is_name(struct holden_view name) {
    for (size_t i = 0; i < name.size; i++)
        if ((unsigned char)name.data[i] <= ' ' || name.data[i] == 0x7f || name.data[i] == '/' ||
            name.data[i] == ':')
            return false;
    return name.size > 0 && !holden_view_is(name, ".") && !holden_view_is(name, "..");
}

int credential_check(const struct holden_properties *properties, struct failure *failure) {
    struct holden_repeated left = properties->set_credential;
    struct holden_credential credential;
    size_t total = 0;
    while (HOLDEN_HAS(properties, properties, set_credential) && next(&left, &credential)) {
        if (!is_name(credential.name))
            return failure_set(failure, HOLDEN_code_INVALID, "SetCredential",
                               "\"%.*s\" is no name of a credential: it is that of a file, without "
                               "spaces and colons", (int)credential.name.size,
                               credential.name.data);
        total += credential.name.size + credential.data.size;
    }
    if (total > CREDENTIALS_MOST)
        return failure_set(failure, HOLDEN_code_TOO_MANY, "SetCredential",
                           "all credentials together are larger than 1 MiB");
    return 0;
}

/* ---- for others ---- */

void *credential_redact(struct holden_properties *properties) {
    struct holden_repeated left = properties->set_credential;
    struct holden_credential credential;
    const uint32_t most = left.count;
    if (!HOLDEN_HAS(properties, properties, set_credential))
        return NULL;
    holden_unmark(properties, HOLDEN_INDEX(properties, set_credential));
    struct holden_nested *items =
        calloc(most, sizeof(*items) + sizeof(struct holden_credential));
    if (!items)
        return NULL;
    struct holden_credential *shown = (void *)(items + most);
    uint32_t count = 0;
    for (; count < most && next(&left, &credential); count++) {
        HOLDEN_SET(&shown[count], credential, name, credential.name);
        HOLDEN_SET(&shown[count], credential, size, credential.data.size);
        items[count].value = &shown[count];
    }
    HOLDEN_SET(properties, properties, set_credential,
               (struct holden_repeated){.count = count, .items = items});
    return items;
}
