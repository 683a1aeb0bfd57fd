#include "agent/events.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/state.h"
#include "stage.h"
#include "suite.h"

static void tell(struct stage *stage, unsigned count) {
    for (unsigned i = 0; i < count; i++)
        events_agent(stage->agent, "something");
}

/* Subscribes as the request does. */
static uint32_t subscribe(struct guest *guest, const uint64_t *since, bool follow) {
    struct holden_subscribe request = {0};
    if (since)
        HOLDEN_SET(&request, subscribe, since, *since);
    if (follow)
        HOLDEN_SET(&request, subscribe, follow, true);
    return guest_ask(guest, HOLDEN_MESSAGE_subscribe, &request, NULL, 0);
}

static void hears(struct guest *guest, uint32_t id, uint64_t sequence) {
    struct holden_event event;
    guest_expect(guest, HOLDEN_MESSAGE_event, id, &event);
    assert_int_equal(event.sequence, sequence);
    assert_int_not_equal(event.kind, HOLDEN_event_kind_DROPPED);
}

static void hears_missed(struct guest *guest, uint32_t id, uint64_t missed, uint64_t last) {
    struct holden_event event;
    guest_expect(guest, HOLDEN_MESSAGE_event, id, &event);
    assert_int_equal(event.kind, HOLDEN_event_kind_DROPPED);
    assert_int_equal(event.missed, missed);
    assert_int_equal(event.sequence, last);
}

TEST(all_that_is_kept_and_then_the_end) {
    struct stage stage;
    struct guest guest;
    stage_open(&stage);
    stage_guest(&stage, &guest, 0);
    tell(&stage, 3);
    uint32_t id = subscribe(&guest, NULL, false);
    for (uint64_t sequence = 1; sequence <= 3; sequence++)
        hears(&guest, id, sequence);
    guest_expect(&guest, HOLDEN_MESSAGE_end, id, NULL);
    tell(&stage, 1);
    guest_silent(&guest);
    guest_close(&guest);
    stage_close(&stage);
}

TEST(a_follower_hears_what_comes) {
    struct stage stage;
    struct guest guest;
    stage_open(&stage);
    stage_guest(&stage, &guest, 0);
    tell(&stage, 3);
    uint32_t id = subscribe(&guest, NULL, true);
    guest_silent(&guest);
    tell(&stage, 2);
    hears(&guest, id, 4);
    hears(&guest, id, 5);
    guest_silent(&guest);
    guest_close(&guest);
    tell(&stage, 1);
    stage_close(&stage);
}

TEST(since_a_number) {
    struct stage stage;
    struct guest guest;
    stage_open(&stage);
    stage_guest(&stage, &guest, 0);
    tell(&stage, 5);
    uint32_t id = subscribe(&guest, &(uint64_t){3}, false);
    hears(&guest, id, 4);
    hears(&guest, id, 5);
    guest_expect(&guest, HOLDEN_MESSAGE_end, id, NULL);
    id = subscribe(&guest, &(uint64_t){0}, true);
    for (uint64_t sequence = 1; sequence <= 5; sequence++)
        hears(&guest, id, sequence);
    tell(&stage, 1);
    hears(&guest, id, 6);
    guest_close(&guest);
    stage_close(&stage);
}

TEST(since_a_number_that_has_not_been) {
    static const uint64_t numbers[] = {2, 3, 100, UINT64_MAX - 1, UINT64_MAX};
    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
        struct stage stage;
        struct guest guest;
        stage_open(&stage);
        stage_guest(&stage, &guest, 0);
        tell(&stage, 2);
        uint32_t id = subscribe(&guest, &numbers[i], true);
        guest_silent(&guest);
        tell(&stage, 1);
        hears(&guest, id, 3);
        guest_close(&guest);
        stage_close(&stage);
    }
}

TEST(what_the_ring_no_longer_holds_is_counted) {
    struct stage stage;
    struct guest guest;
    stage_open(&stage);
    stage_guest(&stage, &guest, 0);
    tell(&stage, EVENTS_KEPT + 10);
    uint32_t id = subscribe(&guest, &(uint64_t){4}, false);
    hears_missed(&guest, id, 6, 10);
    for (uint64_t sequence = 11; sequence <= EVENTS_KEPT + 10; sequence++)
        hears(&guest, id, sequence);
    guest_expect(&guest, HOLDEN_MESSAGE_end, id, NULL);
    guest_close(&guest);
    stage_close(&stage);
}

TEST(a_slow_reader_is_told_how_many_it_missed) {
    static char words[8000];
    struct stage stage;
    struct guest slow;
    struct holden_event event;
    stage_open(&stage);
    stage_guest(&stage, &slow, 0);
    uint32_t id = subscribe(&slow, NULL, true);
    guest_silent(&slow);
    memset(words, 'w', sizeof(words) - 1);
    /* More than the socket, its queue and the ring hold together. */
    uint64_t told = (PEER_QUEUE_MAX + (16 << 20)) / sizeof(words) + EVENTS_KEPT;
    for (uint64_t i = 0; i < told; i++) {
        events_agent(stage.agent, words);
        assert_true(slow.peer->connection.out.size < PEER_QUEUE_MAX + 2 * sizeof(words));
    }
    uint64_t heard = 0, missed = 0;
    while (heard + missed < told) {
        guest_expect(&slow, HOLDEN_MESSAGE_event, id, &event);
        if (event.kind == HOLDEN_event_kind_DROPPED)
            missed += event.missed;
        else
            heard++;
        assert_int_equal(event.sequence, heard + missed);
    }
    assert_true(missed > 0);
    assert_true(heard >= EVENTS_KEPT);
    guest_silent(&slow);
    guest_close(&slow);
    stage_close(&stage);
}

TEST(a_slow_reader_holds_nobody_up) {
    static char words[8000];
    struct stage stage;
    struct guest slow, quick;
    stage_open(&stage);
    stage_guest(&stage, &slow, 0);
    stage_guest(&stage, &quick, 0);
    subscribe(&slow, NULL, true);
    uint32_t id = subscribe(&quick, NULL, true);
    guest_silent(&quick);
    memset(words, 'w', sizeof(words) - 1);
    for (uint64_t i = 1; i <= 1000; i++) {
        events_agent(stage.agent, words);
        hears(&quick, id, i);
    }
    guest_close(&slow);
    guest_close(&quick);
    stage_close(&stage);
}

TEST(others_see_only_their_own) {
    struct stage stage;
    struct guest member;
    struct holden_event event;
    stage_open(&stage);
    stage_guest(&stage, &member, 1000);
    uint32_t id = subscribe(&member, NULL, true);
    guest_silent(&member);
    struct process *own = stage_process(&stage, "own", HOLDEN_state_STARTING, 1000);
    struct process *other = stage_process(&stage, "other", HOLDEN_state_STARTING, 1001);
    struct process *roots = stage_process(&stage, "roots", HOLDEN_state_STARTING, 0);
    process_event(other, PROCESS_RUNS);
    process_event(roots, PROCESS_RUNS);
    events_action(other, HOLDEN_event_kind_SIGNALLED, 1001, "TERM");
    process_event(own, PROCESS_RUNS);
    events_agent(stage.agent, "to everybody");
    guest_expect(&member, HOLDEN_MESSAGE_event, id, &event);
    assert_int_equal(event.sequence, 4);
    assert_true(holden_view_is(event.name, "own"));
    assert_int_equal(event.state, HOLDEN_state_RUNNING);
    hears(&member, id, 5);
    guest_silent(&member);
    guest_close(&member);
    stage_close(&stage);
}

TEST(an_end_is_told_with_its_cause) {
    struct stage stage;
    struct guest guest;
    struct holden_event event;
    stage_open(&stage);
    stage_guest(&stage, &guest, 0);
    uint32_t id = subscribe(&guest, NULL, true);
    guest_silent(&guest);
    struct process *process = stage_process(&stage, "web", HOLDEN_state_RUNNING, 0);
    process->outcome =
        (struct outcome){HOLDEN_cause_SIGNALLED, CLD_KILLED, 9, strdup("ended by SIGKILL")};
    process_event(process, PROCESS_FAILS);
    guest_expect(&guest, HOLDEN_MESSAGE_event, id, &event);
    assert_int_equal(event.kind, HOLDEN_event_kind_STATE);
    assert_int_equal(event.state, HOLDEN_state_FAILED);
    assert_int_equal(event.cause, HOLDEN_cause_SIGNALLED);
    assert_int_equal(event.signal, 9);
    assert_false(HOLDEN_HAS(&event, event, status));
    assert_false(HOLDEN_HAS(&event, event, pid));
    assert_true(holden_view_is(event.text, "ended by SIGKILL"));
    guest_close(&guest);
    stage_close(&stage);
}

TEST(an_action_names_who_did_it) {
    struct stage stage;
    struct guest guest;
    struct holden_event event;
    stage_open(&stage);
    stage_guest(&stage, &guest, 0);
    uint32_t id = subscribe(&guest, NULL, true);
    guest_silent(&guest);
    struct process *process = stage_process(&stage, "web", HOLDEN_state_RUNNING, 0);
    process_set_pid(process, 4711);
    events_action(process, HOLDEN_event_kind_FROZEN, 12, NULL);
    guest_expect(&guest, HOLDEN_MESSAGE_event, id, &event);
    assert_int_equal(event.kind, HOLDEN_event_kind_FROZEN);
    assert_int_equal(event.uid, 12);
    assert_int_equal(event.pid, 4711);
    assert_false(HOLDEN_HAS(&event, event, text));
    guest_close(&guest);
    stage_close(&stage);
}

/* The agent dies, and the next one goes on in the same directory. */
static void succeed(struct stage *stage) {
    events_free(&stage->agent->events);
    assert_int_equal(events_open(&stage->agent->events, stage->agent), 0);
}

TEST(events_outlive_the_agent) {
    struct stage stage;
    struct guest guest;
    stage_open(&stage);
    stage_guest(&stage, &guest, 0);
    tell(&stage, 3);
    succeed(&stage);
    tell(&stage, 1);
    uint32_t id = subscribe(&guest, &(uint64_t){1}, false);
    for (uint64_t sequence = 2; sequence <= 4; sequence++)
        hears(&guest, id, sequence);
    guest_expect(&guest, HOLDEN_MESSAGE_end, id, NULL);
    /* More than are kept. */
    tell(&stage, EVENTS_KEPT);
    succeed(&stage);
    id = subscribe(&guest, &(uint64_t){1}, false);
    hears_missed(&guest, id, 3, 4);
    for (uint64_t sequence = 5; sequence <= EVENTS_KEPT + 4; sequence++)
        hears(&guest, id, sequence);
    guest_expect(&guest, HOLDEN_MESSAGE_end, id, NULL);
    guest_close(&guest);
    stage_close(&stage);
}

TEST(whose_business_they_are_is_kept_too) {
    struct stage stage;
    struct guest guest;
    stage_open(&stage);
    stage_guest(&stage, &guest, 1000);
    events_state(stage_process(&stage, "own", HOLDEN_state_RUNNING, 1000));
    events_state(stage_process(&stage, "other", HOLDEN_state_RUNNING, 1001));
    succeed(&stage);
    uint32_t id = subscribe(&guest, &(uint64_t){0}, false);
    hears(&guest, id, 1);
    guest_expect(&guest, HOLDEN_MESSAGE_end, id, NULL);
    guest_close(&guest);
    stage_close(&stage);
}

/* One too large for its place lives as long as the agent; then it is missed. */
TEST(a_large_event_is_lost_with_the_agent) {
    struct stage stage;
    struct guest guest;
    struct holden_event event;
    char text[1000];
    stage_open(&stage);
    stage_guest(&stage, &guest, 0);
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    tell(&stage, 1);
    events_agent(stage.agent, text);
    tell(&stage, 1);
    uint32_t id = subscribe(&guest, &(uint64_t){1}, false);
    guest_expect(&guest, HOLDEN_MESSAGE_event, id, &event);
    assert_true(holden_view_is(event.text, text));
    hears(&guest, id, 3);
    guest_expect(&guest, HOLDEN_MESSAGE_end, id, NULL);
    succeed(&stage);
    id = subscribe(&guest, &(uint64_t){0}, false);
    hears(&guest, id, 1);
    hears_missed(&guest, id, 1, 2);
    hears(&guest, id, 3);
    guest_expect(&guest, HOLDEN_MESSAGE_end, id, NULL);
    guest_close(&guest);
    stage_close(&stage);
}

/* An agent that dies as it writes leaves a place without a number: that one is missed, and its
 * number is another's only if nobody can have read it. */
TEST(an_event_that_was_being_written) {
    struct stage stage;
    struct guest guest;
    uint64_t zero = 0;
    stage_open(&stage);
    stage_guest(&stage, &guest, 0);
    tell(&stage, 3);
    int file = openat(stage.agent->store.root, "events", O_RDWR | O_CLOEXEC);
    enum { HEAD = 32, PLACE = 256 };
    assert_int_equal(pwrite(file, &zero, sizeof(zero), HEAD + 2 * PLACE), sizeof(zero));
    close(file);
    succeed(&stage);
    uint32_t id = subscribe(&guest, &(uint64_t){0}, false);
    hears(&guest, id, 1);
    hears_missed(&guest, id, 1, 2);
    hears(&guest, id, 3);
    guest_expect(&guest, HOLDEN_MESSAGE_end, id, NULL);
    guest_close(&guest);
    stage_close(&stage);
}

/* Numbers go on behind every one that there can have been. */
TEST(a_file_that_is_no_agents_is_set_aside) {
    static const char *const contents[] = {"garbled", NULL};
    for (size_t i = 0; i < ARRAY_SIZE(contents); i++) {
        struct stage stage;
        stage_open(&stage);
        tell(&stage, 3);
        events_free(&stage.agent->events);
        assert_int_equal(unlinkat(stage.agent->store.root, "events", 0), 0);
        if (contents[i])
            scratch_write(&stage.scratch, "state/events", contents[i]);
        else
            scratch_make(&stage.scratch, "state/events");
        assert_int_equal(events_open(&stage.agent->events, stage.agent), 0);
        assert_int_equal(faccessat(stage.agent->store.root, "refused/events", F_OK, 0), 0);
        assert_true(stage.agent->events.ring.last > UINT64_C(1000000000000000));
        uint64_t last = stage.agent->events.ring.last;
        tell(&stage, 1);
        succeed(&stage);
        assert_true(stage.agent->events.ring.last == last + 1);
        stage_close(&stage);
    }
}

UNIT_MAIN
