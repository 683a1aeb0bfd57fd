/* The history: what is kept of ten minutes, and how exactly. */
#include <math.h>

#include "monitor/history.h"
#include "suite.h"

enum { FIRST = 1000 }; /* a slot */

static void put(struct history *history, uint64_t slot, uint64_t offset, double cpu,
                double memory) {
    const double values[METRICS] = {
        [METRIC_CPU] = cpu, [METRIC_MEMORY] = memory, [METRIC_THROTTLED] = NAN,
        [METRIC_IO] = NAN, [METRIC_TASKS] = NAN, [METRIC_STALL] = NAN};
    assert_int_equal(history_put(history, slot * HISTORY_SLOT + offset, values), 0);
}

static void near(double value, double wanted) {
    if (!(fabs(value - wanted) <= wanted / 500))
        fail_msg("%g is not %g", value, wanted);
}

TEST(values_of_all_sizes_are_kept) {
    _cleanup_(history_free) struct history history = {0};
    const double wanted[] = {0.01, 1, 99.9, 400, 1e6, 3.5e12};
    for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
        put(&history, FIRST + i, 0, wanted[i], 0);
        near(history_get(&history, FIRST + i, METRIC_CPU), wanted[i]);
        assert_true(history_get(&history, FIRST + i, METRIC_MEMORY) == 0);
        assert_true(isnan(history_get(&history, FIRST + i, METRIC_IO)));
    }
}

TEST(a_slot_holds_the_average) {
    _cleanup_(history_free) struct history history = {0};
    put(&history, FIRST, 0, 10, 1000);
    put(&history, FIRST, 1000000, 20, 1000);
    put(&history, FIRST, 2000000, 60, 4000);
    near(history_get(&history, FIRST, METRIC_CPU), 30);
    near(history_get(&history, FIRST, METRIC_MEMORY), 2000);
}

TEST(old_slots_go_and_gaps_are_unknown) {
    _cleanup_(history_free) struct history history = {0};
    for (uint64_t i = 0; i < HISTORY_SLOTS; i++)
        put(&history, FIRST + i, 0, (double)i + 1, 0);
    near(history_get(&history, FIRST, METRIC_CPU), 1);
    put(&history, FIRST + HISTORY_SLOTS + 9, 0, 5, 0);
    assert_true(isnan(history_get(&history, FIRST + 9, METRIC_CPU)));
    near(history_get(&history, FIRST + 10, METRIC_CPU), 11);
    assert_true(isnan(history_get(&history, FIRST + HISTORY_SLOTS, METRIC_CPU)));
    put(&history, FIRST + 100 * HISTORY_SLOTS, 0, 7, 0);
    assert_true(isnan(history_get(&history, FIRST + HISTORY_SLOTS + 9, METRIC_CPU)));
    near(history_get(&history, FIRST + 100 * HISTORY_SLOTS, METRIC_CPU), 7);
    assert_true(isnan(history_get(&history, FIRST + 100 * HISTORY_SLOTS + 1, METRIC_CPU)));
}

TEST(what_was_before_can_be_filled_in) {
    _cleanup_(history_free) struct history history = {0};
    put(&history, FIRST + 50, 0, 1, 1);
    put(&history, FIRST + 20, 0, 2, 2);
    near(history_get(&history, FIRST + 20, METRIC_CPU), 2);
    put(&history, FIRST + 20, 0, 4, 4);
    near(history_get(&history, FIRST + 20, METRIC_CPU), 2);
    put(&history, FIRST + 50 - HISTORY_SLOTS, 0, 4, 4);
    near(history_get(&history, FIRST + 50, METRIC_CPU), 1);
    assert_true(isnan(history_get(&history, FIRST + 50 - HISTORY_SLOTS, METRIC_CPU)));
}

UNIT_MAIN
