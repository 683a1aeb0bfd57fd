/* Attributes of live processes: of the real ones of a child with a thread, in a cgroup that is a
 * directory. */
#include "agent/attributes.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "scratch.h"
#include "suite.h"

struct scene {
    struct scratch scratch;
    pid_t pid, thread;
    struct holden_properties wanted;
    struct failure failure;
};

static void *rest(void *data) {
    pid_t self = (pid_t)syscall(SYS_gettid);
    if (write(*(int *)data, &self, sizeof(self)) != sizeof(self))
        return NULL;
    for (;;)
        pause();
}

static _Noreturn void live(int fd) {
    pthread_t thread;
    alarm(60);
    if (pthread_create(&thread, NULL, rest, &fd) == 0)
        for (;;)
            pause();
    _exit(1);
}

static void open_scene(struct scene *scene) {
    char text[16];
    int pipes[2];
    *scene = (struct scene){0};
    scratch_open(&scene->scratch);
    assert_int_equal(pipe(pipes), 0);
    scene->pid = fork();
    assert_true(scene->pid >= 0);
    if (scene->pid == 0)
        live(pipes[1]);
    assert_int_equal(read(pipes[0], &scene->thread, sizeof(scene->thread)), sizeof(scene->thread));
    close(pipes[0]);
    close(pipes[1]);
    snprintf(text, sizeof(text), "%d\n", (int)scene->pid);
    scratch_write(&scene->scratch, "cgroup.procs", text);
}

static void close_scene(struct scene *scene) {
    kill(scene->pid, SIGKILL);
    waitpid(scene->pid, NULL, 0);
    scratch_close(&scene->scratch);
}

#define WANT(member, ...) HOLDEN_SET(&scene.wanted, properties, member, __VA_ARGS__)

static int apply(struct scene *scene) {
    return attributes_apply(scene->scratch.directory, &scene->wanted, &scene->wanted,
                            &scene->failure);
}

TEST(every_thread_gets_them) {
    struct scene scene;
    cpu_set_t cpus;
    open_scene(&scene);
    WANT(nice, 7);
    WANT(cpu_affinity, (struct holden_view){"\1", 1});
    WANT(cpu_scheduling_policy, HOLDEN_cpu_policy_BATCH);
    WANT(io_scheduling_class, HOLDEN_io_class_IDLE);
    assert_int_equal(apply(&scene), 0);
    const pid_t ids[] = {scene.pid, scene.thread};
    for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
        assert_int_equal(getpriority(PRIO_PROCESS, (id_t)ids[i]), 7);
        assert_int_equal(sched_getaffinity(ids[i], sizeof(cpus), &cpus), 0);
        assert_int_equal(CPU_COUNT(&cpus), 1);
        assert_int_equal(sched_getscheduler(ids[i]), SCHED_BATCH);
        assert_int_equal(syscall(SYS_ioprio_get, 1, ids[i]) >> 13, 3);
    }
    close_scene(&scene);
}

TEST(what_was_given_is_read_back) {
    struct scene scene;
    struct attributes_room room;
    struct holden_properties now = {0};
    struct holden_resource_limit limit = {0};
    open_scene(&scene);
    HOLDEN_SET(&limit, resource_limit, soft, 100);
    HOLDEN_SET(&limit, resource_limit, hard, 200);
    WANT(limit_nofile, (struct holden_nested){.value = &limit});
    WANT(oom_score_adjust, 300);
    WANT(timer_slack, 70000);
    WANT(io_scheduling_priority, 6);
    WANT(cpu_scheduling_policy, HOLDEN_cpu_policy_IDLE);
    WANT(cpu_affinity, (struct holden_view){"\1\0\0", 3});
    assert_int_equal(apply(&scene), 0);
    attributes_widen(&scene.wanted);
    attributes_read(scene.pid, &scene.wanted, &now, &room);
    const struct holden_resource_limit *read = now.limit_nofile.value;
    assert_int_equal(read->soft, 100);
    assert_int_equal(read->hard, 200);
    assert_int_equal(now.oom_score_adjust, 300);
    assert_int_equal(now.timer_slack, 70000);
    assert_int_equal(now.io_scheduling_priority, 6);
    assert_int_equal(now.io_scheduling_class, HOLDEN_io_class_BEST_EFFORT);
    assert_int_equal(now.cpu_scheduling_policy, HOLDEN_cpu_policy_IDLE);
    assert_false(now.cpu_scheduling_reset_on_fork);
    assert_true(HOLDEN_HAS(&now, properties, cpu_scheduling_reset_on_fork));
    assert_false(HOLDEN_HAS(&now, properties, cpu_scheduling_priority));
    assert_int_equal(now.cpu_affinity.size, 1);
    close_scene(&scene);
}

TEST(what_the_kernel_does_not_take_is_refused_by_name) {
    struct scene scene;
    open_scene(&scene);
    WANT(cpu_affinity, (struct holden_view){"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 17});
    assert_true(apply(&scene) < 0);
    assert_string_equal(scene.failure.step, "CPUAffinity");
    scene.wanted = (struct holden_properties){0};
    /* Part of it would be in force, silently. */
    WANT(cpu_affinity, (struct holden_view){"\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 17});
    assert_true(apply(&scene) < 0);
    assert_non_null(strstr(scene.failure.text, "not all of these CPUs are there"));
    scene.wanted = (struct holden_properties){0};
    WANT(cpu_scheduling_priority, 5);
    assert_true(apply(&scene) < 0);
    assert_non_null(strstr(scene.failure.text, "fifo and rr only"));
    close_scene(&scene);
}

/* Pids of nobody, and of who has ended but was not waited for. */
TEST(who_has_ended_needs_nothing) {
    struct scene scene;
    char text[32];
    open_scene(&scene);
    pid_t zombie = fork();
    assert_true(zombie >= 0);
    if (zombie == 0)
        _exit(0);
    siginfo_t info;
    assert_int_equal(waitid(P_PID, (id_t)zombie, &info, WEXITED | WNOWAIT), 0);
    snprintf(text, sizeof(text), "%d\n%d\n%d\n", (int)zombie, (int)scene.pid, 4194304);
    scratch_write(&scene.scratch, "cgroup.procs", text);
    WANT(nice, 3);
    WANT(oom_score_adjust, 100);
    WANT(timer_slack, 60000);
    assert_int_equal(apply(&scene), 0);
    assert_int_equal(getpriority(PRIO_PROCESS, (id_t)scene.pid), 3);
    waitpid(zombie, NULL, 0);
    close_scene(&scene);
}

/* What can change on a process that runs lies in its cgroup, in the agent, or is known here. */
TEST(what_is_live_can_be_given) {
    for (size_t i = 0; i < HOLDEN_PROPERTIES; i++)
        if (holden_property(i)->live != (holden_property(i)->home == HOLDEN_HOME_CGROUP ||
                                         holden_property(i)->home == HOLDEN_HOME_AGENT))
            assert_int_equal(holden_property(i)->live, attributes_known(i));
}

UNIT_MAIN
