#include "agent/link.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stage.h"
#include "suite.h"

TEST(reports_are_taken_once_and_zeroed) {
    struct stage stage;
    static bool seen[PLAN_REPORTS];
    uint32_t report = 4711;
    stage_open(&stage);
    struct link *link = &stage.agent->link;
    memset(seen, 0, sizeof(seen));
    for (unsigned i = 0; i < PLAN_REPORTS; i++) {
        assert_int_equal(link_take_report(link, i + 1, &report), 0);
        assert_true(report < PLAN_REPORTS);
        assert_false(seen[report]);
        seen[report] = true;
        assert_int_equal(link->reports[report].reached, PLAN_STEP_CLONE);
        assert_int_equal(link->reports[report].error, 0);
        assert_int_equal(link->reports[report].detail, 0);
        assert_int_equal(link->reports[report].pid, 0);
        assert_int_equal(link->reports[report].token, i + 1);
        link->reports[report].pid = 12;
        link->reports[report].reached = PLAN_STEP_EXEC;
        link->reports[report].error = EPERM;
        link->reports[report].detail = 3;
    }
    assert_int_equal(link_take_report(link, 5000, &report), -EBUSY);
    link_give_report(link, 77);
    assert_int_equal(link_take_report(link, 5000, &report), 0);
    assert_int_equal(report, 77);
    assert_int_equal(link->reports[77].error, 0);
    assert_int_equal(link->reports[77].detail, 0);
    stage_close(&stage);
}

/* The next agent finds them in the same memory, and takes none of them for another start. */
TEST(reports_outlive_the_agent) {
    struct stage stage;
    uint32_t first, second, found = 4711;
    stage_open(&stage);
    struct link *link = &stage.agent->link;
    assert_int_equal(link_take_report(link, 7, &first), 0);
    assert_int_equal(link_take_report(link, 8, &second), 0);
    link->reports[second].pid = 12;
    link_give_report(link, first);
    link_close(link);
    link_give_report(link, second);
    assert_int_equal(link_open(link, stage.agent), 0);
    assert_int_equal(link_find_report(link, 7, &found), -ENOENT);
    assert_int_equal(found, 4711);
    assert_int_equal(link_find_report(link, 8, &found), 0);
    assert_int_equal(found, second);
    assert_int_equal(link->reports[found].pid, 12);
    for (unsigned i = 0; i < PLAN_REPORTS - 1; i++) {
        assert_int_equal(link_take_report(link, 100 + i, &found), 0);
        assert_int_not_equal(found, second);
    }
    assert_int_equal(link_take_report(link, 99, &found), -EBUSY);
    stage_close(&stage);
}

TEST(what_the_channel_does_not_take_waits_in_order) {
    enum { MANY = 20000 };
    struct stage stage;
    stage_open(&stage);
    struct link *link = &stage.agent->link;
    for (unsigned i = 1; i <= MANY; i++)
        assert_int_equal(link_send_request(link, KEEPER_RELEASE, (pid_t)i, i), 0);
    assert_false(TAILQ_EMPTY(&link->parcels));
    for (unsigned i = 1; i <= MANY; i++)
        assert_int_equal(stage_asked(&stage, KEEPER_RELEASE, (pid_t)i), i);
    assert_true(TAILQ_EMPTY(&link->parcels));
    assert_int_equal(guest_turn(stage.agent->event), 0); /* it does not wait for room any more */
    stage_close(&stage);
}

TEST(descriptors_wait_too) {
    enum { MANY = 3000 };
    struct stage stage;
    static struct packet packet;
    struct stat here, there;
    struct buffer plan = {0};
    struct plan head = {.magic = PLAN_MAGIC};
    stage_open(&stage);
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    assert_int_equal(fstat(null, &here), 0);
    assert_int_equal(buffer_append(&plan, &head, sizeof(head)), 0);
    for (unsigned i = 0; i < MANY; i++)
        assert_int_equal(link_send_plan(&stage.agent->link, &plan, &null, 1), 0);
    assert_false(TAILQ_EMPTY(&stage.agent->link.parcels));
    close(null);
    for (unsigned i = 0; i < MANY; i++) {
        assert_true(stage_packet(&stage, &packet));
        assert_int_equal(packet.count, 1);
        assert_int_equal(fstat(packet.fds[0], &there), 0);
        assert_int_equal(here.st_ino, there.st_ino);
        packet_close(&packet);
    }
    buffer_free(&plan);
    stage_close(&stage);
}

TEST(what_still_waits_at_the_end_is_freed) {
    struct stage stage;
    struct buffer plan = {0};
    struct plan head = {.magic = PLAN_MAGIC};
    stage_open(&stage);
    assert_int_equal(buffer_append(&plan, &head, sizeof(head)), 0);
    for (unsigned i = 0; i < 3000; i++)
        assert_int_equal(link_send_plan(&stage.agent->link, &plan, &stage.keeper, 1), 0);
    buffer_free(&plan);
    stage_close(&stage);
}

TEST(a_large_plan_travels_in_memory) {
    struct stage stage;
    static struct packet packet;
    static uint8_t bytes[1 << 20];
    struct buffer plan = {0};
    struct stat status;
    stage_open(&stage);
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i * 7);
    *(uint32_t *)(void *)bytes = PLAN_MAGIC;
    assert_int_equal(buffer_append(&plan, bytes, sizeof(bytes)), 0);
    assert_int_equal(link_send_plan(&stage.agent->link, &plan, &stage.keeper, 1), 0);
    assert_true(stage_packet(&stage, &packet));
    assert_int_equal(packet.size, sizeof(struct plan));
    assert_memory_equal(packet.bytes, bytes, sizeof(struct plan));
    assert_int_equal(packet.count, 2);
    assert_int_equal(fstat(packet.fds[1], &status), 0);
    assert_int_equal(status.st_size, sizeof(bytes));
    static uint8_t back[sizeof(bytes)];
    assert_int_equal(pread(packet.fds[1], back, sizeof(back), 0), sizeof(back));
    assert_memory_equal(back, bytes, sizeof(back));
    packet_close(&packet);
    /* The largest that a packet holds, and too many descriptors. */
    plan.size = KEEPER_PACKET_MAX;
    assert_int_equal(link_send_plan(&stage.agent->link, &plan, NULL, 0), 0);
    assert_true(stage_packet(&stage, &packet));
    assert_int_equal(packet.size, KEEPER_PACKET_MAX);
    const int many[PLAN_FDS_MAX + 1] = {0};
    assert_int_equal(link_send_plan(&stage.agent->link, &plan, many, PLAN_FDS_MAX + 1), -EINVAL);
    plan.size = sizeof(bytes);
    assert_int_equal(link_send_plan(&stage.agent->link, &plan, many, PLAN_FDS_MAX), -EINVAL);
    buffer_free(&plan);
    stage_close(&stage);
}

TEST(adopting) {
    struct stage stage;
    uint64_t children = 7;
    stage_open(&stage);
    struct link *link = &stage.agent->link;
    assert_int_equal(link_send_adoption(link, (const pid_t[]){12}, 1, 0), 0);
    stage_asked_adoption(&stage, 12);
    stage_will_adopt(&stage, 0);
    assert_int_equal(link_adopted(link, &children), 0);
    assert_int_equal(children, 0);
    /* What else the keeper says in between is heard. */
    const struct keeper_reply other = {.kind = KEEPER_STATUS, .pid = 99};
    assert_int_equal(send(stage.keeper, &other, sizeof(other), 0), sizeof(other));
    stage_will_adopt(&stage, UINT64_C(1) << 63);
    assert_int_equal(link_adopted(link, &children), 0);
    assert_int_equal(children, UINT64_C(1) << 63);
    assert_int_equal(send(stage.keeper, "x", 1, 0), 1);
    assert_int_equal(link_adopted(link, &children), -EPIPE);
    stage_close(&stage);
}

/* What the keeper is told of an end, say, must not get lost: the next agent tells it again. */
TEST(an_agent_that_cannot_reach_the_keeper_ends) {
    struct stage stage;
    int code = -1;
    stage_open(&stage);
    assert_int_equal(shutdown(stage.keeper, SHUT_RD), 0);
    assert_int_equal(link_send_request(&stage.agent->link, KEEPER_RELEASE, 12, 0), -EPIPE);
    assert_int_equal(sd_event_get_exit_code(stage.agent->event, &code), 0);
    assert_int_equal(code, AGENT_EXIT_REFUSED);
    stage_close(&stage);
}

TEST(only_a_keeper_starts_it) {
    struct stage stage;
    struct link link;
    stage_open(&stage);
    link_close(&stage.agent->link);
    int file = open("/dev/null", O_RDWR | O_CLOEXEC);
    assert_int_equal(dup2(file, KEEPER_FD_CHANNEL), KEEPER_FD_CHANNEL);
    assert_int_equal(link_open(&link, stage.agent), -ENOTCONN);
    close(KEEPER_FD_CHANNEL);
    assert_int_equal(link_open(&link, stage.agent), -ENOTCONN);
    close(file);
    TAILQ_INIT(&stage.agent->link.parcels);
    stage_close(&stage);
}

UNIT_MAIN
