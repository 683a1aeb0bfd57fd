#include "agent/ipc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/detached.h"
#include "agent/tree.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "common/log.h"

enum { AT_ONCE = 1000 }; /* entries that are looked at while others wait */

static int remove_segment(int id) {
    return shmctl(id, IPC_RMID, NULL);
}

static int remove_set(int id) {
    return semctl(id, 0, IPC_RMID);
}

static int remove_queue(int id) {
    return msgctl(id, IPC_RMID, NULL);
}

/* The kernel's lists: numbers in columns, below a line of headings. */
static const struct list {
    const char *path;
    unsigned owner, attached; /* columns; 0: there is none */
    int (*remove)(int id);
} lists[] = {
    {"/proc/sysvipc/shm", 7, 6, remove_segment},
    {"/proc/sysvipc/sem", 4, 0, remove_set},
    {"/proc/sysvipc/msg", 7, 0, remove_queue},
};

enum { COLUMN_ID = 1, COLUMNS = 8 };

static bool read_columns(const char *line, int64_t columns[COLUMNS]) {
    for (unsigned i = 0; i < COLUMNS; i++) {
        int size = 0;
        if (sscanf(line, "%" SCNd64 "%n", &columns[i], &size) != 1)
            return false;
        line += size;
    }
    return true;
}

static bool clear_list(const struct list *list, uid_t uid, unsigned *left) {
    char line[512];
    FILE *file = fopen(list->path, "re");
    bool more = false;
    while (file && !more && fgets(line, sizeof(line), file)) {
        int64_t columns[COLUMNS];
        if (!read_columns(line, columns) || columns[list->owner] != (int64_t)uid ||
            (list->attached && columns[list->attached] > 0))
            continue;
        more = (*left)-- == 0;
        if (!more && list->remove((int)columns[COLUMN_ID]) < 0 && errno != EINVAL && errno != EIDRM)
            log_warning("RemoveIPC: %s, id %d: %s", list->path, (int)columns[COLUMN_ID],
                        strerror(errno));
    }
    if (file && ferror(file))
        log_warning("RemoveIPC: %s: %s", list->path, strerror(errno));
    if (file)
        fclose(file);
    return more;
}

static void remove_entry(DIR *entries, const char *directory, const char *name, mode_t mode) {
    char path[PATH_MAX];
    int r = 0;
    if (!S_ISDIR(mode))
        r = unlinkat(dirfd(entries), name, 0) < 0 ? -errno : 0;
    else if (snprintf(path, sizeof(path), "%s/%s", directory, name) < (int)sizeof(path))
        r = tree_remove(path);
    if (r < 0 && r != -ENOENT)
        log_warning("RemoveIPC: %s/%s: %s", directory, name, strerror(-r));
}

static bool clear_directory(const char *directory, uid_t uid, unsigned *left) {
    DIR *entries = opendir(directory);
    bool more = false;
    for (struct dirent *entry; entries && !more && (entry = readdir(entries));) {
        struct stat status;
        if (file_is_dots(entry->d_name))
            continue;
        more = (*left)-- == 0;
        if (!more && fstatat(dirfd(entries), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
            status.st_uid == uid)
            remove_entry(entries, directory, entry->d_name, status.st_mode);
    }
    if (entries)
        closedir(entries);
    return more;
}

/* Whether there is more than `left`. */
static bool clear(uid_t uid, unsigned left) {
    bool more = false;
    for (size_t i = 0; !more && i < ARRAY_SIZE(lists); i++)
        more = clear_list(&lists[i], uid, &left);
    return more || clear_directory("/dev/shm", uid, &left) ||
           clear_directory("/dev/mqueue", uid, &left);
}

void ipc_remove(uid_t uid) {
    if (uid == 0 || !clear(uid, AT_ONCE))
        return;
    int r = detached_fork("remover");
    if (r < 0)
        log_warning("RemoveIPC: what user %u has left cannot all be removed: %s", (unsigned)uid,
                    strerror(-r));
    if (r != 0)
        return;
    close_range(3, ~0U, 0);
    clear(uid, UINT32_MAX);
    _exit(0);
}
