/* Slices: their names, the tree, and what is kept of them; cgroups are plain directories here. */
#include "agent/slice_limits.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/place.h"
#include "stage.h"
#include "suite.h"

TEST(names_are_those_of_systemd) {
    static const char *const good[] = {"a.slice", "-.slice", "a-b-c.slice", "A_1.x:y.slice",
                                       "a\\x2db.slice", "1-2.slice"};
    static const char *const bad[] = {"", ".slice", "a", "a.service", "-a.slice", "a-.slice",
                                      "a--b.slice", "--.slice", ".a.slice", "a/b.slice",
                                      "a b.slice", "a@b.slice", "a\xff.slice", "a.slice "};
    for (size_t i = 0; i < ARRAY_SIZE(good); i++)
        if (!name_slice_valid(good[i], strlen(good[i])))
            fail_msg("%s is none", good[i]);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        if (name_slice_valid(bad[i], strlen(bad[i])))
            fail_msg("%s is one", bad[i]);
    assert_false(name_slice_valid("a\0.slice", 8));
    char longest[300], deepest[300] = "";
    memset(longest, 'a', sizeof(longest));
    memcpy(longest + NAME_SLICE_MOST - 6, ".slice", 6);
    assert_true(name_slice_valid(longest, NAME_SLICE_MOST));
    memcpy(longest + NAME_SLICE_MOST - 5, ".slice", 6);
    assert_false(name_slice_valid(longest, NAME_SLICE_MOST + 1));
    for (unsigned i = 0; i < 60; i++)
        strcat(deepest, "a-");
    strcat(deepest, "a.slice");
    assert_false(name_slice_valid(deepest, strlen(deepest)));
}

TEST(a_path_has_all_that_are_around) {
    static const struct { const char *name, *path; } rows[] = {
        {"-.slice", ""},
        {"a.slice", "a.slice"},
        {"a-b.slice", "a.slice/a-b.slice"},
        {"a-b-c.slice", "a.slice/a-b.slice/a-b-c.slice"},
    };
    char path[SLICE_PATH];
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        slice_path(holden_view(rows[i].name), path);
        assert_string_equal(path, rows[i].path);
    }
}

static bool is_there(const struct stage *stage, const char *path) {
    return faccessat(stage->agent->hierarchy.root, path, F_OK, 0) == 0;
}

TEST(it_is_there_while_something_is_in_it) {
    struct stage stage;
    struct slice *inner, *again, *outer, *none = (void *)1;
    struct failure failure;
    stage_open(&stage);
    assert_int_equal(slice_take(stage.agent, holden_view("-.slice"), &none), 0);
    assert_null(none);
    assert_int_equal(slice_raise(none, &failure), 0);
    slice_leave(none);
    assert_int_equal(slice_take(stage.agent, holden_view("a-b.slice"), &inner), 0);
    assert_false(is_there(&stage, "a.slice"));
    assert_int_equal(slice_raise(inner, &failure), 0);
    assert_true(is_there(&stage, "a.slice/a-b.slice"));
    assert_int_equal(slice_take(stage.agent, holden_view("a-b.slice"), &again), 0);
    assert_ptr_equal(inner, again);
    assert_int_equal(slice_take(stage.agent, holden_view("a.slice"), &outer), 0);
    assert_ptr_equal(outer, inner->parent);
    assert_int_equal(stage.agent->slices.count, 2);
    slice_leave(inner);
    assert_true(is_there(&stage, "a.slice/a-b.slice"));
    slice_leave(again);
    assert_false(is_there(&stage, "a.slice/a-b.slice"));
    assert_true(is_there(&stage, "a.slice"));
    slice_leave(outer);
    assert_false(is_there(&stage, "a.slice"));
    assert_int_equal(stage.agent->slices.count, 0);
    stage_close(&stage);
}

TEST(there_is_an_end_to_them) {
    struct stage stage;
    struct slice *slices[SLICES_MOST], *more;
    char name[32];
    stage_open(&stage);
    for (unsigned i = 0; i < SLICES_MOST; i++) {
        snprintf(name, sizeof(name), "s%u.slice", i);
        assert_int_equal(slice_take(stage.agent, holden_view(name), &slices[i]), 0);
    }
    assert_int_equal(slice_take(stage.agent, holden_view("x.slice"), &more), -E2BIG);
    slice_leave(slices[0]);
    /* The one around it could be had, itself not: nothing of either is left. */
    assert_int_equal(slice_take(stage.agent, holden_view("x-y.slice"), &more), -E2BIG);
    assert_int_equal(stage.agent->slices.count, SLICES_MOST - 1);
    for (unsigned i = 1; i < SLICES_MOST; i++)
        slice_leave(slices[i]);
    assert_int_equal(stage.agent->slices.count, 0);
    stage_close(&stage);
}

static int set(struct stage *stage, const char *name, uint32_t disabled, bool replace,
               struct failure *failure) {
    struct holden_properties wanted = {0}, before, after;
    struct buffer memory[2] = {0};
    if (disabled != UINT32_MAX)
        HOLDEN_SET(&wanted, properties, disable_controllers, disabled);
    const struct slice_change change = {.name = holden_view(name), .wanted = &wanted,
                                        .replace = replace};
    int r = slice_limits_set(stage->agent, &change, &before, &after, memory, failure);
    buffer_free(&memory[0]);
    buffer_free(&memory[1]);
    return r;
}

TEST(what_it_disables_is_missing_inside) {
    struct stage stage;
    struct hierarchy view;
    struct failure failure;
    stage_open(&stage);
    stage.agent->hierarchy.controllers = CGROUP_ALL;
    assert_int_equal(set(&stage, "a.slice", CGROUP_CPU, false, &failure), 0);
    assert_int_equal(set(&stage, "a-b.slice", CGROUP_IO, false, &failure), 0);
    slice_hierarchy(stage.agent, holden_view("a-b.slice"), true, &view);
    assert_int_equal(view.controllers, CGROUP_ALL & ~(CGROUP_CPU | CGROUP_IO));
    slice_hierarchy(stage.agent, holden_view("a-b.slice"), false, &view);
    assert_int_equal(view.controllers, CGROUP_ALL & ~CGROUP_CPU);
    /* Also where the slice itself is not there yet. */
    slice_hierarchy(stage.agent, holden_view("a-b-c.slice"), true, &view);
    assert_int_equal(view.disabled, CGROUP_CPU | CGROUP_IO);
    slice_hierarchy(stage.agent, holden_view("-.slice"), true, &view);
    assert_int_equal(view.controllers, CGROUP_ALL);
    /* Not while something is in it. */
    assert_true(set(&stage, "a.slice", CGROUP_PIDS, false, &failure) < 0);
    assert_int_equal(failure.code, HOLDEN_code_WRONG_STATE);
    assert_int_equal(slice_limits_reset(stage.agent, holden_view("a-b.slice"), &failure), 0);
    assert_int_equal(set(&stage, "a.slice", CGROUP_PIDS, false, &failure), 0);
    assert_int_equal(slice_limits_reset(stage.agent, holden_view("a.slice"), &failure), 0);
    assert_true(slice_limits_reset(stage.agent, holden_view("a.slice"), &failure) < 0);
    assert_int_equal(failure.code, HOLDEN_code_NO_PROCESS);
    assert_int_equal(stage.agent->slices.count, 0);
    stage_close(&stage);
}

TEST(limits_are_kept_for_the_next_agent) {
    struct stage stage;
    struct holden_properties now;
    struct failure failure;
    _cleanup_(buffer_free) struct buffer memory = {0};
    stage_open(&stage);
    assert_int_equal(set(&stage, "a-b.slice", CGROUP_IO, false, &failure), 0);
    slices_close(stage.agent, false);
    assert_true(is_there(&stage, "a.slice/a-b.slice"));
    assert_int_equal(slice_limits_recover(stage.agent), 0);
    slice_limits_settle(stage.agent);
    const struct slice *slice = slice_find(stage.agent, holden_view("a-b.slice"));
    assert_non_null(slice);
    assert_true(slice->made);
    slice_limits_read(slice, &now, &memory);
    assert_int_equal(now.disable_controllers, CGROUP_IO);
    /* With `replace` what is not named goes. */
    assert_int_equal(set(&stage, "a-b.slice", UINT32_MAX, true, &failure), 0);
    slice_limits_read(slice, &now, &memory);
    assert_false(HOLDEN_HAS(&now, properties, disable_controllers));
    slices_close(stage.agent, true);
    assert_false(is_there(&stage, "a.slice"));
    assert_int_equal(slice_limits_recover(stage.agent), 0);
    assert_int_equal(stage.agent->slices.count, 0);
    stage_close(&stage);
}

TEST(what_cannot_be_set_changes_nothing) {
    struct stage stage;
    struct holden_properties wanted = {0}, before, after;
    struct buffer memory[2] = {0};
    struct failure failure;
    stage_open(&stage);
    stage.agent->hierarchy.controllers = CGROUP_PIDS;
    HOLDEN_SET(&wanted, properties, tasks_max, 5);
    struct slice_change change = {.name = holden_view("a.slice"), .wanted = &wanted};
    /* The file is not there. */
    assert_true(slice_limits_set(stage.agent, &change, &before, &after, memory, &failure) < 0);
    assert_string_equal(failure.step, "TasksMax");
    assert_int_equal(stage.agent->slices.count, 0);
    assert_false(is_there(&stage, "a.slice"));
    HOLDEN_SET(&wanted, properties, nice, 5);
    assert_true(slice_limits_set(stage.agent, &change, &before, &after, memory, &failure) < 0);
    assert_string_equal(failure.step, "Nice");
    change.name = holden_view("-.slice");
    assert_true(slice_limits_set(stage.agent, &change, &before, &after, memory, &failure) < 0);
    change.name = holden_view("x");
    assert_true(slice_limits_set(stage.agent, &change, &before, &after, memory, &failure) < 0);
    assert_int_equal(stage.agent->slices.count, 0);
    buffer_free(&memory[0]);
    buffer_free(&memory[1]);
    stage_close(&stage);
}

TEST(a_path_leads_to_its_process) {
    struct stage stage;
    struct failure failure;
    int directory;
    char path[PLACE_MOST], text[PLACE_MOST + 32];
    struct holden_properties properties = {0};
    stage_open(&stage);
    struct process *process = stage_process(&stage, "web", HOLDEN_state_RUNNING, 0);
    HOLDEN_SET(&properties, properties, slice, holden_view("a-b.slice"));
    assert_int_equal(place_make(process, &properties, &directory, &failure), 0);
    close(directory);
    place_path(process, path);
    assert_int_equal(strncmp(path, "a.slice/a-b.slice/", 18), 0);
    snprintf(text, sizeof(text), "%s\n", path);
    assert_ptr_equal(place_find(stage.agent, text), process);
    snprintf(text, sizeof(text), "%s/below/c.slice\n", path);
    assert_ptr_equal(place_find(stage.agent, text), process);
    /* Not where its name is, but where it is. */
    snprintf(text, sizeof(text), "%s\n", strrchr(path, '/') + 1);
    assert_null(place_find(stage.agent, text));
    snprintf(text, sizeof(text), "a.slice/%s\n", strrchr(path, '/') + 1);
    assert_null(place_find(stage.agent, text));
    assert_null(place_find(stage.agent, "a.slice\n"));
    assert_null(place_find(stage.agent, "a.slice/a-b.slice\n"));
    assert_null(place_find(stage.agent, "\n"));
    assert_int_equal(slice_count(slice_find(stage.agent, holden_view("a.slice"))), 1);
    assert_int_equal(place_remove(process), 0);
    assert_false(process->has_cgroup);
    assert_null(process->slice);
    assert_int_equal(stage.agent->slices.count, 0);
    stage_close(&stage);
}

UNIT_MAIN
