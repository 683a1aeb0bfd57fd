/* Changing the limits of a live process: all or none, read back, taken back by itself. */
#include "agent/constrain.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/state.h"
#include "protocol/property.h"
#include "stage.h"
#include "suite.h"

static const char *const files[] = {"memory.max", "memory.high", "pids.max",
                                    "cpu.max",    "cpu.weight",  "cpuset.cpus"};

struct scene {
    struct stage stage;
    struct guest guest;
    struct process *process;
    struct holden_properties wanted, before, after;
    uint64_t duration;
    bool dry_run;
};

/* A process with limits of its own, whose cgroup has them. */
static void open_scene(struct scene *scene) {
    struct holden_properties own = {0};
    memset(scene, 0, sizeof(*scene));
    stage_open(&scene->stage);
    stage_guest(&scene->stage, &scene->guest, 0);
    scene->stage.agent->hierarchy.controllers =
        CGROUP_CPU | CGROUP_CPUSET | CGROUP_MEMORY | CGROUP_PIDS;
    scratch_make(&scene->stage.scratch, "cgroup/1-web");
    for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
        char name[64];
        snprintf(name, sizeof(name), "cgroup/1-web/%s", files[i]);
        scratch_write(&scene->stage.scratch, name, "max");
    }
    scratch_write(&scene->stage.scratch, "cgroup/1-web/pids.max", "100");
    scratch_write(&scene->stage.scratch, "cgroup/1-web/cpuset.cpus", "");
    HOLDEN_SET(&own, properties, tasks_max, 100);
    scene->process = stage_process(&scene->stage, "web", HOLDEN_state_RUNNING, 0);
    stage_settings(scene->process, &own);
}

static void close_scene(struct scene *scene) {
    guest_close(&scene->guest);
    stage_close(&scene->stage);
}

static void file_is(const struct scene *scene, const char *file, const char *expected) {
    char name[64], text[64];
    snprintf(name, sizeof(name), "cgroup/1-web/%s", file);
    assert_string_equal(scratch_read(&scene->stage.scratch, name, text, sizeof(text)), expected);
}

#define WANT(member, ...) HOLDEN_SET(&scene.wanted, properties, member, __VA_ARGS__)

static uint32_t ask(struct scene *scene) {
    struct holden_constrain request = {0};
    HOLDEN_SET(&request, constrain, name, holden_view("web"));
    HOLDEN_SET(&request, constrain, properties, (struct holden_nested){.value = &scene->wanted});
    HOLDEN_SET(&request, constrain, dry_run, scene->dry_run);
    HOLDEN_SET(&request, constrain, duration, scene->duration);
    uint32_t id = guest_ask(&scene->guest, HOLDEN_MESSAGE_constrain, &request, NULL, 0);
    scene->wanted = (struct holden_properties){0};
    return id;
}

static void constrained(struct scene *scene) {
    struct holden_constrained answer;
    struct holden_fault fault;
    guest_expect(&scene->guest, HOLDEN_MESSAGE_constrained, ask(scene), &answer);
    assert_int_equal(holden_decode(&holden_record_properties, answer.before.bytes.data,
                                   answer.before.bytes.size, &scene->before, &fault),
                     0);
    assert_int_equal(holden_decode(&holden_record_properties, answer.after.bytes.data,
                                   answer.after.bytes.size, &scene->after, &fault),
                     0);
}

static void refused(struct scene *scene, uint32_t code, const char *words) {
    guest_refused(&scene->guest, ask(scene), code, words);
}

/* What a restart would give it. */
static struct holden_properties kept(const struct scene *scene) {
    struct holden_start start;
    struct holden_properties properties;
    process_request(scene->process, &start, &properties);
    return properties;
}

TEST(changed_read_back_and_written_down) {
    struct scene scene;
    open_scene(&scene);
    WANT(tasks_max, 50);
    WANT(memory_max, 1 << 20);
    scratch_write(&scene.stage.scratch, "cgroup/1-web/pids.max",
                  "99"); /* the kernel's word counts */
    constrained(&scene);
    assert_int_equal(scene.before.tasks_max, 99);
    assert_true(scene.before.memory_max == UINT64_MAX);
    assert_false(HOLDEN_HAS(&scene.before, properties, cpu_quota));
    assert_int_equal(scene.after.tasks_max, 50);
    assert_int_equal(scene.after.memory_max, 1 << 20);
    file_is(&scene, "pids.max", "50");
    file_is(&scene, "memory.max", "1048576");
    assert_int_equal(kept(&scene).tasks_max, 50);
    assert_int_equal(kept(&scene).memory_max, 1 << 20);
    assert_int_equal(faccessat(scene.stage.agent->store.records, "1", F_OK, 0), 0);
    assert_null(scene.process->temporary);
    close_scene(&scene);
}

TEST(settings_of_the_agent_itself) {
    struct scene scene;
    open_scene(&scene);
    scene.process->started_monotonic = UINT64_MAX / 4;
    WANT(runtime_max, 3600 * UINT64_C(1000000));
    WANT(log_max, 8192);
    WANT(kill_signal, 2);
    constrained(&scene);
    assert_true(scene.before.runtime_max == UINT64_MAX);
    assert_int_equal(scene.before.log_max, 1 << 20);
    assert_int_equal(scene.before.kill_signal, 15);
    assert_int_equal(scene.after.kill_signal, 2);
    assert_non_null(scene.process->limit);
    assert_int_equal(kept(&scene).log_max, 8192);
    WANT(runtime_max, UINT64_MAX);
    constrained(&scene);
    assert_null(scene.process->limit);
    close_scene(&scene);
}

TEST(a_dry_run_changes_nothing) {
    struct scene scene;
    open_scene(&scene);
    uint64_t told = scene.stage.agent->events.ring.last;
    scene.dry_run = true;
    WANT(tasks_max, 50);
    constrained(&scene);
    assert_int_equal(scene.before.tasks_max, 100);
    assert_int_equal(scene.after.tasks_max, 50);
    file_is(&scene, "pids.max", "100");
    assert_int_equal(kept(&scene).tasks_max, 100);
    assert_int_equal(scene.stage.agent->events.ring.last, told);
    close_scene(&scene);
}

TEST(all_or_none) {
    struct scene scene;
    open_scene(&scene);
    WANT(memory_max, 1 << 20);
    WANT(tasks_max, 50);
    scratch_write(&scene.stage.scratch, "cgroup/1-web/memory.max",
                  "0"); /* room for what is written back */
    assert_int_equal(unlinkat(scene.stage.scratch.directory, "cgroup/1-web/pids.max", 0), 0);
    refused(&scene, HOLDEN_code_FAILED, "pids.max");
    assert_int_equal(kept(&scene).tasks_max, 100);
    struct holden_properties now = kept(&scene);
    assert_false(HOLDEN_HAS(&now, properties, memory_max));
    close_scene(&scene);
}

TEST(what_cannot_be_written_down_is_not_done) {
    struct scene scene;
    open_scene(&scene);
    scratch_make(&scene.stage.scratch, "state/records/1.new");
    WANT(tasks_max, 500);
    refused(&scene, HOLDEN_code_FAILED, "cannot write the record of web");
    file_is(&scene, "pids.max", "100");
    assert_int_equal(kept(&scene).tasks_max, 100);
    close_scene(&scene);
}

TEST(what_makes_no_sense) {
    struct scene scene;
    open_scene(&scene);
    refused(&scene, HOLDEN_code_INVALID, "no limit is named");
    WANT(umask, 3);
    refused(&scene, HOLDEN_code_INVALID, "UMask= cannot be changed while the process runs");
    WANT(tasks_max, 0);
    refused(&scene, HOLDEN_code_INVALID, "out of range");
    WANT(io_weight, 50);
    refused(&scene, HOLDEN_code_UNSUPPORTED, "io controller");
    state_recover(scene.process, HOLDEN_state_STOPPING);
    WANT(tasks_max, 50);
    refused(&scene, HOLDEN_code_WRONG_STATE, "web is stopping");
    state_recover(scene.process, HOLDEN_state_FAILED);
    WANT(tasks_max, 50);
    refused(&scene, HOLDEN_code_WRONG_STATE, "web is failed");
    file_is(&scene, "pids.max", "100");
    close_scene(&scene);
}

/* ---- for a time ---- */

enum { HOUR = 3600 };

/* The time is over now. */
static void elapse(struct scene *scene) {
    assert_non_null(scene->process->temporary);
    assert_int_equal(sd_event_source_set_time(scene->process->temporary->timer, 1), 0);
    GUEST_UNTIL(scene->stage.agent->event, !scene->process->temporary);
}

TEST(taken_back_by_itself) {
    struct scene scene;
    open_scene(&scene);
    scene.duration = UINT64_C(1000000) * HOUR;
    WANT(tasks_max, 200);
    WANT(allowed_cpus, (struct holden_view){"\3", 1});
    constrained(&scene);
    file_is(&scene, "pids.max", "200");
    file_is(&scene, "cpuset.cpus", "0-1");
    uint64_t told = scene.stage.agent->events.ring.last;
    scratch_write(&scene.stage.scratch, "cgroup/1-web/cpuset.cpus",
                  "0"); /* what is written fits over it */
    elapse(&scene);
    file_is(&scene, "pids.max", "100");
    file_is(&scene, "cpuset.cpus", "");
    assert_int_equal(kept(&scene).tasks_max, 100);
    assert_int_equal(scene.stage.agent->events.ring.last, told + 1);
    close_scene(&scene);
}

TEST(a_second_one_starts_from_what_was_before_the_first) {
    struct scene scene;
    open_scene(&scene);
    scene.duration = UINT64_C(1000000) * HOUR;
    WANT(tasks_max, 200);
    constrained(&scene);
    scene.duration = UINT64_C(1000000) * HOUR;
    WANT(tasks_max, 300);
    constrained(&scene);
    assert_int_equal(scene.before.tasks_max, 100);
    file_is(&scene, "pids.max", "300");
    elapse(&scene);
    file_is(&scene, "pids.max", "100");
    close_scene(&scene);
}

TEST(one_for_good_ends_the_one_for_a_time) {
    struct scene scene;
    open_scene(&scene);
    scene.duration = UINT64_C(1000000) * HOUR;
    WANT(tasks_max, 200);
    constrained(&scene);
    scene.duration = 0;
    WANT(tasks_max, 300);
    constrained(&scene);
    assert_null(scene.process->temporary);
    file_is(&scene, "pids.max", "300");
    assert_int_equal(kept(&scene).tasks_max, 300);
    close_scene(&scene);
}

TEST(a_time_too_long_is_refused_and_nothing_changed) {
    struct scene scene;
    open_scene(&scene);
    scene.duration = UINT64_MAX - 1;
    WANT(tasks_max, 200);
    refused(&scene, HOLDEN_code_FAILED, "take it back");
    file_is(&scene, "pids.max", "100");
    assert_int_equal(kept(&scene).tasks_max, 100);
    assert_null(scene.process->temporary);
    close_scene(&scene);
}

UNIT_MAIN
