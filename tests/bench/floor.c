/* What the kernel alone costs: the least that a supervisor could spend on starting, confining and
 * collecting one process, and on answering one request. Holden's own figures are given as ratios
 * to these, taken in the same run.
 *
 * All figures are taken in turn in each iteration, so that a busy moment of the machine falls on
 * all of them alike. With --once the program becomes the floor half of a pairwise comparison: one
 * line read, one measurement made, its nanoseconds written as one line. */
#include "common/cleanup.h"
#include "bare.h"
#include "measure.h"
#include "roundtrip.h"
#include "scratch.h"

#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

enum { COUNT_DEFAULT = 500, COUNT_LIMIT = 1000000, WARM_UP = 5, ROUNDTRIPS_EACH = 10 };

struct floor {
    struct scratch scratch;
    struct roundtrip plain;
    struct roundtrip epoll;
    struct bare copy;
    struct bare vfork;
};

#define TRUE_PROGRAM "/bin/true"

static int once_start(struct floor *floor) {
    return bare_start(&floor->copy);
}

static int once_vfork(struct floor *floor) {
    return bare_start(&floor->vfork);
}

static int once_posix_spawn(struct floor *floor) {
    (void)floor;
    char program[] = TRUE_PROGRAM;
    char *argv[] = {program, NULL};
    pid_t pid;
    int status;
    int r = posix_spawn(&pid, program, NULL, NULL, argv, environ);
    if (r != 0)
        return -r;
    if (waitpid(pid, &status, 0) < 0)
        return -errno;
    return status == 0 ? 0 : -EPROTO;
}

static int once_roundtrip(struct floor *floor) {
    return roundtrip_once(&floor->plain);
}

static int once_roundtrip_epoll(struct floor *floor) {
    return roundtrip_once(&floor->epoll);
}

struct figure {
    const char *name;
    const char *what;
    size_t each; /* measurements per iteration */
    int (*once)(struct floor *floor);
};

/* The first figure is the base of all ratios, and the one whose stages are shown. */
static const struct figure figures[] = {
    {"start", "mkdir, 3 limits, clone3 into it, exec, exit seen, rmdir", 1, once_start},
    {"start-vfork", "the same with CLONE_VM|CLONE_VFORK", 1, once_vfork},
    {"posix-spawn", "posix_spawn and waitpid alone, no cgroup", 1, once_posix_spawn},
    {"roundtrip", "32 bytes there and back, Unix stream socket", ROUNDTRIPS_EACH, once_roundtrip},
    {"roundtrip-epoll", "the same, server in epoll_wait", ROUNDTRIPS_EACH, once_roundtrip_epoll},
};
enum { FIGURE_COUNT = ARRAY_SIZE(figures) };

struct results {
    struct measure_series figures[FIGURE_COUNT];
    struct measure_series stages[BARE_STAGES];
};

struct options {
    const char *cgroup;
    const struct figure *once;
    size_t count;
    bool json;
};

static int floor_close(struct floor *floor) {
    if (floor->epoll.fd >= 0)
        roundtrip_close(&floor->epoll);
    if (floor->plain.fd >= 0)
        roundtrip_close(&floor->plain);
    free(floor->vfork.stack);
    return scratch_close(&floor->scratch);
}

static int floor_open(const char *cgroup, struct floor *floor) {
    *floor = (struct floor){
        .scratch.fd = -1,
        .plain.fd = -1,
        .epoll.fd = -1,
        .copy = {&floor->scratch, TRUE_PROGRAM, bare_copy, NULL, true, {0}},
        .vfork = {&floor->scratch, TRUE_PROGRAM, launch_vfork,
                  malloc(LAUNCH_STACK_SIZE), true, {0}},
    };
    int r = floor->vfork.stack ? scratch_open(cgroup, &floor->scratch) : -ENOMEM;
    if (r == 0)
        r = roundtrip_open(false, &floor->plain);
    if (r == 0)
        r = roundtrip_open(true, &floor->epoll);
    if (r < 0)
        floor_close(floor);
    return r;
}

static int measure_once(struct floor *floor, const struct figure *figure, uint64_t *duration) {
    uint64_t begun = measure_now();
    int r = figure->once(floor);
    if (r == 0)
        *duration = measure_now() - begun;
    return r;
}

static int measure_figure(struct floor *floor, size_t index, struct results *results) {
    for (size_t i = 0; i < figures[index].each; i++) {
        uint64_t duration = 0;
        int r = measure_once(floor, &figures[index], &duration);
        if (r == 0)
            r = measure_series_add(&results->figures[index], duration);
        if (r < 0)
            return r;
    }
    for (size_t i = 0; index == 0 && i < BARE_STAGES; i++)
        measure_series_add(&results->stages[i], floor->copy.stages[i]);
    return 0;
}

static int warm_up(struct floor *floor) {
    int r = 0;
    for (size_t i = 0; r == 0 && i < (size_t)WARM_UP * FIGURE_COUNT; i++)
        r = figures[i % FIGURE_COUNT].once(floor);
    return r;
}

static int measure_all(struct floor *floor, size_t count, int signals, struct results *results) {
    int r = warm_up(floor);
    for (size_t i = 0; r == 0 && i < count; i++) {
        if (measure_interrupted(signals))
            return -EINTR;
        for (size_t f = 0; r == 0 && f < FIGURE_COUNT; f++)
            r = measure_figure(floor, f, results);
    }
    return r;
}

static int answer_lines(struct floor *floor, const struct figure *figure, const char *lines,
                        size_t length) {
    for (size_t i = 0; i < length; i++) {
        uint64_t duration = 0;
        if (lines[i] != '\n')
            continue;
        int r = measure_once(floor, figure, &duration);
        if (r < 0)
            return r;
        printf("%llu\n", (unsigned long long)duration);
        if (fflush(stdout) != 0)
            return -errno;
    }
    return 0;
}

static int measure_on_request(struct floor *floor, const struct figure *figure, int signals) {
    struct pollfd entries[] = {{.fd = STDIN_FILENO, .events = POLLIN},
                               {.fd = signals, .events = POLLIN}};
    char lines[256];
    for (;;) {
        if (poll(entries, ARRAY_SIZE(entries), -1) < 0)
            return -errno;
        if (entries[1].revents)
            return -EINTR;
        ssize_t length = read(STDIN_FILENO, lines, sizeof(lines));
        if (length <= 0)
            return length < 0 ? -errno : 0;
        int r = answer_lines(floor, figure, lines, (size_t)length);
        if (r < 0)
            return r;
    }
}

static void write_text(const struct floor *floor, struct results *results) {
    struct measure_summary base;
    struct measure_summary summary;
    measure_write_machine(stdout);
    scratch_describe(&floor->scratch, false, stdout);
    printf("%-18s %10s %10s %10s   in microseconds\n", "figure", "min", "median", "p90");
    measure_summarise(&results->figures[0], &base);
    for (size_t i = 0; i < FIGURE_COUNT; i++) {
        measure_summarise(&results->figures[i], &summary);
        printf("%-18s ", figures[i].name);
        measure_write_columns(stdout, &summary);
        printf("   %.3f x start; %s\n", measure_ratio(summary.median, base.median),
               figures[i].what);
        for (size_t s = 0; i == 0 && s < BARE_STAGES; s++) {
            measure_summarise(&results->stages[s], &summary);
            printf("  of it %-10s ", bare_stage_name(s));
            measure_write_columns(stdout, &summary);
            fputc('\n', stdout);
        }
    }
}

static void write_json_list(const char *key, size_t count, struct measure_series *series,
                            const char *(*name)(size_t)) {
    printf("\"%s\":[", key);
    for (size_t i = 0; i < count; i++) {
        struct measure_summary summary;
        measure_summarise(&series[i], &summary);
        printf("%s{\"name\":\"%s\",", i > 0 ? "," : "", name(i));
        measure_write_json(stdout, &summary);
        fputc('}', stdout);
    }
    fputc(']', stdout);
}

static const char *figure_name(size_t index) {
    return figures[index].name;
}

static void write_json(const struct floor *floor, struct results *results) {
    fputs("{\"unit\":\"ns\",", stdout);
    measure_write_machine_json(stdout);
    printf(",\"standins\":%s,", scratch_has_standin(&floor->scratch) ? "true" : "false");
    scratch_describe(&floor->scratch, true, stdout);
    fputc(',', stdout);
    write_json_list("figures", FIGURE_COUNT, results->figures, figure_name);
    fputc(',', stdout);
    write_json_list("start_stages", BARE_STAGES, results->stages, bare_stage_name);
    fputs("}\n", stdout);
}

static int results_init(size_t count, struct results *results) {
    int r = 0;
    for (size_t i = 0; r == 0 && i < FIGURE_COUNT; i++)
        r = measure_series_init(count * figures[i].each, &results->figures[i]);
    for (size_t i = 0; r == 0 && i < BARE_STAGES; i++)
        r = measure_series_init(count, &results->stages[i]);
    return r;
}

static void results_free(struct results *results) {
    for (size_t i = 0; i < FIGURE_COUNT; i++)
        measure_series_free(&results->figures[i]);
    for (size_t i = 0; i < BARE_STAGES; i++)
        measure_series_free(&results->stages[i]);
}

static int run_report(struct floor *floor, const struct options *options, int signals) {
    _cleanup_(results_free) struct results results = {0};
    int r = results_init(options->count, &results);
    if (r == 0)
        r = measure_all(floor, options->count, signals, &results);
    if (r == 0)
        (options->json ? write_json : write_text)(floor, &results);
    return r;
}

static int run(const struct options *options) {
    _cleanup_close_ int signals = -1;
    struct floor floor;
    int r = measure_signals_open(&signals);
    if (r < 0)
        return r;
    r = floor_open(options->cgroup, &floor);
    if (r < 0)
        return r;
    r = options->once ? measure_on_request(&floor, options->once, signals)
                      : run_report(&floor, options, signals);
    int closed = floor_close(&floor);
    return r < 0 ? r : closed;
}

static void usage(FILE *out) {
    fputs("usage: floor [-n COUNT] [--cgroup PATH] [--json] [--once FIGURE]\n"
          "  -n COUNT       iterations (500)\n"
          "  --cgroup PATH  cgroup to work in, made if missing and then removed\n"
          "  --json         one JSON object in place of text\n"
          "  --once FIGURE  for each line on stdin measure once, write the nanoseconds\n"
          "figures:\n", out);
    for (size_t i = 0; i < FIGURE_COUNT; i++)
        fprintf(out, "  %-16s %s\n", figures[i].name, figures[i].what);
}

static const struct figure *figure_find(const char *name) {
    for (size_t i = 0; i < FIGURE_COUNT; i++)
        if (strcmp(figures[i].name, name) == 0)
            return &figures[i];
    return NULL;
}

static int parse_options(int argc, char **argv, struct options *options) {
    static const struct option long_options[] = {
        {"cgroup", required_argument, NULL, 'c'}, {"json", no_argument, NULL, 'j'},
        {"once", required_argument, NULL, 'o'},   {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int option;
    while ((option = getopt_long(argc, argv, "n:", long_options, NULL)) >= 0) {
        if (option == 'n' && measure_parse_count(optarg, COUNT_LIMIT, &options->count) == 0)
            continue;
        if (option == 'c')
            options->cgroup = optarg;
        else if (option == 'j')
            options->json = true;
        else if (option != 'o' || !(options->once = figure_find(optarg)))
            return -EINVAL;
    }
    return optind == argc ? 0 : -EINVAL;
}

int main(int argc, char **argv) {
    struct options options = {.count = COUNT_DEFAULT};
    if (parse_options(argc, argv, &options) < 0) {
        usage(stderr);
        return 2;
    }
    int r = run(&options);
    if (r < 0)
        fprintf(stderr, "floor: %s\n", strerror(-r));
    return r < 0 ? 1 : 0;
}
