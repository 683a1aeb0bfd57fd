/* The commands beside the main one: ExecStop= and ExecStopPost=, with the test as the keeper. */
#include "agent/beside.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "agent/recover.h"
#include "agent/stop.h"
#include "agent/variables.h"
#include "stage.h"
#include "suite.h"

struct scene {
    struct stage stage;
    struct guest guest;
    struct packet packet;
    struct process *process;
    struct holden_view words[3];
    struct holden_exec commands[2];
    struct holden_nested nested[2];
    struct holden_properties properties;
    uint32_t late;
    uint32_t id; /* of the stop */
};

static struct scene *open_scene(void) {
    struct scene *scene = calloc(1, sizeof(*scene));
    assert_non_null(scene);
    stage_open(&scene->stage);
    stage_guest(&scene->stage, &scene->guest, 0);
    scene->words[0] = holden_view("/bin/stop");
    scene->words[1] = holden_view("$MAINPID");
    scene->words[2] = holden_view("/bin/post");
    scene->late = 1;
    HOLDEN_SET(&scene->commands[0], exec, argument,
               (struct holden_repeated){.count = 2, .items = scene->words});
    HOLDEN_SET(&scene->commands[0], exec, late,
               (struct holden_repeated){.count = 1, .items = &scene->late});
    HOLDEN_SET(&scene->commands[1], exec, argument,
               (struct holden_repeated){.count = 1, .items = &scene->words[2]});
    for (size_t i = 0; i < 2; i++)
        scene->nested[i].value = &scene->commands[i];
    HOLDEN_SET(&scene->properties, properties, exec_stop,
               (struct holden_repeated){.count = 1, .items = &scene->nested[0]});
    HOLDEN_SET(&scene->properties, properties, exec_stop_post,
               (struct holden_repeated){.count = 1, .items = &scene->nested[1]});
    return scene;
}

static void close_scene(struct scene *scene) {
    packet_close(&scene->packet);
    guest_close(&scene->guest);
    stage_close(&scene->stage);
    free(scene);
}

/* The next packet is a plan to run this program, with as many arguments, under that token. */
static const char *expect_plan(struct scene *scene, const char *program, uint32_t count,
                               uint64_t token) {
    GUEST_UNTIL(scene->stage.agent->event, stage_packet(&scene->stage, &scene->packet));
    const struct plan *plan = &scene->packet.plan;
    assert_int_equal(plan->magic, PLAN_MAGIC);
    assert_int_equal(plan->token & BESIDE_TOKEN, token);
    const uint64_t *arguments = (const void *)(scene->packet.bytes + plan->arguments.at);
    assert_string_equal((const char *)scene->packet.bytes + arguments[0], program);
    assert_int_equal(plan->arguments.count, count);
    scene->process =
        process_by_id(&scene->stage.agent->processes, plan->token & ~BESIDE_TOKEN);
    assert_non_null(scene->process);
    return count > 1 ? (const char *)scene->packet.bytes + arguments[1] : "";
}

static pid_t run_main(struct scene *scene) {
    const struct holden_view command = holden_view("/bin/main");
    struct holden_start start = {0};
    struct holden_started started;
    HOLDEN_SET(&start, start, argument, (struct holden_repeated){.count = 1, .items = &command});
    HOLDEN_SET(&start, start, name, holden_view("web"));
    HOLDEN_SET(&start, start, properties, (struct holden_nested){.value = &scene->properties});
    uint32_t id = guest_ask(&scene->guest, HOLDEN_MESSAGE_start, &start, NULL, 0);
    guest_silent(&scene->guest);
    expect_plan(scene, "/bin/main", 1, 0);
    pid_t pid = stage_spawn(&scene->stage, &scene->packet);
    guest_expect(&scene->guest, HOLDEN_MESSAGE_started, id, &started);
    return pid;
}

static void ask_stop(struct scene *scene) {
    struct holden_stop stop = {0};
    HOLDEN_SET(&stop, stop, name, holden_view("web"));
    scene->id = guest_ask(&scene->guest, HOLDEN_MESSAGE_stop, &stop, NULL, 0);
    GUEST_UNTIL(scene->stage.agent->event, scene->process->stopping);
}

/* The child ends; the keeper tells that it did in this way. */
static void tell_end(struct scene *scene, pid_t pid, int code, int status) {
    kill(pid, SIGKILL);
    GUEST_UNTIL(scene->stage.agent->event,
                poll(&(struct pollfd){scene->stage.keeper, POLLIN, 0}, 1, 0) == 1);
    stage_asked(&scene->stage, KEEPER_STATUS, pid);
    stage_answer(&scene->stage,
                 &(struct keeper_reply){
                     .kind = KEEPER_STATUS, .pid = pid, .code = code, .status = status},
                 -1);
}

static void reaped(struct scene *scene, pid_t pid) {
    uint64_t token = stage_asked(&scene->stage, KEEPER_RELEASE, pid);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    if (token > 0)
        stage_answer(
            &scene->stage,
            &(struct keeper_reply){.kind = KEEPER_RELEASE, .pid = pid, .token = token}, -1);
}

static void is_over(const struct scene *scene, uint32_t state, const char *explanation) {
    assert_int_equal(scene->process->state, state);
    assert_string_equal(scene->process->outcome.explanation, explanation);
    assert_null(scene->process->beside);
    assert_null(scene->process->complaint);
    assert_null(scene->process->stopping);
    for (size_t i = 0; i < ARRAY_SIZE(scene->stage.agent->link.used); i++)
        assert_true(scene->stage.agent->link.used[i] == 0);
}

TEST(stopped_by_a_command_and_followed_by_one) {
    struct scene *scene = open_scene();
    struct holden_done done;
    char text[16];
    pid_t main = run_main(scene);
    ask_stop(scene);
    snprintf(text, sizeof(text), "%d", (int)main);
    assert_string_equal(expect_plan(scene, "/bin/stop", 2, BESIDE_TOKEN), text);
    assert_false(scene->process->stopping->asked);
    pid_t stop = stage_spawn(&scene->stage, &scene->packet);
    tell_end(scene, stop, CLD_EXITED, 0);
    reaped(scene, stop);
    assert_true(scene->process->stopping->asked);
    tell_end(scene, main, CLD_KILLED, SIGTERM);
    expect_plan(scene, "/bin/post", 1, BESIDE_TOKEN);
    assert_int_equal(scene->process->state, HOLDEN_state_STOPPING);
    pid_t post = stage_spawn(&scene->stage, &scene->packet);
    tell_end(scene, post, CLD_EXITED, 0);
    reaped(scene, post);
    reaped(scene, main);
    guest_expect(&scene->guest, HOLDEN_MESSAGE_done, scene->id, &done);
    is_over(scene, HOLDEN_state_STOPPED, "stopped by user 0; ended by SIGTERM");
    close_scene(scene);
}

/* $MAINPID is no argument at all then. */
TEST(an_end_of_its_own_is_followed_by_both) {
    struct scene *scene = open_scene();
    pid_t main = run_main(scene);
    tell_end(scene, main, CLD_EXITED, 0);
    expect_plan(scene, "/bin/stop", 1, BESIDE_TOKEN);
    pid_t stop = stage_spawn(&scene->stage, &scene->packet);
    tell_end(scene, stop, CLD_EXITED, 1);
    reaped(scene, stop);
    expect_plan(scene, "/bin/post", 1, BESIDE_TOKEN);
    pid_t post = stage_spawn(&scene->stage, &scene->packet);
    tell_end(scene, post, CLD_KILLED, SIGSEGV);
    reaped(scene, post);
    reaped(scene, main);
    /* The first one that failed is told. */
    is_over(scene, HOLDEN_state_FAILED,
            "exited with status 0; ExecStop: /bin/stop exited with status 1");
    close_scene(scene);
}

TEST(one_that_the_keeper_cannot_clone) {
    struct scene *scene = open_scene();
    pid_t main = run_main(scene);
    ask_stop(scene);
    expect_plan(scene, "/bin/stop", 2, BESIDE_TOKEN);
    packet_close(&scene->packet);
    stage_answer(&scene->stage,
                 &(struct keeper_reply){.kind = KEEPER_SPAWNED, .error = EAGAIN,
                                        .token = scene->packet.plan.token}, -1);
    assert_true(scene->process->stopping->asked);
    assert_string_equal(scene->process->complaint,
                        "ExecStop: clone: Resource temporarily unavailable");
    tell_end(scene, main, CLD_EXITED, 0);
    expect_plan(scene, "/bin/post", 1, BESIDE_TOKEN);
    pid_t post = stage_spawn(&scene->stage, &scene->packet);
    tell_end(scene, post, CLD_EXITED, 0);
    reaped(scene, post);
    reaped(scene, main);
    assert_int_equal(scene->process->state, HOLDEN_state_FAILED);
    close_scene(scene);
}

TEST(one_that_takes_too_long) {
    struct scene *scene = open_scene();
    HOLDEN_SET(&scene->properties, properties, timeout_stop, 1);
    pid_t main = run_main(scene);
    ask_stop(scene);
    expect_plan(scene, "/bin/stop", 2, BESIDE_TOKEN);
    pid_t stop = stage_spawn(&scene->stage, &scene->packet);
    GUEST_UNTIL(scene->stage.agent->event, scene->process->beside->late);
    assert_true(scene->process->stopping->asked);
    assert_false(beside_due(scene->process, PHASE_STOP));
    /* It was asked as well, and has not ended of it. */
    tell_end(scene, main, CLD_KILLED, SIGKILL);
    tell_end(scene, stop, CLD_KILLED, SIGKILL);
    reaped(scene, stop);
    expect_plan(scene, "/bin/post", 1, BESIDE_TOKEN);
    pid_t post = stage_spawn(&scene->stage, &scene->packet);
    tell_end(scene, post, CLD_EXITED, 0);
    reaped(scene, post);
    reaped(scene, main);
    assert_int_equal(scene->process->state, HOLDEN_state_FAILED);
    close_scene(scene);
}

/* What an agent leaves that is killed while ExecStop= of a process without a main one any more runs
 * as `pid`, or (0) before the keeper has read its plan. */
static void leave(struct scene *scene, pid_t main, pid_t pid) {
    struct stage *stage = &scene->stage;
    uint32_t report;
    struct process *process = stage_process(stage, "web", HOLDEN_state_RUNNING, 0);
    stage_settings(process, &scene->properties);
    process->ran = true;
    process_set_pid(process, main);
    process->main_ended = true;
    assert_int_equal(stop_hold(process), 0);
    assert_non_null(beside_make(process, PHASE_STOP));
    process->beside->deadline = UINT64_MAX - 1;
    assert_int_equal(store_write(&stage->agent->store, process), 0);
    assert_int_equal(
        link_take_report(&stage->agent->link, process->id | BESIDE_TOKEN, &report), 0);
    stage->agent->link.reports[report].pid = pid;
    stage->agent->link.reports[report].reached = pid ? PLAN_STEP_EXEC : PLAN_STEP_CLONE;
    process_free(process);
}

TEST(the_next_agent_waits_for_what_runs) {
    struct scene *scene = open_scene();
    pid_t main = stage_sleeper(), stop = stage_sleeper();
    leave(scene, main, stop);
    stage_will_adopt(&scene->stage, 1);
    assert_int_equal(recover(scene->stage.agent), 0);
    scene->process = stage_named(&scene->stage, "web");
    assert_int_equal(scene->process->state, HOLDEN_state_STOPPING);
    assert_int_equal(scene->process->beside->pid, stop);
    assert_int_equal(scene->process->beside->deadline, UINT64_MAX - 1);
    assert_false(scene->process->stopping->asked);
    stage_asked_adoption(&scene->stage, main);
    stage_asked_adoption(&scene->stage, stop);
    stage_asked(&scene->stage, KEEPER_RECOVERED, 0);
    tell_end(scene, main, CLD_EXITED, 0);
    tell_end(scene, stop, CLD_EXITED, 0);
    reaped(scene, stop);
    expect_plan(scene, "/bin/post", 1, BESIDE_TOKEN);
    pid_t post = stage_spawn(&scene->stage, &scene->packet);
    tell_end(scene, post, CLD_EXITED, 0);
    reaped(scene, post);
    reaped(scene, main);
    is_over(scene, HOLDEN_state_EXITED, "exited with status 0");
    close_scene(scene);
}

TEST(the_next_agent_launches_what_the_keeper_never_read) {
    struct scene *scene = open_scene();
    pid_t main = stage_sleeper();
    leave(scene, main, 0);
    stage_will_adopt(&scene->stage, 1);
    assert_int_equal(recover(scene->stage.agent), 0);
    stage_asked_adoption(&scene->stage, main);
    expect_plan(scene, "/bin/stop", 2, BESIDE_TOKEN);
    packet_close(&scene->packet);
    kill(main, SIGKILL);
    assert_int_equal(waitpid(main, NULL, 0), main);
    close_scene(scene);
}

TEST(what_is_put_into_a_command_line) {
    static const char *const words[] = {"/bin/x", "$MAINPID", "a${MAINPID}b$$c${EXIT_CODE}", "$$"};
    static const uint32_t late[] = {1, 2};
    struct holden_view views[4];
    struct holden_exec exec = {0};
    struct variables variables = {.text = {[LATE_MAINPID] = "MAINPID=42"}};
    struct variables_words out;
    for (size_t i = 0; i < 4; i++)
        views[i] = holden_view(words[i]);
    HOLDEN_SET(&exec, exec, argument, (struct holden_repeated){.count = 4, .items = views});
    HOLDEN_SET(&exec, exec, late, (struct holden_repeated){.count = 2, .items = late});
    assert_int_equal(variables_expand(&variables, &exec, &out), 0);
    assert_int_equal(out.count, 4);
    assert_true(holden_view_is(out.list[1], "42"));
    assert_true(holden_view_is(out.list[2], "a42b$c"));
    assert_true(holden_view_is(out.list[3], "$$"));
    variables_free_words(&out);
    variables.text[LATE_MAINPID][0] = '\0';
    assert_int_equal(variables_expand(&variables, &exec, &out), 0);
    assert_int_equal(out.count, 3);
    assert_true(holden_view_is(out.list[1], "ab$c"));
    variables_free_words(&out);
    /* Nothing is left to run. */
    HOLDEN_SET(&exec, exec, argument, (struct holden_repeated){.count = 1, .items = &views[1]});
    exec.late = (struct holden_repeated){.count = 1, .items = &(uint32_t){0}};
    assert_int_equal(variables_expand(&variables, &exec, &out), -EINVAL);
    variables_free_words(&out);
}

UNIT_MAIN
