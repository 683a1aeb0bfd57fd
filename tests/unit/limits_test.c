/* Limits, with plain files in place of a cgroup's: what is written is there to be read back, and
 * what a file holds beyond what was written is a kernel that does not do as it was told. */
#include "agent/limits.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/machine.h"
#include "protocol/property.h"
#include "scratch.h"
#include "settings.h"
#include "suite.h"

enum { ALL = CGROUP_CPU | CGROUP_CPUSET | CGROUP_MEMORY | CGROUP_PIDS | CGROUP_IO };

static const char *const files[] = {
    "memory.max", "memory.high", "memory.low",  "memory.min", "memory.swap.max", "memory.oom.group",
    "cpu.max",    "cpu.weight",  "cpuset.cpus", "pids.max",   "io.weight",       "io.max"};

static const struct hierarchy all = {
    .controllers = ALL, .offered = ALL, .path = (char *)(uintptr_t) "/here"};

struct cgroup {
    struct scratch scratch;
    struct holden_properties wanted;
};

static void cgroup_begin(struct cgroup *cgroup) {
    *cgroup = (struct cgroup){0};
    scratch_open(&cgroup->scratch);
    for (size_t i = 0; i < ARRAY_SIZE(files); i++)
        scratch_write(&cgroup->scratch, files[i], "");
    scratch_write(&cgroup->scratch, "cpu.max", "max 100000\n");
}

/* Applies what is wanted, and forgets it. */
static void applied(struct cgroup *cgroup, const char *file, const char *text) {
    struct wire wire = {0};
    struct failure failure = {0};
    char found[256];
    int r =
        limits_apply(&all, cgroup->scratch.directory, wire_pass(&wire, &cgroup->wanted), &failure);
    if (r < 0)
        print_message("refused: %s: %s\n", failure.step, failure.text);
    assert_int_equal(r, 0);
    assert_string_equal(scratch_read(&cgroup->scratch, file, found, sizeof(found)), text);
    wire_free(&wire);
    cgroup->wanted = (struct holden_properties){0};
    for (size_t i = 0; i < ARRAY_SIZE(files); i++)
        if (strcmp(files[i], "cpu.max") != 0)
            scratch_write(&cgroup->scratch, files[i], "");
}

static void refused(struct cgroup *cgroup, const struct hierarchy *hierarchy, uint32_t code,
                    const char *step, const char *words) {
    struct wire wire = {0};
    struct failure failure = {0};
    assert_int_equal(limits_apply(hierarchy, cgroup->scratch.directory,
                                  wire_pass(&wire, &cgroup->wanted), &failure),
                     -EREMOTEIO);
    if (failure.code != code || strcmp(failure.step, step) != 0 || !strstr(failure.text, words))
        fail_msg("%u: %s: %s", failure.code, failure.step, failure.text);
    wire_free(&wire);
    cgroup->wanted = (struct holden_properties){0};
}

#define WANT(member, ...) HOLDEN_SET(&cgroup.wanted, properties, member, __VA_ARGS__)

TEST(memory_in_whole_pages) {
    struct cgroup cgroup;
    char text[32];
    cgroup_begin(&cgroup);
    WANT(memory_max, 100 << 20);
    applied(&cgroup, "memory.max", "104857600");
    WANT(memory_high, machine_page() * 3 + 17);
    snprintf(text, sizeof(text), "%lu", machine_page() * 3);
    applied(&cgroup, "memory.high", text);
    WANT(memory_swap_max, 0);
    applied(&cgroup, "memory.swap.max", "0");
    WANT(memory_max, UINT64_MAX);
    applied(&cgroup, "memory.max", "max");
    WANT(memory_low, HOLDEN_SHARE_BIT | 5000);
    uint64_t half = machine_memory() / 2;
    snprintf(text, sizeof(text), "%lu", half - half % machine_page());
    applied(&cgroup, "memory.low", text);
    scratch_close(&cgroup.scratch);
}

TEST(tasks) {
    struct cgroup cgroup;
    char text[32];
    cgroup_begin(&cgroup);
    WANT(tasks_max, 17);
    applied(&cgroup, "pids.max", "17");
    WANT(tasks_max, UINT64_MAX);
    applied(&cgroup, "pids.max", "max");
    WANT(tasks_max, HOLDEN_SHARE_BIT | 100);
    snprintf(text, sizeof(text), "%lu", machine_tasks() / 100);
    applied(&cgroup, "pids.max", text);
    scratch_close(&cgroup.scratch);
}

TEST(a_quota_is_a_quota_and_no_weight) {
    struct cgroup cgroup;
    cgroup_begin(&cgroup);
    scratch_write(&cgroup.scratch, "cpu.max", "max 100000");
    WANT(cpu_quota, 500000);
    applied(&cgroup, "cpu.max", "50000 100000");
    scratch_write(&cgroup.scratch, "cpu.max", "max 100000");
    WANT(cpu_quota, 2500000);
    WANT(cpu_quota_period, 10000);
    applied(&cgroup, "cpu.max", "25000 10000");
    scratch_write(&cgroup.scratch, "cpu.max", "max 100000");
    WANT(cpu_quota, 1000); /* less than the kernel takes */
    applied(&cgroup, "cpu.max", "1000 100000");
    scratch_write(&cgroup.scratch, "cpu.max", "max 5000");
    WANT(cpu_quota, UINT64_MAX);
    WANT(cpu_quota_period, 50000);
    applied(&cgroup, "cpu.max", "max 50000");
    scratch_close(&cgroup.scratch);
}

TEST(a_period_alone_leaves_the_quota_in_force) {
    struct cgroup cgroup;
    cgroup_begin(&cgroup);
    scratch_write(&cgroup.scratch, "cpu.max", "20000 100000");
    WANT(cpu_quota_period, 500000);
    applied(&cgroup, "cpu.max", "100000 500000");
    WANT(cpu_quota, 300000);
    applied(&cgroup, "cpu.max", "150000 500000");
    scratch_close(&cgroup.scratch);
}

TEST(weights_and_idle) {
    struct cgroup cgroup;
    char text[32];
    cgroup_begin(&cgroup);
    WANT(cpu_weight, 1);
    applied(&cgroup, "cpu.weight", "1");
    WANT(io_weight, 250);
    applied(&cgroup, "io.weight", "default 250");
    scratch_write(&cgroup.scratch, "cpu.idle", "0");
    WANT(cpu_weight, 0);
    applied(&cgroup, "cpu.idle", "1");
    WANT(cpu_weight, 300);
    applied(&cgroup, "cpu.weight", "300");
    assert_string_equal(scratch_read(&cgroup.scratch, "cpu.idle", text, sizeof(text)), "0");
    scratch_close(&cgroup.scratch);
}

TEST(idle_where_the_kernel_lacks_it) {
    struct cgroup cgroup;
    cgroup_begin(&cgroup);
    WANT(cpu_weight, 0);
    refused(&cgroup, &all, HOLDEN_code_FAILED, "CPUWeight", "cpu.idle");
    scratch_close(&cgroup.scratch);
}

TEST(cpus_and_oom_policy) {
    struct cgroup cgroup;
    cgroup_begin(&cgroup);
    WANT(allowed_cpus, (struct holden_view){"\x0b\x01", 2});
    applied(&cgroup, "cpuset.cpus", "0-1,3,8");
    WANT(oom_policy, HOLDEN_oom_policy_KILL);
    applied(&cgroup, "memory.oom.group", "1");
    WANT(oom_policy, HOLDEN_oom_policy_STOP);
    refused(&cgroup, &all, HOLDEN_code_UNSUPPORTED, "OOMPolicy", "not supported yet");
    WANT(oom_policy, HOLDEN_oom_policy_CONTINUE);
    applied(&cgroup, "memory.oom.group", "0");
    scratch_close(&cgroup.scratch);
}

/* One limit, on device 8:0. */
#define DEVICE(limit)                                                                              \
    (struct holden_repeated) {                                                                     \
        .count = 1, .items = &(const struct holden_nested) {                                       \
            .value = &(struct holden_device_limit) {                                               \
                {7}, 8, 0, limit                                                                   \
            }                                                                                      \
        }                                                                                          \
    }

TEST(io_by_device) {
    struct cgroup cgroup;
    cgroup_begin(&cgroup);
    WANT(io_read_bandwidth_max, DEVICE(1 << 20));
    applied(&cgroup, "io.max", "8:0 rbps=1048576");
    WANT(io_write_iops_max, DEVICE(120));
    applied(&cgroup, "io.max", "8:0 wiops=120");
    WANT(io_write_bandwidth_max, DEVICE(UINT64_MAX));
    applied(&cgroup, "io.max", "8:0 wbps=max");
    scratch_close(&cgroup.scratch);
}

TEST(io_in_force_is_looked_for_by_device_and_key) {
    struct cgroup cgroup;
    cgroup_begin(&cgroup);
    scratch_write(&cgroup.scratch, "io.max", "8:0 rbps=12345 wbps=max riops=max wiops=max");
    WANT(io_read_bandwidth_max,
         DEVICE(1234)); /* it writes over the beginning: 8:0 rbps=12345 stays */
    refused(&cgroup, &all, HOLDEN_code_FAILED, "IOReadBandwidthMax", "in force");
    scratch_write(&cgroup.scratch, "io.max", "18:0 rbps=1\n8:0 rbps=98\n");
    WANT(io_read_bandwidth_max, DEVICE(99)); /* 8:0 rbps=99 takes the place of the first line */
    applied(&cgroup, "io.max", "8:0 rbps=99\n8:0 rbps=98");
    scratch_write(&cgroup.scratch, "io.max", "");
    scratch_close(&cgroup.scratch);
}

TEST(what_is_not_in_force_is_refused) {
    struct cgroup cgroup;
    cgroup_begin(&cgroup);
    scratch_write(&cgroup.scratch, "memory.max", "0000000000000000");
    WANT(memory_max, 1 << 20);
    refused(&cgroup, &all, HOLDEN_code_FAILED, "MemoryMax", "has 1048576000000000 in force");
    scratch_write(&cgroup.scratch, "io.weight", "default 1234");
    WANT(io_weight, 12);
    refused(&cgroup, &all, HOLDEN_code_FAILED, "IOWeight", "in force");
    scratch_close(&cgroup.scratch);
}

TEST(what_cannot_be_written_is_refused) {
    struct cgroup cgroup;
    cgroup_begin(&cgroup);
    unlinkat(cgroup.scratch.directory, "memory.max", 0);
    WANT(memory_max, 1 << 20);
    refused(&cgroup, &all, HOLDEN_code_FAILED, "MemoryMax", "memory.max: No such file");
    scratch_make(&cgroup.scratch, "memory.max");
    WANT(memory_max, 1 << 20);
    refused(&cgroup, &all, HOLDEN_code_FAILED, "MemoryMax", "Is a directory");
    scratch_close(&cgroup.scratch);
}

TEST(a_missing_controller_is_refused_with_the_remedy) {
    struct cgroup cgroup;
    struct hierarchy hierarchy = all;
    cgroup_begin(&cgroup);
    hierarchy.controllers = ALL & ~CGROUP_MEMORY;
    WANT(memory_max, 1);
    refused(&cgroup, &hierarchy, HOLDEN_code_UNSUPPORTED, "MemoryMax",
            "memory controller is not delegated to /here");
    hierarchy.offered = hierarchy.controllers;
    WANT(memory_high, 1);
    refused(&cgroup, &hierarchy, HOLDEN_code_UNSUPPORTED, "MemoryHigh",
            "offers no memory controller");
    hierarchy.hybrid = true;
    WANT(oom_policy, HOLDEN_oom_policy_KILL);
    refused(&cgroup, &hierarchy, HOLDEN_code_UNSUPPORTED, "OOMPolicy", "held by cgroup v1");
    hierarchy.controllers = hierarchy.offered = 0;
    static const struct {
        size_t index;
        const char *words;
    } rows[] = {
        {HOLDEN_INDEX(properties, cpu_quota), "the cpu controller"},
        {HOLDEN_INDEX(properties, cpu_quota_period), "the cpu controller"},
        {HOLDEN_INDEX(properties, cpu_weight), "the cpu controller"},
        {HOLDEN_INDEX(properties, allowed_cpus), "the cpuset controller"},
        {HOLDEN_INDEX(properties, tasks_max), "the pids controller"},
        {HOLDEN_INDEX(properties, io_weight), "the io controller"},
        {HOLDEN_INDEX(properties, memory_swap_max), "the memory controller"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        holden_mark(&cgroup.wanted, rows[i].index);
        if (rows[i].index == HOLDEN_INDEX(properties, allowed_cpus))
            WANT(allowed_cpus, holden_view("\1"));
        refused(&cgroup, &hierarchy, HOLDEN_code_UNSUPPORTED, holden_property(rows[i].index)->name,
                rows[i].words);
    }
    scratch_close(&cgroup.scratch);
}

TEST(what_holds_without_the_controller_needs_none) {
    struct cgroup cgroup;
    struct failure failure;
    const struct hierarchy none = {.path = all.path};
    cgroup_begin(&cgroup);
    WANT(oom_policy, HOLDEN_oom_policy_CONTINUE);
    WANT(nice, 5);
    WANT(runtime_max, 5);
    assert_int_equal(limits_check(&none, &cgroup.wanted, &failure), 0);
    assert_int_equal(limits_apply(&none, cgroup.scratch.directory, &cgroup.wanted, &failure), 0);
    scratch_close(&cgroup.scratch);
}

TEST(read_as_they_are) {
    struct cgroup cgroup;
    struct holden_properties now = {0};
    _cleanup_(buffer_free) struct buffer memory = {0};
    cgroup_begin(&cgroup);
    scratch_write(&cgroup.scratch, "memory.max", "max");
    scratch_write(&cgroup.scratch, "memory.high", "8192\n");
    scratch_write(&cgroup.scratch, "cpu.max", "30000 200000");
    scratch_write(&cgroup.scratch, "cpu.weight", "77");
    scratch_write(&cgroup.scratch, "io.weight", "default 60\n8:0 10");
    scratch_write(&cgroup.scratch, "cpuset.cpus", "0,2-3");
    scratch_write(&cgroup.scratch, "memory.oom.group", "1");
    WANT(memory_max, 1);
    WANT(memory_high, 1);
    WANT(cpu_quota, 1000);
    WANT(cpu_quota_period, 1000);
    WANT(cpu_weight, 1);
    WANT(io_weight, 1);
    WANT(allowed_cpus, holden_view(""));
    WANT(oom_policy, 0);
    WANT(io_read_bandwidth_max, DEVICE(1));
    WANT(nice, 1);
    limits_read(cgroup.scratch.directory, &cgroup.wanted, &now, &memory);
    assert_true(now.memory_max == UINT64_MAX);
    assert_int_equal(now.memory_high, 8192);
    assert_int_equal(now.cpu_quota, 150000);
    assert_int_equal(now.cpu_quota_period, 200000);
    assert_int_equal(now.cpu_weight, 77);
    assert_int_equal(now.io_weight, 60);
    assert_int_equal(now.allowed_cpus.size, 1);
    assert_int_equal(now.allowed_cpus.data[0], 0xd);
    assert_int_equal(now.oom_policy, HOLDEN_oom_policy_KILL);
    assert_false(HOLDEN_HAS(&now, properties, tasks_max));
    assert_false(HOLDEN_HAS(&now, properties, io_read_bandwidth_max));
    assert_false(HOLDEN_HAS(&now, properties, nice));
    scratch_write(&cgroup.scratch, "cpu.idle", "1");
    limits_read(cgroup.scratch.directory, &cgroup.wanted, &now, &memory);
    assert_int_equal(now.cpu_weight, 0);
    scratch_close(&cgroup.scratch);
}

TEST(what_cannot_be_told_is_left_out) {
    struct cgroup cgroup;
    struct holden_properties now = {0};
    _cleanup_(buffer_free) struct buffer memory = {0};
    cgroup_begin(&cgroup);
    for (size_t i = 0; i < ARRAY_SIZE(files); i++)
        unlinkat(cgroup.scratch.directory, files[i], 0);
    for (size_t i = 0; i < HOLDEN_PROPERTIES; i++)
        holden_mark(&cgroup.wanted, i);
    limits_read(cgroup.scratch.directory, &cgroup.wanted, &now, &memory);
    for (size_t i = 0; i < HOLDEN_PROPERTIES; i++)
        assert_false(holden_has(&now, i));
    scratch_close(&cgroup.scratch);
}

TEST(defaults_are_those_of_a_fresh_cgroup) {
    struct cgroup cgroup = {0};
    struct holden_properties fresh = {0};
    for (size_t i = 0; i < HOLDEN_PROPERTIES; i++)
        holden_mark(&cgroup.wanted, i);
    HOLDEN_SET(&fresh, properties, tasks_max, 5);
    limits_default(&cgroup.wanted, &fresh);
    assert_int_equal(fresh.tasks_max, 5); /* what is there stays */
    assert_true(fresh.memory_max == UINT64_MAX && fresh.memory_swap_max == UINT64_MAX);
    assert_int_equal(fresh.memory_low, 0);
    assert_int_equal(fresh.memory_min, 0);
    assert_true(fresh.cpu_quota == UINT64_MAX);
    assert_int_equal(fresh.cpu_quota_period, 100000);
    assert_int_equal(fresh.cpu_weight, 100);
    assert_int_equal(fresh.io_weight, 100);
    assert_int_equal(fresh.allowed_cpus.size, 0);
    assert_int_equal(fresh.oom_policy, HOLDEN_oom_policy_CONTINUE);
    for (size_t i = 0; i < HOLDEN_PROPERTIES; i++)
        if (holden_property(i)->home != HOLDEN_HOME_CGROUP)
            assert_false(holden_has(&fresh, i));
}

UNIT_MAIN
