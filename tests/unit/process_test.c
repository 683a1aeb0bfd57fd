#include "agent/process.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/state.h"
#include "stage.h"
#include "suite.h"

static struct process *add(struct stage *stage, uint64_t id, const char *name, uint32_t state) {
    struct process *process;
    assert_int_equal(process_new(stage->agent, id, holden_view(name), &process), 0);
    state_recover(process, state);
    return process;
}

static struct process *by_text(struct stage *stage, const char *text) {
    return process_by_text(&stage->agent->processes, holden_view(text));
}

TEST(a_new_process_is_starting_and_holds_nothing) {
    struct stage stage;
    struct process *process;
    char name[] = "web";
    stage_open(&stage);
    assert_int_equal(process_new(stage.agent, 7, holden_view(name), &process), 0);
    name[0] = 'x';
    assert_string_equal(process->name, "web");
    assert_int_equal(process->state, HOLDEN_state_STARTING);
    assert_int_equal(process->pid, 0);
    assert_int_equal(process->pidfd, -1);
    assert_int_equal(process->killed_by, -1);
    assert_int_equal(process->passed[0], -1);
    assert_int_equal(stage.agent->processes.alive, 1);
    assert_int_equal(stage.agent->processes.count, 1);
    stage_close(&stage);
}

TEST(found_by_id_name_and_pid) {
    struct stage stage;
    stage_open(&stage);
    struct process *one = add(&stage, 1, "one", HOLDEN_state_RUNNING);
    struct process *two = add(&stage, 2, "two", HOLDEN_state_RUNNING);
    process_set_pid(one, 100);
    process_set_pid(two, 200);
    const struct processes *table = &stage.agent->processes;
    assert_ptr_equal(process_by_id(table, 1), one);
    assert_ptr_equal(process_by_id(table, 2), two);
    assert_null(process_by_id(table, 257)); /* of the same bucket */
    assert_ptr_equal(process_by_name(table, holden_view("two")), two);
    assert_null(process_by_name(table, holden_view("tw")));
    assert_ptr_equal(by_text(&stage, "one"), one);
    assert_ptr_equal(by_text(&stage, "100"), one);
    assert_ptr_equal(by_text(&stage, "0200"), two);
    stage_close(&stage);
}

TEST(digits_are_a_pid_and_never_a_name) {
    struct stage stage;
    stage_open(&stage);
    add(&stage, 1, "100", HOLDEN_state_RUNNING);
    static const char *const others[] = {"100",
                                         "",
                                         "0",
                                         "-1",
                                         "+1",
                                         " 1",
                                         "1 ",
                                         "4294967297",
                                         "2147483648",
                                         "18446744073709551616",
                                         "99999999999999999999999999999999"};
    for (size_t i = 0; i < ARRAY_SIZE(others); i++)
        assert_null(by_text(&stage, others[i]));
    stage_close(&stage);
}

TEST(a_pid_is_found_only_while_it_is_held) {
    struct stage stage;
    stage_open(&stage);
    struct process *one = add(&stage, 1, "one", HOLDEN_state_RUNNING);
    struct process *two = add(&stage, 2, "two", HOLDEN_state_RUNNING);
    process_set_pid(one, 100);
    process_set_pid(one, 101);
    assert_null(by_text(&stage, "100"));
    assert_ptr_equal(by_text(&stage, "101"), one);
    process_set_pid(one, 0);
    process_set_pid(one, 0);
    assert_null(by_text(&stage, "101"));
    process_set_pid(two, 101);
    assert_ptr_equal(by_text(&stage, "101"), two);
    process_free(two);
    assert_null(by_text(&stage, "101"));
    stage_close(&stage);
}

TEST(the_living_one_of_a_name_comes_before_the_newest) {
    struct stage stage;
    stage_open(&stage);
    struct process *first = add(&stage, 1, "web", HOLDEN_state_FAILED);
    struct process *second = add(&stage, 2, "web", HOLDEN_state_EXITED);
    assert_ptr_equal(by_text(&stage, "web"), second);
    state_recover(first, HOLDEN_state_RUNNING);
    assert_ptr_equal(by_text(&stage, "web"), first);
    state_recover(first, HOLDEN_state_STOPPED);
    process_free(second);
    assert_ptr_equal(by_text(&stage, "web"), first);
    process_free(first);
    assert_null(by_text(&stage, "web"));
    stage_close(&stage);
}

enum { MANY = 5000 };

TEST(a_grown_table_still_finds_all) {
    struct stage stage;
    char text[16];
    stage_open(&stage);
    const struct processes *table = &stage.agent->processes;
    size_t buckets = table->buckets;
    for (uint64_t id = 1; id <= MANY; id++) {
        snprintf(text, sizeof(text), "p%d", (int)(id % 1000));
        struct process *process = add(&stage, id, text, HOLDEN_state_EXITED);
        if (id % 2)
            process_set_pid(process, (pid_t)(id * 3));
    }
    assert_true(table->buckets > buckets);
    assert_int_equal(table->count, MANY);
    for (uint64_t id = 1; id <= MANY; id++) {
        struct process *process = process_by_id(table, id);
        assert_int_equal(process->id, id);
        snprintf(text, sizeof(text), "%d", (int)(id * 3));
        assert_ptr_equal(by_text(&stage, text), id % 2 ? process : NULL);
    }
    for (int i = 0; i < 1000; i++) {
        snprintf(text, sizeof(text), "p%d", i);
        assert_int_equal(by_text(&stage, text)->id, i == 0 ? MANY : MANY - 1000 + i);
    }
    stage_close(&stage);
}

/* Gives it a request with that token. */
static void give_token(struct process *process, uint64_t token) {
    struct holden_view command = holden_view("command");
    struct holden_start start = {0};
    struct buffer encoded = {0};
    HOLDEN_SET(&start, start, argument, (struct holden_repeated){.count = 1, .items = &command});
    HOLDEN_SET(&start, start, token, token);
    assert_int_equal(holden_encode(&holden_record_start, &start, &encoded), 0);
    /* It is at the start of its memory, since nothing was taken from it. */
    process_set_request(process, encoded.data, encoded.size);
}

TEST(found_by_the_token_of_its_start_and_owner) {
    struct stage stage;
    char name[16];
    stage_open(&stage);
    const struct processes *table = &stage.agent->processes;
    struct process *one = add(&stage, 1, "one", HOLDEN_state_RUNNING);
    struct process *two = add(&stage, 2, "two", HOLDEN_state_EXITED);
    two->owner = 1000;
    give_token(one, 77);
    give_token(two, 77);
    for (uint64_t id = 3; id < 2000; id++) {
        snprintf(name, sizeof(name), "p%u", (unsigned)id);
        add(&stage, id, name, HOLDEN_state_RUNNING);
    }
    assert_ptr_equal(process_by_token(table, 77, 0), one);
    assert_ptr_equal(process_by_token(table, 77, 1000), two);
    assert_null(process_by_token(table, 77, 1001));
    assert_null(process_by_token(table, 77 + 256, 0));
    assert_null(process_by_token(table, 0, 0));
    give_token(one, 78);
    assert_null(process_by_token(table, 77, 0));
    assert_ptr_equal(process_by_token(table, 78, 0), one);
    process_free(one);
    assert_null(process_by_token(table, 78, 0));
    stage_close(&stage);
}

TEST(ended_ones_in_the_order_of_their_ends) {
    static const uint64_t ends[] = {50, 20, 40, 10, 30, 30};
    struct stage stage;
    struct process *process;
    stage_open(&stage);
    struct processes *table = &stage.agent->processes;
    for (uint64_t i = 0; i < ARRAY_SIZE(ends); i++) {
        assert_int_equal(process_new(stage.agent, i + 1, holden_view("web"), &process), 0);
        process->ended_monotonic = ends[i];
        state_recover(process, HOLDEN_state_EXITED);
    }
    uint64_t last = 0;
    TAILQ_FOREACH(process, &table->endings, ending) {
        assert_true(process->ended_monotonic >= last);
        last = process->ended_monotonic;
    }
    assert_int_equal(last, 50);
    assert_int_equal(table->ended, ARRAY_SIZE(ends));
    /* One that is started again is not among them; nor is one that is gone. */
    state_recover(process_by_id(table, 4), HOLDEN_state_STARTING);
    assert_ptr_equal(TAILQ_FIRST(&table->endings), process_by_id(table, 2));
    process_free(process_by_id(table, 2));
    assert_ptr_equal(TAILQ_FIRST(&table->endings), process_by_id(table, 5));
    assert_int_equal(table->ended, ARRAY_SIZE(ends) - 2);
    assert_int_equal(table->alive, 1);
    stage_close(&stage);
}

TEST(walked_in_the_order_of_ids) {
    struct stage stage;
    stage_open(&stage);
    const struct processes *table = &stage.agent->processes;
    assert_null(process_after(table, 0));
    struct process *three = add(&stage, 3, "c", HOLDEN_state_RUNNING);
    struct process *five = add(&stage, 5, "e", HOLDEN_state_RUNNING);
    struct process *nine = add(&stage, 9, "i", HOLDEN_state_RUNNING);
    assert_ptr_equal(process_after(table, 0), three);
    assert_ptr_equal(process_after(table, 3), five);
    assert_ptr_equal(process_after(table, 4), five);
    process_free(five);
    assert_ptr_equal(process_after(table, 5), nine);
    assert_null(process_after(table, 9));
    assert_null(process_after(table, UINT64_MAX));
    stage_close(&stage);
}

TEST(the_request_is_kept_as_it_now_holds) {
    struct stage stage;
    struct holden_start start;
    struct holden_properties properties = {0}, changed = {0};
    stage_open(&stage);
    HOLDEN_SET(&properties, properties, memory_max, 1 << 20);
    struct process *process = stage_process(&stage, "web", HOLDEN_state_RUNNING, 0);
    stage_settings(process, &properties);
    HOLDEN_SET(&changed, properties, tasks_max, 12);
    assert_int_equal(process_replace_properties(process, &changed), 0);
    process_request(process, &start, &properties);
    assert_true(holden_view_is(start.name, "web"));
    assert_int_equal(start.argument.count, 2);
    assert_false(HOLDEN_HAS(&properties, properties, memory_max));
    assert_int_equal(properties.tasks_max, 12);
    stage_close(&stage);
}

TEST(what_cannot_be_encoded_changes_nothing) {
    struct stage stage;
    struct holden_start start;
    struct holden_properties properties, wrong = {0};
    stage_open(&stage);
    struct process *process = stage_process(&stage, "web", HOLDEN_state_RUNNING, 0);
    HOLDEN_SET(&wrong, properties, oom_policy, 99);
    assert_int_equal(process_replace_properties(process, &wrong), -EINVAL);
    process_request(process, &start, &properties);
    assert_int_equal(start.argument.count, 2);
    assert_false(HOLDEN_HAS(&properties, properties, oom_policy));
    stage_close(&stage);
}

TEST(a_request_that_does_not_decode_is_empty) {
    struct stage stage;
    struct holden_start start;
    struct holden_properties properties;
    stage_open(&stage);
    struct process *process = stage_process(&stage, "web", HOLDEN_state_RUNNING, 0);
    process->request_size = 3;
    process_request(process, &start, &properties);
    assert_int_equal(start.argument.count, 0);
    assert_false(HOLDEN_HAS(&start, start, name));
    stage_close(&stage);
}

UNIT_MAIN
