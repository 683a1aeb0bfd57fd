#include "agent/state.h"

#include <errno.h>

#include "stage.h"
#include "suite.h"

/* What is expected, written down a second time on purpose: a string a state, a letter an event, in
 * the order of the enumerations. "-" does not change it, the others are the states' first letters,
 * with o for stopping. */
static const char letters[] = "srobxfd";
static const char *const expected[] = {
    [HOLDEN_state_STARTING] = "-roxfd", [HOLDEN_state_RUNNING] = "--oxfd",
    [HOLDEN_state_STOPPING] = "s--xfd", [HOLDEN_state_BACKOFF] = "s-o-fd",
    [HOLDEN_state_EXITED] = "s-----",   [HOLDEN_state_FAILED] = "s-----",
    [HOLDEN_state_STOPPED] = "s-----",
};

TEST(the_whole_table) {
    struct stage stage;
    stage_open(&stage);
    struct process *process = stage_process(&stage, "web", HOLDEN_state_STARTING, 0);
    assert_int_equal(holden_enum_state.count, ARRAY_SIZE(expected));
    for (uint32_t from = 0; from < ARRAY_SIZE(expected); from++)
        for (unsigned event = 0; event < PROCESS_EVENTS; event++) {
            char to = expected[from][event];
            state_recover(process, from);
            uint64_t told = stage.agent->events.ring.last;
            assert_int_equal(process_event(process, event), to == '-' ? -EPERM : 0);
            assert_int_equal(letters[process->state], to == '-' ? letters[from] : to);
            assert_int_equal(stage.agent->events.ring.last - told, to != '-');
        }
    stage_close(&stage);
}

TEST(alive_is_what_has_not_ended) {
    for (uint32_t from = 0; from < ARRAY_SIZE(expected); from++)
        assert_int_equal(state_alive(from), from != HOLDEN_state_EXITED &&
                                                from != HOLDEN_state_FAILED &&
                                                from != HOLDEN_state_STOPPED);
}

static void counts(const struct stage *stage, size_t alive, size_t ended) {
    assert_int_equal(stage->agent->processes.alive, alive);
    assert_int_equal(stage->agent->processes.ended, ended);
    assert_int_equal(stage->agent->processes.count, alive + ended);
}

TEST(the_living_and_the_ended_are_counted) {
    struct stage stage;
    stage_open(&stage);
    struct process *one = stage_process(&stage, "one", HOLDEN_state_STARTING, 0);
    struct process *two = stage_process(&stage, "two", HOLDEN_state_STARTING, 0);
    counts(&stage, 2, 0);
    process_event(one, PROCESS_RUNS);
    process_event(one, PROCESS_STOPS);
    counts(&stage, 2, 0);
    process_event(one, PROCESS_IS_STOPPED);
    counts(&stage, 1, 1);
    assert_int_equal(process_event(one, PROCESS_IS_STOPPED), -EPERM);
    counts(&stage, 1, 1);
    process_event(one, PROCESS_STARTS);
    counts(&stage, 2, 0);
    state_recover(two, HOLDEN_state_FAILED);
    counts(&stage, 1, 1);
    process_free(two);
    counts(&stage, 1, 0);
    process_free(one);
    counts(&stage, 0, 0);
    stage_close(&stage);
}

UNIT_MAIN
