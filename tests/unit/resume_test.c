/* Recovery of starts that were under way when the agent died, with the test as the keeper: each
 * order of events from the record to the end. */
#include "agent/resume.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/recover.h"
#include "agent/task.h"
#include "stage.h"
#include "suite.h"

/* A child that executes `program` as soon as a byte, or the end, comes through *go. */
static pid_t executor(const char *program, int *go) {
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        char byte;
        close(ends[1]);
        if (read(ends[0], &byte, 1) >= 0)
            execl(program, program, "120", NULL);
        _exit(127);
    }
    close(ends[0]);
    *go = ends[1];
    return child;
}

/* Leaves what an agent leaves that is killed after it has written the record of a start; with a
 * report where `reported`. The index of that. */
static uint32_t leave_start(struct stage *stage, uint64_t restarts, bool reported) {
    uint32_t report = 0;
    struct process *process = stage_process(stage, "web", HOLDEN_state_STARTING, 1000);
    process->restarts = restarts;
    process->has_log = true;
    scratch_make(&stage->scratch, "cgroup/1-web");
    scratch_write(&stage->scratch, "state/logs/1", "");
    assert_int_equal(store_write(&stage->agent->store, process), 0);
    if (reported)
        assert_int_equal(link_take_report(&stage->agent->link, process->id, &report), 0);
    process_free(process);
    return report;
}

/* The same of a start that was cloned as `child`; the keeper will know it. */
static struct plan_report *leave_clone(struct stage *stage, pid_t child, uint32_t reached) {
    struct plan_report *report = &stage->agent->link.reports[leave_start(stage, 0, true)];
    report->pid = child;
    report->reached = reached;
    stage_will_adopt(stage, 1);
    return report;
}

static bool is_there(const struct stage *stage, const char *name) {
    return faccessat(stage->scratch.directory, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static void no_report_is_taken(const struct stage *stage) {
    for (size_t i = 0; i < ARRAY_SIZE(stage->agent->link.used); i++)
        assert_true(stage->agent->link.used[i] == 0);
    for (size_t i = 0; i < PLAN_REPORTS; i++)
        assert_true(stage->agent->link.reports[i].token == 0);
}

/* The record says by now that it runs. */
static void is_recorded_running(struct stage *stage, pid_t child) {
    struct process *process = stage_named(stage, "web");
    assert_int_equal(process->state, HOLDEN_state_RUNNING);
    assert_int_equal(process->pid, child);
    assert_true(process->ran && process->recorded);
    assert_null(process->launch);
    no_report_is_taken(stage);
    process_free(process);
    stage_will_adopt(stage, 1);
    assert_int_equal(recover(stage->agent), 0);
    assert_int_equal(stage_named(stage, "web")->state, HOLDEN_state_RUNNING);
}

TEST(a_plan_that_the_keeper_never_read) {
    for (unsigned reported = 0; reported < 2; reported++) {
        struct stage stage;
        stage_open(&stage);
        leave_start(&stage, 0, reported);
        assert_int_equal(recover(stage.agent), 0);
        assert_int_equal(stage.agent->processes.count, 0);
        assert_false(is_there(&stage, "cgroup/1-web"));
        assert_false(is_there(&stage, "state/records/1"));
        assert_false(is_there(&stage, "state/logs/1"));
        no_report_is_taken(&stage);
        stage_asked(&stage, KEEPER_RECOVERED, 0);
        stage_close(&stage);
    }
}

TEST(a_plan_that_could_not_be_cloned) {
    struct stage stage;
    stage_open(&stage);
    stage.agent->link.reports[leave_start(&stage, 0, true)].error = EAGAIN;
    assert_int_equal(recover(stage.agent), 0);
    const struct process *process = stage_named(&stage, "web");
    assert_int_equal(process->state, HOLDEN_state_FAILED);
    assert_int_equal(process->outcome.cause, HOLDEN_cause_SETUP);
    assert_string_equal(process->outcome.explanation,
                        "it never ran: clone: Resource temporarily unavailable");
    assert_false(is_there(&stage, "cgroup/1-web"));
    no_report_is_taken(&stage);
    stage_close(&stage);
}

/* From before its first step to past exec. An agent that dies meanwhile changes nothing. */
TEST(one_that_is_still_being_set_up) {
    struct stage stage;
    int go;
    stage_open(&stage);
    pid_t child = executor("/bin/sleep", &go);
    struct plan_report *report = leave_clone(&stage, child, PLAN_STEP_CLONE);
    for (unsigned agents = 0; agents < 3; agents++) {
        assert_int_equal(recover(stage.agent), 0);
        struct process *process = stage_named(&stage, "web");
        guest_turn(stage.agent->event);
        assert_int_equal(process->state, HOLDEN_state_STARTING);
        assert_int_equal(process->pid, child);
        if (agents == 2)
            break;
        const struct plan_report now = *report;
        process_free(process);
        uint32_t again;
        assert_int_equal(link_take_report(&stage.agent->link, 1, &again), 0);
        assert_ptr_equal(&stage.agent->link.reports[again], report);
        *report = now;
        report->reached = PLAN_STEP_EXEC;
        stage_will_adopt(&stage, 1);
    }
    close(go);
    const struct process *process = stage_named(&stage, "web");
    GUEST_UNTIL(stage.agent->event, process->state != HOLDEN_state_STARTING);
    is_recorded_running(&stage, child);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    stage_close(&stage);
}

TEST(one_that_is_past_exec) {
    struct stage stage;
    int go;
    stage_open(&stage);
    pid_t child = executor("/bin/sleep", &go);
    close(go);
    for (bool executed = false; !executed; poll(NULL, 0, 1))
        task_executed(child, &executed);
    leave_clone(&stage, child, PLAN_STEP_EXEC);
    assert_int_equal(recover(stage.agent), 0);
    is_recorded_running(&stage, child);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    stage_close(&stage);
}

TEST(one_that_ran_and_has_ended) {
    struct stage stage;
    siginfo_t info;
    int go;
    stage_open(&stage);
    pid_t child = executor("/bin/false", &go);
    close(go);
    assert_int_equal(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
    leave_clone(&stage, child, PLAN_STEP_EXEC);
    assert_int_equal(recover(stage.agent), 0);
    const struct process *process = stage_ends(&stage, child);
    assert_int_equal(process->state, HOLDEN_state_FAILED);
    assert_int_equal(process->outcome.cause, HOLDEN_cause_EXITED);
    assert_int_equal(process->outcome.status, 1);
    no_report_is_taken(&stage);
    stage_close(&stage);
}

static void never_ran(int signal, uint32_t reached, int error, const char *explanation) {
    struct stage stage;
    siginfo_t info;
    int go;
    stage_open(&stage);
    pid_t child = executor("/nonexistent", &go);
    if (signal)
        kill(child, signal);
    close(go);
    assert_int_equal(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
    leave_clone(&stage, child, reached)->error = error;
    assert_int_equal(recover(stage.agent), 0);
    const struct process *process = stage_ends(&stage, child);
    assert_int_equal(process->state, HOLDEN_state_FAILED);
    assert_int_equal(process->outcome.cause, HOLDEN_cause_SETUP);
    assert_string_equal(process->outcome.explanation, explanation);
    assert_false(is_there(&stage, "cgroup/1-web"));
    no_report_is_taken(&stage);
    stage_close(&stage);
}

TEST(ones_that_did_not_come_to_run) {
    never_ran(0, PLAN_STEP_EXEC, ENOENT, "it never ran: exec: command: No such file or directory");
    never_ran(0, PLAN_STEP_UID, EPERM, "it never ran: User: Operation not permitted");
    never_ran(SIGKILL, PLAN_STEP_CLONE, 0,
              "it never ran: clone: it was ended by signal 9 in this step of its set-up");
    /* It had begun to execute, but was not past the point of no return. */
    never_ran(SIGKILL, PLAN_STEP_EXEC, 0,
              "it never ran: exec: it was ended by signal 9 in this step of its set-up");
}

/* A restart was promised to a process that had run before: it goes on, though no plan was read. */
TEST(a_restart_that_had_not_begun) {
    struct stage stage;
    static struct packet packet;
    stage_open(&stage);
    leave_start(&stage, 2, true);
    assert_int_equal(recover(stage.agent), 0);
    struct process *process = stage_named(&stage, "web");
    assert_int_equal(process->state, HOLDEN_state_STARTING);
    assert_int_equal(process->restarts, 2);
    assert_true(stage_packet(&stage, &packet));
    assert_int_equal(packet.plan.magic, PLAN_MAGIC);
    assert_int_equal(packet.plan.token, 1);
    stage_asked(&stage, KEEPER_RECOVERED, 0);
    pid_t child = stage_spawn(&stage, &packet);
    assert_int_equal(process->state, HOLDEN_state_RUNNING);
    kill(child, SIGKILL);
    stage_reap(&stage, child);
    stage_close(&stage);
}

/* The reports are gone with the keeper: what is in the cgroup was never told of. */
TEST(a_start_that_lost_its_keeper_too) {
    struct stage stage;
    char text[16];
    int how;
    stage_open(&stage);
    leave_start(&stage, 0, false);
    pid_t child = stage_sleeper();
    snprintf(text, sizeof(text), "%d\n", (int)child);
    scratch_write(&stage.scratch, "cgroup/1-web/cgroup.procs", text);
    scratch_write(&stage.scratch, "cgroup/1-web/cgroup.events", "populated 1\n");
    assert_int_equal(recover(stage.agent), 0);
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFSIGNALED(how) && WTERMSIG(how) == SIGKILL);
    struct process *process = stage_named(&stage, "web");
    assert_int_equal(process->state, HOLDEN_state_STOPPING);
    assert_int_equal(unlinkat(stage.scratch.directory, "cgroup/1-web/cgroup.procs", 0), 0);
    assert_int_equal(unlinkat(stage.scratch.directory, "cgroup/1-web/cgroup.events", 0), 0);
    GUEST_UNTIL(stage.agent->event, process->state == HOLDEN_state_FAILED);
    assert_int_equal(process->outcome.cause, HOLDEN_cause_SETUP);
    stage_close(&stage);
}

UNIT_MAIN
