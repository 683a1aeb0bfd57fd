/* What a client that means harm does to the others' round trips: the 99th percentile of a ping by
 * root, alone and beside clients of another user that do one thing, or all of it, without end. */
#include "assailant.h"
#include "bench.h"
#include "common/cleanup.h"

#include <errno.h>

enum { ROUNDS = 10, EACH = 2000, SETTLE = 200, NS_PER_US = 1000 };
enum { MEDIAN = 50, SLOW = 99 }; /* percent */
static const double target = 2;

/* Members of the assailants' group may use the agent, within the bounds that it has unless told. */
static const char config[] = "[Agent]\nGroup=nogroup\n";

/* What is measured: alone, beside each kind, beside one of each kind. */
enum { ALONE, KINDS = ALONE + 1, ALL = KINDS + ASSAILANT_WAYS, SCENES };

/* Whether an assailant of that kind takes part. */
static bool takes_part(size_t scene, enum assailant_way way) {
    return scene == ALL || scene == KINDS + (size_t)way;
}

static int ping_often(struct subject *subject, size_t count, struct measure_series *series) {
    int r = 0;
    for (size_t i = 0; r == 0 && i < count; i++) {
        uint64_t began = measure_now();
        r = subject_ping(&subject->client);
        if (r == 0 && series)
            r = measure_series_add(series, measure_now() - began);
    }
    return r;
}

/* The processors: what assailants take of others' time there is the scheduler's business and not
 * the agent's, so they have the last one, and what is measured has the others. */
struct places {
    cpu_set_t all, ours, theirs;
};

static int places_take(const struct subject *subject, struct places *places) {
    if (sched_getaffinity(0, sizeof(places->all), &places->all) < 0)
        return -errno;
    places->ours = places->theirs = places->all;
    size_t last = CPU_SETSIZE - 1;
    while (last > 0 && !CPU_ISSET(last, &places->all))
        last--;
    if (CPU_COUNT(&places->all) > 1) {
        CPU_CLR(last, &places->ours);
        CPU_ZERO(&places->theirs);
        CPU_SET(last, &places->theirs);
    }
    const pid_t pids[] = {0, subject->keeper, subject->core};
    for (size_t i = 0; i < ARRAY_SIZE(pids); i++)
        if (sched_setaffinity(pids[i], sizeof(places->ours), &places->ours) < 0)
            return -errno;
    return 0;
}

static int run_scene(struct subject *subject, const struct places *places, size_t scene,
                     struct measure_series *series) {
    pid_t pids[ASSAILANT_WAYS] = {0};
    int r = 0;
    for (size_t way = 0; r == 0 && way < ASSAILANT_WAYS; way++)
        if (takes_part(scene, way))
            r = assailant_start(way, subject->socket, &places->theirs, &pids[way]);
    if (r == 0)
        r = ping_often(subject, SETTLE, NULL);
    if (r == 0)
        r = ping_often(subject, EACH, series);
    for (size_t way = 0; way < ASSAILANT_WAYS; way++) {
        int ended = pids[way] > 0 ? assailant_end(pids[way]) : 0;
        r = r < 0 ? r : ended;
    }
    return r;
}

/* In microseconds; of a sorted series. */
static double percentile(const struct measure_series *series, size_t percent) {
    size_t at = series->count * percent / 100;
    return (double)series->values[at] / NS_PER_US;
}

static void report(struct bench *bench, const struct measure_series *alone,
                   const struct measure_series *series, size_t scene) {
    static const char *const names[ASSAILANT_WAYS] = {"connects", "halves", "floods", "ignores",
                                                      "announces"};
    char name[64];
    snprintf(name, sizeof(name), "hostile: beside %s", scene == ALL ? "all" : names[scene - KINDS]);
    figures_add(&bench->figures, name, percentile(series, SLOW) / percentile(alone, SLOW), "x",
                target, "p99 %.1f us, median %.1f; %s", percentile(series, SLOW),
                percentile(series, MEDIAN),
                scene == ALL ? "one of each" : assailant_what(scene - KINDS));
}

static int measure(struct bench *bench, struct subject *subject, struct measure_series *series) {
    size_t rounds = bench_rounds(bench, ROUNDS);
    struct places places;
    int r = places_take(subject, &places);
    for (size_t scene = 0; r == 0 && scene < SCENES; scene++)
        r = measure_series_init(rounds * EACH, &series[scene]);
    for (size_t round = 0; round < rounds; round++)
        for (size_t scene = 0; r == 0 && scene < SCENES; scene++)
            r = measure_interrupted(bench->signals)
                    ? -EINTR
                    : run_scene(subject, &places, scene, &series[scene]);
    sched_setaffinity(0, sizeof(places.all), &places.all);
    if (r < 0)
        return r;
    struct measure_summary summary;
    for (size_t scene = 0; scene < SCENES; scene++)
        measure_summarise(&series[scene], &summary);
    figures_add(&bench->figures, "hostile: nobody else", percentile(&series[ALONE], SLOW), "us",
                0, "99th percentile of %zu round trips of root's; median %.1f", series[ALONE].count,
                percentile(&series[ALONE], MEDIAN));
    for (size_t scene = KINDS; scene < SCENES; scene++)
        report(bench, &series[ALONE], &series[scene], scene);
    return 0;
}

int part_hostile(struct bench *bench) {
    struct measure_series series[SCENES] = {0};
    struct subject subject;
    int r = bench_subject(bench, bench->programs, config, &subject);
    if (r < 0)
        return r;
    r = measure(bench, &subject, series);
    for (size_t scene = 0; scene < SCENES; scene++)
        measure_series_free(&series[scene]);
    int closed = subject_close(&subject);
    return r < 0 ? r : closed;
}
