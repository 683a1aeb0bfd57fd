#include "agent/history.h"

#include <string.h>

#include "sample.h"
#include "suite.h"

enum { SECOND = 1000000, MINUTE = 60 * SECOND };
#define DAY (UINT64_C(86400) * SECOND)

static struct holden_usage figures(uint64_t at, uint64_t cpu, uint64_t memory) {
    struct holden_usage usage = {0};
    HOLDEN_SET(&usage, usage, at, at);
    HOLDEN_SET(&usage, usage, cpu, cpu);
    HOLDEN_SET(&usage, usage, memory, memory);
    return usage;
}

struct seen {
    struct holden_usage list[4096];
    size_t count;
    size_t most; /* 0: all */
};

static bool take(void *data, const struct holden_usage *usage) {
    struct seen *seen = data;
    assert_true(seen->count < ARRAY_SIZE(seen->list));
    assert_true(seen->count == 0 || usage->at > seen->list[seen->count - 1].at);
    seen->list[seen->count++] = *usage;
    return seen->count != seen->most;
}

static struct seen *walk(const struct history *history, uint64_t after) {
    static struct seen seen;
    seen = (struct seen){0};
    history_walk(history, after, take, &seen);
    return &seen;
}

/* Times are kept to the millisecond. */
static void is(const struct holden_usage *usage, uint64_t at, uint64_t cpu, uint64_t memory) {
    assert_in_range(usage->at, at > 1000 ? at - 1000 : 0, at + 1000);
    assert_int_equal(usage->cpu, cpu);
    assert_int_equal(usage->memory, memory);
}

TEST(samples_come_back_in_order) {
    struct history_pool pool;
    struct history history = {0};
    history_pool_init(&pool, 1 << 20);
    for (uint64_t i = 1; i <= 500; i++) {
        const struct holden_usage usage =
            figures(i * SECOND + 7, i * 12345, i % 7 ? (UINT64_C(1) << 40) - i * 4096 : 0);
        history_add(&pool, &history, &usage, 3600 * (uint64_t)SECOND);
    }
    const struct seen *seen = walk(&history, 0);
    assert_int_equal(seen->count, 500);
    for (uint64_t i = 1; i <= 500; i++)
        is(&seen->list[i - 1], i * SECOND + 7, i * 12345,
           i % 7 ? (UINT64_C(1) << 40) - i * 4096 : 0);
    assert_int_equal(walk(&history, 400 * (uint64_t)SECOND + SECOND / 2)->count, 100);
    assert_int_equal(walk(&history, 600 * (uint64_t)SECOND)->count, 0);
    history_free(&pool, &history);
    assert_int_equal(pool.bytes, 0);
    assert_int_equal(walk(&history, 0)->count, 0);
}

TEST(extreme_numbers_come_back) {
    struct history_pool pool;
    struct history history = {0};
    const uint64_t values[] = {0, UINT64_MAX, 1, UINT64_MAX - 1, UINT64_C(1) << 63, 0, 0x7f, 0x80};
    history_pool_init(&pool, 1 << 20);
    for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
        const struct holden_usage usage = figures((i + 1) * SECOND, values[i], ~values[i]);
        history_add(&pool, &history, &usage, MINUTE);
    }
    const struct seen *seen = walk(&history, 0);
    assert_int_equal(seen->count, ARRAY_SIZE(values));
    for (size_t i = 0; i < ARRAY_SIZE(values); i++)
        is(&seen->list[i], (i + 1) * SECOND, values[i], ~values[i]);
    history_free(&pool, &history);
}

TEST(what_stands_still_costs_nothing_and_is_told_to_its_end) {
    struct history_pool pool;
    struct history history = {0};
    history_pool_init(&pool, 1 << 20);
    struct holden_usage usage = figures(SECOND, 5, 6);
    history_add(&pool, &history, &usage, MINUTE);
    size_t bytes = pool.bytes;
    for (uint64_t i = 2; i <= 50; i++) {
        usage = figures(i * SECOND, 5, 6);
        history_add(&pool, &history, &usage, MINUTE);
    }
    assert_int_equal(pool.bytes, bytes);
    const struct seen *seen = walk(&history, 0);
    assert_int_equal(seen->count, 2);
    is(&seen->list[0], SECOND, 5, 6);
    is(&seen->list[1], 50 * (uint64_t)SECOND, 5, 6);
    /* And when it moves again, that it had not until then. */
    usage = figures(51 * (uint64_t)SECOND, 9, 6);
    history_add(&pool, &history, &usage, MINUTE);
    seen = walk(&history, 0);
    assert_int_equal(seen->count, 3);
    is(&seen->list[1], 50 * (uint64_t)SECOND, 5, 6);
    is(&seen->list[2], 51 * (uint64_t)SECOND, 9, 6);
    history_free(&pool, &history);
}

TEST(fields_may_come_and_go) {
    struct history_pool pool;
    struct history history = {0};
    history_pool_init(&pool, 1 << 20);
    struct holden_usage usage = figures(SECOND, 1, 2);
    history_add(&pool, &history, &usage, MINUTE);
    usage = (struct holden_usage){0};
    HOLDEN_SET(&usage, usage, at, 2 * (uint64_t)SECOND);
    HOLDEN_SET(&usage, usage, cpu, 3);
    history_add(&pool, &history, &usage, MINUTE);
    usage = figures(3 * (uint64_t)SECOND, 4, 5);
    history_add(&pool, &history, &usage, MINUTE);
    const struct seen *seen = walk(&history, 0);
    assert_int_equal(seen->count, 3);
    assert_true(HOLDEN_HAS(&seen->list[0], usage, memory));
    assert_false(HOLDEN_HAS(&seen->list[1], usage, memory));
    assert_int_equal(seen->list[1].cpu, 3);
    is(&seen->list[2], 3 * (uint64_t)SECOND, 4, 5);
    history_free(&pool, &history);
}

TEST(a_walk_ends_when_it_is_told_to) {
    struct history_pool pool;
    struct history history = {0};
    struct seen seen = {.most = 3};
    history_pool_init(&pool, 1 << 20);
    for (uint64_t i = 1; i <= 300; i++) {
        const struct holden_usage usage = figures(i * SECOND, i, i);
        history_add(&pool, &history, &usage, DAY);
    }
    history_walk(&history, 0, take, &seen);
    assert_int_equal(seen.count, 3);
    history_free(&pool, &history);
}

/* A whole sample of made-up figures. */
static struct holden_usage made_up(struct sample *sample, uint64_t at,
                                   const struct holden_usage *before) {
    struct holden_usage usage = *before;
    HOLDEN_SET(&usage, usage, at, at);
    for (size_t i = 0; i < holden_record_usage.count; i++) {
        uint64_t *value =
            (void *)((uint8_t *)&usage + holden_record_usage.fields[i].offset);
        if (i == HOLDEN_INDEX(usage, at))
            continue;
        holden_mark(&usage, i);
        *value += sample_random(sample, 3) ? sample_random(sample, 1 << 20) : 0;
    }
    return usage;
}

TEST(a_day_of_three_busy_processes_stays_in_its_bound) {
    enum { MOST = 64 << 10 };
    struct history_pool pool;
    struct history histories[3];
    struct holden_usage now[3];
    struct sample sample = {.random = 42};
    size_t high = 0;
    history_pool_init(&pool, MOST);
    memset(histories, 0, sizeof(histories));
    memset(now, 0, sizeof(now));
    for (uint64_t at = SECOND; at <= DAY; at += SECOND)
        for (size_t i = 0; i < 3; i++) {
            now[i] = made_up(&sample, at, &now[i]);
            history_add(&pool, &histories[i], &now[i], 600 * (uint64_t)SECOND);
            assert_true(pool.bytes <= MOST);
            high = pool.bytes > high ? pool.bytes : high;
        }
    assert_true(high > MOST / 2);
    for (size_t i = 0; i < 3; i++) {
        const struct seen *seen = walk(&histories[i], 0);
        assert_true(seen->count > 100);
        /* In the last sample nothing has gone astray, after a day of differences. */
        for (size_t field = 0; field < holden_record_usage.count; field++)
            if (field != HOLDEN_INDEX(usage, at))
                assert_memory_equal(
                    (const uint8_t *)&seen->list[seen->count - 1] +
                        holden_record_usage.fields[field].offset,
                    (const uint8_t *)&now[i] + holden_record_usage.fields[field].offset, 8);
        history_free(&pool, &histories[i]);
    }
    assert_int_equal(pool.bytes, 0);
    sample_free(&sample);
}

TEST(what_is_older_than_its_span_goes) {
    struct history_pool pool;
    struct history history = {0};
    size_t after_minutes = 0;
    history_pool_init(&pool, 1 << 20);
    for (uint64_t i = 1; i <= 86400; i++) {
        const struct holden_usage usage = figures(i * SECOND, i * 999983, i % 100 * 4096);
        history_add(&pool, &history, &usage, 10 * (uint64_t)MINUTE);
        if (i == 1200)
            after_minutes = pool.bytes;
    }
    assert_in_range(pool.bytes, after_minutes / 2, after_minutes * 2);
    const struct seen *seen = walk(&history, 0);
    assert_in_range(seen->count, 600, 900);
    assert_true(seen->list[0].at <= DAY - 600 * (uint64_t)SECOND);
    history_free(&pool, &history);
}

TEST(the_oldest_goes_first_whosever_it_is) {
    struct history_pool pool;
    struct history old = {0}, young = {0};
    history_pool_init(&pool, 4096);
    struct holden_usage usage = figures(SECOND, 1, 1);
    history_add(&pool, &old, &usage, DAY);
    for (uint64_t i = 2; i < 2000; i++) {
        usage = figures(i * SECOND, i * 999983, i);
        history_add(&pool, &young, &usage, DAY);
        assert_true(pool.bytes <= 4096);
    }
    assert_int_equal(walk(&old, 0)->count, 0);
    assert_true(walk(&young, 0)->count > 100);
    /* It is kept again with the next sample. */
    usage = figures(2000 * (uint64_t)SECOND, 1, 1);
    history_add(&pool, &old, &usage, DAY);
    assert_int_equal(walk(&old, 0)->count, 1);
    history_pool_bound(&pool, 0);
    assert_int_equal(pool.bytes, 0);
    assert_int_equal(walk(&young, 0)->count, 0);
    history_add(&pool, &young, &usage, DAY);
    assert_int_equal(walk(&young, 0)->count, 0);
    history_free(&pool, &old);
    history_free(&pool, &young);
}

UNIT_MAIN
