#include "agent/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/buffer.h"
#include "common/cleanup.h"
#include "common/file.h"

enum { DEPTH_MAX = 32, STEPS_MAX = 1 << 14, LIST_MOST = 8 << 20 };

void cgroup_name(uint64_t id, const char *process, char *name, size_t space) {
    snprintf(name, space, "%" PRIu64 "-%s", id, process);
}

int cgroup_open(const struct hierarchy *hierarchy, const char *name, int *directory) {
    int fd = openat(hierarchy->root, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return -errno;
    *directory = fd;
    return 0;
}

int cgroup_mkdir(int parent, const char *name) {
    mode_t before = umask(022);
    int r = mkdirat(parent, name, 0755) < 0 ? -errno : 0;
    umask(before);
    return r;
}

int cgroup_make(const struct hierarchy *hierarchy, const char *name, int *directory) {
    int r = cgroup_mkdir(hierarchy->root, name);
    if (r < 0)
        return r;
    r = cgroup_open(hierarchy, name, directory);
    if (r < 0)
        unlinkat(hierarchy->root, name, AT_REMOVEDIR);
    return r;
}

bool cgroup_key(const char *text, const char *key, uint64_t *value) {
    size_t size = strlen(key);
    for (const char *line = text; line && *line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, key, size) == 0 && line[size] == ' ') {
            *value = strtoull(line + size + 1, NULL, 10);
            return true;
        }
    }
    return false;
}

int cgroup_read_number(int directory, const char *file, uint64_t *value) {
    char text[64];
    ssize_t size = file_read(directory, file, text, sizeof(text));
    if (size < 0)
        return (int)size;
    char *end;
    uint64_t number = strcmp(text, "max") == 0 ? UINT64_MAX : strtoull(text, &end, 10);
    *value = number;
    return 0;
}

bool cgroup_populated(int directory) {
    char text[256];
    uint64_t populated;
    if (file_read(directory, "cgroup.events", text, sizeof(text)) < 0)
        return errno != ENODEV;
    return !cgroup_key(text, "populated", &populated) || populated != 0;
}

int cgroup_freeze(int directory, bool frozen) {
    return file_write(directory, "cgroup.freeze", frozen ? "1" : "0");
}

/* ---- walks over the cgroup and those below ---- */

/* Calls `visit` for every cgroup below, deepest first, then for `directory` itself. A visit's
 * failure goes on with the rest; the first one is returned. */
static int walk(int directory, unsigned depth, int (*visit)(int directory, void *data),
                void *data) {
    int result = depth > DEPTH_MAX ? -ELOOP : 0;
    DIR *entries = file_list(directory);
    for (struct dirent *entry; entries && depth <= DEPTH_MAX && (entry = readdir(entries));) {
        if (entry->d_type != DT_DIR || file_is_dots(entry->d_name))
            continue;
        _cleanup_close_ int below =
            openat(directory, entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        int r = below < 0 ? 0 : walk(below, depth + 1, visit, data);
        if (result == 0)
            result = r;
    }
    if (entries)
        closedir(entries);
    int r = visit(directory, data);
    return result < 0 ? result : r;
}

/* Whether the process is in this cgroup now: it is asked after its pidfd was opened, so that a pid
 * that changed hands in between is not signalled. */
bool cgroup_lists(int directory, pid_t pid) {
    _cleanup_(buffer_free) struct buffer text = {0};
    if (file_read_all(directory, "cgroup.procs", LIST_MOST, &text) < 0 ||
        buffer_append(&text, "", 1) < 0)
        return false;
    for (char *at = (char *)buffer_bytes(&text); *at;) {
        if (strtol(at, &at, 10) == pid)
            return true;
        at += strspn(at, "\n");
    }
    return false;
}

struct each {
    int (*visit)(pid_t pid, int pidfd, void *data);
    void *data;
};

static int each_one(int directory, pid_t pid, const struct each *each) {
    _cleanup_close_ int fd = pidfd_open(pid, 0);
    if (fd < 0)
        return errno == ESRCH ? 0 : -errno;
    return cgroup_lists(directory, pid) ? each->visit(pid, fd, each->data) : 0;
}

/* Appends the pids of one cgroup. One that somebody has made threaded tells none: they are listed
 * by the one above that is the root of its threads (cgroups(7)). */
static int list_visit(int directory, void *data) {
    struct buffer *pids = data;
    _cleanup_(buffer_free) struct buffer text = {0};
    int r = file_read_all(directory, "cgroup.procs", LIST_MOST, &text);
    if (r == -EOPNOTSUPP)
        return 0;
    if (r == 0)
        r = buffer_append(&text, "", 1);
    if (r < 0)
        return r;
    for (char *at = (char *)buffer_bytes(&text); r == 0 && *at;) {
        pid_t pid = (pid_t)strtol(at, &at, 10);
        at += strspn(at, "\n");
        if (pid > 0)
            r = buffer_append(pids, &pid, sizeof(pid));
    }
    return r;
}

int cgroup_pids(int directory, struct buffer *pids) {
    return walk(directory, 0, list_visit, pids);
}

struct wanted {
    pid_t pid;
    bool found;
};

static int look_for(int directory, void *data) {
    struct wanted *wanted = data;
    wanted->found = wanted->found || cgroup_lists(directory, wanted->pid);
    return 0;
}

bool cgroup_holds(int directory, pid_t pid) {
    struct wanted wanted = {.pid = pid};
    if (cgroup_lists(directory, pid))
        return true;
    walk(directory, 0, look_for, &wanted);
    return wanted.found;
}

static int each_visit(int directory, void *data) {
    _cleanup_(buffer_free) struct buffer list = {0};
    int r = list_visit(directory, &list);
    const pid_t *pids = (const void *)buffer_bytes(&list);
    for (size_t i = 0; r == 0 && i < list.size / sizeof(*pids); i++)
        r = each_one(directory, pids[i], data);
    return r;
}

int cgroup_each(int directory, int (*visit)(pid_t pid, int pidfd, void *data), void *data) {
    struct each each = {visit, data};
    return walk(directory, 0, each_visit, &each);
}

struct signal_visit {
    int signal;
    pid_t except;
};

static int signal_visit(pid_t pid, int pidfd, void *data) {
    const struct signal_visit *visit = data;
    if (pid == visit->except)
        return 0;
    return pidfd_send_signal(pidfd, visit->signal, NULL, 0) < 0 && errno != ESRCH ? -errno : 0;
}

int cgroup_signal(int directory, int signal, pid_t except) {
    struct signal_visit visit = {signal, except};
    return cgroup_each(directory, signal_visit, &visit);
}

int cgroup_kill(int directory) {
    int r = file_write(directory, "cgroup.kill", "1");
    return r == -ENOENT ? cgroup_signal(directory, SIGKILL, 0) : r;
}

/* Removes every cgroup right below that can be; *inner is one that cannot, most likely since it has
 * some below itself, or -1. */
static void remove_right_below(int directory, int *inner) {
    DIR *entries = file_list(directory);
    *inner = -1;
    for (struct dirent *entry; entries && (entry = readdir(entries));) {
        if (entry->d_type != DT_DIR || file_is_dots(entry->d_name) ||
            unlinkat(directory, entry->d_name, AT_REMOVEDIR) == 0 || *inner >= 0)
            continue;
        *inner = openat(directory, entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    }
    if (entries)
        closedir(entries);
}

/* Removes the cgroups below; leaves the directory itself. How deep they are nested is up to whoever
 * made them, so this goes down and comes up again by "..", with one descriptor open. The steps are
 * counted: where somebody fills them again meanwhile, the next try goes on. */
static void remove_below(int directory) {
    _cleanup_close_ int at = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    unsigned depth = 0;
    for (unsigned step = 0; at >= 0 && step < STEPS_MAX; step++) {
        int next;
        remove_right_below(at, &next);
        if (next < 0 && depth == 0)
            return;
        if (next < 0) {
            next = openat(at, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
            depth--;
        } else
            depth++;
        close(at);
        at = next;
    }
}

int cgroup_remove(const struct hierarchy *hierarchy, const char *name) {
    if (unlinkat(hierarchy->root, name, AT_REMOVEDIR) == 0)
        return 0;
    if (errno != EBUSY)
        return -errno;
    _cleanup_close_ int directory = -1;
    int r = cgroup_open(hierarchy, name, &directory);
    if (r < 0)
        return r;
    if (cgroup_populated(directory))
        return -EBUSY;
    remove_below(directory);
    return unlinkat(hierarchy->root, name, AT_REMOVEDIR) < 0 ? -errno : 0;
}
