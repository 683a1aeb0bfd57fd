#include "monitor/report.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/log.h"
#include "common/option.h"
#include "common/unit.h"
#include "monitor/page.h"
#include "monitor/signals.h"
#include "monitor/status.h"

#define SECOND UINT64_C(1000000)
#define DAY (SECOND * 86400)
enum { PAGE_MODE = 0644 };

struct report {
    const char *output;            /* NULL: not given */
    const char *recording;         /* NULL: agents are watched */
    const char *sockets[FLEET_MOST];
    size_t socket_count;
    uint64_t span;                 /* how long agents are watched, microseconds */
    bool help;
    const char **names;            /* of the processes; owned */
    size_t name_count;

    struct fleet fleet;
    struct replay replay;
    struct series_list list;
    struct users users;
    uint64_t samples[FLEET_MOST];  /* taken so far, of each agent */
    uint64_t first, last;
    int signals;                   /* owned */
};

static const char *take_output(void *into, const char *value) {
    ((struct report *)into)->output = value;
    return *value ? NULL : "a path is wanted";
}

static const char *take_span(void *into, const char *value) {
    struct report *report = into;
    if (unit_parse_time(value, SECOND, &report->span) < 0 || report->span < SECOND ||
        report->span > DAY)
        return "a time from 1s to 1day is wanted";
    return NULL;
}

static const char *take_socket(void *into, const char *value) {
    struct report *report = into;
    if (report->socket_count == FLEET_MOST)
        return "too many agents";
    report->sockets[report->socket_count++] = value;
    return *value ? NULL : "a path is wanted";
}

static const char *take_help(void *into, const char *value) {
    (void)value;
    ((struct report *)into)->help = true;
    return NULL;
}

static const struct option_row rows[] = {
    {'o', "output", "FILE", "the page to write", take_output},
    {'f', "for", "TIME",
     "watch processes for so long, where no recording is given; 10s unless given", take_span},
    {'s', "socket", "PATH", "the socket of an agent, any number of times", take_socket},
    {'h', "help", NULL, "show this help", take_help},
};

static void report_free(struct report *report) {
    replay_close(&report->replay);
    fleet_close(&report->fleet);
    series_free(&report->list);
    users_free(&report->users);
    cleanup_close(&report->signals);
    free(report->names);
}

/* No process has a name with a slash; a file that begins like a recording is one. */
static bool is_recording(const char *word) {
    char bytes[sizeof(RECORDING_MAGIC)] = "";
    if (strchr(word, '/'))
        return true;
    _cleanup_close_ int fd = open(word, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    return fd >= 0 && read(fd, bytes, sizeof(bytes) - 1) == sizeof(bytes) - 1 &&
           strcmp(bytes, RECORDING_MAGIC) == 0;
}

static int refuse(const char *why) {
    log_error("report: %s; see %s report --help", why, program_invocation_short_name);
    return STATUS_USAGE;
}

static int read_words(struct report *report, int count, char **words) {
    int at = option_parse(rows, ARRAY_SIZE(rows), program_invocation_short_name, count, words,
                          report);
    if (at < 0)
        return STATUS_USAGE;
    if (report->help)
        return STATUS_DONE;
    report->names = calloc((size_t)count, sizeof(*report->names));
    if (!report->names)
        return STATUS_FAILED;
    for (; at < count; at++) {
        bool recording = is_recording(words[at]);
        if (recording && report->recording)
            return refuse("only one recording can be shown");
        if (recording)
            report->recording = words[at];
        else
            report->names[report->name_count++] = words[at];
    }
    if (!report->output)
        return refuse("--output FILE is wanted");
    if (!report->recording && report->name_count == 0)
        return refuse("names of processes are wanted, or a recording");
    if (report->recording && report->socket_count > 0)
        return refuse("a recording shows no agent: --socket does not go with it");
    if (report->socket_count == 0)
        report->sockets[report->socket_count++] = holden_socket_path(NULL);
    return STATUS_DONE;
}

/* Takes the samples that have become whole. */
static int take_samples(struct report *report) {
    for (size_t i = 0; i < report->fleet.count; i++) {
        const struct feed *feed = &report->fleet.feeds[i];
        if (feed->samples == report->samples[i])
            continue;
        report->samples[i] = feed->samples;
        report->first = report->first ? report->first : feed->time;
        report->last = feed->time > report->last ? feed->time : report->last;
        int r = series_take(&report->list, feed, report->names, report->name_count,
                            &report->users);
        if (r < 0)
            return r;
    }
    return 0;
}

static int play(struct report *report) {
    int status = status_replay(&report->replay, report->recording, &report->fleet);
    if (status != STATUS_DONE)
        return status;
    if (report->replay.recording.cut)
        log_warning("%s was cut: what is before that is shown", report->recording);
    int r;
    do
        r = take_samples(report);
    while (r == 0 && (r = replay_step(&report->replay)) == 0);
    return r == -ENODATA ? STATUS_DONE : STATUS_FAILED;
}

static void wait_for_more(const struct report *report, uint64_t until) {
    struct pollfd pollers[FLEET_MOST + 1];
    uint64_t deadline = fleet_deadline(&report->fleet);
    uint64_t now = feed_now();
    deadline = deadline < until ? deadline : until;
    uint64_t left = deadline > now ? deadline - now : 0;
    struct timespec timeout = {(time_t)(left / SECOND), (long)(left % SECOND) * 1000};
    for (size_t i = 0; i < report->fleet.count; i++)
        pollers[i] = (struct pollfd){.fd = feed_fd(&report->fleet.feeds[i]),
                                     .events = feed_events(&report->fleet.feeds[i])};
    pollers[report->fleet.count] = (struct pollfd){.fd = report->signals, .events = POLLIN};
    ppoll(pollers, report->fleet.count + 1, &timeout, NULL);
}

/* A signal ends the watching, not the report. */
static int watch(struct report *report) {
    uint64_t until = feed_now() + report->span;
    bool resized;
    fleet_name(&report->fleet, report->sockets, report->socket_count);
    for (size_t i = 0; i < report->fleet.count; i++) {
        report->fleet.feeds[i].interval = report->span < 60 * SECOND ? SECOND / 4 : SECOND;
        report->fleet.feeds[i].ended = true;
    }
    report->signals = signals_open();
    int r = fleet_open(&report->fleet, feed_now());
    if (r < 0)
        return status_absent(&report->fleet.feeds[0]);
    while (r == 0 && feed_now() < until && !signals_read(report->signals, &resized)) {
        wait_for_more(report, until);
        fleet_work(&report->fleet, feed_now());
        const struct feed *feed = &report->fleet.feeds[0];
        if (feed->samples == 0 && (feed->code || feed->error < 0))
            return status_absent(feed);
        r = take_samples(report);
    }
    return r < 0 ? STATUS_FAILED : STATUS_DONE;
}

static int check_names(const struct report *report) {
    for (size_t i = 0; i < report->name_count; i++) {
        bool found = false;
        for (size_t j = 0; j < report->list.count && !found; j++)
            found = strcmp(report->list.series[j]->name, report->names[i]) == 0;
        if (found)
            continue;
        log_error("no process %s in %s", report->names[i],
                  report->recording ? report->recording : report->sockets[0]);
        return holden_exit_status(HOLDEN_code_NO_PROCESS);
    }
    return STATUS_DONE;
}

static int write_page(struct report *report) {
    _cleanup_(buffer_free) struct buffer out = {0};
    const struct page page = {
        .list = &report->list, .fleet = &report->fleet, .first = report->first,
        .last = report->last,
        .source = report->recording ? report->recording : report->sockets[0]};
    int r = page_put(&page, &out);
    if (r == 0)
        r = file_replace(AT_FDCWD, report->output, buffer_bytes(&out), out.size, PAGE_MODE);
    if (r == 0)
        return STATUS_DONE;
    log_error("cannot write the report %s: %s", report->output, strerror(-r));
    return STATUS_FAILED;
}

int report_run(int count, char **words) {
    _cleanup_(report_free) struct report report = {
        .span = 10 * SECOND, .replay = {.recording = {.fd = -1}}, .signals = -1};
    int status = read_words(&report, count, words);
    if (status == STATUS_DONE && report.help) {
        printf("Usage: %s report [OPTION]... NAME...|RECORDING [NAME...]\n"
               "Write a page about processes, with charts.\n\nOptions:\n",
               program_invocation_short_name);
        option_help(rows, ARRAY_SIZE(rows));
        return fflush(stdout) == 0 ? STATUS_DONE : STATUS_FAILED;
    }
    if (status == STATUS_DONE)
        status = report.recording ? play(&report) : watch(&report);
    if (status == STATUS_DONE)
        status = check_names(&report);
    return status == STATUS_DONE ? write_page(&report) : status;
}
