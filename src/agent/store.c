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
#include "agent/nodes.h"
#include "agent/record.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "common/log.h"
#include "common/name.h"

enum { RECORD_MOST = 8 << 20, RESERVE = 1000, READ_TRIES = 3 };

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
    *store = (struct store){
        .root = -1, .records = -1, .logs = -1, .next_id = 1, .owner = geteuid()};
    int r = make_path(path);
    if (r == 0 && !(store->path = strdup(path)))
        r = -ENOMEM;
    if (r == 0 && (store->root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)) < 0)
        r = -errno;
    struct stat status;
    if (r == 0 && (fstat(store->root, &status) < 0 || status.st_uid != store->owner))
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
    DIR *entries = file_list(directory);
    for (struct dirent *entry; entries && (entry = readdir(entries));)
        unlinkat(directory, entry->d_name, 0);
    if (entries)
        closedir(entries);
}

/* The files in it beside the directories; a .new is left by an agent that was killed as it wrote.
 */
static const char *const files[] = {"next-id", "next-id.new", "cgroup-made", "cgroup-made.new",
                                    "events", "audit"};

void store_close(struct store *store, bool remove) {
    if (remove && store->root >= 0) {
        empty_directory(store->records);
        empty_directory(store->logs);
        unlinkat(store->root, "records", AT_REMOVEDIR);
        unlinkat(store->root, "logs", AT_REMOVEDIR);
        nodes_remove(store->root);
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

int store_write(struct store *store, const struct process *process) {
    _cleanup_(buffer_free) struct buffer encoded = {0};
    char name[32];
    int r = record_encode(process, store->boot, &encoded);
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

int store_remember(struct store *store, const char *name, bool *fact) {
    if (*fact)
        return file_replace(store->root, name, "", 0, 0600);
    *fact = faccessat(store->root, name, F_OK, 0) == 0;
    return *fact || errno == ENOENT ? 0 : -errno;
}

/* ---- reading ---- */

/* To where a person can look at it, beside what is there from earlier. What cannot be moved stays
 * where it is and is refused again the next time. */
static void set_aside(struct store *store, int directory, const char *what, const char *name,
                      const char *why) {
    enum { TRIES = 10000 };
    char to[320];
    int r = mkdirat(store->root, "refused", 0700) < 0 && errno != EEXIST ? -errno : -EEXIST;
    for (unsigned number = 0; r == -EEXIST && number < TRIES; number++) {
        if (number == 0)
            snprintf(to, sizeof(to), "refused/%s", name);
        else
            snprintf(to, sizeof(to), "refused/%s.%u", name, number);
        r = renameat2(directory, name, store->root, to, RENAME_NOREPLACE) < 0 ? -errno : 0;
    }
    if (r == 0)
        log_warning("%s%s of %s is refused: %s; moved to %s/%s", what, name, store->path, why,
                    store->path, to);
    else
        log_warning("%s%s of %s is refused: %s; it stays there, since it cannot be moved to "
                    "%s/refused: %s", what, name, store->path, why, store->path, strerror(-r));
}

void store_set_aside(struct store *store, const char *name, const char *why) {
    set_aside(store, store->root, "", name, why);
}

bool store_refused(const struct store *store, uint64_t id) {
    char number[32];
    size_t size = (size_t)snprintf(number, sizeof(number), "%" PRIu64, id);
    static const char *const places[] = {"refused", "records"};
    bool there = false;
    for (size_t i = 0; i < ARRAY_SIZE(places) && !there; i++) {
        int fd = openat(store->root, places[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        DIR *entries = fd < 0 ? NULL : fdopendir(fd);
        for (struct dirent *entry; entries && !there && (entry = readdir(entries));)
            there = strncmp(entry->d_name, number, size) == 0 &&
                    (entry->d_name[size] == '\0' || entry->d_name[size] == '.');
        if (entries)
            closedir(entries);
    }
    return there;
}

/* The whole record. NULL; or what it is instead, in words. */
static const char *read_record(const struct store *store, int directory, const char *name,
                               struct buffer *bytes) {
    _cleanup_close_ int fd =
        openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    struct stat status;
    uint8_t *room;
    if (fd < 0 && errno == ELOOP)
        return "it is a symbolic link";
    if (fd < 0 || fstat(fd, &status) < 0)
        return strerror(errno);
    if (S_ISDIR(status.st_mode))
        return "it is a directory";
    if (!S_ISREG(status.st_mode))
        return "it is no regular file";
    if (status.st_uid != store->owner)
        return "it belongs to another user";
    if (status.st_size > RECORD_MOST)
        return "it is longer than a record can be";
    if (buffer_reserve(bytes, (size_t)status.st_size + 1, &room) < 0)
        return "there is no memory for it";
    ssize_t size = read(fd, room, (size_t)status.st_size + 1);
    if (size < 0)
        return strerror(errno);
    buffer_added(bytes, (size_t)size);
    return NULL;
}

/* The record, decoded; what it is instead, in words (in `text`, or static). Tried again where it
 * cannot be read: a process would be lost with its record. */
static const char *decode_record(const struct store *store, int directory, const char *name,
                                 const struct holden_record *record, void *into,
                                 struct buffer *bytes, char text[160]) {
    struct holden_fault fault;
    const char *wrong = "";
    for (unsigned tries = 0; wrong && tries < READ_TRIES; tries++)
        wrong = read_record(store, directory, name, bytes);
    if (wrong || holden_decode(record, buffer_bytes(bytes), bytes->size, into, &fault) == 0)
        return wrong;
    snprintf(text, 160, "it is not whole: %s%s%s: %s", fault.record, fault.field ? "." : "",
             fault.field ? fault.field : "", fault.what);
    return text;
}

/* 0 also where it was refused; -errno where recovery itself cannot go on. */
static int read_one(struct store *store, struct agent *agent, const char *name,
                    int (*found)(struct agent *agent, const struct holden_kept *kept)) {
    _cleanup_(buffer_free) struct buffer bytes = {0};
    struct holden_kept kept;
    char canonical[32], text[160];
    uint64_t id = strtoull(name, NULL, 10);
    file_name(id, canonical);
    const char *wrong = strcmp(name, canonical) == 0 ? NULL : "its name is no id";
    if (!wrong)
        wrong = decode_record(store, store->records, name, &holden_record_kept, &kept, &bytes,
                              text);
    if (!wrong)
        wrong = record_fault(&kept, store->boot, id);
    if (!wrong)
        return found(agent, &kept);
    set_aside(store, store->records, "record ", name, wrong);
    return 0;
}

static int by_number(const struct dirent **a, const struct dirent **b) {
    uint64_t left = strtoull((*a)->d_name, NULL, 10), right = strtoull((*b)->d_name, NULL, 10);
    return left < right ? -1 : left > right;
}

/* Whether that is what file_replace() left behind when an agent was killed as it wrote: never part
 * of what was in force. */
static bool is_unfinished(const char *name) {
    size_t digits = strspn(name, "0123456789");
    return digits > 0 && strcmp(name + digits, ".new") == 0;
}

/* What does not begin like an id was never an agent's and is left alone. */
static int is_record(const struct dirent *entry) {
    return entry->d_name[0] >= '0' && entry->d_name[0] <= '9';
}

int store_read(struct store *store, struct agent *agent,
               int (*found)(struct agent *agent, const struct holden_kept *kept)) {
    struct dirent **names;
    int count = scandirat(store->records, ".", &names, is_record, by_number), r = 0;
    if (count < 0)
        return -errno;
    for (int i = 0; i < count; i++) {
        if (is_unfinished(names[i]->d_name))
            unlinkat(store->records, names[i]->d_name, 0);
        else if (r == 0)
            r = read_one(store, agent, names[i]->d_name, found);
        free(names[i]);
    }
    free(names);
    return r;
}

/* ---- slices ---- */

int store_write_slice(struct store *store, const struct holden_kept_slice *slice) {
    struct holden_kept_slice kept = *slice;
    _cleanup_(buffer_free) struct buffer encoded = {0};
    char path[NAME_SLICE_MOST + 16];
    HOLDEN_SET(&kept, kept_slice, version, RECORD_VERSION);
    HOLDEN_SET(&kept, kept_slice, boot, holden_view(store->boot));
    int r = holden_encode(&holden_record_kept_slice, &kept, &encoded);
    if (r == 0 && mkdirat(store->root, "slices", 0700) < 0 && errno != EEXIST)
        r = -errno;
    if (r < 0)
        return r;
    snprintf(path, sizeof(path), "slices/%.*s", (int)kept.name.size, kept.name.data);
    return file_replace(store->root, path, buffer_bytes(&encoded), encoded.size, 0600);
}

void store_forget_slice(struct store *store, const char *name) {
    char path[NAME_SLICE_MOST + 16];
    snprintf(path, sizeof(path), "slices/%s", name);
    unlinkat(store->root, path, 0);
    unlinkat(store->root, "slices", AT_REMOVEDIR);
}

static int read_slice(struct store *store, struct agent *agent, int directory, const char *name,
                      int (*found)(struct agent *agent, const struct holden_kept_slice *kept)) {
    _cleanup_(buffer_free) struct buffer bytes = {0};
    struct holden_kept_slice kept;
    char text[160];
    const char *wrong = decode_record(store, directory, name, &holden_record_kept_slice, &kept,
                                      &bytes, text);
    if (!wrong)
        wrong = kept.version > RECORD_VERSION            ? "it was written by a newer agent"
                : !holden_view_is(kept.boot, store->boot) ? "it is from another boot"
                : !holden_view_is(kept.name, name) ? "it is of another slice than its name says"
                : !name_slice_valid(name, strlen(name)) ? "its name is none of a slice"
                                                        : NULL;
    if (!wrong)
        return found(agent, &kept);
    set_aside(store, directory, "limits of slice ", name, wrong);
    return 0;
}

int store_read_slices(struct store *store, struct agent *agent,
                      int (*found)(struct agent *agent, const struct holden_kept_slice *kept)) {
    _cleanup_close_ int directory =
        openat(store->root, "slices", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (directory < 0)
        return errno == ENOENT ? 0 : -errno;
    DIR *entries = file_list(directory);
    int r = entries ? 0 : -errno;
    for (struct dirent *entry; entries && r == 0 && (entry = readdir(entries));)
        if (name_is_slice(entry->d_name, strlen(entry->d_name)))
            r = read_slice(store, agent, directory, entry->d_name, found);
        else if (!file_is_dots(entry->d_name))
            unlinkat(directory, entry->d_name, 0); /* half written by an agent that was killed */
    if (entries)
        closedir(entries);
    return r;
}

static bool is_missing(int directory, const char *name) {
    return faccessat(directory, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT;
}

static bool is_half_written(const struct agent *agent, const char *name) {
    (void)agent;
    const char *end = strrchr(name, '.');
    return end && strcmp(end, ".new") == 0;
}

/* The log of a record that was moved aside stays with it. */
static bool is_unrecorded(const struct agent *agent, const char *name) {
    const struct store *store = &agent->store;
    char refused[64];
    if (process_by_id(&agent->processes, strtoull(name, NULL, 10)))
        return false;
    snprintf(refused, sizeof(refused), "refused/%.32s", name);
    return is_missing(store->records, name) && is_missing(store->root, refused);
}

static void remove_those(const struct agent *agent, int directory,
                         bool (*which)(const struct agent *agent, const char *name)) {
    DIR *entries = file_list(directory);
    for (struct dirent *entry; entries && (entry = readdir(entries));)
        if (entry->d_name[0] != '.' && which(agent, entry->d_name))
            unlinkat(directory, entry->d_name, 0);
    if (entries)
        closedir(entries);
}

void store_sweep(const struct agent *agent) {
    remove_those(agent, agent->store.records, is_half_written);
    remove_those(agent, agent->store.logs, is_unrecorded);
}
