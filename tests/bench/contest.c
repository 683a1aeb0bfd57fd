#include "contest.h"

#include "common/cleanup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { WARM_UP = 2, TURNS_MOST = 100 };
static const double ratio_unit = 1e6; /* ratios are kept as whole millionths */

struct contest {
    const struct contestant *contestants;
    size_t count;
    struct measure_series *values; /* one of each contestant */
    struct measure_series *ratios;
    uint64_t *round;               /* this round's values, 0 for who does not take part */
    size_t *order;                 /* who takes the first turn, who the second… */
    unsigned seed;
};

static void contest_free(struct contest *contest) {
    for (size_t i = 0; i < contest->count; i++) {
        if (contest->values)
            measure_series_free(&contest->values[i]);
        if (contest->ratios)
            measure_series_free(&contest->ratios[i]);
    }
    free(contest->values);
    free(contest->ratios);
    free(contest->round);
    free(contest->order);
}

static int contest_init(struct contest *contest, size_t rounds) {
    size_t count = contest->count;
    contest->values = calloc(count, sizeof(*contest->values));
    contest->ratios = calloc(count, sizeof(*contest->ratios));
    contest->round = calloc(count, sizeof(*contest->round));
    contest->order = calloc(count, sizeof(*contest->order));
    int r = contest->values && contest->ratios && contest->round && contest->order ? 0 : -ENOMEM;
    for (size_t i = 0; r == 0 && i < count; i++)
        contest->order[i] = i;
    for (size_t i = 0; r == 0 && i < count; i++) {
        r = measure_series_init(rounds, &contest->values[i]);
        if (r == 0)
            r = measure_series_init(rounds, &contest->ratios[i]);
    }
    return r;
}

/* The median of the turns in one round. */
static int take_turns(const struct contestant *contestant, uint64_t *value) {
    uint64_t times[TURNS_MOST];
    unsigned turns = contestant->each > 1 ? contestant->each : 1;
    struct measure_series series = {times, 0, TURNS_MOST};
    struct measure_summary summary;
    for (unsigned i = 0; i < turns && i < TURNS_MOST; i++) {
        uint64_t begun = measure_now();
        int r = contestant->turn(contestant->data);
        if (r < 0) {
            fprintf(stderr, "bench: %s: %s\n", contestant->name, strerror(-r));
            return r;
        }
        measure_series_add(&series, measure_now() - begun);
    }
    measure_summarise(&series, &summary);
    *value = summary.median;
    return 0;
}

/* A new order for each round, the same in every run: nobody always follows the same neighbour. */
static void shuffle(struct contest *contest) {
    for (size_t i = contest->count; i > 1; i--) {
        size_t other = (size_t)rand_r(&contest->seed) % i;
        size_t kept = contest->order[i - 1];
        contest->order[i - 1] = contest->order[other];
        contest->order[other] = kept;
    }
}

static int play_round(struct contest *contest, size_t number) {
    shuffle(contest);
    for (size_t i = 0; i < contest->count; i++) {
        size_t at = contest->order[i];
        const struct contestant *contestant = &contest->contestants[at];
        contest->round[at] = 0;
        if (contestant->every > 1 && number % contestant->every != 0)
            continue;
        int r = take_turns(contestant, &contest->round[at]);
        if (r < 0)
            return r;
    }
    return 0;
}

static void keep_round(struct contest *contest) {
    for (size_t i = 0; i < contest->count; i++) {
        if (contest->round[i] == 0)
            continue;
        double ratio = measure_ratio(contest->round[i], contest->round[0]);
        measure_series_add(&contest->values[i], contest->round[i]);
        measure_series_add(&contest->ratios[i], (uint64_t)(ratio * ratio_unit + 0.5));
    }
}

static void judge(struct contest *contest, struct contest_result *results) {
    for (size_t i = 0; i < contest->count; i++) {
        struct measure_summary ratios;
        struct measure_series *series = &contest->ratios[i];
        measure_summarise(&contest->values[i], &results[i].time);
        measure_summarise(series, &ratios);
        results[i].of_medians = measure_ratio(results[i].time.median, results[0].time.median);
        results[i].of_pairs = (double)ratios.median / ratio_unit;
        size_t tenth = series->count / 10;
        results[i].low = series->count ? (double)series->values[tenth] / ratio_unit : 0;
        results[i].high = (double)ratios.p90 / ratio_unit;
    }
}

int contest_run(const struct contestant *contestants, size_t count, size_t rounds, int signals,
                struct contest_result *results) {
    _cleanup_(contest_free) struct contest contest = {.contestants = contestants, .count = count};
    int r = contest_init(&contest, rounds);
    for (size_t i = 0; r == 0 && i < WARM_UP; i++)
        r = play_round(&contest, 0);
    for (size_t i = 0; r == 0 && i < rounds; i++) {
        if (measure_interrupted(signals))
            return -EINTR;
        r = play_round(&contest, i);
        if (r == 0)
            keep_round(&contest);
    }
    if (r == 0)
        judge(&contest, results);
    return r;
}
