#include "agent/waiter.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "stage.h"
#include "suite.h"

static const struct holden_done done;

TEST(only_who_waits_for_it_is_answered) {
    struct stage stage;
    struct guest one, other;
    stage_open(&stage);
    stage_guest(&stage, &one, 0);
    stage_guest(&stage, &other, 0);
    struct process *process = stage_process(&stage, "web", HOLDEN_state_RUNNING, 0);
    assert_false(waiter_any(process, WAITER_STOP));
    assert_int_equal(waiter_add(process, one.peer, 11, WAITER_STOP), 0);
    assert_int_equal(waiter_add(process, one.peer, 12, WAITER_EXIT), 0);
    assert_int_equal(waiter_add(process, other.peer, 13, WAITER_STOP), 0);
    assert_true(waiter_any(process, WAITER_STOP));
    assert_false(waiter_any(process, WAITER_START));
    waiter_answer(process, WAITER_STOP, HOLDEN_MESSAGE_done, &done, NULL, 0);
    guest_expect(&one, HOLDEN_MESSAGE_done, 11, NULL);
    guest_expect(&other, HOLDEN_MESSAGE_done, 13, NULL);
    guest_silent(&one);
    assert_false(waiter_any(process, WAITER_STOP));
    assert_true(waiter_any(process, WAITER_EXIT));
    waiter_answer(process, WAITER_STOP, HOLDEN_MESSAGE_done, &done, NULL, 0);
    guest_silent(&one);
    guest_close(&one);
    guest_close(&other);
    stage_close(&stage);
}

TEST(a_refusal_carries_the_failure) {
    struct stage stage;
    struct guest guest;
    struct failure failure;
    struct holden_error error;
    stage_open(&stage);
    stage_guest(&stage, &guest, 0);
    struct process *process = stage_process(&stage, "web", HOLDEN_state_STARTING, 0);
    waiter_add(process, guest.peer, 5, WAITER_START);
    failure_set(&failure, HOLDEN_code_UNSUPPORTED, "MemoryMax", "not here");
    waiter_refuse(process, WAITER_START, &failure);
    guest_expect(&guest, HOLDEN_MESSAGE_error, 5, &error);
    assert_int_equal(error.code, HOLDEN_code_UNSUPPORTED);
    assert_true(holden_view_is(error.step, "MemoryMax"));
    assert_true(holden_view_is(error.text, "not here"));
    guest_close(&guest);
    stage_close(&stage);
}

TEST(an_error_is_the_last_answer_to_its_request) {
    struct stage stage;
    struct guest one, other;
    struct failure failure;
    stage_open(&stage);
    stage_guest(&stage, &one, 0);
    stage_guest(&stage, &other, 0);
    struct process *process = stage_process(&stage, "web", HOLDEN_state_STARTING, 0);
    waiter_add(process, one.peer, 5, WAITER_START);
    waiter_add(process, one.peer, 5, WAITER_EXIT);
    waiter_add(process, one.peer, 6, WAITER_EXIT);
    waiter_add(process, other.peer, 5, WAITER_EXIT);
    failure_set(&failure, HOLDEN_code_FAILED, "exec", "no such file");
    waiter_refuse(process, WAITER_START, &failure);
    guest_refused(&one, 5, HOLDEN_code_FAILED, "no such file");
    waiter_answer(process, WAITER_EXIT, HOLDEN_MESSAGE_done, &done, NULL, 0);
    guest_expect(&one, HOLDEN_MESSAGE_done, 6, NULL);
    guest_expect(&other, HOLDEN_MESSAGE_done, 5, NULL);
    guest_silent(&one);
    guest_close(&one);
    guest_close(&other);
    stage_close(&stage);
}

TEST(descriptors_go_to_everybody) {
    struct stage stage;
    struct guest guest;
    stage_open(&stage);
    stage_guest(&stage, &guest, 0);
    struct process *process = stage_process(&stage, "web", HOLDEN_state_RUNNING, 0);
    _cleanup_close_ int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    waiter_add(process, guest.peer, 1, WAITER_START);
    waiter_add(process, guest.peer, 2, WAITER_START);
    waiter_answer(process, WAITER_START, HOLDEN_MESSAGE_done, &done, &null, 1);
    for (unsigned answers = 0; answers < 2; answers++) {
        struct holden_reply reply;
        int fd;
        assert_true(guest_hears(&guest, &reply));
        assert_int_equal(holden_connection_take_fds(&guest.client.connection, &reply.frame, &fd, 1),
                         1);
        close(fd);
    }
    cleanup_close(&null);
    null = -1;
    guest_close(&guest);
    stage_close(&stage);
}

TEST(whoever_goes_first_leaves_nothing_behind) {
    struct stage stage;
    struct guest staying, leaving;
    stage_open(&stage);
    stage_guest(&stage, &staying, 0);
    stage_guest(&stage, &leaving, 0);
    struct process *one = stage_process(&stage, "one", HOLDEN_state_RUNNING, 0);
    struct process *two = stage_process(&stage, "two", HOLDEN_state_RUNNING, 0);
    struct process *const processes[] = {one, two};
    for (size_t i = 0; i < ARRAY_SIZE(processes); i++) {
        waiter_add(processes[i], staying.peer, 1, WAITER_EXIT);
        waiter_add(processes[i], leaving.peer, 2, WAITER_EXIT);
    }
    guest_close(&leaving);
    process_free(one);
    waiter_answer(two, WAITER_EXIT, HOLDEN_MESSAGE_done, &done, NULL, 0);
    guest_expect(&staying, HOLDEN_MESSAGE_done, 1, NULL);
    guest_silent(&staying);
    assert_true(LIST_EMPTY(&staying.peer->waiters));
    guest_close(&staying);
    stage_close(&stage);
}

UNIT_MAIN
