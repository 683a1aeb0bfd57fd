#include "monitor/plain.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <time.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/log.h"
#include "monitor/csv.h"
#include "monitor/layout.h"
#include "monitor/lines.h"
#include "monitor/record.h"
#include "monitor/signals.h"
#include "monitor/replay.h"
#include "monitor/status.h"
#include "monitor/summary.h"
#include "monitor/text.h"

/* How long an agent may owe the answer that somebody waits for who has no screen to look at. */
enum { PATIENCE = 10000000 };

struct plain {
    const struct options *options;
    struct fleet fleet;
    struct users users;
    struct view view;
    struct column_context context;
    uint64_t printed[FLEET_MOST]; /* of each agent, the sample printed last, or passed over */
    struct replay replay;
    struct recorder recorder;
    struct lines lines;
    bool titled;                  /* the titles of CSV are printed */
    int signals;              /* signals_open(); owned */
    struct buffer out;
};

static void plain_free(struct plain *plain) {
    cleanup_close(&plain->signals);
    replay_close(&plain->replay);
    recorder_close(&plain->recorder);
    fleet_close(&plain->fleet);
    users_free(&plain->users);
    view_free(&plain->view);
    buffer_free(&plain->out);
}

/* A line for each row: JSON or CSV, whose titles come first. */
static int put_records(struct plain *plain) {
    bool titles = plain->options->csv && !plain->titled;
    int r = titles ? csv_put_titles(&plain->out) : 0;
    plain->titled = true;
    for (size_t i = 0; r == 0 && i < plain->view.count; i++) {
        const struct row *row = plain->view.entries[i].row;
        const struct feed *feed = fleet_feed(&plain->fleet, row);
        r = plain->options->csv ? csv_put(row, feed, &plain->users, &plain->out)
                                : record_put(row, feed, &plain->users, &plain->out);
    }
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
    summary_agents(&plain->fleet, feed_now(), agent, &trouble);
    summary_processes(&plain->fleet, processes);
    layout_measure(&layout, &plain->context, plain->view.entries, plain->view.count);
    layout_fit(&layout, 0);
    int r = buffer_printf(&plain->out, "holden %s\n%s\n", agent, processes);
    if (r == 0)
        r = put_line(plain, &layout, NULL);
    for (size_t i = 0; r == 0 && i < plain->view.count; i++)
        r = put_line(plain, &layout, plain->view.entries[i].row);
    return r;
}

static bool is_frame(const struct options *options) {
    return !options->json && !options->csv && !options->lines;
}

/* Prints what is told of `count` agents from the first one on. */
static int print_samples(struct plain *plain, size_t first, size_t count) {
    const struct model *models[FLEET_MOST];
    for (size_t i = 0; i < count; i++)
        models[i] = &plain->fleet.feeds[first + i].model;
    int r = view_arrange(&plain->view, models, count, &plain->context);
    if (r == 0 && plain->options->lines)
        for (size_t i = 0; r == 0 && i < count; i++)
            r = lines_put(&plain->lines, &plain->fleet, first + i, &plain->out);
    else if (r == 0)
        r = is_frame(plain->options) ? put_frame(plain) : put_records(plain);
    if (r == 0)
        r = file_write_all(STDOUT_FILENO, buffer_bytes(&plain->out), plain->out.size);
    buffer_consume(&plain->out, plain->out.size);
    if (r < 0)
        log_error("cannot print the sample: %s", strerror(-r));
    return r;
}

static bool is_done(const struct plain *plain) {
    for (size_t i = 0; i < plain->fleet.count; i++)
        if (!plain->options->once || plain->printed[i] < 2)
            return false;
    return true;
}

/* Prints the samples that have become whole. With `once` the first one is only there to count from;
 * a frame waits for all agents, JSON for none. */
static int print_new(struct plain *plain) {
    int r = 0;
    for (size_t i = 0; r == 0 && i < plain->fleet.count; i++) {
        uint64_t samples = plain->fleet.feeds[i].samples;
        bool new = samples > plain->printed[i] && (!plain->options->once || plain->printed[i] < 2);
        if (!new)
            continue;
        plain->printed[i] = samples;
        if (!plain->options->once || samples >= 2)
            r = !is_frame(plain->options) ? print_samples(plain, i, 1)
                : is_done(plain)          ? print_samples(plain, 0, plain->fleet.count)
                                          : 0;
    }
    return r;
}

static void wait_for_more(const struct plain *plain, uint64_t until) {
    struct pollfd pollers[FLEET_MOST + 1];
    uint64_t deadline = fleet_deadline(&plain->fleet);
    uint64_t now = feed_now();
    deadline = deadline < until ? deadline : until;
    uint64_t left = deadline > now ? deadline - now : 0;
    struct timespec timeout = {(time_t)(left / 1000000), (long)(left % 1000000) * 1000};
    for (size_t i = 0; i < plain->fleet.count; i++)
        pollers[i] = (struct pollfd){.fd = feed_fd(&plain->fleet.feeds[i]),
                                     .events = feed_events(&plain->fleet.feeds[i])};
    pollers[plain->fleet.count] = (struct pollfd){.fd = plain->signals, .events = POLLIN};
    ppoll(pollers, plain->fleet.count + 1, &timeout, NULL);
}

/* An agent that is on its way back is waited for; when samples go on and on, any that has told
 * something already is. */
static int give_up(const struct plain *plain, const struct feed *feed, uint64_t until) {
    bool waits = !plain->options->once && feed->samples > 0;
    if (feed->code || (feed->status == FEED_GONE && feed->error < 0 && !waits))
        return status_absent(feed);
    return !waits && feed_now() >= until ? status_silent(feed->path) : STATUS_DONE;
}

static int follow(struct plain *plain) {
    uint64_t until = feed_now() + plain->options->interval + PATIENCE;
    int status = STATUS_DONE;
    bool resized;
    while (status == STATUS_DONE && !is_done(plain) && !signals_read(plain->signals, &resized)) {
        wait_for_more(plain, until);
        fleet_work(&plain->fleet, feed_now());
        if (print_new(plain) < 0)
            return STATUS_FAILED;
        for (size_t i = 0; status == STATUS_DONE && !is_done(plain) && i < plain->fleet.count; i++)
            status = give_up(plain, &plain->fleet.feeds[i], until);
    }
    return status;
}

/* A recording is told without a pause. With `once`, all of it, and then what it has come to. */
static int play(struct plain *plain) {
    int r;
    if (plain->replay.recording.cut)
        log_warning("%s was cut: what is before that is shown", plain->options->replay);
    if (plain->options->at != UINT64_MAX)
        replay_seek(&plain->replay, plain->replay.recording.first + plain->options->at);
    else if (plain->options->once)
        replay_finish(&plain->replay);
    if (plain->options->once)
        return print_samples(plain, 0, plain->fleet.count) < 0 ? STATUS_FAILED : STATUS_DONE;
    do
        r = print_new(plain) < 0 ? -EIO : replay_step(&plain->replay);
    while (r == 0);
    return r == -ENODATA ? STATUS_DONE : STATUS_FAILED;
}

static void prepare(struct plain *plain, const struct options *options) {
    plain->context.users = &plain->users;
    if (!options->replay)
        fleet_name(&plain->fleet, options->sockets, options->count);
    if (plain->fleet.count > 1)
        plain->context.agents = plain->fleet.labels;
    for (size_t i = 0; !options->replay && i < plain->fleet.count; i++) {
        plain->fleet.feeds[i].interval = options->interval;
        plain->fleet.feeds[i].ended = options->ended;
    }
}

static int run(struct plain *plain) {
    plain->signals = signals_open();
    int r = fleet_open(&plain->fleet, feed_now());
    return r < 0 ? status_absent(&plain->fleet.feeds[0]) : follow(plain);
}

int plain_run(const struct options *options) {
    _cleanup_(plain_free) struct plain plain = {
        .options = options,
        .replay = {.recording = {.fd = -1}},
        .recorder = {.fd = -1},
        .signals = -1,
        .view = {.sort = options->sort, .reversed = options->reversed, .ended = options->ended},
        .context = {.utf8 = text_is_utf8()},
    };
    int status = STATUS_DONE;
    if (options->replay)
        status = status_replay(&plain.replay, options->replay, &plain.fleet);
    prepare(&plain, options);
    if (status == STATUS_DONE && options->record)
        status = status_record(&plain.recorder, options->record, options->interval, &plain.fleet);
    if (status != STATUS_DONE)
        return status;
    status = options->replay ? play(&plain) : run(&plain);
    return status_recorded(&plain.recorder, status);
}
