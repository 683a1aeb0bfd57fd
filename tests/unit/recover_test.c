/* Recovery from what an earlier agent wrote down, with the test as the keeper: its answers are
 * there before they are asked for, since recovery waits for them. */
#include "agent/recover.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/machine.h"
#include "agent/state.h"
#include "stage.h"
#include "suite.h"

/* Writes the record of a process and forgets it, as a killed agent does. Its id. */
static uint64_t leave(struct stage *stage, const char *name, uint32_t state, pid_t pid,
                      const struct holden_properties *properties) {
    struct process *process = stage_process(stage, name, state, 1000);
    uint64_t id = process->id;
    if (properties)
        stage_settings(process, properties);
    process->started_realtime = 11;
    process->started_monotonic = 12;
    process->restarts = 2;
    process->outcome.cause = state == HOLDEN_state_FAILED ? HOLDEN_cause_EXITED : 0;
    process->outcome.code = CLD_EXITED;
    process->outcome.status = 3;
    process_set_pid(process, pid);
    assert_int_equal(store_write(&stage->agent->store, process), 0);
    process_free(process);
    return id;
}

TEST(the_recovery_of_nothing) {
    struct stage stage;
    stage_open(&stage);
    assert_int_equal(recover(stage.agent), 0);
    assert_int_equal(stage.agent->processes.count, 0);
    stage_asked(&stage, KEEPER_RECOVERED, 0);
    stage_close(&stage);
}

TEST(a_living_process_goes_on) {
    struct stage stage;
    struct guest guest;
    struct holden_properties properties = {0};
    struct holden_exited exited;
    stage_open(&stage);
    HOLDEN_SET(&properties, properties, runtime_max, UINT64_C(1) << 60);
    pid_t child = stage_sleeper();
    leave(&stage, "web", HOLDEN_state_RUNNING, child, &properties);
    scratch_make(&stage.scratch, "cgroup/1-web");
    stage_will_adopt(&stage, 1);
    assert_int_equal(recover(stage.agent), 0);
    struct process *process = stage_named(&stage, "web");
    assert_int_equal(process->state, HOLDEN_state_RUNNING);
    assert_int_equal(process->pid, child);
    assert_true(process->child);
    assert_int_equal(process->owner, 1000);
    assert_int_equal(process->started_realtime, 11);
    assert_int_equal(process->restarts, 2);
    assert_non_null(process->limit);
    assert_int_equal(stage.agent->processes.alive, 1);
    stage_asked_adoption(&stage, child);
    stage_asked(&stage, KEEPER_RECOVERED, 0);
    /* Its end is told as if nothing had been. */
    stage_guest(&stage, &guest, 1000);
    struct holden_wait wait = {0};
    HOLDEN_SET(&wait, wait, name, holden_view("web"));
    uint32_t id = guest_ask(&guest, HOLDEN_MESSAGE_wait, &wait, NULL, 0);
    guest_silent(&guest);
    kill(child, SIGTERM);
    stage_reap(&stage, child);
    guest_expect(&guest, HOLDEN_MESSAGE_exited, id, &exited);
    assert_int_equal(exited.signal, SIGTERM);
    guest_close(&guest);
    stage_close(&stage);
}

TEST(an_id_is_not_used_again) {
    struct stage stage;
    uint64_t id;
    stage_open(&stage);
    leave(&stage, "web", HOLDEN_state_FAILED, 0, NULL);
    stage.agent->store.next_id = 1; /* as where the reservation was lost */
    assert_int_equal(recover(stage.agent), 0);
    assert_int_equal(store_new_id(&stage.agent->store, &id), 0);
    assert_int_equal(id, 2);
    stage_close(&stage);
}

TEST(a_frozen_one_is_known_to_be) {
    struct stage stage;
    stage_open(&stage);
    pid_t child = stage_sleeper();
    leave(&stage, "web", HOLDEN_state_RUNNING, child, NULL);
    scratch_make(&stage.scratch, "cgroup/1-web");
    scratch_write(&stage.scratch, "cgroup/1-web/cgroup.freeze", "1\n");
    stage_will_adopt(&stage, 1);
    assert_int_equal(recover(stage.agent), 0);
    assert_true(stage_named(&stage, "web")->frozen);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    stage_close(&stage);
}

TEST(one_that_ended_unseen) {
    struct stage stage;
    stage_open(&stage);
    pid_t child = stage_sleeper();
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    leave(&stage, "web", HOLDEN_state_RUNNING, child, NULL);
    scratch_make(&stage.scratch, "cgroup/1-web");
    stage_will_adopt(&stage, 0);
    assert_int_equal(recover(stage.agent), 0);
    struct process *process = stage_named(&stage, "web");
    assert_int_equal(process->state, HOLDEN_state_FAILED);
    assert_int_equal(process->outcome.cause, HOLDEN_cause_UNKNOWN);
    assert_int_equal(process->pid, 0);
    struct stat status;
    assert_int_equal(fstatat(stage.agent->hierarchy.root, "1-web", &status, 0), -1);
    stage_close(&stage);
}

/* The keeper does not know the pid, and it lives: only a cgroup that lists it proves that it is not
 * somebody else's by now. */
TEST(a_pid_of_somebody_else_is_left_alone) {
    struct stage stage;
    stage_open(&stage);
    pid_t child = stage_sleeper();
    leave(&stage, "web", HOLDEN_state_RUNNING, child, NULL);
    stage_will_adopt(&stage, 0);
    assert_int_equal(recover(stage.agent), 0);
    assert_int_equal(stage_named(&stage, "web")->outcome.cause, HOLDEN_cause_UNKNOWN);
    assert_int_equal(waitpid(child, NULL, WNOHANG), 0);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    stage_close(&stage);
}

TEST(a_pid_that_its_cgroup_proves) {
    struct stage stage;
    char text[16];
    stage_open(&stage);
    pid_t child = stage_sleeper();
    leave(&stage, "web", HOLDEN_state_RUNNING, child, NULL);
    scratch_make(&stage.scratch, "cgroup/1-web");
    snprintf(text, sizeof(text), "%d\n", (int)child);
    scratch_write(&stage.scratch, "cgroup/1-web/cgroup.procs", text);
    stage_will_adopt(&stage, 0);
    assert_int_equal(recover(stage.agent), 0);
    struct process *process = stage_named(&stage, "web");
    assert_int_equal(process->state, HOLDEN_state_RUNNING);
    assert_false(process->child);
    /* Nobody can tell how it ends. */
    scratch_write(&stage.scratch, "cgroup/1-web/cgroup.procs", "");
    assert_int_equal(unlinkat(stage.scratch.directory, "cgroup/1-web/cgroup.procs", 0), 0);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    stage_asked_adoption(&stage, child);
    /* Asked once more, for the case that it becomes the keeper's child later on. */
    stage_asked_adoption(&stage, child);
    stage_asked(&stage, KEEPER_RECOVERED, 0);
    GUEST_UNTIL(stage.agent->event, process->leaving);
    stage_asked(&stage, KEEPER_STATUS, child);
    stage_answer(&stage,
                 &(struct keeper_reply){.kind = KEEPER_STATUS, .pid = child, .error = ECHILD}, -1);
    GUEST_UNTIL(stage.agent->event, process->state == HOLDEN_state_FAILED);
    assert_int_equal(process->outcome.cause, HOLDEN_cause_UNKNOWN);
    assert_string_equal(process->outcome.explanation,
                        "it ended, and its parent, which is not the agent, was told how");
    stage_close(&stage);
}

TEST(ended_ones_come_back_as_they_were) {
    struct stage stage;
    stage_open(&stage);
    leave(&stage, "one", HOLDEN_state_FAILED, 0, NULL);
    leave(&stage, "two", HOLDEN_state_FAILED, 0, NULL);
    leave(&stage, "three", HOLDEN_state_FAILED, 0, NULL);
    stage.agent->config.keep_records = 2;
    assert_int_equal(recover(stage.agent), 0);
    assert_int_equal(stage.agent->processes.ended, 2);
    assert_int_equal(stage.agent->processes.alive, 0);
    assert_null(process_by_name(&stage.agent->processes, holden_view("one")));
    assert_int_equal(faccessat(stage.agent->store.records, "1", F_OK, 0), -1);
    const struct process *process = stage_named(&stage, "three");
    assert_int_equal(process->state, HOLDEN_state_FAILED);
    assert_int_equal(process->outcome.cause, HOLDEN_cause_EXITED);
    assert_int_equal(process->outcome.status, 3);
    stage_asked(&stage, KEEPER_RECOVERED, 0);
    stage_close(&stage);
}

TEST(empty_cgroups_that_no_record_names_are_removed) {
    struct stage stage;
    struct stat status;
    stage_open(&stage);
    static const char *const names[] = {"cgroup/7-lost", "cgroup/agent", "cgroup/7", "cgroup/x-7"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        scratch_make(&stage.scratch, names[i]);
    assert_int_equal(recover(stage.agent), 0);
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        assert_int_equal(fstatat(stage.scratch.directory, names[i], &status, 0), i == 0 ? -1 : 0);
    stage_close(&stage);
}

/* A start is written down before there is a process, so whoever is in such a cgroup has lost a
 * record that may have been good. */
TEST(processes_that_no_record_names_are_left_alone) {
    struct stage stage;
    struct stat status;
    char text[16];
    uint64_t id;
    stage_open(&stage);
    pid_t child = stage_sleeper();
    snprintf(text, sizeof(text), "%d\n", (int)child);
    static const char *const names[] = {"cgroup/8-refused", "cgroup/2005-lost"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        char path[64];
        scratch_make(&stage.scratch, names[i]);
        snprintf(path, sizeof(path), "%s/cgroup.procs", names[i]);
        scratch_write(&stage.scratch, path, text);
        snprintf(path, sizeof(path), "%s/cgroup.events", names[i]);
        scratch_write(&stage.scratch, path, "populated 1\n");
    }
    scratch_write(&stage.scratch, "state/records/8", "garbled");
    for (unsigned turn = 0; turn < 2; turn++) {
        assert_int_equal(recover(stage.agent), 0);
        assert_int_equal(stage.agent->processes.count, 0);
        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
            assert_int_equal(fstatat(stage.scratch.directory, names[i], &status, 0), 0);
        assert_int_equal(waitpid(child, NULL, WNOHANG), 0);
    }
    assert_true(store_refused(&stage.agent->store, 8));
    assert_false(store_refused(&stage.agent->store, 2005));
    /* Nor does another process get their id. */
    assert_int_equal(store_new_id(&stage.agent->store, &id), 0);
    assert_int_equal(id, 2006);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    stage_close(&stage);
}

/* ---- what was under way for a process ---- */

/* Leaves a running process with what `change` does to it. */
static pid_t leave_with(struct stage *stage, void (*change)(struct process *process)) {
    struct process *process = stage_process(stage, "web", HOLDEN_state_RUNNING, 1000);
    pid_t child = stage_sleeper();
    process_set_pid(process, child);
    scratch_make(&stage->scratch, "cgroup/1-web");
    change(process);
    assert_int_equal(store_write(&stage->agent->store, process), 0);
    process_free(process);
    stage_will_adopt(stage, 1);
    return child;
}

static void being_stopped(struct process *process, bool asked, uint64_t in, bool restart) {
    process->stopping = calloc(1, sizeof(*process->stopping));
    assert_non_null(process->stopping);
    *process->stopping = (struct stopping){.by = 7, .cause = HOLDEN_cause_STOPPED,
                                           .signal = SIGINT, .asked = asked, .restart = restart,
                                           .deadline = machine_monotonic() + in};
    state_recover(process, HOLDEN_state_STOPPING);
}

static void not_asked_yet(struct process *process) {
    being_stopped(process, false, UINT64_C(3600000000), false);
}

static void asked_a_while_ago(struct process *process) {
    being_stopped(process, true, 50000, false);
}

static void with_its_time_over(struct process *process) {
    being_stopped(process, true, 0, false);
}

static void to_start_again(struct process *process) {
    being_stopped(process, false, UINT64_C(3600000000), true);
}

static void stops_with(void (*change)(struct process *process), const char *explanation) {
    struct stage stage;
    stage_open(&stage);
    pid_t child = leave_with(&stage, change);
    assert_int_equal(recover(stage.agent), 0);
    assert_int_equal(stage_named(&stage, "web")->state, HOLDEN_state_STOPPING);
    const struct process *process = stage_ends(&stage, child);
    assert_int_equal(process->state, HOLDEN_state_STOPPED);
    assert_string_equal(process->outcome.explanation, explanation);
    stage_close(&stage);
}

TEST(a_stop_goes_on) {
    stops_with(not_asked_yet, "stopped by user 7; ended by SIGINT");
    stops_with(asked_a_while_ago,
               "stopped by user 7; ended by SIGKILL after the time to stop ran out");
    stops_with(with_its_time_over,
               "stopped by user 7; ended by SIGKILL after the time to stop ran out");
}

TEST(who_was_asked_is_not_asked_again) {
    struct stage stage;
    stage_open(&stage);
    pid_t child = leave_with(&stage, asked_a_while_ago);
    assert_int_equal(recover(stage.agent), 0);
    const struct stopping *stopping = stage_named(&stage, "web")->stopping;
    assert_non_null(stopping->timer);
    assert_true(stopping->deadline > machine_monotonic() - 20000000);
    assert_int_equal(waitpid(child, NULL, WNOHANG), 0);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    stage_close(&stage);
}

TEST(a_restart_goes_on_too) {
    struct stage stage;
    static struct packet packet;
    siginfo_t info = {0};
    stage_open(&stage);
    pid_t child = leave_with(&stage, to_start_again);
    assert_int_equal(recover(stage.agent), 0);
    stage_asked_adoption(&stage, child);
    stage_asked(&stage, KEEPER_RECOVERED, 0);
    assert_int_equal(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
    assert_int_equal(info.si_status, SIGINT);
    GUEST_UNTIL(stage.agent->event, stage_packet(&stage, &packet));
    assert_int_equal(packet.request.kind, KEEPER_STATUS);
    stage_answer(&stage,
                 &(struct keeper_reply){.kind = KEEPER_STATUS, .pid = child, .code = CLD_KILLED,
                                        .status = SIGINT},
                 -1);
    assert_true(stage_packet(&stage, &packet));
    assert_int_equal(packet.plan.magic, PLAN_MAGIC);
    packet_close(&packet);
    const struct process *process = stage_named(&stage, "web");
    assert_int_equal(process->restarts, 1);
    assert_int_equal(process->state, HOLDEN_state_STARTING);
    assert_int_equal(waitpid(child, NULL, 0), child);
    stage_close(&stage);
}

static void signalled(struct process *process) {
    process->killed_by = 7;
    process->killed_with = SIGUSR1;
}

TEST(who_sent_the_last_signal) {
    struct stage stage;
    stage_open(&stage);
    pid_t child = leave_with(&stage, signalled);
    kill(child, SIGUSR1);
    assert_int_equal(recover(stage.agent), 0);
    assert_string_equal(stage_ends(&stage, child)->outcome.explanation,
                        "ended by SIGUSR1, sent by user 7");
    stage_close(&stage);
}

/* tasks_max was 100, and is 200 now. */
static void constrained(struct process *process, uint64_t until) {
    struct holden_properties properties = {0};
    struct buffer encoded = {0};
    HOLDEN_SET(&properties, properties, tasks_max, 100);
    assert_int_equal(holden_encode(&holden_record_properties, &properties, &encoded), 0);
    process->temporary = calloc(1, sizeof(*process->temporary));
    assert_non_null(process->temporary);
    process->temporary->before = buffer_bytes(&encoded);
    process->temporary->size = encoded.size;
    process->temporary->until = until;
    HOLDEN_SET(&properties, properties, tasks_max, 200);
    stage_settings(process, &properties);
}

static void for_a_time_that_is_over(struct process *process) {
    constrained(process, machine_monotonic() - 1);
}

static void for_a_short_time(struct process *process) {
    constrained(process, machine_monotonic() + 20000);
}

static void half_way(struct process *process) {
    constrained(process, 0);
}

TEST(a_constraint_is_taken_back_at_its_time) {
    void (*const changes[])(struct process *process) = {for_a_time_that_is_over, for_a_short_time,
                                                        half_way};
    for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
        struct stage stage;
        struct holden_start start;
        struct holden_properties properties;
        char text[16];
        stage_open(&stage);
        stage.agent->hierarchy.controllers = CGROUP_PIDS;
        pid_t child = leave_with(&stage, changes[i]);
        scratch_write(&stage.scratch, "cgroup/1-web/pids.max", "200");
        assert_int_equal(recover(stage.agent), 0);
        const struct process *process = stage_named(&stage, "web");
        if (changes[i] != for_a_short_time)
            assert_null(process->temporary);
        GUEST_UNTIL(stage.agent->event, !process->temporary);
        assert_string_equal(
            scratch_read(&stage.scratch, "cgroup/1-web/pids.max", text, sizeof(text)), "100");
        process_request(process, &start, &properties);
        assert_int_equal(properties.tasks_max, 100);
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, NULL, 0), child);
        stage_close(&stage);
    }
}

/* Its cgroup lists the pid, but the process is younger than the record: main process and keeper are
 * gone, and one that the process left behind has got the pid. */
TEST(a_pid_that_was_used_again_in_the_same_cgroup) {
    struct stage stage;
    char text[16];
    stage_open(&stage);
    struct process *process = stage_process(&stage, "web", HOLDEN_state_RUNNING, 1000);
    process->known = machine_boottime();
    poll(NULL, 0, 25); /* more than a tick of the clock that births are told by */
    pid_t child = stage_sleeper();
    process_set_pid(process, child);
    assert_int_equal(store_write(&stage.agent->store, process), 0);
    process_free(process);
    scratch_make(&stage.scratch, "cgroup/1-web");
    snprintf(text, sizeof(text), "%d\n", (int)child);
    scratch_write(&stage.scratch, "cgroup/1-web/cgroup.procs", text);
    scratch_write(&stage.scratch, "cgroup/1-web/cgroup.events", "populated 1\n");
    stage_will_adopt(&stage, 0);
    assert_int_equal(recover(stage.agent), 0);
    process = stage_named(&stage, "web");
    assert_int_equal(process->pid, 0);
    assert_int_equal(process->pidfd, -1);
    assert_int_equal(process->state, HOLDEN_state_STOPPING); /* the rest of it, in order */
    assert_int_equal(unlinkat(stage.scratch.directory, "cgroup/1-web/cgroup.procs", 0), 0);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    stage_close(&stage);
}

/* More than are asked about at a time. */
TEST(a_crowd) {
    enum { MANY = 5 * KEEPER_ADOPTIONS + 5 };
    struct stage stage;
    stage_open(&stage);
    stage.agent->config.keep_records = 0; /* those that ended are forgotten on the way */
    pid_t child = stage_sleeper();
    for (unsigned i = 1; i <= MANY; i++) {
        char name[16], cgroup[32];
        snprintf(name, sizeof(name), "p%u", i);
        snprintf(cgroup, sizeof(cgroup), "cgroup/%u-%s", i, name);
        scratch_make(&stage.scratch, cgroup);
        leave(&stage, name, i % 3 ? HOLDEN_state_RUNNING : HOLDEN_state_FAILED, child, NULL);
    }
    uint64_t children = 0;
    unsigned asked = 0;
    for (unsigned i = 1; i <= MANY; i++) {
        if (i % 3 == 0)
            continue;
        children |= (uint64_t)(i % 2 == 0) << asked;
        asked = (asked + 1) % KEEPER_ADOPTIONS;
        if (asked == 0 || i == MANY) {
            stage_will_adopt(&stage, children);
            children = 0;
        }
    }
    assert_int_equal(recover(stage.agent), 0);
    assert_int_equal(stage.agent->processes.count, stage.agent->processes.alive);
    for (unsigned i = 1; i <= MANY; i++) {
        char name[16];
        snprintf(name, sizeof(name), "p%u", i);
        const struct process *process =
            process_by_name(&stage.agent->processes, holden_view(name));
        assert_int_equal(process != NULL, i % 3 != 0 && i % 2 == 0);
    }
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    stage_close(&stage);
}

UNIT_MAIN
