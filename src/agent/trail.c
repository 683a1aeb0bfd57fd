#include "agent/trail.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/catalog.h"
#include "agent/journal.h"
#include "agent/machine.h"
#include "common/cleanup.h"
#include "common/log.h"
#include "protocol/json.h"

enum { BLOCK = 512 /* of st_blocks, stat(2) */ };

static const char *file_path(const struct agent *agent, const struct config *config,
                             int *directory) {
    bool own = config->audit_file[0] == '\0';
    *directory = own ? agent->store.root : AT_FDCWD;
    return own ? "audit" : config->audit_file;
}

static int open_file(const struct agent *agent, const struct config *config, int flags, int *out) {
    int directory;
    struct stat status;
    const char *path = file_path(agent, config, &directory);
    _cleanup_close_ int fd = openat(directory, path,
                                    flags | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK, 0600);
    if (fd < 0 || fstat(fd, &status) < 0)
        return -errno;
    if (!S_ISREG(status.st_mode) || status.st_uid != agent->store.owner || status.st_mode & 022)
        return -EPERM;
    *out = TAKE_FD(fd);
    return 0;
}

/* Opens it for appending. What an agent before has given back is a hole. */
static int open_to_write(struct agent *agent) {
    struct trail *trail = &agent->trail;
    struct stat status;
    char last = '\n';
    if (trail->file >= 0)
        return 0;
    int r = open_file(agent, &agent->config, O_RDWR | O_APPEND | O_CREAT, &trail->file);
    if (r < 0)
        return r;
    if (fstat(trail->file, &status) == 0 && status.st_size > 0) {
        off_t held = status.st_blocks * BLOCK;
        trail->given = status.st_size > held ? (uint64_t)(status.st_size - held) : 0;
        trail->torn = pread(trail->file, &last, 1, status.st_size - 1) == 1 && last != '\n';
    }
    return 0;
}

/* Keeps the file within AuditMax=, a quarter of which goes at a time. Nobody else writes to it, so
 * this waits for nobody. Where no head can be given back, it begins anew. */
static void bound_file(struct agent *agent) {
    struct trail *trail = &agent->trail;
    uint64_t most = agent->config.audit_max;
    struct stat status;
    if (fstat(trail->file, &status) < 0 || (uint64_t)status.st_size - trail->given <= most)
        return;
    uint64_t head = (uint64_t)status.st_size - most / 4 * 3;
    head -= head % machine_page();
    if (fallocate(trail->file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, (off_t)head) == 0)
        trail->given = head;
    else if (ftruncate(trail->file, 0) == 0)
        trail->given = 0;
}

static int write_file(struct agent *agent, const struct buffer *line) {
    struct trail *trail = &agent->trail;
    _cleanup_(buffer_free) struct buffer bytes = {0};
    int r = open_to_write(agent);
    if (r == 0 && trail->torn)
        r = buffer_append(&bytes, "\n", 1);
    if (r == 0)
        r = buffer_append(&bytes, buffer_bytes(line), line->size);
    if (r == 0)
        r = buffer_append(&bytes, "\n", 1);
    if (r < 0)
        return r;
    ssize_t size = write(trail->file, buffer_bytes(&bytes), bytes.size);
    if (size < 0)
        return -errno;
    trail->torn = (size_t)size < bytes.size;
    bound_file(agent);
    return trail->torn ? -ENOSPC : 0;
}

/* What a person reads in the journal. */
static int put_message(struct buffer *entry, const struct holden_operation *o) {
    char text[1024];
    const char *result = "unanswered";
    if (HOLDEN_HAS(o, operation, result))
        result = holden_word(&holden_enum_code, o->result);
    snprintf(text, sizeof(text), "%.*s %.*s: %s%s%.*s, for user %u (%.*s, pid %u)",
             (int)o->verb.size, o->verb.data, (int)o->target.size, o->target.data, result,
             o->text.size > 0 ? ": " : "", (int)o->text.size, o->text.data, o->uid,
             (int)o->exe.size, o->exe.data, o->pid);
    return journal_put(entry, "MESSAGE", holden_view(text));
}

static int write_journal(const struct agent *agent, const struct holden_operation *operation,
                         const struct buffer *line) {
    bool good = HOLDEN_HAS(operation, operation, result) && operation->result == HOLDEN_code_DONE;
    struct holden_view whole = {(const char *)buffer_bytes(line), line->size};
    _cleanup_(buffer_free) struct buffer entry = {0};
    int r = put_message(&entry, operation);
    if (r == 0)
        r = buffer_printf(&entry, "MESSAGE_ID=%s\nPRIORITY=%d\nSYSLOG_IDENTIFIER=holden\n",
                          catalog_entry(CATALOG_OPERATION)->id,
                          good ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING);
    if (r == 0)
        r = journal_put(&entry, "HOLDEN_AGENT", holden_view(agent->arguments.socket));
    if (r == 0)
        r = journal_put(&entry, "HOLDEN_OPERATION", whole);
    if (r == 0)
        r = journal_put_record(&entry, &holden_record_operation, operation);
    return r < 0 ? r : journal_send(agent->trail.journal, &entry);
}

static void count(struct agent *agent, int result) {
    struct trail *trail = &agent->trail;
    bool said = trail->failing;
    trail->lines += result == 0;
    trail->lost += result < 0;
    trail->failing = result < 0;
    if (result < 0 && !said)
        log_error("the audit trail cannot be written: %s; what is asked for is done all the same, "
                  "and `holden self` counts what the trail lacks", strerror(-result));
}

void trail_write(struct agent *agent, const struct holden_operation *operation) {
    const struct trail *trail = &agent->trail;
    _cleanup_(buffer_free) struct buffer line = {0};
    if (!trail->open)
        return;
    int r = holden_json(&holden_record_operation, operation, &line);
    bool journal = r == 0 && trail->journal >= 0;
    if (journal)
        r = write_journal(agent, operation, &line);
    if (agent->config.audit == CONFIG_AUDIT_FILE ||
        (journal && r < 0 && agent->config.audit == CONFIG_AUDIT_AUTO))
        r = write_file(agent, &line);
    count(agent, r);
}

void trail_open(struct agent *agent) {
    struct trail *trail = &agent->trail;
    uint64_t kind = agent->config.audit;
    int r = 0;
    *trail = (struct trail){.open = kind != CONFIG_AUDIT_NONE, .journal = -1, .file = -1};
    if (kind == CONFIG_AUDIT_AUTO || kind == CONFIG_AUDIT_JOURNAL)
        trail->journal = r = journal_socket();
    if (kind == CONFIG_AUDIT_FILE)
        r = open_to_write(agent);
    if (r < 0)
        count(agent, r);
}

void trail_close(struct trail *trail) {
    if (!trail->open)
        return;
    cleanup_close(&trail->journal);
    cleanup_close(&trail->file);
    trail->open = false;
}

int trail_try(const struct agent *agent, const struct config *config) {
    int fd = -1;
    int r = config->audit != CONFIG_AUDIT_FILE
                ? 0 : open_file(agent, config, O_RDWR | O_APPEND | O_CREAT, &fd);
    cleanup_close(&fd);
    return r;
}

void trail_renew(struct agent *agent) {
    const struct trail before = agent->trail;
    trail_close(&agent->trail);
    trail_open(agent);
    agent->trail.lines += before.lines;
    agent->trail.lost += before.lost;
}

int trail_place(const struct agent *agent, int *fd, bool *journal) {
    uint64_t kind = agent->config.audit;
    bool listens = kind == CONFIG_AUDIT_JOURNAL ||
                   (kind == CONFIG_AUDIT_AUTO && access(JOURNAL_SOCKET, F_OK) == 0);
    int opened = -1;
    /* One that is there only to be followed is made. */
    int r = kind == CONFIG_AUDIT_JOURNAL
                ? -ENOENT
                : open_file(agent, &agent->config, O_RDONLY | (listens ? 0 : O_CREAT), &opened);
    if (r < 0 && r != -ENOENT)
        return r;
    *fd = opened;
    *journal = listens;
    return 0;
}
