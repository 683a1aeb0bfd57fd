/* Figures, read from plain files in place of a cgroup's. */
#include "agent/usage.h"

#include "agent/machine.h"
#include "common/file.h"
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
        {"memory.stat", "anon 5000\nfile 3000\nkernel 192\nfile_mapped 7\n"},
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
    usage_read(&all, scratch.directory, NULL, USAGE_ALL, &usage);
    /* What the cgroup does not tell is in the last fields. */
    for (size_t i = 0; i < HOLDEN_INDEX(usage, network_received); i++)
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
    assert_int_equal(usage.memory_anonymous, 5000);
    assert_int_equal(usage.memory_file, 3000);
    assert_int_equal(usage.memory_high_hits, 2);
    assert_int_equal(usage.memory_max_hits, 3);
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
    usage_read(&all, scratch.directory, NULL, USAGE_ENDED, &usage);
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
    usage_read(&all, scratch.directory, NULL, USAGE_ALL, &usage);
    for (size_t i = 0; i < holden_record_usage.count; i++)
        assert_int_equal(holden_has(&usage, i), i == HOLDEN_INDEX(usage, at));
    scratch_write(&scratch, "cpu.stat", "usage_usec 5\nuser_usecs 3\n");
    scratch_write(&scratch, "pids.events", "");
    usage_read(&all, scratch.directory, NULL, USAGE_ALL, &usage);
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
    usage_read(&none, scratch.directory, NULL, USAGE_ALL, &usage);
    assert_int_equal(usage.cpu, 1000); /* cpu.stat is there without its controller */
    assert_false(HOLDEN_HAS(&usage, usage, memory));
    assert_false(HOLDEN_HAS(&usage, usage, tasks_peak));
    assert_false(HOLDEN_HAS(&usage, usage, io_read));
    scratch_close(&scratch);
}

TEST(files_that_are_kept_open_are_read_from_there) {
    struct scratch scratch;
    struct holden_usage usage;
    struct usage_kept kept = {.most = 3};
    struct usage_files files;
    uint64_t cpu;
    scratch_open(&scratch);
    fill(&scratch);
    usage_files_init(&files, &kept);
    usage_read(&all, scratch.directory, &files, USAGE_ALL, &usage);
    assert_int_equal(kept.open, 3);
    assert_false(usage_complete(&all, &files));
    kept.most = USAGE_OFTEN;
    usage_read(&all, scratch.directory, &files, USAGE_ALL, &usage);
    assert_int_equal(kept.open, USAGE_OFTEN);
    assert_true(usage_complete(&all, &files));
    assert_int_equal(file_write(scratch.directory, "cpu.stat",
                                "usage_usec 2000\nuser_usec 600\nsystem_usec 700\n"),
                     0);
    scratch_write(&scratch, "memory.peak", "65536\n");
    assert_int_equal(usage_cpu(files.fd[USAGE_CPU], &cpu), 0);
    assert_int_equal(cpu, 2000);
    /* Without the directory: what is not kept stays as it was. */
    usage_read(&all, -1, &files, USAGE_FEW, &usage);
    assert_int_equal(usage.cpu_system, 700);
    assert_int_equal(usage.memory, 8192);
    assert_int_equal(usage.memory_peak, 16384);
    assert_int_equal(usage.io_written, 222);
    usage_files_close(&files, USAGE_MEMORY);
    assert_int_equal(kept.open, 1);
    usage_files_close(&files, USAGE_CPU);
    assert_int_equal(kept.open, 0);
    scratch_close(&scratch);
}

TEST(what_each_device_has_done) {
    struct scratch scratch;
    struct holden_device_io devices[4];
    scratch_open(&scratch);
    assert_int_equal(usage_devices(scratch.directory, devices, 4), 0);
    fill(&scratch);
    assert_int_equal(usage_devices(scratch.directory, devices, 1), 1);
    assert_int_equal(usage_devices(scratch.directory, devices, 4), 2);
    assert_int_equal(devices[1].major, 8);
    assert_int_equal(devices[1].minor, 16);
    assert_int_equal(devices[1].read, 11);
    assert_int_equal(devices[1].written, 22);
    assert_int_equal(devices[1].reads, 1);
    assert_int_equal(devices[1].writes, 2);
    /* A device that has done nothing has no figures behind its number. */
    scratch_write(&scratch, "io.stat",
                  "7:0 \n8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0\n");
    assert_int_equal(usage_devices(scratch.directory, devices, 4), 1);
    assert_int_equal(devices[0].writes, 4);
    scratch_close(&scratch);
}

UNIT_MAIN
