#include "monitor/inspect.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

#include "common/cleanup.h"

/* Microseconds: between questions, and between looks at the log. */
enum { AGAIN = 3000000, LOOK = 250000 };

void inspect_close(struct inspect *inspect) {
    if (inspect->fd >= 0)
        close(inspect->fd);
    inspect->fd = -1;
}

void inspect_select(struct inspect *inspect, struct feed *feed, uint64_t id) {
    if (inspect->feed == feed && inspect->id == id)
        return;
    inspect_close(inspect);
    *inspect = (struct inspect){.feed = feed, .id = id, .fd = -1};
}

static const struct row *target(const struct inspect *inspect) {
    return inspect->id && inspect->feed && inspect->feed->status == FEED_LIVE
               ? model_find(&inspect->feed->model, inspect->id) : NULL;
}

/* A name may belong to another process by now: its pid cannot, while it lives. */
static void ask(struct inspect *inspect, const struct row *row, uint64_t now) {
    char word[72];
    struct holden_list list = {0};
    struct holden_log log = {0};
    snprintf(word, sizeof(word), "%.*s", (int)row->name.size, row->name.data);
    struct holden_view name = holden_view(word);
    HOLDEN_SET(&list, list, name, (struct holden_repeated){.count = 1, .items = &name});
    HOLDEN_SET(&list, list, detail, true);
    HOLDEN_SET(&list, list, ended, true);
    HOLDEN_SET(&log, log, name, name);
    inspect->due = now + AGAIN;
    if (feed_ask(inspect->feed, HOLDEN_MESSAGE_list, &list, &inspect->list) < 0)
        inspect->list = 0;
    if (inspect->fd < 0 &&
        feed_ask(inspect->feed, HOLDEN_MESSAGE_log, &log, &inspect->log) < 0)
        inspect->log = 0;
}

static bool tell_log(struct inspect *inspect, struct holden_view text) {
    _cleanup_(buffer_free) struct buffer body = {0};
    if (detail_put_log(inspect->id, text, &body) < 0)
        return false;
    struct holden_view view = {(const char *)buffer_bytes(&body), body.size};
    return feed_tell(inspect->feed, TIDING_LOG, view, feed_wall_clock());
}

/* The part of a line at its front goes, where there is one. */
static bool read_log(struct inspect *inspect) {
    char text[DETAIL_LOG];
    struct stat status;
    if (fstat(inspect->fd, &status) < 0 || (uint64_t)status.st_size == inspect->size)
        return false;
    off_t from = status.st_size > (off_t)sizeof(text) ? status.st_size - (off_t)sizeof(text) : 0;
    ssize_t size = pread(inspect->fd, text, sizeof(text), from);
    inspect->size = (uint64_t)status.st_size;
    return size >= 0 && tell_log(inspect, (struct holden_view){text, (size_t)size});
}

bool inspect_work(struct inspect *inspect, uint64_t now) {
    const struct row *row = target(inspect);
    bool changed = false;
    if (row && now >= inspect->due && !inspect->list && !inspect->log)
        ask(inspect, row, now);
    if (inspect->fd >= 0 && now >= inspect->looked + LOOK) {
        inspect->looked = now;
        changed = read_log(inspect);
    }
    return changed;
}

uint64_t inspect_deadline(const struct inspect *inspect) {
    uint64_t look = inspect->fd >= 0 ? inspect->looked + LOOK : UINT64_MAX;
    bool asks = target(inspect) && !inspect->list && !inspect->log;
    return asks && inspect->due < look ? inspect->due : look;
}

static void take_log(struct inspect *inspect, const struct holden_reply *reply) {
    struct holden_log_file answer;
    if (reply->frame.type != HOLDEN_MESSAGE_log_file || holden_reply_decode(reply, &answer) < 0)
        return;
    if (!HOLDEN_HAS(&answer, log_file, file)) {
        char text[512];
        snprintf(text, sizeof(text), "its output is in the journal: journalctl -t %.*s\n",
                 (int)answer.journal.size, answer.journal.data);
        tell_log(inspect, holden_view(text));
        return;
    }
    inspect_close(inspect);
    if (holden_connection_take_fds(&inspect->feed->link.connection, &reply->frame, &inspect->fd,
                                   1) < 1)
        inspect->fd = -1;
    inspect->size = UINT64_MAX;
    inspect->looked = 0;
}

/* The answer is a stream: one process, then its end; or an error. */
static void take_list(struct inspect *inspect, const struct holden_reply *reply) {
    struct holden_process process;
    if (reply->frame.type != HOLDEN_MESSAGE_process) {
        inspect->list = 0;
        return;
    }
    struct holden_view body = {(const char *)reply->body, reply->frame.size};
    if (holden_reply_decode(reply, &process) == 0 && process.id == inspect->id)
        feed_tell(inspect->feed, TIDING_DETAIL, body, feed_wall_clock());
}

bool inspect_answer(struct inspect *inspect, const struct feed *feed,
                    const struct holden_reply *reply) {
    if (feed != inspect->feed)
        return false;
    if (!reply) {
        inspect->list = inspect->log = 0;
        inspect->due = 0;
        return false;
    }
    if (inspect->list && reply->frame.id == inspect->list) {
        take_list(inspect, reply);
        return true;
    }
    if (!inspect->log || reply->frame.id != inspect->log)
        return false;
    inspect->log = 0;
    take_log(inspect, reply);
    return true;
}
