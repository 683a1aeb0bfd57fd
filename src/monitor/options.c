#include "monitor/options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "common/option.h"
#include "common/unit.h"
#include "monitor/key.h"
#include "monitor/replay.h"
#include "monitor/status.h"
#include "protocol/client.h"

#define SECOND UINT64_C(1000000)
static const uint64_t interval_least = SECOND / 20;
static const uint64_t interval_most = SECOND * 3600;

static const char *take_socket(void *into, const char *value) {
    struct options *options = into;
    if (!*value)
        return "a path is wanted";
    if (options->count == FLEET_MOST)
        return "at most 16 agents are shown together";
    options->sockets[options->count++] = value;
    return NULL;
}

static const char *take_interval(void *into, const char *value) {
    struct options *options = into;
    if (unit_parse_time(value, SECOND, &options->interval) < 0)
        return "a time is wanted, such as 500ms or 2";
    if (options->interval < interval_least || options->interval > interval_most)
        return "out of range: 50ms to 1h";
    return NULL;
}

static const char *take_sort(void *into, const char *value) {
    struct options *options = into;
    options->reversed = *value == '-';
    if (column_find(value + options->reversed, &options->sort) < 0)
        return "no column can be sorted by that; see the list of columns";
    return NULL;
}

static const char *take_record(void *into, const char *value) {
    ((struct options *)into)->record = value;
    return *value ? NULL : "a path is wanted";
}

static const char *take_replay(void *into, const char *value) {
    ((struct options *)into)->replay = value;
    return *value ? NULL : "a path is wanted";
}

static const char *take_at(void *into, const char *value) {
    struct options *options = into;
    return unit_parse_time(value, SECOND, &options->at) < 0 ? "a time is wanted, such as 1min 5s"
                                                            : NULL;
}

static const char *take_speed(void *into, const char *value) {
    struct options *options = into;
    char *end;
    options->speed = strtod(value, &end);
    if (end == value || *end || !(options->speed >= REPLAY_SLOWEST) ||
        !(options->speed <= REPLAY_FASTEST))
        return "a number from 0.125 to 64 is wanted";
    return NULL;
}

#define FLAG(member)                                                    \
    static const char *take_##member(void *into, const char *value) {   \
        (void)value;                                                    \
        ((struct options *)into)->member = true;                        \
        return NULL;                                                    \
    }
FLAG(ended)
FLAG(once)
FLAG(json)
FLAG(csv)
FLAG(lines)
FLAG(no_color)
FLAG(paused)
FLAG(help)
FLAG(version)

static const struct option_row rows[] = {
    {'s', "socket", "PATH",
     "the socket of an agent, any number of times; else $HOLDEN_SOCKET, else "
     HOLDEN_SOCKET_DEFAULT,
     take_socket},
    {'i', "interval", "TIME", "time between samples, 50ms to 1h; 1s unless given", take_interval},
    {'1', "once", NULL, "print one frame as plain text, after two samples, and exit", take_once},
    {'j', "json", NULL, "print one JSON object per process and sample, one a line", take_json},
    {'c', "csv", NULL, "print comma-separated values, a line for each process and sample",
     take_csv},
    {'l', "lines", NULL, "print sentences, then only what changes: for who has them read aloud",
     take_lines},
    {'S', "sort", "COLUMN", "sort by this column, see below; -COLUMN: the other way round",
     take_sort},
    {'a', "all", NULL, "ended processes too", take_ended},
    {'w', "record", "FILE", "write all that is shown to this file, to be shown again",
     take_record},
    {'r', "replay", "FILE", "show a recording in place of agents", take_replay},
    {0, "at", "TIME", "begin the replay so long after its start", take_at},
    {0, "speed", "NUMBER", "replay so many times as fast, 0.125 to 64", take_speed},
    {0, "paused", NULL, "let the replay stand still until a key moves it", take_paused},
    {0, "no-color", NULL, "no colours, as with NO_COLOR set", take_no_color},
    {'h', "help", NULL, "show this help", take_help},
    {'V', "version", NULL, "show the version", take_version},
};

int options_read(struct options *options, int count, char **words) {
    *options = (struct options){.interval = SECOND, .sort = COLUMN_CPU, .at = UINT64_MAX,
                                .speed = 1};
    int at =
        option_parse(rows, ARRAY_SIZE(rows), program_invocation_short_name, count, words, options);
    if (at < 0)
        return STATUS_USAGE;
    if (at < count) {
        log_error("'%s': no arguments are taken; see %s --help", words[at],
                  program_invocation_short_name);
        return STATUS_USAGE;
    }
    if (options->json + options->csv + options->lines > 1) {
        log_error("--json, --csv, --lines: only one of them can be printed");
        return STATUS_USAGE;
    }
    if (options->replay && (options->record || options->count > 0)) {
        log_error("--replay FILE shows no agent: --socket and --record do not go with it");
        return STATUS_USAGE;
    }
    if (options->count == 0)
        options->sockets[options->count++] = holden_socket_path(NULL);
    return STATUS_DONE;
}

void options_help(void) {
    printf("Usage: %s [OPTION]...\n       %s report -o FILE NAME...|RECORDING\n"
           "Show the processes of a Holden agent, live; or write a page about some.\n\nOptions:\n",
           program_invocation_short_name, program_invocation_short_name);
    option_help(rows, ARRAY_SIZE(rows));
    printf("\nColumns, as --sort takes them:\n");
    for (enum column which = 0; which < COLUMNS_COUNT; which++)
        if (column(which)->word)
            printf("  %-28s %s\n", column(which)->word, column(which)->doc);
    printf("\nKeys:\n");
    for (size_t i = 0; key_row(i); i++)
        if (key_row(i)->doc)
            printf("  %-28s %s\n", key_row(i)->label, key_row(i)->doc);
    printf("\nExit status: 0 done; 1 failed; 2 wrong usage; 3 no agent there; 5 not permitted.\n");
}

bool options_are_plain(const struct options *options) {
    return options->once || options->json || options->csv || options->lines;
}
