/* What a process says of itself, with a stage in place of the keeper. */
#include "agent/statement.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/machine.h"
#include "agent/state.h"
#include "stage.h"
#include "suite.h"

static struct process *speaker(struct stage *stage, uint32_t state) {
    struct holden_properties properties = {0};
    HOLDEN_SET(&properties, properties, notify_access, HOLDEN_notify_access_ALL);
    struct process *process = stage_process(stage, "web", state, 0);
    stage_settings(process, &properties);
    return process;
}

static void hear(struct process *process, const char *datagram) {
    char text[NOTICE_MOST + 1];
    struct notice notice;
    snprintf(text, sizeof(text), "%s", datagram);
    assert_true(notice_parse(text, strlen(text), &notice));
    statement_hear(process, 77, &notice);
}

TEST(what_changes_is_told_at_once_then_later_and_the_last_of_it_always) {
    struct stage stage;
    stage_open(&stage);
    struct process *process = speaker(&stage, HOLDEN_state_RUNNING);
    const struct event_ring *ring = &stage.agent->events.ring;
    hear(process, "STATUS=one");
    uint64_t first = ring->last;
    assert_true(first > 0);
    for (unsigned i = 0; i < 1000; i++)
        hear(process, i % 2 ? "STATUS=two" : "STATUS=three");
    assert_true(ring->last <= first + 3 + (machine_monotonic() - process->statement->told) / 1000);
    GUEST_UNTIL(stage.agent->event, !process->statement->later);
    assert_string_equal(process->statement->text, "two");
    uint64_t last = ring->last;
    hear(process, "STATUS=two\nREADY=1\nX=1");
    statement_settle(stage.agent);
    assert_true(ring->last == last);
    stage_close(&stage);
}

TEST(a_record_has_all_of_it) {
    struct stage stage;
    struct holden_statement out;
    struct buffer encoded = {0};
    stage_open(&stage);
    struct process *process = speaker(&stage, HOLDEN_state_RUNNING);
    assert_false(statement_fill(process, &out));
    hear(process, "STATUS=half\nERRNO=5\nBUSERROR=a.b\nRELOADING=1\nEXTEND_TIMEOUT_USEC=1000000");
    assert_true(statement_fill(process, &out));
    assert_int_equal(holden_encode(&holden_record_statement, &out, &encoded), 0);
    const struct holden_nested kept = {
        .bytes = {(const char *)buffer_bytes(&encoded), encoded.size}};
    uint64_t extended = process->statement->extended;
    assert_true(extended > machine_monotonic());
    statement_drop(process);
    assert_int_equal(statement_take(process, &kept), 0);
    assert_string_equal(process->statement->text, "half");
    assert_int_equal(process->statement->error, 5);
    assert_string_equal(process->statement->bus_error, "a.b");
    assert_int_equal(process->statement->state, HOLDEN_notify_state_RELOADING);
    assert_true(statement_until(process, 1) == extended);
    assert_true(statement_until(process, extended + 1) == extended + 1);
    statement_end(process);
    assert_int_equal(process->statement->state, HOLDEN_notify_state_NONE);
    assert_true(statement_until(process, 1) == 1);
    buffer_free(&encoded);
    stage_close(&stage);
}

TEST(who_is_not_heard_leaves_nothing) {
    struct stage stage;
    stage_open(&stage);
    struct process *process = stage_process(&stage, "web", HOLDEN_state_RUNNING, 0);
    hear(process, "STATUS=one\nSTOPPING=1");
    assert_null(process->statement);
    assert_int_equal(process->state, HOLDEN_state_RUNNING);
    process_free(process);
    process = speaker(&stage, HOLDEN_state_EXITED);
    hear(process, "STATUS=one");
    assert_null(process->statement);
    stage_close(&stage);
}

TEST(who_says_that_it_stops_is_stopping_and_no_signal_is_sent) {
    struct stage stage;
    stage_open(&stage);
    struct process *process = speaker(&stage, HOLDEN_state_RUNNING);
    hear(process, "STOPPING=1");
    assert_int_equal(process->state, HOLDEN_state_STOPPING);
    assert_true(process->stopping->said && !process->stopping->asked);
    uint64_t deadline = process->stopping->deadline;
    hear(process, "EXTEND_TIMEOUT_USEC=1");
    assert_true(process->stopping->deadline == deadline);
    hear(process, "EXTEND_TIMEOUT_USEC=3600000000");
    assert_true(process->stopping->deadline > deadline);
    stage_close(&stage);
}

TEST(a_main_process_that_is_named_is_proven_by_the_cgroup) {
    struct stage stage;
    char text[64], pids[32];
    stage_open(&stage);
    struct process *process = speaker(&stage, HOLDEN_state_RUNNING);
    pid_t other = stage_sleeper();
    process_set_pid(process, getpid());
    process->child = true;
    scratch_make(&stage.scratch, "cgroup/1-web");
    scratch_write(&stage.scratch, "cgroup/1-web/cgroup.procs", "1\n");
    snprintf(text, sizeof(text), "MAINPID=%d", (int)other);
    hear(process, text);
    assert_int_equal(process->pid, getpid());
    snprintf(pids, sizeof(pids), "%d\n", (int)other);
    scratch_write(&stage.scratch, "cgroup/1-web/cgroup.procs", pids);
    hear(process, text);
    assert_int_equal(process->pid, other);
    assert_true(process->pidfd >= 0 && process->end && !process->child);
    stage_asked_adoption(&stage, other);
    stage_asked(&stage, KEEPER_RELEASE, getpid());
    stage_answer(&stage,
                 &(struct keeper_reply){.kind = KEEPER_ADOPT, .pid = other, .children = 1,
                                        .token = process->id},
                 -1);
    assert_true(process->child);
    kill(other, SIGKILL);
    waitpid(other, NULL, 0);
    stage_close(&stage);
}

UNIT_MAIN
