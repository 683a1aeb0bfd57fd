/* The view: order, filter, selection, scrolling. */
#include <string.h>

#include "monitor/view.h"
#include "monitor_fixture.h"
#include "suite.h"

struct fixture {
    struct model model;
    struct users users;
    struct view view;
    struct column_context context;
};

static void fixture_free(struct fixture *fixture) {
    model_free(&fixture->model);
    users_free(&fixture->users);
    view_free(&fixture->view);
}

static const struct told told[] = {
    {.id = 1, .name = "web", .state = HOLDEN_state_RUNNING, .at = 1, .memory = 300, .pid = 30},
    {.id = 2, .name = "db", .state = HOLDEN_state_RUNNING, .at = 1, .memory = 100, .pid = 20},
    {.id = 3, .name = "Webhook", .state = HOLDEN_state_RUNNING, .at = 1, .pid = 10},
    {.id = 4, .name = "old", .state = HOLDEN_state_FAILED, .at = 1, .memory = 200},
    {.id = 5, .name = "cache", .state = HOLDEN_state_RUNNING, .at = 1, .memory = 100, .pid = 40},
};

static void fill(struct fixture *fixture, enum column sort) {
    fixture->context = (struct column_context){.users = &fixture->users, .utf8 = true};
    fixture->view.sort = sort;
    fixture->view.page = 10;
    model_begin(&fixture->model);
    for (size_t i = 0; i < ARRAY_SIZE(told); i++)
        told_tell(&fixture->model, &told[i], 0);
    model_end(&fixture->model);
    assert_int_equal(view_arrange(&fixture->view, (const struct model *[]){&fixture->model}, 1,
                                  &fixture->context), 0);
}

static void rearrange(struct fixture *fixture) {
    assert_int_equal(view_arrange(&fixture->view, (const struct model *[]){&fixture->model}, 1,
                                  &fixture->context), 0);
}

/* The ids shown, in order, as one number a digit each. */
static unsigned order(const struct view *view) {
    unsigned digits = 0;
    for (size_t i = 0; i < view->count; i++)
        digits = digits * 10 + (unsigned)view->entries[i].row->id;
    return digits;
}

TEST(numbers_fall_and_unknown_ones_are_last) {
    _cleanup_(fixture_free) struct fixture fixture = {0};
    fill(&fixture, COLUMN_MEMORY);
    assert_int_equal(order(&fixture.view), 1253);
    fixture.view.reversed = true;
    rearrange(&fixture);
    assert_int_equal(order(&fixture.view), 2513);
}

TEST(a_tree_of_slices_has_headings_with_sums) {
    _cleanup_(fixture_free) struct fixture fixture = {0};
    static const struct told slices[] = {
        {.id = 1, .name = "a", .slice = "app-web.slice", .at = 1, .memory = 1},
        {.id = 2, .name = "b", .slice = "app.slice", .at = 1, .memory = 2},
        {.id = 3, .name = "c", .at = 1, .memory = 4},
        {.id = 4, .name = "d", .slice = "app-web-x.slice", .at = 1, .memory = 8},
        {.id = 5, .name = "e", .slice = "apple.slice", .at = 1, .memory = 16},
    };
    static const struct { unsigned id, depth, count, memory; const char *label; } wanted[] = {
        {0, 0, 1, 4, ""},         {3, 1, 0, 0, NULL}, {0, 0, 3, 11, "app"}, {2, 1, 0, 0, NULL},
        {0, 1, 2, 9, "app-web"},  {1, 2, 0, 0, NULL}, {0, 2, 1, 8, "app-web-x"},
        {4, 3, 0, 0, NULL},       {0, 0, 1, 16, "apple"}, {5, 1, 0, 0, NULL},
    };
    fixture.view.tree = VIEW_SLICES;
    fixture.view.sort = COLUMN_NAME;
    model_begin(&fixture.model);
    for (size_t i = 0; i < ARRAY_SIZE(slices); i++)
        told_tell(&fixture.model, &slices[i], 0);
    model_end(&fixture.model);
    rearrange(&fixture);
    assert_int_equal(fixture.view.count, ARRAY_SIZE(wanted));
    for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
        const struct view_entry *entry = &fixture.view.entries[i];
        assert_int_equal(entry->row ? entry->row->id : 0, wanted[i].id);
        assert_int_equal(entry->depth, wanted[i].depth);
        if (entry->row)
            continue;
        assert_true(holden_view_is(entry->heading.label, wanted[i].label));
        assert_int_equal(entry->heading.count, wanted[i].count);
        assert_true(entry->heading.memory == wanted[i].memory);
    }
    view_move(&fixture.view, 2);
    assert_null(view_selected(&fixture.view));
    rearrange(&fixture);
    assert_int_equal(fixture.view.cursor, 2);
}

TEST(texts_and_pids_rise) {
    _cleanup_(fixture_free) struct fixture fixture = {0};
    fill(&fixture, COLUMN_NAME);
    assert_int_equal(order(&fixture.view), 3521);
    view_sort(&fixture.view, COLUMN_PID);
    rearrange(&fixture);
    assert_int_equal(order(&fixture.view), 3215);
    view_sort(&fixture.view, COLUMN_PID);
    rearrange(&fixture);
    assert_int_equal(order(&fixture.view), 5123);
}

TEST(every_column_can_be_reached_and_sorts) {
    _cleanup_(fixture_free) struct fixture fixture = {0};
    fill(&fixture, COLUMN_STATE);
    for (int i = 0; i < COLUMNS_COUNT; i++) {
        enum column next = view_neighbour(&fixture.view, 1);
        assert_non_null(column(next)->word);
        view_sort(&fixture.view, next);
        assert_false(fixture.view.reversed);
        rearrange(&fixture);
        assert_int_equal(fixture.view.count, 4);
    }
    fixture.view.sort = COLUMN_STATE;
    assert_int_equal(view_neighbour(&fixture.view, -1), COLUMN_COMMAND);
}

TEST(the_filter_looks_for_a_part_whatever_the_case) {
    _cleanup_(fixture_free) struct fixture fixture = {0};
    fill(&fixture, COLUMN_PID);
    strcpy(fixture.view.filter, "WEB");
    rearrange(&fixture);
    assert_int_equal(order(&fixture.view), 31);
    strcpy(fixture.view.filter, "none such");
    rearrange(&fixture);
    assert_int_equal(fixture.view.count, 0);
    assert_null(view_selected(&fixture.view));
    view_move(&fixture.view, 5);
    view_fit(&fixture.view, 0);
    assert_null(view_selected(&fixture.view));
}

TEST(ended_ones_are_shown_when_wanted) {
    _cleanup_(fixture_free) struct fixture fixture = {0};
    fixture.view.ended = true;
    fill(&fixture, COLUMN_MEMORY);
    assert_int_equal(order(&fixture.view), 14253);
}

TEST(the_selection_stays_with_its_process) {
    _cleanup_(fixture_free) struct fixture fixture = {0};
    fill(&fixture, COLUMN_NAME);
    view_move(&fixture.view, 2);
    assert_int_equal(view_selected(&fixture.view)->id, 2);
    view_sort(&fixture.view, COLUMN_MEMORY);
    rearrange(&fixture);
    assert_int_equal(view_selected(&fixture.view)->id, 2);
    assert_int_equal(fixture.view.cursor, 1);
}

TEST(on_the_first_row_it_stays_there_until_pinned) {
    _cleanup_(fixture_free) struct fixture fixture = {0};
    fill(&fixture, COLUMN_NAME);
    assert_int_equal(view_selected(&fixture.view)->id, 3);
    view_sort(&fixture.view, COLUMN_MEMORY);
    rearrange(&fixture);
    assert_int_equal(view_selected(&fixture.view)->id, 1);
    view_pin(&fixture.view);
    view_sort(&fixture.view, COLUMN_NAME);
    rearrange(&fixture);
    assert_int_equal(view_selected(&fixture.view)->id, 1);
}

TEST(a_selected_process_that_goes_leaves_its_place) {
    _cleanup_(fixture_free) struct fixture fixture = {0};
    fill(&fixture, COLUMN_PID);
    view_move(&fixture.view, 100);
    assert_int_equal(view_selected(&fixture.view)->id, 5);
    model_begin(&fixture.model);
    for (size_t i = 0; i < 3; i++)
        told_tell(&fixture.model, &told[i], 0);
    model_end(&fixture.model);
    rearrange(&fixture);
    assert_int_equal(view_selected(&fixture.view)->id, 1);
    assert_int_equal(fixture.view.cursor, 2);
}

TEST(the_selected_row_is_scrolled_into_sight) {
    _cleanup_(fixture_free) struct fixture fixture = {0};
    fill(&fixture, COLUMN_PID);
    view_fit(&fixture.view, 2);
    assert_int_equal(fixture.view.top, 0);
    view_move(&fixture.view, 3);
    view_fit(&fixture.view, 2);
    assert_int_equal(fixture.view.top, 2);
    view_move(&fixture.view, -2);
    view_fit(&fixture.view, 2);
    assert_int_equal(fixture.view.top, 1);
    view_fit(&fixture.view, 4);
    assert_int_equal(fixture.view.top, 0);
}

UNIT_MAIN
