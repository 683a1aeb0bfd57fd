#include "agent/child_stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { JOURNAL_ROOM = 8 << 20 }; /* bytes in flight before a writer waits; what systemd asks for */

struct source {
    int (*open)(const struct child *child, const struct plan_stream *stream, int flags);
    int flags;
    uint32_t late; /* any of these bits of plan.has: opened after the ids are set */
};

static int open_path(const struct child *child, const struct plan_stream *stream, int flags) {
    return open(child_run_at(child, stream->path), flags | O_NOCTTY | O_CLOEXEC, 0666);
}

static int open_null(const struct child *child, const struct plan_stream *stream, int flags) {
    bool input = stream == &child->plan->stream[STDIN_FILENO];
    /* What is inherited from it as standard output can be written to, as with systemd. */
    bool both = input && child->plan->stream[STDOUT_FILENO].source == PLAN_SOURCE_INPUT;
    return open("/dev/null", (both ? O_RDWR : input ? O_RDONLY : O_WRONLY) | flags);
}

static int find_passed(const struct child *child, const struct plan_stream *stream, int flags) {
    (void)flags;
    if (stream->passed < child->count)
        return child->fds[stream->passed];
    errno = EBADF;
    return -1;
}

static int find_input(const struct child *child, const struct plan_stream *stream, int flags) {
    (void)child, (void)stream, (void)flags;
    return STDIN_FILENO;
}

static int find_output(const struct child *child, const struct plan_stream *stream, int flags) {
    (void)child, (void)stream, (void)flags;
    return STDOUT_FILENO;
}

/* As systemd-journald.service(8) expects it of a stdout stream: the header, then lines. */
static int open_journal(const struct child *child, const struct plan_stream *stream, int flags) {
    static const struct sockaddr_un address = {AF_UNIX, "/run/systemd/journal/stdout"};
    const char *header = child_run_at(child, stream->path);
    size_t size = strlen(header);
    int fd = socket(AF_UNIX, SOCK_STREAM | flags, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
        shutdown(fd, SHUT_RD) < 0)
        return -1;
    int room = JOURNAL_ROOM;
    if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room)) < 0)
        (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
    return send(fd, header, size, MSG_NOSIGNAL) == (ssize_t)size ? fd : -1;
}

static const struct source sources[] = {
    [PLAN_SOURCE_NULL] = {open_null, O_CLOEXEC, 0},
    [PLAN_SOURCE_PASSED] = {find_passed, 0, 0},
    [PLAN_SOURCE_READ] = {open_path, O_RDONLY, PLAN_HAS_OPEN_AS_USER},
    [PLAN_SOURCE_WRITE] = {open_path, O_WRONLY | O_CREAT, PLAN_HAS_OPEN_AS_USER},
    [PLAN_SOURCE_APPEND] = {open_path, O_WRONLY | O_CREAT | O_APPEND, PLAN_HAS_OPEN_AS_USER},
    [PLAN_SOURCE_TRUNCATE] = {open_path, O_WRONLY | O_CREAT | O_TRUNC, PLAN_HAS_OPEN_AS_USER},
    [PLAN_SOURCE_JOURNAL] = {open_journal, SOCK_CLOEXEC, PLAN_HAS_IDS},
    [PLAN_SOURCE_OUTPUT] = {find_output, 0, 0},
    [PLAN_SOURCE_BOTH] = {open_path, O_RDWR, PLAN_HAS_OPEN_AS_USER},
    [PLAN_SOURCE_INPUT] = {find_input, 0, 0},
};
_Static_assert(sizeof(sources) / sizeof(sources[0]) == PLAN_SOURCE_INPUT + 1, "a row per source");

/* A duplicate has to wait for what it is one of. */
static bool is_late(const struct plan *plan, unsigned number) {
    if (plan->stream[number].source == PLAN_SOURCE_OUTPUT)
        number = STDOUT_FILENO;
    if (plan->stream[number].source == PLAN_SOURCE_INPUT)
        number = STDIN_FILENO;
    uint32_t source = plan->stream[number].source;
    return source <= PLAN_SOURCE_INPUT && (plan->has & sources[source].late);
}

/* What was opened stays open beside its duplicate until exec: it is close-on-exec, which a
 * duplicate is not. */
static int put_stream(const struct child *child, bool late) {
    unsigned number = child->step - PLAN_STEP_STDIN;
    const struct plan_stream *stream = &child->plan->stream[number];
    if (stream->source > PLAN_SOURCE_INPUT) {
        errno = EINVAL;
        return -1;
    }
    if (is_late(child->plan, number) != late)
        return 0;
    const struct source *source = &sources[stream->source];
    int fd = source->open(child, stream, source->flags);
    return fd < 0 || dup2(fd, (int)number) < 0 ? -1 : 0;
}

int child_stream_before_ids(struct child *child) {
    return put_stream(child, false);
}

int child_stream_after_ids(struct child *child) {
    return put_stream(child, true);
}

/* Never by force, which would rob another session of its terminal. */
static int take_terminal(const struct child *child, bool late) {
    if (!(child->plan->has & PLAN_HAS_TERMINAL) || is_late(child->plan, STDIN_FILENO) != late)
        return 0;
    return ioctl(STDIN_FILENO, TIOCSCTTY, 0);
}

int child_stream_terminal_before_ids(struct child *child) {
    return take_terminal(child, false);
}

int child_stream_terminal_after_ids(struct child *child) {
    return take_terminal(child, true);
}
