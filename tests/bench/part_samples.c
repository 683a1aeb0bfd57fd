/* What it costs to look at a thousand processes each second: while they sleep, and while each does
 * something in every second. */
#include "bench.h"
#include "confined.h"

#include <errno.h>
#include <poll.h>
#include <time.h>

enum { PROCESSES = 1000, IN_FLIGHT = 64, SETTLE = 3000 /* ms */ };
static const double target = 1; /* percent of one CPU */

/* CPU time of the agent proper, nanoseconds. */
static int cpu_time(const struct subject *subject, uint64_t *time) {
    clockid_t clock;
    struct timespec now;
    int r = clock_getcpuclockid(subject->core, &clock);
    if (r != 0 || clock_gettime(clock, &now) < 0)
        return r != 0 ? -r : -errno;
    *time = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
    return 0;
}

static int wait_for(struct bench *bench, int milliseconds) {
    struct pollfd interrupted = {.fd = bench->signals, .events = POLLIN};
    return poll(&interrupted, 1, milliseconds) == 0 ? 0 : -EINTR;
}

static int measure(struct bench *bench, struct subject *subject, const char *program,
                   const char *name) {
    static struct confined sleeper;
    char path[PATH_MAX];
    uint64_t before, after = 0, begun = 0;
    snprintf(path, sizeof(path), "%s/%s", bench->helpers, program);
    confined_init(&sleeper, &subject->client, path, false, false);
    int r = confined_begin_all(&sleeper, PROCESSES, IN_FLIGHT, bench->signals);
    if (r == 0)
        r = wait_for(bench, SETTLE);
    if (r == 0)
        r = cpu_time(subject, &before);
    begun = measure_now();
    if (r == 0)
        r = wait_for(bench, (int)bench->seconds * 1000);
    uint64_t taken = measure_now() - begun;
    if (r == 0)
        r = cpu_time(subject, &after);
    if (r == 0)
        figures_add(&bench->figures, name, (double)(after - before) * 100 / (double)taken, "%",
                    target, "of one CPU in %zu s, %d processes", bench->seconds, PROCESSES);
    return r;
}

static int run(struct bench *bench, const char *program, const char *name) {
    static struct subject subject;
    int r = bench_subject(bench, bench->programs, NULL, &subject);
    if (r < 0)
        return r;
    r = measure(bench, &subject, program, name);
    int closed = subject_close(&subject);
    return r < 0 ? r : closed;
}

int part_samples(struct bench *bench) {
    int r = run(bench, "pause", "samples: of sleeping ones");
    return r < 0 ? r : run(bench, "tick", "samples: of busy ones");
}
