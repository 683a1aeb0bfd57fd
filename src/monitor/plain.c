#include "monitor/plain.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <time.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/log.h"
#include "monitor/layout.h"
#include "monitor/record.h"
#include "monitor/status.h"
#include "monitor/summary.h"
#include "monitor/text.h"

/* How long an agent may owe the answer that somebody waits for who has no screen to look at. */
enum { PATIENCE = 10000000 };

struct plain {
    const struct options *options;
    struct feed feed;
    struct users users;
    struct view view;
    struct column_context context;
    uint64_t printed;     /* the sample printed last, or passed over */
    struct buffer out;
};

static void plain_free(struct plain *plain) {
    feed_close(&plain->feed);
    users_free(&plain->users);
    view_free(&plain->view);
    buffer_free(&plain->out);
}

static uint64_t microseconds_since_1970(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static int put_json(struct plain *plain) {
    uint64_t time = microseconds_since_1970();
    int r = 0;
    for (size_t i = 0; r == 0 && i < plain->view.count; i++)
        r = record_put(plain->view.entries[i].row, &plain->feed, &plain->users, time, &plain->out);
    return r;
}

/* One line of cells, one space apart, without spaces at its end; `row` is NULL for the titles. */
static int put_line(struct plain *plain, const struct layout *layout, const struct row *row) {
    int r = 0;
    for (enum column which = 0; r == 0 && which < COLUMNS_COUNT; which++) {
        char text[LAYOUT_CELL];
        if (!layout->widths[which])
            continue;
        if (row)
            layout_cell(layout, which, &plain->context, row, text);
        else
            layout_title(layout, which, text);
        r = buffer_printf(&plain->out, "%s ", text);
    }
    while (plain->out.size > 0 && buffer_bytes(&plain->out)[plain->out.size - 1] == ' ')
        plain->out.size--;
    return r < 0 ? r : buffer_append(&plain->out, "\n", 1);
}

static int put_frame(struct plain *plain) {
    char agent[SUMMARY_TEXT];
    char processes[SUMMARY_TEXT];
    struct layout layout = {0};
    bool trouble;
    summary_agent(&plain->feed, feed_now(), agent, &trouble);
    summary_processes(&plain->feed, processes);
    layout_measure(&layout, &plain->context, plain->view.entries, plain->view.count);
    layout_fit(&layout, 0);
    int r = buffer_printf(&plain->out, "holden %s\n%s\n", agent, processes);
    if (r == 0)
        r = put_line(plain, &layout, NULL);
    for (size_t i = 0; r == 0 && i < plain->view.count; i++)
        r = put_line(plain, &layout, plain->view.entries[i].row);
    return r;
}

/* Prints the sample that is now in the model, unless it is only there to count from. */
static int print_sample(struct plain *plain) {
    bool first = plain->feed.samples < 2 && plain->options->once;
    plain->printed = plain->feed.samples;
    if (first)
        return 0;
    int r = view_arrange(&plain->view, &plain->feed.model, &plain->context);
    if (r == 0)
        r = plain->options->json ? put_json(plain) : put_frame(plain);
    if (r == 0)
        r = file_write_all(STDOUT_FILENO, buffer_bytes(&plain->out), plain->out.size);
    buffer_consume(&plain->out, plain->out.size);
    if (r < 0)
        log_error("cannot print the sample: %s", strerror(-r));
    return r;
}

static void wait_for_more(const struct plain *plain, uint64_t until) {
    uint64_t deadline = feed_deadline(&plain->feed);
    uint64_t now = feed_now();
    deadline = deadline < until ? deadline : until;
    uint64_t left = deadline > now ? deadline - now : 0;
    struct timespec timeout = {(time_t)(left / 1000000), (long)(left % 1000000) * 1000};
    struct pollfd poller = {.fd = feed_fd(&plain->feed), .events = feed_events(&plain->feed)};
    ppoll(&poller, 1, &timeout, NULL);
}

/* An agent that is on its way back is waited for; when samples go on and on, any that has told
 * something already is. */
static int give_up(const struct plain *plain, uint64_t until) {
    const struct feed *feed = &plain->feed;
    bool waits = !plain->options->once && feed->samples > 0;
    if (feed->code || (feed->status == FEED_GONE && feed->error < 0 && !waits))
        return status_absent(feed);
    return !waits && feed_now() >= until ? status_silent(feed->path) : STATUS_DONE;
}

static int follow(struct plain *plain) {
    uint64_t until = feed_now() + plain->options->interval + PATIENCE;
    uint64_t wanted = plain->options->once ? 2 : UINT64_MAX;
    while (plain->printed < wanted) {
        wait_for_more(plain, until);
        feed_work(&plain->feed, feed_now());
        if (plain->feed.samples > plain->printed && print_sample(plain) < 0)
            return STATUS_FAILED;
        int status = plain->printed < wanted ? give_up(plain, until) : STATUS_DONE;
        if (status != STATUS_DONE)
            return status;
    }
    return STATUS_DONE;
}

int plain_run(const struct options *options) {
    _cleanup_(plain_free) struct plain plain = {
        .options = options,
        .feed = {.path = holden_socket_path(options->socket), .interval = options->interval,
                 .ended = options->ended},
        .view = {.sort = options->sort, .reversed = options->reversed, .ended = options->ended},
        .context = {.utf8 = text_is_utf8()},
    };
    plain.context.users = &plain.users;
    int r = feed_open(&plain.feed, feed_now());
    return r < 0 ? status_absent(&plain.feed) : follow(&plain);
}
