/* The model: rows by id, and the rates between two samples. */
#include <math.h>
#include <string.h>

#include "monitor/model.h"
#include "monitor_fixture.h"
#include "suite.h"

#define SECOND UINT64_C(1000000)
#define MIB UINT64_C(1048576)

/* Rates are numbers with a fraction: equal as far as anybody sees. */
#define assert_near(number, wanted) assert_true(fabs((number) - (wanted)) < 0.001)

static void event_for(struct model *model, uint64_t id, uint32_t kind, uint32_t state,
                      bool expected) {
    struct holden_event event = {0};
    HOLDEN_SET(&event, event, kind, kind);
    HOLDEN_SET(&event, event, id, id);
    if (state != UINT32_MAX)
        HOLDEN_SET(&event, event, state, state);
    assert_int_equal(model_event(model, &event), expected);
}

TEST(a_first_sample_has_no_rates) {
    _cleanup_(model_free) struct model model = {0};
    model_begin(&model);
    struct row *row = told_tell(&model, &(struct told){.id = 7, .name = "web", .at = 5 * SECOND,
                                                       .cpu = SECOND, .memory = 3 * MIB}, 0);
    assert_true(isnan(row->rates.cpu));
    assert_true(isnan(row_io(row)));
    assert_true(isnan(row_stall(row, NULL)));
    assert_true(holden_view_is(row->name, "web"));
    assert_int_equal(row->usage.memory, 3 * MIB);
    assert_int_equal(row->memory_limit, UINT64_MAX);
    assert_true(isnan(row_memory_share(row)));
}

TEST(rates_are_counted_between_two_samples) {
    _cleanup_(model_free) struct model model = {0};
    enum row_stall which = ROW_STALL_CPU;
    model_begin(&model);
    told_tell(&model, &(struct told){.id = 1, .at = 10 * SECOND, .cpu = 100, .read = 50}, 0);
    model_begin(&model);
    struct row *row = told_tell(&model, &(struct told){
        .id = 1, .at = 12 * SECOND, .cpu = 100 + SECOND, .throttled = SECOND / 2, .read = 2050,
        .written = 4000, .stall_cpu = SECOND / 10, .stall_io = SECOND,
    }, 0);
    assert_near(row->rates.cpu, 50);
    assert_near(row->rates.throttled, 25);
    assert_near(row->rates.read, 1000);
    assert_near(row->rates.written, 2000);
    assert_near(row_io(row), 3000);
    assert_near(row_stall(row, &which), 50);
    assert_string_equal(row_stall_word(which), "io");
}

TEST(samples_too_close_leave_the_rates) {
    _cleanup_(model_free) struct model model = {0};
    model_begin(&model);
    told_tell(&model, &(struct told){.id = 1, .at = SECOND}, SECOND / 2);
    told_tell(&model, &(struct told){.id = 1, .at = 2 * SECOND, .cpu = SECOND}, SECOND / 2);
    struct row *row = told_tell(
        &model, &(struct told){.id = 1, .at = 2 * SECOND + 1000, .cpu = SECOND}, SECOND / 2);
    assert_near(row->rates.cpu, 100);
    row = told_tell(&model, &(struct told){.id = 1, .at = 3 * SECOND, .cpu = SECOND}, SECOND / 2);
    assert_near(row->rates.cpu, 0);
}

TEST(counters_that_go_back_tell_nothing) {
    _cleanup_(model_free) struct model model = {0};
    model_begin(&model);
    told_tell(&model, &(struct told){.id = 1, .at = SECOND, .cpu = 5000, .read = 10}, 0);
    struct row *row =
        told_tell(&model, &(struct told){.id = 1, .at = 2 * SECOND, .cpu = 10, .read = 10}, 0);
    assert_true(isnan(row->rates.cpu));
    assert_near(row->rates.read, 0);
    row = told_tell(&model, &(struct told){.id = 1, .at = SECOND, .cpu = 20}, 0);
    assert_true(isnan(row->rates.cpu));
}

TEST(a_sample_without_usage_ends_the_rates) {
    _cleanup_(model_free) struct model model = {0};
    model_begin(&model);
    told_tell(&model, &(struct told){.id = 1, .at = SECOND}, 0);
    told_tell(&model, &(struct told){.id = 1, .at = 2 * SECOND, .cpu = 500}, 0);
    struct row *row = told_tell(&model, &(struct told){.id = 1, .state = HOLDEN_state_EXITED}, 0);
    assert_true(isnan(row->rates.cpu));
    assert_false(row_lives(row));
}

TEST(rows_not_told_of_are_removed) {
    _cleanup_(model_free) struct model model = {0};
    const uint64_t ids[] = {5, 2, 9, 1, 7};
    model_begin(&model);
    for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
        told_tell(&model, &(struct told){.id = ids[i]}, 0);
    model_end(&model);
    assert_int_equal(model.count, 5);
    for (size_t i = 1; i < model.count; i++)
        assert_true(model.rows[i - 1]->id < model.rows[i]->id);
    model_begin(&model);
    told_tell(&model, &(struct told){.id = 9, .name = "a-longer-name-than-before"}, 0);
    told_tell(&model, &(struct told){.id = 2}, 0);
    model_end(&model);
    assert_int_equal(model.count, 2);
    assert_non_null(model_find(&model, 2));
    assert_true(holden_view_is(model_find(&model, 9)->name, "a-longer-name-than-before"));
    assert_null(model_find(&model, 5));
}

TEST(ten_thousand_rows_in_any_order) {
    _cleanup_(model_free) struct model model = {0};
    model_begin(&model);
    for (uint64_t i = 0; i < 10000; i++)
        told_tell(&model, &(struct told){.id = (i * 7919) % 10000 + 1}, 0);
    model_end(&model);
    assert_int_equal(model.count, 10000);
    assert_int_equal(model.rows[9999]->id, 10000);
}

TEST(events_change_rows_at_once) {
    _cleanup_(model_free) struct model model = {0};
    model_begin(&model);
    struct row *row = told_tell(&model, &(struct told){.id = 3, .state = HOLDEN_state_RUNNING}, 0);
    told_tell(&model, &(struct told){.id = 4}, 0);
    model_end(&model);
    event_for(&model, 3, HOLDEN_event_kind_FROZEN, UINT32_MAX, true);
    assert_true(row->frozen);
    event_for(&model, 3, HOLDEN_event_kind_THAWED, UINT32_MAX, true);
    assert_false(row->frozen);
    event_for(&model, 3, HOLDEN_event_kind_FROZEN, UINT32_MAX, true);
    event_for(&model, 3, HOLDEN_event_kind_STATE, HOLDEN_state_FAILED, true);
    assert_int_equal(row->state, HOLDEN_state_FAILED);
    assert_false(row->frozen);
    event_for(&model, 99, HOLDEN_event_kind_STATE, HOLDEN_state_RUNNING, false);
    event_for(&model, 3, HOLDEN_event_kind_FORGOTTEN, UINT32_MAX, true);
    assert_null(model_find(&model, 3));
    assert_int_equal(model.count, 1);
}

TEST(an_event_without_an_id_changes_nothing) {
    _cleanup_(model_free) struct model model = {0};
    struct holden_event event = {0};
    HOLDEN_SET(&event, event, kind, HOLDEN_event_kind_AGENT);
    assert_false(model_event(&model, &event));
}

TEST(totals_count_frozen_ones_apart) {
    _cleanup_(model_free) struct model model = {0};
    assert_true(isnan(model_totals(&model).cpu));
    assert_false(model_totals(&model).has_memory);
    for (uint64_t at = 1; at <= 2; at++) {
        model_begin(&model);
        told_tell(
            &model,
            &(struct told){.id = 1, .state = 1, .at = at * SECOND, .cpu = at * 1000, .memory = MIB},
            0);
        told_tell(
            &model,
            &(struct told){.id = 2, .state = 1, .frozen = true, .at = at * SECOND, .memory = MIB},
            0);
        told_tell(
            &model,
            &(struct told){.id = 3, .state = HOLDEN_state_FAILED, .at = at * SECOND, .memory = MIB},
            0);
        model_end(&model);
    }
    struct model_totals totals = model_totals(&model);
    assert_int_equal(totals.states[HOLDEN_state_RUNNING], 1);
    assert_int_equal(totals.states[HOLDEN_state_FAILED], 1);
    assert_int_equal(totals.frozen, 1);
    assert_int_equal(totals.memory, 2 * MIB);
    assert_near(totals.cpu, 0.1);
}

TEST(shares_of_limits) {
    _cleanup_(model_free) struct model model = {0};
    model_begin(&model);
    struct row *row = told_tell(&model, &(struct told){
        .id = 1, .at = 1, .memory = 75 * MIB, .memory_limit = 100 * MIB,
        .tasks = 4, .tasks_limit = 8,
    }, 0);
    assert_near(row_memory_share(row), 0.75);
    assert_near(row_tasks_share(row), 0.5);
}

UNIT_MAIN
