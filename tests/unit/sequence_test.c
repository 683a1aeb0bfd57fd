/* What runs before the main command: one after the other, with the test as the keeper. */
#include "agent/sequence.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/recover.h"
#include "stage.h"
#include "suite.h"

enum { COMMANDS = 2 };

struct scene {
    struct stage stage;
    struct guest guest;
    struct packet packet;
    struct process *process;
    struct holden_view words[COMMANDS];
    struct holden_exec commands[COMMANDS];
    struct holden_nested nested[COMMANDS];
    struct holden_properties properties;
    uint32_t id; /* of the start */
};

static struct scene *open_scene(void) {
    static const char *const names[COMMANDS] = {"/bin/one", "/bin/two"};
    struct scene *scene = calloc(1, sizeof(*scene));
    assert_non_null(scene);
    stage_open(&scene->stage);
    stage_guest(&scene->stage, &scene->guest, 0);
    for (size_t i = 0; i < COMMANDS; i++) {
        struct holden_repeated list = {.count = 1, .items = &scene->words[i]};
        scene->words[i] = holden_view(names[i]);
        HOLDEN_SET(&scene->commands[i], exec, argument, list);
        scene->nested[i].value = &scene->commands[i];
    }
    HOLDEN_SET(&scene->properties, properties, exec_start_pre,
               (struct holden_repeated){.count = COMMANDS, .items = scene->nested});
    return scene;
}

static void close_scene(struct scene *scene) {
    packet_close(&scene->packet);
    guest_close(&scene->guest);
    stage_close(&scene->stage);
    free(scene);
}

/* The next packet is a plan to run this program. */
static void expect_plan(struct scene *scene, const char *program) {
    assert_true(stage_packet(&scene->stage, &scene->packet));
    const struct plan *plan = &scene->packet.plan;
    assert_int_equal(plan->magic, PLAN_MAGIC);
    const uint64_t *arguments = (const void *)(scene->packet.bytes + plan->arguments.at);
    assert_string_equal((const char *)scene->packet.bytes + arguments[0], program);
    scene->process = process_by_id(&scene->stage.agent->processes, plan->token);
    assert_non_null(scene->process);
}

static void begin(struct scene *scene) {
    const struct holden_view command = holden_view("/bin/main");
    struct holden_start start = {0};
    HOLDEN_SET(&start, start, argument, (struct holden_repeated){.count = 1, .items = &command});
    HOLDEN_SET(&start, start, name, holden_view("web"));
    HOLDEN_SET(&start, start, wait, true);
    HOLDEN_SET(&start, start, properties, (struct holden_nested){.value = &scene->properties});
    scene->id = guest_ask(&scene->guest, HOLDEN_MESSAGE_start, &start, NULL, 0);
    guest_silent(&scene->guest);
}

/* The child ends; the keeper tells that it did in this way, and is told to reap it. */
static void finish(struct scene *scene, pid_t pid, int code, int status) {
    assert_int_equal(kill(pid, SIGKILL), 0);
    GUEST_UNTIL(scene->stage.agent->event,
                poll(&(struct pollfd){scene->stage.keeper, POLLIN, 0}, 1, 0) == 1);
    stage_asked(&scene->stage, KEEPER_STATUS, pid);
    stage_answer(&scene->stage,
                 &(struct keeper_reply){
                     .kind = KEEPER_STATUS, .pid = pid, .code = code, .status = status},
                 -1);
    stage_asked(&scene->stage, KEEPER_RELEASE, pid);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static pid_t run_step(struct scene *scene, const char *program) {
    expect_plan(scene, program);
    pid_t pid = stage_spawn(&scene->stage, &scene->packet);
    guest_silent(&scene->guest);
    assert_int_equal(scene->process->state, HOLDEN_state_STARTING);
    assert_int_equal(scene->process->pid, pid);
    return pid;
}

/* The main command runs, and ends so. */
static void run_main(struct scene *scene, int code, int status, struct holden_exited *exited) {
    struct holden_started started;
    expect_plan(scene, "/bin/main");
    pid_t pid = stage_spawn(&scene->stage, &scene->packet);
    guest_expect(&scene->guest, HOLDEN_MESSAGE_started, scene->id, &started);
    assert_int_equal(started.pid, pid);
    assert_int_equal(scene->process->state, HOLDEN_state_RUNNING);
    finish(scene, pid, code, status);
    guest_expect(&scene->guest, HOLDEN_MESSAGE_exited, scene->id, exited);
}

static void is_over(const struct scene *scene, uint32_t state) {
    assert_int_equal(scene->process->state, state);
    assert_int_equal(scene->process->pid, 0);
    assert_int_equal(scene->process->pidfd, -1);
    assert_null(scene->process->launch);
    assert_null(scene->process->stopping);
    assert_null(scene->process->start_limit);
    for (size_t i = 0; i < ARRAY_SIZE(scene->stage.agent->link.used); i++)
        assert_true(scene->stage.agent->link.used[i] == 0);
}

TEST(one_after_the_other_then_the_main_one) {
    struct scene *scene = open_scene();
    struct holden_exited exited;
    begin(scene);
    finish(scene, run_step(scene, "/bin/one"), CLD_EXITED, 0);
    finish(scene, run_step(scene, "/bin/two"), CLD_EXITED, 0);
    run_main(scene, CLD_EXITED, 0, &exited);
    assert_int_equal(exited.state, HOLDEN_state_EXITED);
    is_over(scene, HOLDEN_state_EXITED);
    close_scene(scene);
}

TEST(one_that_fails_ends_the_start) {
    struct scene *scene = open_scene();
    begin(scene);
    finish(scene, run_step(scene, "/bin/one"), CLD_EXITED, 0);
    finish(scene, run_step(scene, "/bin/two"), CLD_EXITED, 3);
    guest_refused(&scene->guest, scene->id, HOLDEN_code_FAILED, "/bin/two exited with status 3");
    is_over(scene, HOLDEN_state_FAILED);
    assert_int_equal(scene->process->outcome.cause, HOLDEN_cause_SETUP);
    close_scene(scene);
}

TEST(one_that_may_fail_does_not) {
    struct scene *scene = open_scene();
    struct holden_exited exited;
    HOLDEN_SET(&scene->commands[0], exec, ignore_failure, true);
    begin(scene);
    finish(scene, run_step(scene, "/bin/one"), CLD_KILLED, SIGSEGV);
    finish(scene, run_step(scene, "/bin/two"), CLD_EXITED, 0);
    run_main(scene, CLD_EXITED, 0, &exited);
    close_scene(scene);
}

TEST(one_that_cannot_be_executed) {
    struct scene *scene = open_scene();
    begin(scene);
    expect_plan(scene, "/bin/one");
    uint32_t report = scene->packet.plan.report;
    scene->stage.agent->link.reports[report].error = ENOENT;
    pid_t pid = stage_spawn(&scene->stage, &scene->packet);
    finish(scene, pid, CLD_EXITED, 127);
    guest_refused(&scene->guest, scene->id, HOLDEN_code_FAILED,
                  "/bin/one: No such file or directory");
    is_over(scene, HOLDEN_state_FAILED);
    close_scene(scene);
}

TEST(stopped_before_the_main_one_runs) {
    struct scene *scene = open_scene();
    begin(scene);
    pid_t pid = run_step(scene, "/bin/one");
    struct holden_stop stop = {0};
    HOLDEN_SET(&stop, stop, name, holden_view("web"));
    guest_ask(&scene->guest, HOLDEN_MESSAGE_stop, &stop, NULL, 0);
    GUEST_UNTIL(scene->stage.agent->event, scene->process->stopping);
    finish(scene, pid, CLD_KILLED, SIGKILL);
    guest_refused(&scene->guest, scene->id, HOLDEN_code_FAILED, "stopped before it ran");
    is_over(scene, HOLDEN_state_STOPPED);
    close_scene(scene);
}

TEST(one_that_takes_too_long) {
    struct scene *scene = open_scene();
    HOLDEN_SET(&scene->properties, properties, timeout_start, 1);
    begin(scene);
    expect_plan(scene, "/bin/one");
    pid_t pid = stage_spawn(&scene->stage, &scene->packet);
    GUEST_UNTIL(scene->stage.agent->event, scene->process->stopping);
    finish(scene, pid, CLD_KILLED, SIGKILL);
    guest_refused(&scene->guest, scene->id, HOLDEN_code_FAILED,
                  "/bin/one did not end within TimeoutStartSec=");
    is_over(scene, HOLDEN_state_FAILED);
    close_scene(scene);
}

/* What an agent leaves that is killed while its second command is about to be launched (`chosen`)
 * or runs as `pid`. The report is of the first one, or of that. */
static void leave_second(struct scene *scene, bool chosen, pid_t pid) {
    struct stage *stage = &scene->stage;
    uint32_t report;
    struct process *process = stage_process(stage, "web", HOLDEN_state_STARTING, 0);
    stage_settings(process, &scene->properties);
    process->step = 1;
    process->step_chosen = chosen;
    assert_int_equal(store_write(&stage->agent->store, process), 0);
    assert_int_equal(link_take_report(&stage->agent->link, process->id, &report), 0);
    stage->agent->link.reports[report].pid = pid;
    stage->agent->link.reports[report].reached = PLAN_STEP_EXEC;
    process_free(process);
}

TEST(the_next_agent_launches_what_was_to_be_next) {
    struct scene *scene = open_scene();
    leave_second(scene, true, 4242);
    assert_int_equal(recover(scene->stage.agent), 0);
    run_step(scene, "/bin/two");
    assert_int_equal(scene->process->step, 1);
    size_t taken = 0;
    for (size_t i = 0; i < ARRAY_SIZE(scene->stage.agent->link.used); i++)
        taken += (size_t)__builtin_popcountll(scene->stage.agent->link.used[i]);
    assert_int_equal(taken, 1);
    close_scene(scene);
}

/* It is waited for, no longer than its time. */
TEST(the_next_agent_waits_for_what_runs) {
    struct scene *scene = open_scene();
    HOLDEN_SET(&scene->properties, properties, timeout_start, 1);
    pid_t child = stage_sleeper();
    leave_second(scene, false, child);
    scratch_make(&scene->stage.scratch, "cgroup/1-web");
    stage_will_adopt(&scene->stage, 1);
    assert_int_equal(recover(scene->stage.agent), 0);
    scene->process = stage_named(&scene->stage, "web");
    assert_int_equal(scene->process->state, HOLDEN_state_STARTING);
    assert_int_equal(scene->process->pid, child);
    assert_non_null(scene->process->start_limit);
    GUEST_UNTIL(scene->stage.agent->event, scene->process->stopping);
    stage_asked_adoption(&scene->stage, child);
    stage_asked(&scene->stage, KEEPER_RECOVERED, 0);
    finish(scene, child, CLD_KILLED, SIGKILL);
    is_over(scene, HOLDEN_state_FAILED);
    close_scene(scene);
}

TEST(a_restart_begins_with_the_first) {
    struct scene *scene = open_scene();
    struct holden_exited exited;
    begin(scene);
    finish(scene, run_step(scene, "/bin/one"), CLD_EXITED, 0);
    finish(scene, run_step(scene, "/bin/two"), CLD_EXITED, 0);
    run_main(scene, CLD_EXITED, 0, &exited);
    struct holden_restart restart = {0};
    HOLDEN_SET(&restart, restart, name, holden_view("web"));
    uint32_t id = guest_ask(&scene->guest, HOLDEN_MESSAGE_restart, &restart, NULL, 0);
    guest_silent(&scene->guest);
    finish(scene, run_step(scene, "/bin/one"), CLD_EXITED, 1);
    guest_refused(&scene->guest, id, HOLDEN_code_FAILED, "/bin/one exited with status 1");
    close_scene(scene);
}

TEST(what_counts_as_success) {
    static const uint32_t good[] = {3, 256 + SIGTERM};
    static const struct { int code, status; uint32_t state; } rows[] = {
        {CLD_EXITED, 0, HOLDEN_state_EXITED},       {CLD_EXITED, 3, HOLDEN_state_EXITED},
        {CLD_EXITED, 4, HOLDEN_state_FAILED},       {CLD_KILLED, SIGTERM, HOLDEN_state_EXITED},
        {CLD_KILLED, SIGHUP, HOLDEN_state_FAILED},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct scene *scene = open_scene();
        struct holden_exited exited;
        scene->properties = (struct holden_properties){0};
        HOLDEN_SET(&scene->properties, properties, success_exit_status,
                   (struct holden_repeated){.count = ARRAY_SIZE(good), .items = good});
        begin(scene);
        run_main(scene, rows[i].code, rows[i].status, &exited);
        assert_int_equal(exited.state, rows[i].state);
        close_scene(scene);
    }
}

UNIT_MAIN
