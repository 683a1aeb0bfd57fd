/* The columns: what cells show, and how they fit. */
#include <string.h>

#include "monitor/layout.h"
#include "monitor_fixture.h"
#include "suite.h"

#define SECOND UINT64_C(1000000)
#define MIB UINT64_C(1048576)

struct fixture {
    struct model model;
    struct users users;
    struct view view;
    struct layout layout;
    struct column_context context;
};

static void fixture_free(struct fixture *fixture) {
    model_free(&fixture->model);
    users_free(&fixture->users);
    view_free(&fixture->view);
}

static const struct told worker = {
    .id = 1, .name = "worker-with-a-name", .command = "/usr/bin/worker --number 1", .pid = 4711,
    .state = HOLDEN_state_RUNNING, .runtime = 3723 * SECOND + 5, .at = 3 * SECOND, .cpu = SECOND,
    .memory = 195 * MIB, .memory_limit = 200 * MIB, .tasks = 9, .tasks_limit = 10, .read = 2048,
    .stall_memory = SECOND / 2, .throttled = SECOND / 10,
};

static const char agents[][32] = {"agent"};

static void fill(struct fixture *fixture) {
    struct told before = {.id = 1, .at = SECOND};
    fixture->context = (struct column_context){.users = &fixture->users};
    model_begin(&fixture->model);
    told_tell(&fixture->model, &before, 0);
    told_tell(&fixture->model, &worker, 0);
    told_tell(&fixture->model,
              &(struct told){.id = 2, .name = "x", .state = HOLDEN_state_RUNNING, .frozen = true},
              0);
    assert_int_equal(view_arrange(&fixture->view, (const struct model *[]){&fixture->model}, 1,
                                  &fixture->context), 0);
    layout_measure(&fixture->layout, &fixture->context, fixture->view.entries, fixture->view.count);
}

static void shows(const struct fixture *fixture, uint64_t id, enum column which,
                  const char *wanted) {
    char scratch[COLUMN_SCRATCH];
    struct holden_view cell =
        column(which)->cell(&fixture->context, model_find(&fixture->model, id), scratch);
    if (!holden_view_is(cell, wanted))
        fail_msg("%s shows '%.*s', not '%s'", column(which)->title, (int)cell.size, cell.data,
                 wanted);
}

TEST(cells_show_what_is_known) {
    _cleanup_(fixture_free) struct fixture fixture = {0};
    fill(&fixture);
    shows(&fixture, 1, COLUMN_STATE, "running");
    shows(&fixture, 1, COLUMN_PID, "4711");
    shows(&fixture, 1, COLUMN_USER, "root");
    shows(&fixture, 1, COLUMN_CPU, "50.0");
    shows(&fixture, 1, COLUMN_MEMORY, "195M/200M");
    shows(&fixture, 1, COLUMN_BAR, "##########");
    shows(&fixture, 1, COLUMN_TASKS, "9/10");
    shows(&fixture, 1, COLUMN_IO, "1K/s");
    shows(&fixture, 1, COLUMN_STALL, "25% mem");
    shows(&fixture, 1, COLUMN_TIME, "1h2min");
    shows(&fixture, 1, COLUMN_NAME, "worker-with-a-name");
    shows(&fixture, 2, COLUMN_STATE, "frozen");
    const enum column unknown[] = {COLUMN_PID,   COLUMN_CPU, COLUMN_MEMORY,
                                   COLUMN_TASKS, COLUMN_IO,  COLUMN_STALL};
    for (size_t i = 0; i < ARRAY_SIZE(unknown); i++)
        shows(&fixture, 2, unknown[i], "-");
    shows(&fixture, 2, COLUMN_BAR, "");
}

TEST(colours_say_what_is_near_its_limit) {
    _cleanup_(fixture_free) struct fixture fixture = {0};
    fill(&fixture);
    const struct row *row = model_find(&fixture.model, 1);
    const struct row *frozen = model_find(&fixture.model, 2);
    assert_int_equal(column(COLUMN_MEMORY)->style(row), STYLE_BAD);
    assert_int_equal(column(COLUMN_TASKS)->style(row), STYLE_WARN);
    assert_int_equal(column(COLUMN_CPU)->style(row), STYLE_WARN);
    assert_int_equal(column(COLUMN_STALL)->style(row), STYLE_WARN);
    assert_int_equal(column_row_style(row), STYLE_PLAIN);
    assert_int_equal(column_row_style(frozen), STYLE_COLD);
    assert_int_equal(column(COLUMN_MEMORY)->style(frozen), STYLE_PLAIN);
}

static unsigned total(const struct layout *layout) {
    unsigned sum = 0;
    for (enum column which = 0; which < COLUMNS_COUNT; which++)
        sum += layout->widths[which] ? layout->widths[which] + (sum ? 1 : 0) : 0;
    return sum;
}

/* There is a column that says which agent it is. */
static void fill_with_agents(struct fixture *fixture) {
    fill(fixture);
    fixture->context.agents = agents;
    layout_measure(&fixture->layout, &fixture->context, fixture->view.entries, fixture->view.count);
}

TEST(the_table_fits_any_width) {
    _cleanup_(fixture_free) struct fixture fixture = {0};
    fill_with_agents(&fixture);
    for (unsigned width = 1; width <= 300; width++) {
        layout_fit(&fixture.layout, width);
        assert_true(total(&fixture.layout) <= width);
        assert_true(fixture.layout.widths[COLUMN_NAME] > 0);
    }
    assert_int_equal(total(&fixture.layout), 300);
    for (enum column which = 0; which < COLUMNS_COUNT; which++)
        assert_true(fixture.layout.widths[which] > 0);
}

TEST(columns_go_in_the_order_of_their_ranks) {
    _cleanup_(fixture_free) struct fixture fixture = {0};
    fill_with_agents(&fixture);
    for (unsigned width = 1; width <= 200; width++) {
        unsigned lost = 0;
        layout_fit(&fixture.layout, width);
        for (enum column which = 0; which < COLUMNS_COUNT; which++)
            if (!fixture.layout.widths[which] && column(which)->rank > lost)
                lost = column(which)->rank;
        for (enum column which = 0; which < COLUMNS_COUNT; which++)
            assert_int_equal(fixture.layout.widths[which] > 0, column(which)->rank > lost);
    }
}

TEST(eighty_columns_keep_what_matters) {
    _cleanup_(fixture_free) struct fixture fixture = {0};
    fill(&fixture);
    layout_fit(&fixture.layout, 80);
    const enum column kept[] = {COLUMN_STATE, COLUMN_PID, COLUMN_CPU, COLUMN_MEMORY, COLUMN_TASKS,
                                COLUMN_IO, COLUMN_STALL, COLUMN_TIME, COLUMN_NAME};
    for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
        assert_true(fixture.layout.widths[kept[i]] > 0);
    assert_true(fixture.layout.widths[COLUMN_NAME] >= 12);
}

TEST(without_a_bound_nothing_is_cut) {
    _cleanup_(fixture_free) struct fixture fixture = {0};
    char text[LAYOUT_CELL];
    fill(&fixture);
    layout_fit(&fixture.layout, 0);
    assert_int_equal(fixture.layout.widths[COLUMN_BAR], 0);
    layout_cell(&fixture.layout, COLUMN_COMMAND, &fixture.context, model_find(&fixture.model, 1),
                text);
    assert_string_equal(text, worker.command);
    layout_cell(&fixture.layout, COLUMN_PID, &fixture.context, model_find(&fixture.model, 2), text);
    assert_string_equal(text, "    -");
    layout_title(&fixture.layout, COLUMN_NAME, text);
    assert_string_equal(text, "NAME              ");
    layout_title(&fixture.layout, COLUMN_CPU, text);
    assert_string_equal(text, " CPU%");
}

TEST(widths_grow_and_do_not_shrink) {
    _cleanup_(fixture_free) struct fixture fixture = {0};
    fill(&fixture);
    unsigned before = fixture.layout.wanted[COLUMN_NAME];
    layout_measure(&fixture.layout, &fixture.context, fixture.view.entries, 0);
    assert_int_equal(fixture.layout.wanted[COLUMN_NAME], before);
}

TEST(columns_are_found_by_their_words) {
    enum column which;
    for (enum column each = 0; each < COLUMNS_COUNT; each++)
        if (column(each)->word) {
            assert_int_equal(column_find(column(each)->word, &which), 0);
            assert_int_equal(which, each);
        }
    assert_int_equal(column_find("CPU", &which), 0);
    assert_int_equal(which, COLUMN_CPU);
    assert_true(column_find("", &which) < 0);
    assert_true(column_find("nothing", &which) < 0);
}

UNIT_MAIN
