#include "agent/keeper_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "common/cleanup.h"
#include "common/log.h"

enum { SOCKET_BACKLOG = 4096 }; /* clients wait here while the agent is started again */

static bool same_file(const struct stat *one, const struct stat *other) {
    return one->st_dev == other->st_dev && one->st_ino == other->st_ino;
}

static int make_parents(const char *path) {
    char part[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
    for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        memcpy(part, path, (size_t)(slash - path));
        part[slash - path] = '\0';
        if (mkdir(part, 0755) < 0 && errno != EEXIST)
            return -errno;
    }
    return 0;
}

enum { LOCK_NAME_SPACE = sizeof(((struct sockaddr_un *)NULL)->sun_path) + sizeof(".lock") };

/* Only for who holds the lock. */
static void unlock_path(const char *path) {
    char name[LOCK_NAME_SPACE];
    snprintf(name, sizeof(name), "%s.lock", path);
    unlink(name);
}

/* The holder removes the file at its end, so what was opened may no longer be what others find. */
static int lock_path(const char *path) {
    char name[LOCK_NAME_SPACE];
    snprintf(name, sizeof(name), "%s.lock", path);
    for (;;) {
        _cleanup_close_ int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY,
                                      0600);
        if (fd < 0)
            return -errno;
        if (flock(fd, LOCK_EX | LOCK_NB) < 0)
            return errno == EWOULDBLOCK ? -EADDRINUSE : -errno;
        struct stat held, named;
        if (fstat(fd, &held) < 0)
            return -errno;
        if (stat(name, &named) == 0 && same_file(&held, &named))
            return TAKE_FD(fd);
    }
}

/* Removes a socket that its owner left behind. -EADDRINUSE: somebody listens; -EEXIST: no socket.
 */
static int clear_path(const struct sockaddr_un *address) {
    struct stat found;
    if (lstat(address->sun_path, &found) < 0)
        return errno == ENOENT ? 0 : -errno;
    if (!S_ISSOCK(found.st_mode))
        return -EEXIST;
    _cleanup_close_ int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (probe < 0)
        return -errno;
    if (connect(probe, (const struct sockaddr *)address, sizeof(*address)) == 0 ||
        errno == EAGAIN || errno == EPROTOTYPE)
        return -EADDRINUSE;
    if (errno != ECONNREFUSED)
        return -errno;
    return unlink(address->sun_path) < 0 ? -errno : 0;
}

static int listen_at(const struct sockaddr_un *address) {
    _cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    mode_t before = umask(0177);
    int r = bind(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 ? -errno : 0;
    umask(before);
    if (r < 0)
        return r;
    if (listen(fd, SOCKET_BACKLOG) < 0) {
        r = -errno;
        unlink(address->sun_path);
        return r;
    }
    return TAKE_FD(fd);
}

static int refuse(const char *path, int r) {
    const char *why = r == -EADDRINUSE ? "another agent has it; stop that one, or give --socket"
                      : r == -EEXIST
                          ? "something that is no socket is there; remove it, or give --socket"
                      : r == -ENAMETOOLONG ? "the path is longer than 107 bytes"
                                           : strerror(-r);
    log_error("cannot listen on %s: %s", path, why);
    return r;
}

/* The file itself is watched, not its directory, where others may come and go all the time: that
 * its name is gone shows as a change of its attributes, one of which is the number of names. False
 * where it cannot be watched. */
static bool watch_file(struct keeper_socket *socket) {
    struct stat made;
    char lock[LOCK_NAME_SPACE];
    snprintf(lock, sizeof(lock), "%s.lock", socket->path);
    cleanup_close(&socket->file);
    cleanup_close(&socket->watch);
    socket->file = open(socket->path, O_PATH | O_CLOEXEC | O_NOFOLLOW);
    socket->watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    bool known = socket->file >= 0 && fstat(socket->file, &made) == 0;
    if (known) {
        socket->device = made.st_dev;
        socket->inode = made.st_ino;
    }
    if (!known || socket->watch < 0 ||
        inotify_add_watch(socket->watch, socket->path, IN_ATTRIB | IN_MOVE_SELF | IN_DONT_FOLLOW) <
            0) {
        log_warning("cannot watch %s, which will not be made again if it is deleted: %s",
                    socket->path, strerror(errno));
        return false;
    }
    inotify_add_watch(socket->watch, lock, IN_ATTRIB | IN_MOVE_SELF | IN_DONT_FOLLOW);
    keeper_notify_watch(&socket->notify, socket->path, socket->watch);
    return true;
}

static bool is_there(const struct keeper_socket *socket) {
    struct stat found;
    return lstat(socket->path, &found) == 0 && found.st_dev == socket->device &&
           found.st_ino == socket->inode;
}

void keeper_socket_resume(struct keeper_socket *socket, const char *path, int fd, int lock) {
    *socket = (struct keeper_socket){
        .path = path, .fd = fd, .next = -1, .notify = {.fd = -1, .next = -1}, .lock = lock,
        .file = -1, .watch = -1};
    watch_file(socket);
}

static int open_locked(struct keeper_socket *socket, const struct sockaddr_un *address, int *lock) {
    int r = clear_path(address);
    if (r == 0)
        r = listen_at(address);
    if (r < 0) {
        unlock_path(socket->path);
        return r;
    }
    keeper_socket_resume(socket, socket->path, r, TAKE_FD(*lock));
    return 0;
}

int keeper_socket_open(struct keeper_socket *socket, const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof(address.sun_path))
        return refuse(path, -ENAMETOOLONG);
    memcpy(address.sun_path, path, strlen(path) + 1);
    mode_t before = umask(022);
    int r = make_parents(path);
    umask(before);
    if (r < 0)
        return refuse(path, r);
    _cleanup_close_ int lock = lock_path(path);
    if (lock < 0)
        return refuse(path, lock);
    socket->path = path;
    r = open_locked(socket, &address, &lock);
    return r < 0 ? refuse(path, r) : 0;
}

/* Of the file that is gone; root's alone where even that cannot be told. */
static int take_over_mode(const struct keeper_socket *socket) {
    struct stat before;
    if (fstat(socket->file, &before) < 0)
        return 0;
    return chown(socket->path, before.st_uid, before.st_gid) < 0 ||
                   chmod(socket->path, before.st_mode & 07777) < 0
               ? -errno
               : 0;
}

static int make_again(struct keeper_socket *socket) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, socket->path, strlen(socket->path) + 1);
    mode_t before = umask(022);
    int r = make_parents(socket->path);
    umask(before);
    if (r == 0 && unlink(socket->path) < 0 && errno != ENOENT)
        r = -errno;
    if (r == 0)
        r = listen_at(&address);
    if (r < 0)
        return r;
    cleanup_close(&socket->next);
    socket->next = r;
    return take_over_mode(socket);
}

/* Another agent could lock a file of that name meanwhile, but not listen beside a living one. True
 * where there is a new file. */
static bool lock_again(struct keeper_socket *socket) {
    char name[LOCK_NAME_SPACE];
    struct stat held, named;
    snprintf(name, sizeof(name), "%s.lock", socket->path);
    if (fstat(socket->lock, &held) == 0 && stat(name, &named) == 0 && same_file(&held, &named))
        return false;
    int lock = lock_path(socket->path);
    if (lock < 0)
        return false;
    close(socket->lock);
    socket->lock = lock;
    return true;
}

/* True where something was made again, and is watched now. */
static bool mend(struct keeper_socket *socket) {
    bool there = is_there(socket);
    int r = there ? 0 : make_again(socket);
    bool others = lock_again(socket);
    others |= keeper_notify_mend(&socket->notify, socket->path);
    if (!others && there)
        return false;
    if (r < 0)
        log_error("%s is gone and cannot be made again: %s; nobody can connect until the agent is "
                  "started anew", socket->path, strerror(-r));
    else if (!there)
        log_warning("%s was gone, and has been made again", socket->path);
    return watch_file(socket) && r == 0;
}

/* Until all is there: what went before it was watched again is not told. */
void keeper_socket_mend(struct keeper_socket *socket) {
    char events[512];
    while (read(socket->watch, events, sizeof(events)) > 0)
        ;
    while (mend(socket))
        ;
}

void keeper_socket_renew(struct keeper_socket *socket) {
    close(socket->fd);
    socket->fd = TAKE_FD(socket->next);
}

void keeper_socket_notify(struct keeper_socket *socket, int fd) {
    keeper_notify_open(&socket->notify, socket->path, fd);
    keeper_notify_watch(&socket->notify, socket->path, socket->watch);
    keeper_notify_mend(&socket->notify, socket->path);
}

void keeper_socket_close(struct keeper_socket *socket) {
    if (is_there(socket))
        unlink(socket->path);
    keeper_notify_close(&socket->notify, socket->path);
    unlock_path(socket->path);
    const int fds[] = {socket->fd, socket->next, socket->lock, socket->file, socket->watch};
    for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
        cleanup_close(&fds[i]);
}
