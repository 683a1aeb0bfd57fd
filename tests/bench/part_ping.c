/* A round trip of the smallest request, against 32 bytes that a bare server in epoll_wait(2) sends
 * back. */
#include "bench.h"
#include "common/cleanup.h"
#include "roundtrip.h"

enum { ROUNDS = 500, EACH = 20 };
static const double target = 1.5;

static int turn_bare(void *data) {
    return roundtrip_once(data);
}

static int turn_ping(void *data) {
    return subject_ping(data);
}

static int measure(struct bench *bench, struct roundtrip *trip, struct subject *subject) {
    const struct contestant contestants[] = {
        {"socket", "a server in epoll_wait", turn_bare, trip, 1, EACH},
        {"holden", "ping", turn_ping, &subject->client, 1, EACH},
    };
    struct contest_result results[ARRAY_SIZE(contestants)];
    int r = contest_run(contestants, ARRAY_SIZE(contestants), bench_rounds(bench, ROUNDS),
                        bench->signals, results);
    if (r == 0)
        bench_report(bench, "ping", contestants, results, ARRAY_SIZE(contestants), target);
    return r;
}

int part_ping(struct bench *bench) {
    struct subject subject;
    struct roundtrip trip;
    int r = roundtrip_open(true, &trip);
    if (r < 0)
        return r;
    r = bench_subject(bench, bench->programs, NULL, &subject);
    if (r == 0) {
        r = measure(bench, &trip, &subject);
        int closed = subject_close(&subject);
        r = r < 0 ? r : closed;
    }
    roundtrip_close(&trip);
    return r;
}
