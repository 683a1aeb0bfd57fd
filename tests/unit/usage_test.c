/* Figures, read from plain files in place of a cgroup's. */
#include "agent/usage.h"

#include "agent/machine.h"
#include "scratch.h"
#include "suite.h"

static const struct hierarchy all = {.controllers = CGROUP_CPU | CGROUP_CPUSET | CGROUP_MEMORY |
                                                    CGROUP_PIDS | CGROUP_IO};

static void fill(const struct scratch *scratch) {
    static const struct {
        const char *file, *text;
    } files[] = {
        {"cpu.stat",
         "usage_usec 1000\nuser_usec 600\nsystem_usec 400\nnr_periods 9\nnr_throttled 2\n"
         "throttled_usec 77\n"},
        {"memory.current", "8192\n"},
        {"memory.peak", "16384\n"},
        {"memory.swap.current", "4096\n"},
        {"memory.events", "low 1\nhigh 2\nmax 3\noom 4\noom_kill 5\noom_group_kill 6\n"},
        {"pids.current", "3\n"},
        {"pids.peak", "4\n"},
        {"pids.events", "max 6\n"},
        {"io.stat", "8:0 rbytes=100 wbytes=200 rios=1 wios=2 dbytes=0 dios=0\n"
                    "8:16 rbytes=11 wbytes=22 rios=1 wios=2 dbytes=900 dios=0\n"},
        {"cpu.pressure", "some avg10=0.00 avg60=0.00 avg300=0.00 total=31\n"
                         "full avg10=0.00 avg60=0.00 avg300=0.00 total=1\n"},
        {"memory.pressure", "some avg10=0.00 avg60=0.00 avg300=0.00 total=32\n"},
        {"io.pressure", "some avg10=0.00 avg60=0.00 avg300=0.00 total=33\n"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(files); i++)
        scratch_write(scratch, files[i].file, files[i].text);
}

TEST(every_figure) {
    struct scratch scratch;
    struct holden_usage usage;
    uint64_t before = machine_monotonic();
    scratch_open(&scratch);
    fill(&scratch);
    usage_read(&all, scratch.directory, false, &usage);
    for (size_t i = 0; i < HOLDEN_INDEX(usage, ip_ingress); i++)
        assert_true(holden_has(&usage, i));
    assert_true(usage.at >= before && usage.at <= machine_monotonic());
    assert_int_equal(usage.cpu, 1000);
    assert_int_equal(usage.cpu_user, 600);
    assert_int_equal(usage.cpu_system, 400);
    assert_int_equal(usage.throttled, 77);
    assert_int_equal(usage.memory, 8192);
    assert_int_equal(usage.memory_peak, 16384);
    assert_int_equal(usage.swap, 4096);
    assert_int_equal(usage.oom_kills, 5);
    assert_int_equal(usage.tasks, 3);
    assert_int_equal(usage.tasks_peak, 4);
    assert_int_equal(usage.tasks_refused, 6);
    assert_int_equal(usage.io_read, 111);
    assert_int_equal(usage.io_written, 222);
    assert_int_equal(usage.stall_cpu, 31);
    assert_int_equal(usage.stall_memory, 32);
    assert_int_equal(usage.stall_io, 33);
    scratch_close(&scratch);
}

TEST(what_has_ended_uses_nothing_now) {
    struct scratch scratch;
    struct holden_usage usage;
    scratch_open(&scratch);
    fill(&scratch);
    usage_read(&all, scratch.directory, true, &usage);
    assert_false(HOLDEN_HAS(&usage, usage, memory));
    assert_false(HOLDEN_HAS(&usage, usage, swap));
    assert_false(HOLDEN_HAS(&usage, usage, tasks));
    assert_int_equal(usage.memory_peak, 16384);
    assert_int_equal(usage.tasks_peak, 4);
    assert_int_equal(usage.cpu, 1000);
    scratch_close(&scratch);
}

TEST(what_the_machine_cannot_tell_is_left_out) {
    struct scratch scratch;
    struct holden_usage usage;
    scratch_open(&scratch);
    usage_read(&all, scratch.directory, false, &usage);
    for (size_t i = 0; i < HOLDEN_INDEX(usage, ip_ingress); i++)
        assert_int_equal(holden_has(&usage, i), i == HOLDEN_INDEX(usage, at));
    scratch_write(&scratch, "cpu.stat", "usage_usec 5\nuser_usecs 3\n");
    scratch_write(&scratch, "pids.events", "");
    usage_read(&all, scratch.directory, false, &usage);
    assert_int_equal(usage.cpu, 5);
    assert_false(HOLDEN_HAS(&usage, usage, cpu_user));
    assert_false(HOLDEN_HAS(&usage, usage, tasks_refused));
    scratch_close(&scratch);
}

TEST(controllers_that_are_missing_are_not_asked) {
    struct scratch scratch;
    struct holden_usage usage;
    const struct hierarchy none = {0};
    scratch_open(&scratch);
    fill(&scratch);
    usage_read(&none, scratch.directory, false, &usage);
    assert_int_equal(usage.cpu, 1000); /* cpu.stat is there without its controller */
    assert_false(HOLDEN_HAS(&usage, usage, memory));
    assert_false(HOLDEN_HAS(&usage, usage, tasks_peak));
    assert_false(HOLDEN_HAS(&usage, usage, io_read));
    scratch_close(&scratch);
}

UNIT_MAIN
