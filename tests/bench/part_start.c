/* A start to its end over an open connection, against the kernel alone. Where the machine has no
 * controllers, neither side sets limits; the bare start has no filter and keeps its capabilities.
 */
#include "bare.h"
#include "bench.h"
#include "common/cleanup.h"
#include "confined.h"

#include <errno.h>

enum { ROUNDS = 500 };
static const double target = 1.25;

static int turn_bare(void *data) {
    return bare_start(data);
}

static int turn_confined(void *data) {
    return confined_start(data);
}

/* The agents that take part: the build that is measured, and another one to compare it with. */
struct pair {
    struct subject subject, other;
    struct confined confined, plain, other_confined;
};

static int measure(struct bench *bench, struct pair *pair) {
    bool limits = bench_limits(bench);
    struct bare bare = {.scratch = &bench->scratch, .program = bench->payload, .launch = bare_copy,
                        .limited = limits};
    confined_init(&pair->confined, &pair->subject.client, bench->payload, limits, true);
    confined_init(&pair->plain, &pair->subject.client, bench->payload, limits, false);
    confined_init(&pair->other_confined, &pair->other.client, bench->payload, limits, true);
    const struct contestant contestants[] = {
        {"kernel",
         limits ? "mkdir, 3 limits, clone3, exec, wait, rmdir" : "the same without limits",
         turn_bare, &bare, 1, 1},
        {"holden", "limits as there, filter, no capabilities", turn_confined, &pair->confined, 1,
         1},
        {"holden, no filter", "limits as there, nothing else", turn_confined, &pair->plain, 1, 1},
        {"the other build", "as holden", turn_confined, &pair->other_confined, 1, 1},
    };
    struct contest_result results[ARRAY_SIZE(contestants)];
    size_t count = ARRAY_SIZE(contestants) - !bench->others;
    int r = contest_run(contestants, count, bench_rounds(bench, ROUNDS), bench->signals, results);
    if (r == 0)
        bench_report(bench, "start", contestants, results, count, target);
    return r;
}

int part_start(struct bench *bench) {
    static struct pair pair;
    int r = bench_subject(bench, bench->programs, NULL, &pair.subject);
    if (r < 0)
        return r;
    if (bench->others)
        r = bench_subject(bench, bench->others, NULL, &pair.other);
    if (r == 0) {
        r = measure(bench, &pair);
        int closed = bench->others ? subject_close(&pair.other) : 0;
        r = r < 0 ? r : closed;
    }
    int closed = subject_close(&pair.subject);
    return r < 0 ? r : closed;
}
