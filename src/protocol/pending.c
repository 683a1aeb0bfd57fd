#include "protocol/pending.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "common/cleanup.h"

struct holden_pending {
    TAILQ_ENTRY(holden_pending) entry;
    uint16_t type;
    uint32_t id;
    struct buffer body;
    int fds[HOLDEN_FDS_PER_SEND]; /* owned */
    size_t fd_count;
    bool wait;         /* of a start: `exited` is the last answer */
    bool started;      /* of a start: it is answered but for its end */
    char name[68];     /* of what was started */
    bool told;         /* `target` has come */
    uint64_t process;  /* then: its id */
    bool positioned;   /* of a stream: there is a last reply */
    uint64_t position; /* that one's place in the stream */
    uint32_t handed;   /* of a stream: replies that were handed on */
    uint32_t skip;     /* of them, those that come once more */
};

/* How each message is sent again. Columns are field indexes plus one; 0: there is no such field.
 *
 *   token     makes it the same request however often it comes
 *   tell      asks for `target`, so that `id` can name the process when it comes again
 *   position  of a stream: the field of a reply that tells its place in the stream
 *   after     of a stream: where the request takes that, to go on behind it
 *
 * What has none of these is asked again as it is; of a stream without a position, as many replies
 * as were handed on before are passed over. */
#define AT(message, member) (HOLDEN_INDEX(message, member) + 1)
#define TARGET(message) .known = true, .tell = AT(message, tell), .id = AT(message, id)
#define STREAM .known = true, .stream = true
static const struct row {
    bool known, stream;
    uint8_t token, tell, id, position, after;
} rows[] = {
    [HOLDEN_MESSAGE_ping] = {.known = true},
    [HOLDEN_MESSAGE_start] = {.known = true, .token = AT(start, token)},
    [HOLDEN_MESSAGE_stop] = {TARGET(stop)},
    [HOLDEN_MESSAGE_kill] = {TARGET(kill)},
    [HOLDEN_MESSAGE_restart] = {TARGET(restart), .token = AT(restart, token)},
    [HOLDEN_MESSAGE_freeze] = {TARGET(freeze)},
    [HOLDEN_MESSAGE_thaw] = {TARGET(thaw)},
    [HOLDEN_MESSAGE_reload] = {TARGET(reload)},
    [HOLDEN_MESSAGE_reset] = {TARGET(reset)},
    [HOLDEN_MESSAGE_constrain] = {TARGET(constrain)},
    [HOLDEN_MESSAGE_list] = {STREAM, .position = AT(process, id), .after = AT(list, after)},
    [HOLDEN_MESSAGE_wait] = {TARGET(wait)},
    [HOLDEN_MESSAGE_subscribe] = {STREAM, .tell = AT(subscribe, tell),
                                  .position = AT(event, sequence), .after = AT(subscribe, since)},
    [HOLDEN_MESSAGE_log] = {.known = true},
    [HOLDEN_MESSAGE_doctor] = {STREAM},
    [HOLDEN_MESSAGE_self] = {.known = true},
    [HOLDEN_MESSAGE_reexec] = {.known = true},
    [HOLDEN_MESSAGE_audit] = {.known = true},
    [HOLDEN_MESSAGE_limit_slice] = {.known = true},
    [HOLDEN_MESSAGE_list_slices] = {STREAM},
    [HOLDEN_MESSAGE_reset_slice] = {.known = true},
    [HOLDEN_MESSAGE_check_policy] = {.known = true},
    [HOLDEN_MESSAGE_history] = {STREAM, .position = AT(sample, time), .after = AT(history, since)},
    [HOLDEN_MESSAGE_reload_agent] = {.known = true},
};

/* Room for the struct of any message. */
union scratch {
    uint64_t align;
    uint8_t space[1024];
};

static const struct row *row_of(uint16_t type) {
    return type < ARRAY_SIZE(rows) && rows[type].known ? &rows[type] : NULL;
}

static void *member(const struct holden_record *record, void *message, uint8_t at) {
    return (uint8_t *)message + record->fields[at - 1].offset;
}

static void set_number(const struct holden_record *record, void *message, uint8_t at,
                       uint64_t value) {
    if (at == 0)
        return;
    memcpy(member(record, message, at), &value, sizeof(value));
    holden_mark(message, at - 1U);
}

static void set_flag(const struct holden_record *record, void *message, uint8_t at) {
    if (at == 0)
        return;
    memcpy(member(record, message, at), &(bool){true}, sizeof(bool));
    holden_mark(message, at - 1U);
}

/* It has to be unlike others of the same user, not secret: so it never waits for good randomness.
 */
static uint64_t new_token(void) {
    uint64_t token = 0;
    while (token == 0)
        if (getrandom(&token, sizeof(token), GRND_INSECURE) != sizeof(token))
            token = (uint64_t)(uintptr_t)&token ^ (uint64_t)getpid() << 32;
    return token;
}

static struct holden_pending *find(const struct holden_pendings *pendings, uint32_t id) {
    struct holden_pending *pending;
    TAILQ_FOREACH(pending, pendings, entry)
        if (pending->id == id)
            return pending;
    return NULL;
}

static void close_fds(struct holden_pending *pending) {
    for (; pending->fd_count > 0; pending->fd_count--)
        close(pending->fds[pending->fd_count - 1]);
}

static void drop(struct holden_pending *pending) {
    close_fds(pending);
    buffer_free(&pending->body);
    free(pending);
}

static void pending_cleanup(struct holden_pending **pending) {
    if (*pending)
        drop(*pending);
}

static int keep_fds(struct holden_pending *pending, const int *fds, size_t count) {
    if (count > ARRAY_SIZE(pending->fds))
        return -EMFILE;
    for (; pending->fd_count < count; pending->fd_count++) {
        int fd = fcntl(fds[pending->fd_count], F_DUPFD_CLOEXEC, 3);
        if (fd < 0)
            return -errno;
        pending->fds[pending->fd_count] = fd;
    }
    return 0;
}

int holden_pending_add(struct holden_pendings *pendings, struct holden_connection *connection,
                       uint16_t type, uint32_t id, const void *message, const int *fds,
                       size_t count) {
    const struct row *row = row_of(type);
    const struct holden_record *record = row ? holden_message(type)->record : NULL;
    union scratch copy;
    if (!row || record->size > sizeof(copy))
        return -EINVAL;
    memcpy(copy.space, message, record->size);
    if (row->token && !holden_has(&copy, row->token - 1U))
        set_number(record, &copy, row->token, new_token());
    set_flag(record, &copy, row->tell);
    _cleanup_(pending_cleanup) struct holden_pending *pending = calloc(1, sizeof(*pending));
    if (!pending)
        return -ENOMEM;
    pending->type = type;
    pending->id = id;
    pending->wait =
        type == HOLDEN_MESSAGE_start && ((const struct holden_start *)message)->wait;
    int r = holden_encode(record, &copy, &pending->body);
    if (r == 0)
        r = keep_fds(pending, fds, count);
    if (r == 0 && connection)
        r = holden_connection_put(connection, type, id, &copy, fds, count);
    if (r < 0)
        return r;
    TAILQ_INSERT_TAIL(pendings, pending, entry);
    pending = NULL;
    return 0;
}

/* What is still owed of a start that has been answered is its end. */
static int put_wait(const struct holden_pending *pending, struct holden_connection *connection) {
    struct holden_wait wait = {0};
    HOLDEN_SET(&wait, wait, name, holden_view(pending->name));
    HOLDEN_SET(&wait, wait, id, pending->process);
    return holden_connection_put(connection, HOLDEN_MESSAGE_wait, pending->id, &wait, NULL, 0);
}

static int put_again(struct holden_pending *pending, struct holden_connection *connection) {
    const struct row *row = row_of(pending->type);
    const struct holden_record *record = holden_message(pending->type)->record;
    union scratch message;
    struct holden_fault fault;
    if (pending->started)
        return put_wait(pending, connection);
    int r = holden_decode(record, buffer_bytes(&pending->body), pending->body.size, &message,
                          &fault);
    if (r < 0)
        return r;
    if (pending->told)
        set_number(record, &message, row->id, pending->process);
    if (pending->positioned)
        set_number(record, &message, row->after, pending->position);
    pending->skip = row->stream && !row->after ? pending->handed : 0;
    return holden_connection_put(connection, pending->type, pending->id, &message, pending->fds,
                                 pending->fd_count);
}

int holden_pending_send_again(struct holden_pendings *pendings,
                              struct holden_connection *connection) {
    struct holden_pending *pending;
    int r = 0;
    TAILQ_FOREACH(pending, pendings, entry)
        if (r == 0)
            r = put_again(pending, connection);
    return r;
}

static bool is_last(const struct holden_pending *pending, uint16_t type) {
    if (type == HOLDEN_MESSAGE_error || type == HOLDEN_MESSAGE_end)
        return true;
    return !row_of(pending->type)->stream && !(pending->wait && type == HOLDEN_MESSAGE_started);
}

static void take_target(struct holden_pending *pending, const struct holden_frame *frame,
                        const uint8_t *body) {
    struct holden_target target;
    struct holden_fault fault;
    if (holden_decode(&holden_record_target, body, frame->size, &target, &fault) < 0)
        return;
    if (row_of(pending->type)->stream) {
        pending->positioned = true;
        pending->position = target.id;
    } else {
        pending->told = true;
        pending->process = target.id;
    }
}

bool holden_pending_hides(struct holden_pendings *pendings, const struct holden_frame *frame,
                          const uint8_t *body) {
    struct holden_pending *pending = find(pendings, frame->id);
    if (!pending)
        return false;
    if (frame->type == HOLDEN_MESSAGE_target) {
        take_target(pending, frame, body);
        return true;
    }
    if (pending->skip == 0 || is_last(pending, frame->type))
        return false;
    pending->skip--;
    return true;
}

/* Where in its stream a reply stands. */
static void take_position(struct holden_pending *pending, const struct holden_frame *frame,
                          const uint8_t *body) {
    const struct row *row = row_of(pending->type);
    const struct holden_message_row *reply = holden_message(frame->type);
    union scratch message;
    struct holden_fault fault;
    pending->handed++;
    if (row->position == 0 || !reply || reply->record->size > sizeof(message) ||
        strcmp(reply->record->name, holden_message(pending->type)->reply) != 0 ||
        holden_decode(reply->record, body, frame->size, &message, &fault) < 0)
        return;
    memcpy(&pending->position, member(reply->record, &message, row->position),
           sizeof(pending->position));
    pending->positioned = true;
}

/* Its descriptors have arrived where they belong. */
static void take_started(struct holden_pending *pending, const struct holden_frame *frame,
                         const uint8_t *body) {
    struct holden_started started;
    struct holden_fault fault;
    if (holden_decode(&holden_record_started, body, frame->size, &started, &fault) < 0)
        return;
    pending->started = true;
    pending->process = started.id;
    snprintf(pending->name, sizeof(pending->name), "%.*s", (int)started.name.size,
             started.name.data);
    close_fds(pending);
    buffer_free(&pending->body);
}

void holden_pending_answered(struct holden_pendings *pendings, const struct holden_frame *frame,
                             const uint8_t *body) {
    struct holden_pending *pending = find(pendings, frame->id);
    if (!pending)
        return;
    if (is_last(pending, frame->type)) {
        TAILQ_REMOVE(pendings, pending, entry);
        drop(pending);
    } else if (row_of(pending->type)->stream)
        take_position(pending, frame, body);
    else
        take_started(pending, frame, body);
}

void holden_pending_free(struct holden_pendings *pendings) {
    while (!TAILQ_EMPTY(pendings)) {
        struct holden_pending *pending = TAILQ_FIRST(pendings);
        TAILQ_REMOVE(pendings, pending, entry);
        drop(pending);
    }
}
