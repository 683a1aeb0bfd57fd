/* The verb logs: reads a process's log by a descriptor that the agent hands out, so that no byte of
 * it goes through the agent. The file's head may be a hole, punched where the log had grown too
 * long. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/log.h"
#include "controller/command.h"
#include "controller/session.h"
#include "protocol/json.h"
#include "protocol/message.h"

enum { BLOCK = 65536, POLL_MS = 200 };

struct reader {
    struct command *command;
    int fd;             /* the log; owned */
    off_t at;           /* read so far */
    struct buffer line; /* the part of a line that has no end yet, for --json */
};

static void reader_free(struct reader *reader) {
    cleanup_close(&reader->fd);
    buffer_free(&reader->line);
}

static int complain(const struct reader *reader, int error) {
    log_error("cannot read the log of %s: %s", reader->command->arguments[0], strerror(error));
    return STATUS_FAILED;
}

/* Where the next byte is, past a hole; the file's end where there is none. */
static off_t next_data(const struct reader *reader, off_t from) {
    off_t found = lseek(reader->fd, from, SEEK_DATA);
    return found >= 0 ? found : from;
}

/* A hole ends anywhere, so the first line behind it is likely to be a part of one. */
static void skip_part(struct reader *reader) {
    char bytes[4096];
    ssize_t size = pread(reader->fd, bytes, sizeof(bytes), reader->at);
    const char *end = size > 0 ? memchr(bytes, '\n', (size_t)size) : NULL;
    if (end)
        reader->at += end - bytes + 1;
}

static void find_start(struct reader *reader) {
    reader->at = next_data(reader, 0);
    if (reader->at > 0)
        skip_part(reader);
}

/* Moves to the last `lines` lines: back from the end, block by block, counting their ends. */
static int find_last(struct reader *reader, uint64_t lines) {
    char bytes[4096];
    off_t start = reader->at;
    off_t end = lseek(reader->fd, 0, SEEK_END);
    if (end < 0)
        return -errno;
    off_t at = end;
    if (lines == 0)
        reader->at = end;
    while (lines > 0 && at > start) {
        off_t from = at - start > (off_t)sizeof(bytes) ? at - (off_t)sizeof(bytes) : start;
        ssize_t size = pread(reader->fd, bytes, (size_t)(at - from), from);
        if (size < 0)
            return -errno;
        for (ssize_t i = size; i > 0; i--)
            if (bytes[i - 1] == '\n' && from + i < end && lines-- <= 1) {
                reader->at = from + i;
                return 0;
            }
        at = from;
    }
    return 0;
}

/* Ends a line of JSON: {"line":"…"}. */
static int print_line(struct reader *reader) {
    struct output *output = &reader->command->output;
    struct holden_view line = {(const char *)buffer_bytes(&reader->line), reader->line.size};
    output_text(output, "{\"line\":");
    if (holden_json_string(line, &output->buffer) < 0)
        output->error = -ENOMEM;
    output_text(output, "}\n");
    reader->line.size = 0;
    return output_flush(output);
}

static int print_lines(struct reader *reader, const char *bytes, size_t size) {
    int r = 0;
    while (r == 0 && size > 0) {
        const char *end = memchr(bytes, '\n', size);
        size_t part = end ? (size_t)(end - bytes) : size;
        r = buffer_append(&reader->line, bytes, part);
        if (r == 0 && end)
            r = print_line(reader);
        part += end != NULL;
        bytes += part;
        size -= part;
    }
    return r;
}

/* Prints all that is there. 0 or -errno. */
static int print_all(struct reader *reader) {
    char bytes[BLOCK];
    for (;;) {
        reader->at = next_data(reader, reader->at);
        ssize_t size = pread(reader->fd, bytes, sizeof(bytes), reader->at);
        if (size <= 0)
            return size < 0 ? -errno : 0;
        reader->at += size;
        int r = reader->command->options.json ? print_lines(reader, bytes, (size_t)size)
                                              : file_write_all(STDOUT_FILENO, bytes, (size_t)size);
        if (r < 0)
            return r;
    }
}

/* Reads on as the file grows, until the process has ended. The file may be one that this user
 * cannot watch (inotify(7) wants the right to read it by name); then it is looked at now and again.
 * */
static int follow(struct reader *reader, struct session *session) {
    char name[64];
    struct holden_wait request = {0};
    struct holden_reply reply;
    HOLDEN_SET(&request, wait, name, holden_view(reader->command->arguments[0]));
    int status = session_ask(session, HOLDEN_MESSAGE_wait, &request, NULL, 0, NULL);
    _cleanup_close_ int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    snprintf(name, sizeof(name), "/proc/self/fd/%d", reader->fd);
    bool watched = watch >= 0 && inotify_add_watch(watch, name, IN_MODIFY) >= 0;
    while (status == STATUS_DONE) {
        struct pollfd polled[] = {{.fd = session_fd(session), .events = POLLIN},
                                  {.fd = watched ? watch : -1, .events = POLLIN}};
        char events[4096];
        int r = print_all(reader);
        if (r < 0)
            return complain(reader, -r);
        int pause = watched || polled[0].fd < 0 ? session_pause(session) : POLL_MS;
        if (poll(polled, ARRAY_SIZE(polled), pause) < 0 && errno != EINTR)
            return complain(reader, errno);
        if (polled[1].revents && read(watch, events, sizeof(events)) < 0 && errno != EAGAIN)
            return complain(reader, errno);
        if (polled[0].revents || polled[0].fd < 0)
            status = session_turn(session);
        if (status == STATUS_DONE && session_has_frame(session)) {
            /* It has ended: what is there is all. */
            status = session_next(session, &reply);
            r = print_all(reader);
            return r < 0 ? complain(reader, -r) : status;
        }
    }
    return status;
}

static int open_log(struct reader *reader, struct session *session, bool *live) {
    struct holden_log request = {0};
    struct holden_log_file file;
    struct holden_reply reply;
    char what[128];
    const char *name = reader->command->arguments[0];
    HOLDEN_SET(&request, log, name, holden_view(name));
    snprintf(what, sizeof(what), "cannot show the log of %s", name);
    int status = session_ask(session, HOLDEN_MESSAGE_log, &request, NULL, 0, NULL);
    if (status == STATUS_DONE)
        status = session_next(session, &reply);
    if (status == STATUS_DONE)
        status = session_take(&reply, HOLDEN_MESSAGE_log_file, &file, what);
    if (status != STATUS_DONE)
        return status;
    int fds[1];
    if (holden_connection_take_fds(&session->client.connection, &reply.frame, fds, 1) != 1)
        return complain(reader, EBADF);
    reader->fd = fds[0];
    *live = file.live;
    return STATUS_DONE;
}

static int show(struct reader *reader, struct session *session) {
    const struct options *options = &reader->command->options;
    bool live = false;
    int status = open_log(reader, session, &live);
    if (status != STATUS_DONE)
        return status;
    find_start(reader);
    int r = options->has_lines ? find_last(reader, options->lines) : 0;
    if (r == 0 && options->follow && live)
        return follow(reader, session);
    if (r == 0)
        r = print_all(reader);
    return r < 0 ? complain(reader, -r) : STATUS_DONE;
}

int verb_logs(struct command *command) {
    _cleanup_(session_close) struct session session = {.client.connection.fd = -1};
    _cleanup_(reader_free) struct reader reader = {.command = command, .fd = -1};
    int status = command_check_target(command->arguments[0]);
    if (status == STATUS_DONE)
        status = session_open(&session, &command->options);
    if (status == STATUS_DONE)
        status = show(&reader, &session);
    if (reader.line.size > 0)
        print_line(&reader);
    return status;
}
