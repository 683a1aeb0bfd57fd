#include "agent/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/machine.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "common/log.h"

enum { RECORD_VERSION = 1, RECORD_MOST = 8 << 20, RESERVE = 1000 };

static int make_path(const char *path) {
    char part[4096];
    if (strlen(path) >= sizeof(part))
        return -ENAMETOOLONG;
    strcpy(part, path);
    for (char *at = part + 1; (at = strchr(at, '/')); at++) {
        *at = '\0';
        if (mkdir(part, 0755) < 0 && errno != EEXIST)
            return -errno;
        *at = '/';
    }
    return mkdir(part, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

static int open_below(int directory, const char *name, int *out) {
    if (mkdirat(directory, name, 0700) < 0 && errno != EEXIST)
        return -errno;
    int fd = openat(directory, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return -errno;
    *out = fd;
    return 0;
}

/* Ids go on behind the last reservation: at most RESERVE are skipped by a crash. */
static int reserve_ids(struct store *store) {
    char text[32];
    snprintf(text, sizeof(text), "%" PRIu64 "\n", store->next_id + RESERVE);
    int r = file_replace(store->root, "next-id", text, strlen(text), 0600);
    if (r == 0)
        store->reserved = store->next_id + RESERVE;
    return r;
}

int store_open(struct store *store, const char *path, struct failure *failure) {
    *store = (struct store){.root = -1, .records = -1, .logs = -1, .next_id = 1};
    int r = make_path(path);
    if (r == 0 && !(store->path = strdup(path)))
        r = -ENOMEM;
    if (r == 0 && (store->root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)) < 0)
        r = -errno;
    struct stat status;
    if (r == 0 && (fstat(store->root, &status) < 0 || status.st_uid != geteuid()))
        return failure_set(failure, HOLDEN_code_FAILED, "state directory",
                           "%s belongs to user %u, not to the agent's: remove it or choose another "
                           "with --state-dir", path, (unsigned)status.st_uid);
    if (r == 0 && fchmod(store->root, 0700) < 0)
        r = -errno;
    if (r == 0)
        r = open_below(store->root, "records", &store->records);
    if (r == 0)
        r = open_below(store->root, "logs", &store->logs);
    if (r == 0)
        r = machine_boot_id(store->boot);
    if (r < 0)
        return failure_errno(failure, -r, "state directory", "cannot use %s", path);
    char text[32];
    if (file_read(store->root, "next-id", text, sizeof(text)) > 0)
        store->next_id = strtoull(text, NULL, 10);
    if (store->next_id == 0 || store->next_id == UINT64_MAX)
        store->next_id = 1;
    store->reserved = store->next_id;
    return 0;
}

static void empty_directory(int directory) {
    int copy = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *entries = copy < 0 ? NULL : fdopendir(copy);
    for (struct dirent *entry; entries && (entry = readdir(entries));)
        unlinkat(directory, entry->d_name, 0);
    if (entries)
        closedir(entries);
}

/* The files in it beside the directories; a .new is left by an agent that was killed as it wrote.
 */
static const char *const files[] = {"next-id", "next-id.new", "cgroup-made", "cgroup-made.new"};

void store_close(struct store *store, bool remove) {
    if (remove && store->root >= 0) {
        empty_directory(store->records);
        empty_directory(store->logs);
        unlinkat(store->root, "records", AT_REMOVEDIR);
        unlinkat(store->root, "logs", AT_REMOVEDIR);
        for (size_t i = 0; i < ARRAY_SIZE(files); i++)
            unlinkat(store->root, files[i], 0);
        rmdir(store->path);
    }
    for (const int *fd = (const int[]){store->root, store->records, store->logs, -2}; *fd != -2;
         fd++)
        if (*fd >= 0)
            close(*fd);
    free(store->path);
    *store = (struct store){.root = -1, .records = -1, .logs = -1};
}

int store_new_id(struct store *store, uint64_t *id) {
    int r = store->next_id >= store->reserved ? reserve_ids(store) : 0;
    if (r == 0)
        *id = store->next_id++;
    return r;
}

static void file_name(uint64_t id, char name[32]) {
    snprintf(name, 32, "%" PRIu64, id);
}

static void fill(const struct store *store, const struct process *process,
                 struct holden_kept *kept) {
    HOLDEN_SET(kept, kept, version, RECORD_VERSION);
    HOLDEN_SET(kept, kept, boot, holden_view(store->boot));
    HOLDEN_SET(kept, kept, id, process->id);
    HOLDEN_SET(kept, kept, name, holden_view(process->name));
    HOLDEN_SET(kept, kept, state, process->state);
    HOLDEN_SET(kept, kept, owner, process->owner);
    HOLDEN_SET(kept, kept, owner_group, process->owner_gid);
    HOLDEN_SET(kept, kept, user, process->user);
    HOLDEN_SET(kept, kept, request,
               (struct holden_view){(const char *)process->request, process->request_size});
    HOLDEN_SET(kept, kept, started, process->started_realtime);
    HOLDEN_SET(kept, kept, started_monotonic, process->started_monotonic);
    HOLDEN_SET(kept, kept, restarts, process->restarts);
    HOLDEN_SET(kept, kept, log, process->has_log);
    if (process->restart_token > 0)
        HOLDEN_SET(kept, kept, restart_token, process->restart_token);
    if (process->pid > 0)
        HOLDEN_SET(kept, kept, pid, (uint32_t)process->pid);
    if (process->last_pid > 0)
        HOLDEN_SET(kept, kept, last_pid, (uint32_t)process->last_pid);
    if (process_alive(process))
        return;
    HOLDEN_SET(kept, kept, ended, process->ended_realtime);
    HOLDEN_SET(kept, kept, ended_monotonic, process->ended_monotonic);
    HOLDEN_SET(kept, kept, code, (uint32_t)process->outcome.code);
    HOLDEN_SET(kept, kept, status, (uint32_t)process->outcome.status);
    HOLDEN_SET(kept, kept, cause, process->outcome.cause);
    if (process->outcome.explanation)
        HOLDEN_SET(kept, kept, explanation, holden_view(process->outcome.explanation));
    if (process->usage)
        HOLDEN_SET(kept, kept, usage, (struct holden_nested){.value = process->usage});
}

int store_write(struct store *store, const struct process *process) {
    struct holden_kept kept = {0};
    _cleanup_(buffer_free) struct buffer encoded = {0};
    char name[32];
    fill(store, process, &kept);
    int r = holden_encode(&holden_record_kept, &kept, &encoded);
    if (r < 0)
        return r;
    file_name(process->id, name);
    return file_replace(store->records, name, buffer_bytes(&encoded), encoded.size, 0600);
}

void store_forget(struct store *store, const struct process *process) {
    char name[32];
    file_name(process->id, name);
    unlinkat(store->records, name, 0);
}

void store_remove(struct store *store, const struct process *process) {
    char name[32];
    file_name(process->id, name);
    store_forget(store, process);
    if (process->has_log)
        unlinkat(store->logs, name, 0);
}

void store_remember(struct store *store, const char *name, bool *fact) {
    if (*fact)
        file_replace(store->root, name, "", 0, 0600);
    else
        *fact = faccessat(store->root, name, F_OK, 0) == 0;
}

/* ---- reading ---- */

static void move_aside(struct store *store, const char *name, const char *why) {
    log_warning("record %s/records/%s: %s; moved to %s/refused", store->path, name, why,
                store->path);
    mkdirat(store->root, "refused", 0700);
    char to[64];
    snprintf(to, sizeof(to), "refused/%.32s", name);
    if (renameat(store->records, name, store->root, to) < 0)
        unlinkat(store->records, name, 0);
}

static void read_one(struct store *store, struct agent *agent, const char *name,
                     void (*found)(struct agent *agent, const struct holden_kept *kept)) {
    _cleanup_(buffer_free) struct buffer bytes = {0};
    struct holden_kept kept;
    struct holden_fault fault;
    if (file_read_all(store->records, name, RECORD_MOST, &bytes) < 0) {
        move_aside(store, name, "cannot be read");
        return;
    }
    if (holden_decode(&holden_record_kept, buffer_bytes(&bytes), bytes.size, &kept, &fault) < 0)
        move_aside(store, name, "not whole");
    else if (kept.version > RECORD_VERSION)
        move_aside(store, name, "written by a newer agent");
    else if (!holden_view_is(kept.boot, store->boot))
        move_aside(store, name, "from before the last boot");
    else if (kept.id != strtoull(name, NULL, 10))
        move_aside(store, name, "of another id than its name says");
    else
        found(agent, &kept);
}

static int by_number(const struct dirent **a, const struct dirent **b) {
    uint64_t left = strtoull((*a)->d_name, NULL, 10), right = strtoull((*b)->d_name, NULL, 10);
    return left < right ? -1 : left > right;
}

static int is_record(const struct dirent *entry) {
    return entry->d_name[0] >= '0' && entry->d_name[0] <= '9' && !strchr(entry->d_name, '.');
}

int store_read(struct store *store, struct agent *agent,
               void (*found)(struct agent *agent, const struct holden_kept *kept)) {
    struct dirent **names;
    int count = scandirat(store->records, ".", &names, is_record, by_number);
    if (count < 0)
        return -errno;
    for (int i = 0; i < count; i++) {
        read_one(store, agent, names[i]->d_name, found);
        free(names[i]);
    }
    free(names);
    return 0;
}
