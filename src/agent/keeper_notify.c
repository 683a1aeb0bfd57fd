#include "agent/keeper_notify.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "common/cleanup.h"
#include "common/log.h"

/* -ENAMETOOLONG where no socket can be called so. */
static int address_of(const char *path, struct sockaddr_un *address) {
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    int size = snprintf(address->sun_path, sizeof(address->sun_path), "%s.notify", path);
    return size < (int)sizeof(address->sun_path) ? 0 : -ENAMETOOLONG;
}

static int bind_anew(struct keeper_notify *notify, const char *path) {
    struct sockaddr_un address;
    struct stat made;
    const int yes = 1;
    int r = address_of(path, &address);
    if (r < 0)
        return r;
    _cleanup_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &yes, sizeof(yes)) < 0)
        return -errno;
    /* Whoever has the lock of PATH is the only one to use this name. */
    if (unlink(address.sun_path) < 0 && errno != ENOENT)
        return -errno;
    mode_t before = umask(0);
    r = bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : 0;
    umask(before);
    if (r < 0)
        return r;
    if (lstat(address.sun_path, &made) == 0) {
        notify->device = made.st_dev;
        notify->inode = made.st_ino;
    }
    return TAKE_FD(fd);
}

static bool find_file(const char *path, struct stat *found) {
    struct sockaddr_un address;
    return address_of(path, &address) == 0 && lstat(address.sun_path, found) == 0 &&
           S_ISSOCK(found->st_mode);
}

static bool is_there(const struct keeper_notify *notify, const char *path) {
    struct stat found;
    return find_file(path, &found) && found.st_dev == notify->device &&
           found.st_ino == notify->inode;
}

void keeper_notify_open(struct keeper_notify *notify, const char *path, int fd) {
    struct stat found;
    *notify = (struct keeper_notify){.fd = fd, .next = -1};
    if (fd >= 0 && find_file(path, &found)) {
        notify->device = found.st_dev;
        notify->inode = found.st_ino;
    }
    if (fd >= 0)
        return;
    notify->fd = bind_anew(notify, path);
    if (notify->fd >= 0)
        return;
    log_warning("cannot listen on %s.notify, so Type=notify is not possible here: %s", path,
                strerror(-notify->fd));
    notify->fd = -1;
}

bool keeper_notify_mend(struct keeper_notify *notify, const char *path) {
    if (notify->fd < 0 || is_there(notify, path))
        return false;
    int r = bind_anew(notify, path);
    if (r < 0) {
        log_error("%s.notify is gone and cannot be made again: %s; no process can report there "
                  "until the agent is started anew", path, strerror(-r));
        return false;
    }
    log_warning("%s.notify was gone, and has been made again", path);
    cleanup_close(&notify->next);
    notify->next = r;
    return true;
}

void keeper_notify_watch(const struct keeper_notify *notify, const char *path, int watch) {
    struct sockaddr_un address;
    if (notify->fd >= 0 && watch >= 0 && address_of(path, &address) == 0)
        inotify_add_watch(watch, address.sun_path, IN_ATTRIB | IN_MOVE_SELF | IN_DONT_FOLLOW);
}

void keeper_notify_renew(struct keeper_notify *notify) {
    if (notify->next < 0)
        return;
    close(notify->fd);
    notify->fd = TAKE_FD(notify->next);
}

static void remove_file(const struct keeper_notify *notify, const char *path) {
    struct sockaddr_un address;
    if (is_there(notify, path) && address_of(path, &address) == 0)
        unlink(address.sun_path);
}

void keeper_notify_forsake(const struct keeper_notify *notify, const char *path) {
    if (notify->next >= 0)
        remove_file(notify, path);
}

void keeper_notify_close(const struct keeper_notify *notify, const char *path) {
    const int fds[] = {notify->fd, notify->next};
    remove_file(notify, path);
    for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
        cleanup_close(&fds[i]);
}
