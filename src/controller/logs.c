/* The verb logs: shows what a process has written, from its log, by a descriptor that the agent
 * hands out, or from the journal. No byte of it goes through the agent. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "controller/command.h"
#include "controller/journal.h"
#include "controller/log_reader.h"
#include "controller/session.h"
#include "protocol/message.h"

enum {
    POLL_MS = 200,
    QUIET_MS = 500, /* after the end of a process: how long nothing must come from journalctl */
};

struct view {
    struct command *command;
    const char *name;
    struct session session;
    struct printer printer;
    struct log_reader reader;
    struct journal journal;
    struct journal_query query;
    char identifier[256];
    uint64_t skip; /* lines that are not to be printed, while following */
    bool live;
    bool ended; /* seen to end, while following */
};

static void view_free(struct view *view) {
    session_close(&view->session);
    log_reader_close(&view->reader);
    journal_close(&view->journal);
    printer_close(&view->printer);
}

static int complain(const struct view *view, int error) {
    log_error("cannot read the log of %s: %s", view->name, strerror(error));
    return STATUS_FAILED;
}

/* Asks to be told of the end. */
static int ask_for_end(struct view *view) {
    struct holden_wait request = {0};
    HOLDEN_SET(&request, wait, name, holden_view(view->name));
    return session_ask(&view->session, HOLDEN_MESSAGE_wait, &request, NULL, 0, NULL);
}

/* Waits for the end of the process, or for `other` to have something, for at most `pause`
 * milliseconds (-1: for ever). *ready: `other` has. Sets view->ended. */
static int wait_for_news(struct view *view, int other, int pause, bool *ready) {
    struct session *session = &view->session;
    struct holden_reply reply;
    struct pollfd polled[] = {{.fd = session_fd(session), .events = POLLIN},
                              {.fd = other, .events = POLLIN}};
    int own = session_pause(session);
    if (pause < 0 || (own >= 0 && own < pause))
        pause = own;
    if (poll(polled, ARRAY_SIZE(polled), pause) < 0 && errno != EINTR)
        return complain(view, errno);
    *ready = polled[1].revents != 0;
    int status = STATUS_DONE;
    if (polled[0].revents || polled[0].fd < 0)
        status = session_turn(session);
    if (status == STATUS_DONE && session_has_frame(session)) {
        status = session_next(session, &reply);
        view->ended = true;
    }
    return status;
}

/* ---- from the log ---- */

/* Reads on as the file grows, until the process has ended. The file may be one that this user
 * cannot watch (inotify(7) wants the right to read it by name); then it is looked at now and again.
 * */
static int follow_log(struct view *view) {
    char path[64];
    int status = ask_for_end(view);
    _cleanup_close_ int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", view->reader.fd);
    bool watched = watch >= 0 && inotify_add_watch(watch, path, IN_MODIFY) >= 0;
    while (status == STATUS_DONE) {
        char events[4096];
        bool ready = false;
        /* What is there when it has ended is all. */
        bool last = view->ended;
        int r = log_reader_print(&view->reader);
        if (r < 0)
            return complain(view, -r);
        if (last)
            break;
        status = wait_for_news(view, watched ? watch : -1, watched ? -1 : POLL_MS, &ready);
        if (ready && read(watch, events, sizeof(events)) < 0 && errno != EAGAIN)
            return complain(view, errno);
    }
    return status;
}

static int show_log(struct view *view) {
    const struct options *options = &view->command->options;
    int r = log_reader_start(&view->reader);
    if (r == 0 && options->has_lines)
        r = log_reader_last(&view->reader, options->lines);
    if (r == 0 && options->follow && view->live)
        return follow_log(view);
    if (r == 0)
        r = log_reader_print(&view->reader);
    return r < 0 ? complain(view, -r) : STATUS_DONE;
}

/* ---- from the journal ---- */

/* Prints one read's worth. 1; 0 at the end; -errno. */
static int pass_on(struct view *view) {
    char bytes[65536];
    ssize_t size = read(view->journal.fd, bytes, sizeof(bytes));
    if (size <= 0)
        return size < 0 && errno != EINTR ? -errno : size == 0 ? 0 : 1;
    const char *from = bytes;
    for (const char *end; view->skip > 0; view->skip--, from = end + 1)
        if (!(end = memchr(from, '\n', (size_t)(bytes + size - from))))
            return 1;
    int r = printer_bytes(&view->printer, from, (size_t)(bytes + size - from));
    return r < 0 ? r : 1;
}

/* The last lines come the newest first. */
static int pass_last_on(struct view *view) {
    _cleanup_(buffer_free) struct buffer read = {0};
    int r = journal_read(&view->journal, &read);
    struct holden_view left = {(const char *)buffer_bytes(&read), read.size}, line;
    while (r == 0 && journal_next_line(&left, &line))
        r = printer_bytes(&view->printer, line.data, line.size);
    return r;
}

static int pass_all_on(struct view *view) {
    int r;
    do
        r = pass_on(view);
    while (r > 0);
    return r;
}

/* After the end of the process its last lines are still on their way through the journal. */
static int pass_rest_on(struct view *view) {
    struct pollfd polled = {.fd = view->journal.fd, .events = POLLIN};
    int r = 1;
    journal_sync();
    while (r > 0 && poll(&polled, 1, QUIET_MS) > 0)
        r = pass_on(view);
    return r;
}

/* journalctl cannot follow from the last few lines since a moment: what comes before them is
 * counted, and then passed over. */
static int count_skipped(struct view *view) {
    struct journal_query query = view->query;
    char bytes[65536];
    uint64_t lines = 0;
    query.follow = false;
    query.lines = UINT64_MAX;
    int r = journal_open(&view->journal, &query, false);
    if (r < 0)
        return r;
    for (ssize_t size; (size = read(view->journal.fd, bytes, sizeof(bytes))) > 0;)
        for (ssize_t i = 0; i < size; i++)
            lines += bytes[i] == '\n';
    journal_wait(&view->journal);
    view->skip = lines > view->command->options.lines ? lines - view->command->options.lines : 0;
    return 0;
}

static int follow_journal(struct view *view) {
    int status = ask_for_end(view);
    int r = 1;
    while (status == STATUS_DONE && !view->ended && r > 0) {
        bool ready = false;
        status = wait_for_news(view, view->journal.fd, -1, &ready);
        if (ready)
            r = pass_on(view);
    }
    if (view->ended && r > 0)
        r = pass_rest_on(view);
    return r < 0 ? complain(view, -r) : status;
}

static int show_journal(struct view *view) {
    const struct options *options = &view->command->options;
    view->query.lines = options->has_lines ? options->lines : UINT64_MAX;
    view->query.follow = options->follow && view->live;
    if (!view->query.follow)
        journal_sync();
    int r = view->query.follow && options->has_lines ? count_skipped(view) : 0;
    if (r == 0)
        r = journal_open(&view->journal, &view->query, false);
    if (r < 0) {
        log_error("the output of %s is in the journal, as %s, and journalctl, which reads it, "
                  "cannot be run: %s; with StandardOutput=log it gets a log of its own",
                  view->name, view->identifier, strerror(-r));
        return STATUS_FAILED;
    }
    if (view->query.follow)
        return follow_journal(view);
    r = options->has_lines ? pass_last_on(view) : pass_all_on(view);
    if (r < 0)
        return complain(view, -r);
    /* What was wrong it has said itself. */
    return journal_wait(&view->journal) == 0 ? STATUS_DONE : STATUS_FAILED;
}

/* ---- both ---- */

static int take_place(struct view *view, const struct holden_reply *reply,
                      const struct holden_log_file *place) {
    view->live = place->live;
    if (!HOLDEN_HAS(place, log_file, file)) {
        snprintf(view->identifier, sizeof(view->identifier), "%.*s", (int)place->journal.size,
                 place->journal.data);
        view->query.identifier = holden_view(view->identifier);
        view->query.since = place->since;
        view->query.until = HOLDEN_HAS(place, log_file, until) ? place->until + JOURNAL_LAG : 0;
        return STATUS_DONE;
    }
    return holden_connection_take_fds(&view->session.client.connection, &reply->frame,
                                      &view->reader.fd, 1) == 1
               ? STATUS_DONE
               : complain(view, EBADF);
}

static int find_place(struct view *view) {
    struct holden_log request = {0};
    struct holden_log_file place;
    struct holden_reply reply;
    char what[128];
    HOLDEN_SET(&request, log, name, holden_view(view->name));
    snprintf(what, sizeof(what), "cannot show the log of %s", view->name);
    int status = session_ask(&view->session, HOLDEN_MESSAGE_log, &request, NULL, 0, NULL);
    if (status == STATUS_DONE)
        status = session_next(&view->session, &reply);
    if (status == STATUS_DONE)
        status = session_take(&reply, HOLDEN_MESSAGE_log_file, &place, what);
    return status == STATUS_DONE ? take_place(view, &reply, &place) : status;
}

int verb_logs(struct command *command) {
    _cleanup_(view_free) struct view view = {.command = command,
                                             .name = command->arguments[0],
                                             .session.client.connection.fd = -1,
                                             .journal.fd = -1};
    view.reader = (struct log_reader){.printer = &view.printer, .name = view.name, .fd = -1};
    printer_open(&view.printer, &command->output, &command->options);
    int status = command_check_target(view.name);
    if (status == STATUS_DONE)
        status = session_open(&view.session, &command->options);
    if (status == STATUS_DONE)
        status = find_place(&view);
    if (status == STATUS_DONE)
        status = view.reader.fd >= 0 ? show_log(&view) : show_journal(&view);
    return status;
}
