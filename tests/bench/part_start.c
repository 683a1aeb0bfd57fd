/* A start to its end over an open connection, against the kernel alone. Where the machine has no
 * controllers, neither side sets limits; the bare start has no filter and keeps its capabilities. */
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

int part_start(struct bench *bench) {
    struct subject subject;
    int r = subject_open(bench->programs, bench->agent_cgroup, &subject);
    if (r < 0)
        return r;
    bool limits = bench_limits(bench);
    struct bare bare = {.scratch = &bench->scratch, .launch = bare_copy, .limited = limits};
    struct confined confined, plain;
    confined_init(&confined, &subject.client, "/bin/true", limits, true);
    confined_init(&plain, &subject.client, "/bin/true", limits, false);
    const struct contestant contestants[] = {
        {"kernel", limits ? "mkdir, 3 limits, clone3, exec, wait, rmdir" : "the same without limits",
         turn_bare, &bare, 1, 1},
        {"holden", "limits as there, filter, no capabilities", turn_confined, &confined, 1, 1},
        {"holden, no filter", "limits as there, nothing else", turn_confined, &plain, 1, 1},
    };
    struct contest_result results[ARRAY_SIZE(contestants)];
    r = contest_run(contestants, ARRAY_SIZE(contestants), bench_rounds(bench, ROUNDS), bench->signals,
                    results);
    if (r == 0)
        bench_report(bench, "start", contestants, results, ARRAY_SIZE(contestants), target);
    int closed = subject_close(&subject);
    return r < 0 ? r : closed;
}
