/* Starts under Sandbox=strict to their ends over an open connection, with the three limits, against
 * the kernel alone with the same limits and no sandbox. */
#include "bare.h"
#include "bench.h"
#include "common/cleanup.h"
#include "confined.h"
#include "controller/settings.h"

#include <errno.h>
#include <stdio.h>

enum { ROUNDS = 200 };
static const double target = 3;

static int turn_bare(void *data) {
    return bare_start(data);
}

static int turn_strict(void *data) {
    return confined_start(data);
}

/* The settings that the sandbox stands for come to those that are there. */
static int sandbox(struct confined *confined, struct settings *settings) {
    settings->properties = confined->properties;
    int r = settings_assign(settings, "Sandbox", "strict");
    if (r == 0)
        r = settings_finish(settings);
    if (r < 0)
        fprintf(stderr, "bench: %s\n", settings->wrong);
    confined->properties = settings->properties;
    return r;
}

static int measure(struct bench *bench, struct subject *subject, struct settings *settings) {
    struct confined strict;
    bool limits = bench_limits(bench);
    struct bare bare = {.scratch = &bench->scratch, .program = bench->payload, .launch = bare_copy,
                        .limited = limits};
    confined_init(&strict, &subject->client, bench->payload, limits, false);
    int r = sandbox(&strict, settings);
    if (r < 0)
        return r;
    const struct contestant contestants[] = {
        {"kernel", "mkdir, limits, clone3, exec, wait, rmdir", turn_bare, &bare, 1, 1},
        {"holden", "Sandbox=strict, limits as there", turn_strict, &strict, 1, 1},
    };
    struct contest_result results[ARRAY_SIZE(contestants)];
    r = contest_run(contestants, ARRAY_SIZE(contestants), bench_rounds(bench, ROUNDS),
                    bench->signals, results);
    if (r == 0)
        bench_report(bench, "strict", contestants, results, ARRAY_SIZE(contestants), target);
    return r;
}

int part_strict(struct bench *bench) {
    struct subject subject;
    _cleanup_(settings_free) struct settings settings = {0};
    int r = bench_subject(bench, bench->programs, NULL, &subject);
    if (r < 0)
        return r;
    r = measure(bench, &subject, &settings);
    int closed = subject_close(&subject);
    return r < 0 ? r : closed;
}
