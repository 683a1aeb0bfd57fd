/* From a START to its end, with the test as the keeper: what is sent to whom, what is left behind.
 */
#include "agent/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/state.h"
#include "stage.h"
#include "suite.h"

struct scene {
    struct stage stage;
    struct guest guest;
    struct packet packet;
    struct process *process; /* the last that was begun */
};

static struct scene *open_scene(void) {
    struct scene *scene = calloc(1, sizeof(*scene));
    assert_non_null(scene);
    stage_open(&scene->stage);
    stage_guest(&scene->stage, &scene->guest, 0);
    return scene;
}

static void close_scene(struct scene *scene) {
    packet_close(&scene->packet);
    guest_close(&scene->guest);
    stage_close(&scene->stage);
    free(scene);
}

/* The next plan, and whose it is. */
static void next_plan(struct scene *scene) {
    assert_true(stage_packet(&scene->stage, &scene->packet));
    assert_int_equal(scene->packet.plan.magic, PLAN_MAGIC);
    scene->process = process_by_id(&scene->stage.agent->processes, scene->packet.plan.token);
    assert_non_null(scene->process);
}

static uint32_t begin(struct scene *scene, const struct holden_properties *properties, bool wait) {
    const struct holden_view command = holden_view("/bin/web");
    struct holden_start start = {0};
    HOLDEN_SET(&start, start, argument, (struct holden_repeated){.count = 1, .items = &command});
    HOLDEN_SET(&start, start, name, holden_view("web"));
    HOLDEN_SET(&start, start, wait, wait);
    if (properties)
        HOLDEN_SET(&start, start, properties, (struct holden_nested){.value = properties});
    uint32_t id = guest_ask(&scene->guest, HOLDEN_MESSAGE_start, &start, NULL, 0);
    guest_silent(&scene->guest);
    next_plan(scene);
    return id;
}

static pid_t run(struct scene *scene, const struct holden_properties *properties) {
    uint32_t id = begin(scene, properties, false);
    pid_t pid = stage_spawn(&scene->stage, &scene->packet);
    guest_expect(&scene->guest, HOLDEN_MESSAGE_started, id, NULL);
    return pid;
}

static bool has_cgroup(const struct scene *scene) {
    struct stat status;
    return fstatat(scene->stage.agent->hierarchy.root, "1-web", &status, 0) == 0;
}

static bool has_record(const struct scene *scene) {
    return faccessat(scene->stage.agent->store.records, "1", F_OK, 0) == 0;
}

/* Nothing is held for it any more. */
static void is_over(const struct scene *scene, uint32_t state) {
    const struct process *process = scene->process;
    assert_int_equal(process->state, state);
    assert_int_equal(process->pid, 0);
    assert_int_equal(process->pidfd, -1);
    assert_null(process->end);
    assert_null(process->launch);
    assert_null(process->stopping);
    assert_null(process->limit);
    assert_false(has_cgroup(scene));
    for (size_t i = 0; i < ARRAY_SIZE(scene->stage.agent->link.used); i++)
        assert_true(scene->stage.agent->link.used[i] == 0);
}

TEST(started_and_ended) {
    struct scene *scene = open_scene();
    struct holden_reply reply;
    struct holden_started started;
    struct holden_exited exited;
    struct stat status;
    uint32_t id = begin(scene, NULL, true);
    assert_true(has_cgroup(scene));
    assert_true(has_record(scene)); /* before the keeper knows of it */
    /* The plan came with the cgroup and the status pipe. */
    assert_int_equal(fstat(scene->packet.fds[PLAN_FD_CGROUP], &status), 0);
    assert_true(S_ISDIR(status.st_mode));
    assert_int_equal(fstat(scene->packet.fds[PLAN_FD_STATUS], &status), 0);
    assert_true(S_ISFIFO(status.st_mode));
    pid_t pid = stage_spawn(&scene->stage, &scene->packet);
    assert_true(has_record(scene)); /* before it is told */
    assert_true(guest_hears(&scene->guest, &reply));
    assert_int_equal(reply.frame.type, HOLDEN_MESSAGE_started);
    assert_int_equal(reply.frame.id, id);
    assert_int_equal(holden_reply_decode(&reply, &started), 0);
    assert_true(holden_view_is(started.name, "web"));
    assert_int_equal(started.id, 1);
    assert_int_equal(started.pid, pid);
    int pidfd;
    assert_int_equal(
        holden_connection_take_fds(&scene->guest.client.connection, &reply.frame, &pidfd, 1), 1);
    assert_int_equal(pidfd_send_signal(pidfd, SIGKILL, NULL, 0), 0);
    close(pidfd);
    guest_silent(&scene->guest);
    assert_int_equal(scene->process->state, HOLDEN_state_RUNNING);
    stage_reap(&scene->stage, pid);
    guest_expect(&scene->guest, HOLDEN_MESSAGE_exited, id, &exited);
    assert_int_equal(exited.state, HOLDEN_state_FAILED);
    assert_int_equal(exited.cause, HOLDEN_cause_SIGNALLED);
    assert_int_equal(exited.signal, SIGKILL);
    is_over(scene, HOLDEN_state_FAILED);
    assert_int_equal(scene->process->usage->cpu,
                     15); /* from the keeper, since the cgroup tells nothing */
    assert_int_equal(scene->process->usage->memory_peak, 4096);
    assert_true(has_record(scene));
    guest_silent(&scene->guest);
    close_scene(scene);
}

TEST(not_started_before_both_halves_are_here) {
    struct scene *scene = open_scene();
    uint32_t id = begin(scene, NULL, false);
    /* The pipe ends first. */
    scene->stage.agent->link.reports[scene->packet.plan.report].reached = PLAN_STEP_EXEC;
    int pidfd = pidfd_open(getpid(), 0);
    uint64_t token = scene->packet.plan.token;
    packet_close(&scene->packet);
    guest_silent(&scene->guest);
    stage_answer(&scene->stage,
                 &(struct keeper_reply){.kind = KEEPER_SPAWNED, .token = token, .pid = getpid()},
                 pidfd);
    guest_expect(&scene->guest, HOLDEN_MESSAGE_started, id, NULL);
    close(pidfd);
    process_set_pid(scene->process, 0);
    close_scene(scene);
}

/* The keeper tells of a child that did not get to exec, which ends. */
static void fails_in(uint32_t step, int error, int code, int status, const char *expected_step,
                     const char *words) {
    struct scene *scene = open_scene();
    struct holden_error refusal;
    uint32_t id = begin(scene, NULL, true);
    volatile struct plan_report *report =
        &scene->stage.agent->link.reports[scene->packet.plan.report];
    report->reached = step;
    report->error = error;
    uint64_t token = scene->packet.plan.token;
    packet_close(&scene->packet);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(0);
    int pidfd = pidfd_open(child, 0);
    stage_answer(&scene->stage,
                 &(struct keeper_reply){.kind = KEEPER_SPAWNED, .token = token, .pid = child},
                 pidfd);
    close(pidfd);
    assert_int_equal(waitpid(child, NULL, 0), child);
    GUEST_UNTIL(scene->stage.agent->event,
                poll(&(struct pollfd){scene->stage.keeper, POLLIN, 0}, 1, 0) == 1);
    stage_asked(&scene->stage, KEEPER_STATUS, child);
    stage_answer(
        &scene->stage,
        &(struct keeper_reply){.kind = KEEPER_STATUS, .pid = child, .code = code, .status = status},
        -1);
    stage_asked(&scene->stage, KEEPER_RELEASE, child);
    /* An error is the last answer, also where the end was to be told. */
    guest_expect(&scene->guest, HOLDEN_MESSAGE_error, id, &refusal);
    if (!holden_view_is(refusal.step, expected_step) ||
        !memmem(refusal.text.data, refusal.text.size, words, strlen(words)))
        fail_msg("%.*s: %.*s", (int)refusal.step.size, refusal.step.data, (int)refusal.text.size,
                 refusal.text.data);
    guest_silent(&scene->guest);
    is_over(scene, HOLDEN_state_FAILED);
    assert_int_equal(scene->process->outcome.cause, HOLDEN_cause_SETUP);
    close_scene(scene);
}

TEST(a_failed_step_is_named) {
    fails_in(PLAN_STEP_EXEC, ENOENT, CLD_EXITED, 126, "exec",
             "/bin/web: No such file or directory");
    fails_in(PLAN_STEP_UID, EPERM, CLD_EXITED, 126, "User", "Operation not permitted");
    fails_in(PLAN_STEP_FILTER, 0, CLD_KILLED, SIGSYS, "seccomp", "in this step of its set-up");
}

TEST(what_cannot_be_cloned) {
    struct scene *scene = open_scene();
    uint32_t id = begin(scene, NULL, false);
    uint64_t token = scene->packet.plan.token;
    packet_close(&scene->packet);
    stage_answer(&scene->stage,
                 &(struct keeper_reply){.kind = KEEPER_SPAWNED, .error = EAGAIN, .token = token},
                 -1);
    guest_refused(&scene->guest, id, HOLDEN_code_FAILED, "Resource temporarily unavailable");
    is_over(scene, HOLDEN_state_FAILED);
    assert_false(stage_packet(&scene->stage, &scene->packet));
    close_scene(scene);
}

TEST(answers_that_nobody_waits_for) {
    struct scene *scene = open_scene();
    unsigned before = scratch_descriptors();
    stage_answer(&scene->stage,
                 &(struct keeper_reply){.kind = KEEPER_SPAWNED, .token = 99, .pid = 1},
                 STDIN_FILENO);
    stage_answer(&scene->stage, &(struct keeper_reply){.kind = KEEPER_STATUS, .pid = 99}, -1);
    stage_answer(&scene->stage, &(struct keeper_reply){.kind = KEEPER_RELEASE, .token = 99}, -1);
    stage_answer(&scene->stage, &(struct keeper_reply){.kind = KEEPER_ADOPT, .pid = 99},
                 STDIN_FILENO);
    stage_answer(&scene->stage, &(struct keeper_reply){.kind = 4711}, STDIN_FILENO);
    assert_int_equal(scratch_descriptors(), before);
    guest_expect(&scene->guest, HOLDEN_MESSAGE_pong,
                 guest_ask(&scene->guest, HOLDEN_MESSAGE_ping, &(struct holden_ping){0}, NULL, 0),
                 NULL);
    close_scene(scene);
}

TEST(without_a_keeper_the_agent_ends) {
    struct scene *scene = open_scene();
    int code = -1;
    close(scene->stage.keeper);
    scene->stage.keeper = open("/dev/null", O_RDONLY | O_CLOEXEC);
    guest_turn(scene->stage.agent->event);
    assert_int_equal(sd_event_get_exit_code(scene->stage.agent->event, &code), 0);
    assert_int_equal(code, AGENT_EXIT_REFUSED);
    close_scene(scene);
}

TEST(a_client_may_go_before_its_answer) {
    struct scene *scene = open_scene();
    begin(scene, NULL, true);
    guest_close(&scene->guest);
    pid_t pid = stage_spawn(&scene->stage, &scene->packet);
    assert_int_equal(scene->process->state, HOLDEN_state_RUNNING);
    kill(pid, SIGKILL);
    stage_reap(&scene->stage, pid);
    is_over(scene, HOLDEN_state_FAILED);
    stage_guest(&scene->stage, &scene->guest, 0);
    close_scene(scene);
}

TEST(what_is_killed_in_exec_never_ran) {
    struct scene *scene = open_scene();
    uint32_t id = begin(scene, NULL, true);
    pid_t pid = stage_spawn_stuck(&scene->stage, &scene->packet);
    guest_silent(&scene->guest);
    assert_int_equal(scene->process->state, HOLDEN_state_STARTING);
    assert_int_equal(kill(pid, SIGKILL), 0);
    stage_reap(&scene->stage, pid);
    guest_refused(&scene->guest, id, HOLDEN_code_FAILED, "ended by signal 9 in this step");
    is_over(scene, HOLDEN_state_FAILED);
    assert_int_equal(scene->process->outcome.cause, HOLDEN_cause_SETUP);
    close_scene(scene);
}

TEST(a_record_that_cannot_be_written_ends_it_again) {
    struct scene *scene = open_scene();
    uint32_t id = begin(scene, NULL, false);
    scratch_make(&scene->stage.scratch, "state/records/1.new");
    pid_t pid = stage_spawn(&scene->stage, &scene->packet);
    guest_refused(&scene->guest, id, HOLDEN_code_FAILED, "record cannot be written");
    stage_reap(&scene->stage, pid); /* it was killed */
    is_over(scene, HOLDEN_state_FAILED);
    assert_int_equal(scene->process->outcome.cause, HOLDEN_cause_SETUP);
    assert_false(has_record(scene));
    close_scene(scene);
}

/* ---- stopping ---- */

static uint32_t stop(struct scene *scene, const uint64_t *timeout) {
    struct holden_stop request = {0};
    HOLDEN_SET(&request, stop, name, holden_view("web"));
    if (timeout)
        HOLDEN_SET(&request, stop, timeout, *timeout);
    return guest_ask(&scene->guest, HOLDEN_MESSAGE_stop, &request, NULL, 0);
}

TEST(a_stop_is_answered_when_not_even_the_pid_is_left) {
    struct scene *scene = open_scene();
    pid_t pid = run(scene, NULL);
    uint32_t id = stop(scene, NULL);
    guest_turn(scene->stage.agent->event);
    siginfo_t info;
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    assert_int_equal(info.si_status, SIGTERM);
    stage_asked(&scene->stage, KEEPER_STATUS, pid);
    stage_answer(&scene->stage,
                 &(struct keeper_reply){
                     .kind = KEEPER_STATUS, .pid = pid, .code = CLD_KILLED, .status = SIGTERM},
                 -1);
    uint64_t token = stage_asked(&scene->stage, KEEPER_RELEASE, pid);
    assert_int_not_equal(token, 0);
    guest_silent(&scene->guest);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    stage_answer(&scene->stage,
                 &(struct keeper_reply){.kind = KEEPER_RELEASE, .pid = pid, .token = token}, -1);
    guest_expect(&scene->guest, HOLDEN_MESSAGE_done, id, NULL);
    is_over(scene, HOLDEN_state_STOPPED);
    assert_string_equal(scene->process->outcome.explanation, "stopped by user 0; ended by SIGTERM");
    close_scene(scene);
}

TEST(a_stop_is_answered_where_no_record_is_kept) {
    struct scene *scene = open_scene();
    scene->stage.agent->config.keep_records = 0;
    pid_t pid = run(scene, NULL);
    uint32_t id = stop(scene, NULL);
    stage_reap(&scene->stage, pid);
    guest_expect(&scene->guest, HOLDEN_MESSAGE_done, id, NULL);
    assert_int_equal(scene->stage.agent->processes.count, 0);
    assert_false(has_record(scene));
    close_scene(scene);
}

TEST(without_time_it_is_killed) {
    struct scene *scene = open_scene();
    pid_t pid = run(scene, NULL);
    uint32_t id = stop(scene, &(uint64_t){0});
    stage_reap(&scene->stage, pid);
    guest_expect(&scene->guest, HOLDEN_MESSAGE_done, id, NULL);
    is_over(scene, HOLDEN_state_STOPPED);
    assert_int_equal(scene->process->outcome.status, SIGKILL);
    close_scene(scene);
}

TEST(the_longest_time_there_is) {
    static const uint64_t times[] = {UINT64_MAX, UINT64_MAX - 1, INT64_MAX};
    for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
        struct scene *scene = open_scene();
        pid_t pid = run(scene, NULL);
        uint32_t id = stop(scene, &times[i]);
        stage_reap(&scene->stage, pid);
        guest_expect(&scene->guest, HOLDEN_MESSAGE_done, id, NULL);
        is_over(scene, HOLDEN_state_STOPPED);
        assert_int_equal(scene->process->outcome.status, SIGTERM);
        close_scene(scene);
    }
}

TEST(stopped_before_it_runs) {
    struct scene *scene = open_scene();
    uint32_t started = begin(scene, NULL, false);
    uint32_t stopped = stop(scene, NULL);
    guest_silent(&scene->guest);
    assert_int_equal(scene->process->state, HOLDEN_state_STOPPING);
    pid_t pid = stage_spawn(&scene->stage, &scene->packet);
    GUEST_UNTIL(scene->stage.agent->event, kill(pid, SIGKILL) == 0);
    stage_reap(&scene->stage, pid);
    guest_refused(&scene->guest, started, HOLDEN_code_FAILED, "was stopped before it ran");
    guest_expect(&scene->guest, HOLDEN_MESSAGE_done, stopped, NULL);
    is_over(scene, HOLDEN_state_STOPPED);
    close_scene(scene);
}

TEST(a_time_limit) {
    struct scene *scene = open_scene();
    struct holden_properties properties = {0};
    HOLDEN_SET(&properties, properties, runtime_max, 1000);
    pid_t pid = run(scene, &properties);
    stage_reap(&scene->stage, pid);
    is_over(scene, HOLDEN_state_FAILED);
    assert_int_equal(scene->process->outcome.cause, HOLDEN_cause_TIME_LIMIT);
    assert_string_equal(scene->process->outcome.explanation, "it reached RuntimeMaxSec=1ms");
    close_scene(scene);
}

/* ---- starting again ---- */

static uint32_t restart(struct scene *scene) {
    struct holden_restart request = {0};
    HOLDEN_SET(&request, restart, name, holden_view("web"));
    return guest_ask(&scene->guest, HOLDEN_MESSAGE_restart, &request, NULL, 0);
}

TEST(a_restart_stops_and_starts_in_place) {
    struct scene *scene = open_scene();
    struct holden_started started;
    struct holden_properties properties = {0};
    HOLDEN_SET(&properties, properties, nice, 3);
    pid_t pid = run(scene, &properties);
    struct process *process = scene->process;
    uint32_t id = restart(scene);
    siginfo_t info;
    guest_turn(scene->stage.agent->event);
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    stage_asked(&scene->stage, KEEPER_STATUS, pid);
    stage_answer(&scene->stage,
                 &(struct keeper_reply){
                     .kind = KEEPER_STATUS, .pid = pid, .code = CLD_KILLED, .status = SIGTERM},
                 -1);
    next_plan(scene);
    assert_ptr_equal(scene->process, process);
    assert_int_equal(scene->packet.plan.nice, 3);
    assert_int_equal(process->state, HOLDEN_state_STARTING);
    static struct packet release;
    assert_true(stage_packet(&scene->stage, &release));
    assert_int_equal(release.request.kind, KEEPER_RELEASE);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    guest_silent(&scene->guest);
    pid_t second = stage_spawn(&scene->stage, &scene->packet);
    guest_expect(&scene->guest, HOLDEN_MESSAGE_started, id, &started);
    assert_int_equal(started.pid, second);
    assert_int_equal(started.id, 1);
    assert_int_equal(process->restarts, 1);
    id = stop(scene, NULL);
    stage_reap(&scene->stage, second);
    guest_expect(&scene->guest, HOLDEN_MESSAGE_done, id, NULL);
    is_over(scene, HOLDEN_state_STOPPED);
    /* And once more, now that it has ended. */
    id = restart(scene);
    guest_silent(&scene->guest);
    next_plan(scene);
    assert_ptr_equal(scene->process, process);
    second = stage_spawn(&scene->stage, &scene->packet);
    guest_expect(&scene->guest, HOLDEN_MESSAGE_started, id, NULL);
    assert_int_equal(process->restarts, 2);
    kill(second, SIGKILL);
    stage_reap(&scene->stage, second);
    is_over(scene, HOLDEN_state_FAILED);
    assert_int_equal(process->outcome.cause, HOLDEN_cause_SIGNALLED);
    close_scene(scene);
}

/* ---- what comes again ---- */

static uint32_t start_with_token(struct guest *guest, const char *name) {
    const struct holden_view command = holden_view("/bin/web");
    struct holden_start start = {0};
    HOLDEN_SET(&start, start, argument, (struct holden_repeated){.count = 1, .items = &command});
    HOLDEN_SET(&start, start, name, holden_view(name));
    HOLDEN_SET(&start, start, wait, true);
    HOLDEN_SET(&start, start, token, 4711);
    return guest_ask(guest, HOLDEN_MESSAGE_start, &start, NULL, 0);
}

static uint64_t expect_started(struct scene *scene, uint32_t id, pid_t pid, bool with_pidfd) {
    struct holden_reply reply;
    struct holden_started started;
    int fd;
    assert_true(guest_hears(&scene->guest, &reply));
    assert_int_equal(reply.frame.type, HOLDEN_MESSAGE_started);
    assert_int_equal(reply.frame.id, id);
    assert_int_equal(holden_reply_decode(&reply, &started), 0);
    assert_int_equal(started.pid, pid);
    size_t count =
        holden_connection_take_fds(&scene->guest.client.connection, &reply.frame, &fd, 1);
    assert_int_equal(count, with_pidfd);
    assert_int_equal(HOLDEN_HAS(&started, started, pidfd), with_pidfd);
    if (count > 0)
        close(fd);
    return started.id;
}

TEST(a_start_that_comes_again_is_the_same_start) {
    struct scene *scene = open_scene();
    struct holden_exited exited;
    uint32_t first = start_with_token(&scene->guest, "web");
    guest_silent(&scene->guest);
    next_plan(scene);
    /* While it is starting: both are answered. */
    uint32_t second = start_with_token(&scene->guest, "web");
    guest_silent(&scene->guest);
    pid_t pid = stage_spawn(&scene->stage, &scene->packet);
    uint64_t process = expect_started(scene, second, pid, true);
    expect_started(scene, first, pid, true);
    /* While it runs. */
    uint32_t third = start_with_token(&scene->guest, "web");
    assert_int_equal(expect_started(scene, third, pid, true), process);
    assert_int_equal(scene->stage.agent->processes.count, 1);
    kill(pid, SIGKILL);
    stage_reap(&scene->stage, pid);
    guest_expect(&scene->guest, HOLDEN_MESSAGE_exited, third, NULL);
    guest_expect(&scene->guest, HOLDEN_MESSAGE_exited, second, NULL);
    guest_expect(&scene->guest, HOLDEN_MESSAGE_exited, first, NULL);
    /* And when it has ended. */
    uint32_t fourth = start_with_token(&scene->guest, "web");
    assert_int_equal(expect_started(scene, fourth, pid, false), process);
    guest_expect(&scene->guest, HOLDEN_MESSAGE_exited, fourth, &exited);
    assert_int_equal(exited.signal, SIGKILL);
    guest_silent(&scene->guest);
    assert_int_equal(scene->stage.agent->processes.count, 1);
    close_scene(scene);
}

TEST(a_token_is_its_owners) {
    struct scene *scene = open_scene();
    struct guest other;
    stage_guest(&scene->stage, &other, 1001);
    start_with_token(&scene->guest, "web");
    guest_silent(&scene->guest);
    next_plan(scene);
    packet_close(&scene->packet);
    const struct process *roots = scene->process;
    start_with_token(&other, "mine");
    guest_silent(&other);
    next_plan(scene);
    assert_ptr_not_equal(scene->process, roots);
    assert_int_equal(scene->process->owner, 1001);
    guest_close(&other);
    close_scene(scene);
}

TEST(a_start_that_failed_fails_again_in_the_same_words) {
    struct scene *scene = open_scene();
    struct process *process = stage_process(&scene->stage, "web", HOLDEN_state_FAILED, 0);
    struct holden_view command = holden_view("/bin/web");
    struct holden_start start = {0};
    struct buffer encoded = {0};
    HOLDEN_SET(&start, start, argument, (struct holden_repeated){.count = 1, .items = &command});
    HOLDEN_SET(&start, start, token, 4711);
    assert_int_equal(holden_encode(&holden_record_start, &start, &encoded), 0);
    process_set_request(process, encoded.data, encoded.size);
    process->outcome.cause = HOLDEN_cause_SETUP;
    process->outcome.explanation = strdup("it never ran: exec: /bin/web: No such file");
    guest_refused(&scene->guest, start_with_token(&scene->guest, "web"), HOLDEN_code_FAILED,
                  "exec: /bin/web: No such file");
    close_scene(scene);
}

TEST(a_restart_that_comes_again_is_the_same_restart) {
    struct scene *scene = open_scene();
    struct holden_restart request = {0};
    pid_t pid = run(scene, NULL);
    kill(pid, SIGKILL);
    stage_reap(&scene->stage, pid);
    HOLDEN_SET(&request, restart, name, holden_view("web"));
    HOLDEN_SET(&request, restart, token, 5);
    uint32_t id = guest_ask(&scene->guest, HOLDEN_MESSAGE_restart, &request, NULL, 0);
    guest_silent(&scene->guest);
    next_plan(scene);
    pid = stage_spawn(&scene->stage, &scene->packet);
    expect_started(scene, id, pid, true);
    id = guest_ask(&scene->guest, HOLDEN_MESSAGE_restart, &request, NULL, 0);
    expect_started(scene, id, pid, true);
    assert_int_equal(scene->process->restarts, 1);
    assert_null(scene->process->stopping);
    /* One on the way from a running process is known by its token from its beginning. */
    HOLDEN_SET(&request, restart, token, 6);
    guest_ask(&scene->guest, HOLDEN_MESSAGE_restart, &request, NULL, 0);
    guest_silent(&scene->guest);
    assert_int_equal(scene->process->stopping->restart_token, 6);
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    close_scene(scene);
}

TEST(a_restart_that_cannot_be_is_refused) {
    struct scene *scene = open_scene();
    pid_t pid = run(scene, NULL);
    kill(pid, SIGKILL);
    stage_reap(&scene->stage, pid);
    scratch_make(&scene->stage.scratch, "cgroup/1-web");
    guest_refused(&scene->guest, restart(scene), HOLDEN_code_FAILED, "File exists");
    assert_int_equal(scene->process->state, HOLDEN_state_FAILED);
    assert_int_equal(scene->process->outcome.cause, HOLDEN_cause_SETUP);
    scene->stage.agent->stopping = true;
    guest_refused(&scene->guest, restart(scene), HOLDEN_code_WRONG_STATE, "the agent is stopping");
    close_scene(scene);
}

TEST(not_while_it_is_starting) {
    struct scene *scene = open_scene();
    begin(scene, NULL, false);
    guest_refused(&scene->guest, restart(scene), HOLDEN_code_WRONG_STATE, "still starting");
    close_scene(scene);
}

/* ---- the end of the agent ---- */

TEST(the_last_end_is_the_agents) {
    struct scene *scene = open_scene();
    int code = -1;
    pid_t pid = run(scene, NULL);
    scene->stage.agent->stopping = true;
    stop(scene, NULL);
    guest_turn(scene->stage.agent->event);
    assert_int_equal(sd_event_get_exit_code(scene->stage.agent->event, &code), -ENODATA);
    siginfo_t info;
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    stage_asked(&scene->stage, KEEPER_STATUS, pid);
    stage_answer(&scene->stage,
                 &(struct keeper_reply){
                     .kind = KEEPER_STATUS, .pid = pid, .code = CLD_KILLED, .status = SIGTERM},
                 -1);
    assert_int_equal(sd_event_get_exit_code(scene->stage.agent->event, &code), 0);
    assert_int_equal(code, AGENT_EXIT_STOPPED);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    close_scene(scene);
}

UNIT_MAIN
