/* The verb audit: who asked for what, and what came of it. The agent says where that is written
 * down: a file, of which it hands out a descriptor; the journal; or both, where the journal did not
 * take everything. Both hold the same line for an operation, a JSON object. */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "controller/command.h"
#include "controller/journal.h"
#include "controller/log_reader.h"
#include "controller/session.h"
#include "controller/signal_name.h"
#include "controller/user_name.h"
#include "protocol/message.h"

enum { POLL_MS = 200, BLOCK = 65536 };

/* A line that was read, before all are put in order. */
struct entry {
    uint64_t time;
    size_t number; /* of lines that were read */
    char *text;    /* owned */
};

struct view {
    struct command *command;
    struct user_names users;
    struct printer printer; /* takes bytes apart into lines */
    struct log_reader reader;
    struct journal journal;
    char agent[4200], message_id[64]; /* matches for the journal; "": it is not there */
    struct buffer entries;            /* struct entry */
    uint64_t last;                    /* the time of the newest that was printed */
    bool following;
};

static struct entry *entries_of(const struct view *view, size_t *count) {
    *count = view->entries.size / sizeof(struct entry);
    return (struct entry *)(void *)buffer_bytes(&view->entries);
}

static void view_free(struct view *view) {
    size_t count;
    struct entry *entries = entries_of(view, &count);
    for (size_t i = 0; i < count; i++)
        free(entries[i].text);
    buffer_free(&view->entries);
    buffer_free(&view->printer.held);
    log_reader_close(&view->reader);
    journal_close(&view->journal);
    user_names_free(&view->users);
}

static int complain(int error) {
    log_error("cannot read the audit trail: %s", strerror(error));
    return STATUS_FAILED;
}

/* ---- one line ---- */

static void put_string(struct output *output, const json_t *object, const char *key,
                       const char *before, const char *after) {
    const json_t *value = json_object_get(object, key);
    if (!json_is_string(value))
        return;
    output_text(output, before);
    output_safe(output, (struct holden_view){json_string_value(value), json_string_length(value)});
    output_text(output, after);
}

static void put_number(struct output *output, const json_t *object, const char *key,
                       const char *before) {
    const json_t *value = json_object_get(object, key);
    if (json_is_integer(value))
        output_printf(output, "%s%" JSON_INTEGER_FORMAT, before, json_integer_value(value));
}

/* "2026-11-26 08:00:01.234 root stop web (id 7): done, by /usr/bin/holden, pid 123" */
static void print_operation(struct view *view, const json_t *object) {
    struct output *output = &view->command->output;
    const json_t *result = json_object_get(object, "result");
    const json_t *signal = json_object_get(object, "signal");
    const char *user =
        user_name(&view->users, (uint32_t)json_integer_value(json_object_get(object, "uid")));
    const char *word = json_is_string(result) ? json_string_value(result) : "unanswered";
    char name[32];
    bool good = strcmp(word, "done") == 0;
    output_time(output, (uint64_t)json_integer_value(json_object_get(object, "time")));
    output_printf(output, " %s ", user ? user : "?");
    output_style(output, OUTPUT_BOLD);
    put_string(output, object, "verb", "", "");
    put_string(output, object, "target", " ", "");
    output_style(output, OUTPUT_PLAIN);
    if (json_is_integer(signal))
        output_printf(output, " with %s",
                      signal_print((uint32_t)json_integer_value(signal), name, sizeof(name)));
    put_string(output, object, "command", " (", ")");
    put_number(output, object, "id", " #");
    output_text(output, ": ");
    output_style(output, good ? OUTPUT_GOOD : OUTPUT_BAD);
    output_safe(output, holden_view(word));
    output_style(output, OUTPUT_PLAIN);
    put_string(output, object, "step", " (", ")");
    put_string(output, object, "text", ": ", "");
    put_string(output, object, "exe", ", by ", "");
    put_number(output, object, "pid", ", pid ");
    output_text(output, "\n");
}

/* Prints a line. What is no operation (its writer ran out of disk) is passed over. */
static int print_line(struct view *view, struct holden_view line) {
    struct output *output = &view->command->output;
    json_t *object = json_loadb(line.data, line.size, JSON_REJECT_DUPLICATES, NULL);
    uint64_t time = (uint64_t)json_integer_value(json_object_get(object, "time"));
    /* The journal is followed from the last line on, which comes once more. */
    bool again = view->following && view->journal.pid > 0 && time <= view->last;
    bool wanted = object && !again;
    if (wanted && view->command->options.json)
        output_printf(output, "%.*s\n", (int)line.size, line.data);
    else if (wanted)
        print_operation(view, object);
    if (wanted && time > view->last)
        view->last = time;
    json_decref(object);
    return view->following ? output_flush(output) : 0;
}

/* The time comes first in each: it need not be decoded for that. */
static int keep_line(struct view *view, struct holden_view line) {
    struct entry entry = {.number = view->entries.size};
    entry.text = strndup(line.data, line.size);
    if (!entry.text)
        return -ENOMEM;
    if (sscanf(entry.text, "{\"time\":%" SCNu64, &entry.time) != 1) {
        free(entry.text);
        return 0;
    }
    int r = buffer_append(&view->entries, &entry, sizeof(entry));
    if (r < 0)
        free(entry.text);
    return r;
}

static int on_line(void *data, struct holden_view line) {
    struct view *view = data;
    return view->following ? print_line(view, line) : keep_line(view, line);
}

static int compare(const void *left, const void *right) {
    const struct entry *one = left, *other = right;
    if (one->time != other->time)
        return one->time < other->time ? -1 : 1;
    return (one->number > other->number) - (one->number < other->number);
}

static int print_kept(struct view *view) {
    const struct options *options = &view->command->options;
    size_t count;
    struct entry *entries = entries_of(view, &count);
    if (count > 0)
        qsort(entries, count, sizeof(*entries), compare);
    size_t first = options->has_lines && options->lines < count ? count - options->lines : 0;
    int r = 0;
    for (size_t i = first; r == 0 && i < count; i++)
        r = print_line(view, holden_view(entries[i].text));
    if (count > 0)
        view->last = entries[count - 1].time;
    return r < 0 ? r : output_flush(&view->command->output);
}

/* ---- from where it is ---- */

static int pass_on(struct view *view) {
    char bytes[BLOCK];
    ssize_t size = read(view->journal.fd, bytes, sizeof(bytes));
    if (size <= 0)
        return size < 0 && errno != EINTR ? -errno : size == 0 ? 0 : 1;
    int r = printer_bytes(&view->printer, bytes, (size_t)size);
    return r < 0 ? r : 1;
}

static int open_journal(struct view *view, bool follow) {
    const struct options *options = &view->command->options;
    const char *const matches[] = {view->message_id, view->agent, NULL};
    const struct journal_query query = {
        .matches = matches,
        .field = "HOLDEN_OPERATION",
        .since = follow ? view->last : 0,
        .lines = options->has_lines && !follow ? options->lines : UINT64_MAX,
        .follow = follow};
    int r = journal_open(&view->journal, &query, false);
    if (r < 0)
        log_error("the audit trail is in the journal, and journalctl, which reads it, cannot be "
                  "run: %s; with Audit=file it is in a file", strerror(-r));
    return r;
}

static int read_journal(struct view *view) {
    int r;
    journal_sync();
    if (open_journal(view, false) < 0)
        return STATUS_FAILED;
    do
        r = pass_on(view);
    while (r > 0);
    if (r < 0)
        return complain(-r);
    /* What was wrong it has said itself. */
    return journal_wait(&view->journal) == 0 ? STATUS_DONE : STATUS_FAILED;
}

static int read_file(struct view *view) {
    const struct options *options = &view->command->options;
    int r = log_reader_start(&view->reader);
    if (r == 0 && options->has_lines)
        r = log_reader_last(&view->reader, options->lines);
    if (r == 0)
        r = log_reader_print(&view->reader);
    return r < 0 ? complain(-r) : STATUS_DONE;
}

static int follow_journal(struct view *view) {
    int r;
    if (open_journal(view, true) < 0)
        return STATUS_FAILED;
    do
        r = pass_on(view);
    while (r > 0);
    return r < 0 ? complain(-r) : STATUS_DONE;
}

/* Until the file is removed: its agent has ended and has left nothing. */
static int follow_file(struct view *view) {
    char path[64], events[4096];
    struct stat status;
    _cleanup_close_ int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", view->reader.fd);
    bool watched = watch >= 0 && inotify_add_watch(watch, path, IN_MODIFY | IN_ATTRIB) >= 0;
    for (;;) {
        bool last = fstat(view->reader.fd, &status) < 0 || status.st_nlink == 0;
        int r = log_reader_print(&view->reader);
        if (r < 0 || last)
            return r < 0 ? complain(-r) : STATUS_DONE;
        struct pollfd polled = {.fd = watched ? watch : -1, .events = POLLIN};
        if (poll(&polled, 1, watched ? -1 : POLL_MS) > 0 &&
            read(watch, events, sizeof(events)) < 0 && errno != EAGAIN)
            return complain(errno);
    }
}

/* ---- the verb ---- */

static int take_place(struct view *view, struct session *session, const struct holden_reply *reply,
                      const struct holden_audit_place *place) {
    if (HOLDEN_HAS(place, audit_place, journal)) {
        snprintf(view->agent, sizeof(view->agent), "HOLDEN_AGENT=%.*s", (int)place->journal.size,
                 place->journal.data);
        snprintf(view->message_id, sizeof(view->message_id), "MESSAGE_ID=%.*s",
                 (int)place->message_id.size, place->message_id.data);
    }
    if (HOLDEN_HAS(place, audit_place, file) &&
        holden_connection_take_fds(&session->client.connection, &reply->frame, &view->reader.fd,
                                   1) != 1)
        return complain(EBADF);
    return STATUS_DONE;
}

static int find_place(struct view *view) {
    _cleanup_(session_close) struct session session = {.client.connection.fd = -1};
    struct holden_audit request = {0};
    struct holden_audit_place place;
    struct holden_reply reply;
    int status = session_open(&session, &view->command->options);
    if (status == STATUS_DONE)
        status = session_ask(&session, HOLDEN_MESSAGE_audit, &request, NULL, 0, NULL);
    if (status == STATUS_DONE)
        status = session_next(&session, &reply);
    if (status == STATUS_DONE)
        status = session_take(&reply, HOLDEN_MESSAGE_audit_place, &place,
                              "cannot show the audit trail");
    return status == STATUS_DONE ? take_place(view, &session, &reply, &place) : status;
}

int verb_audit(struct command *command) {
    const struct options *options = &command->options;
    _cleanup_(view_free) struct view view = {.command = command, .journal.fd = -1};
    view.reader =
        (struct log_reader){.printer = &view.printer, .name = "the audit trail", .fd = -1};
    output_inspect(&command->output, options->no_color);
    printer_open_lines(&view.printer, &command->output, on_line, &view);
    int status = find_place(&view);
    bool file = view.reader.fd >= 0, journal = view.agent[0] != '\0';
    if (status == STATUS_DONE && file)
        status = read_file(&view);
    if (status == STATUS_DONE && journal)
        status = read_journal(&view);
    if (status == STATUS_DONE) {
        int r = print_kept(&view);
        status = r < 0 ? complain(-r) : STATUS_DONE;
    }
    view.following = options->follow;
    if (status == STATUS_DONE && options->follow && journal)
        return follow_journal(&view);
    return status == STATUS_DONE && options->follow && file ? follow_file(&view) : status;
}
