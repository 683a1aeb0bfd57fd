/* New limits, as typed into one line. */
#include <errno.h>
#include <string.h>

#include "monitor/constraint.h"
#include "suite.h"

#define MIB UINT64_C(1048576)
#define INDEX(member) HOLDEN_INDEX(properties, member)

static void reads(const char *text, size_t index, uint64_t number) {
    struct holden_properties limits;
    char wrong[CONSTRAINT_TEXT] = "";
    uint64_t read;
    assert_int_equal(constraint_parse(text, &limits, wrong), 0);
    assert_true(holden_has(&limits, index));
    memcpy(&read, (const char *)&limits + holden_record_properties.fields[index].offset,
           sizeof(read));
    assert_true(read == number);
}

static void refuses(const char *text, const char *why) {
    struct holden_properties limits;
    char wrong[CONSTRAINT_TEXT] = "";
    assert_int_equal(constraint_parse(text, &limits, wrong), -EINVAL);
    if (!strstr(wrong, why))
        fail_msg("'%s' is refused with '%s', not '%s'", text, wrong, why);
}

TEST(numbers_in_front_are_memory_and_cpu) {
    reads("100", INDEX(memory_max), 100 * MIB);
    reads("  100   50 ", INDEX(memory_max), 100 * MIB);
    reads("100 50", INDEX(cpu_quota), 500000);
    reads("100 12.5%", INDEX(cpu_quota), 125000);
    reads("100 200 TasksMax=7", INDEX(tasks_max), 7);
}

TEST(properties_are_read_by_their_syntax) {
    reads("MemoryMax=1.5G", INDEX(memory_max), 1536 * MIB);
    reads("MemoryMax=infinity", INDEX(memory_max), UINT64_MAX);
    reads("MemoryHigh=50%", INDEX(memory_high), HOLDEN_SHARE_BIT | 5000);
    reads("CPUQuota=150%", INDEX(cpu_quota), 1500000);
    reads("CPUQuota=infinity", INDEX(cpu_quota), UINT64_MAX);
    reads("CPUQuotaPeriodSec=20ms", INDEX(cpu_quota_period), 20000);
    reads("CPUWeight=idle", INDEX(cpu_weight), 0);
    reads("CPUWeight=10000", INDEX(cpu_weight), 10000);
    reads("IOWeight=1", INDEX(io_weight), 1);
    reads("TasksMax=10% MemoryMax=1M", INDEX(tasks_max), HOLDEN_SHARE_BIT | 1000);
}

TEST(what_makes_no_sense_is_refused_with_the_reason) {
    refuses("", "give MEMORY_MB");
    refuses("   ", "give MEMORY_MB");
    refuses("x", "not a number of MiB");
    refuses("-1", "not a number of MiB");
    refuses("100M", "not a number of MiB");
    refuses("100 x", "not a percentage");
    refuses("100 0", "out of range");
    refuses("100 50 25", "write Property=value");
    refuses("TasksMax=5 100", "write Property=value");
    refuses("99999999999999999999", "out of range");
    refuses("1 99999999999999999999", "out of range");
    refuses("18446744073709551615", "out of range");
    refuses("NoSuch=1", "no property NoSuch");
    refuses("UMask=5", "cannot change on a live process");
    refuses("RuntimeMaxSec=5", "cannot be set here");
    refuses("MemoryMax=", "not understood");
    refuses("MemoryMax=lots", "not understood");
    refuses("MemoryMax=101%", "out of range");
    refuses("CPUQuota=50", "not understood");
    refuses("CPUWeight=0", "out of range");
    refuses("IOWeight=idle", "not understood");
    refuses("TasksMax=0", "out of range");
    refuses("CPUQuotaPeriodSec=2", "out of range");
    refuses("100 MemoryMax=5M", "given twice");
    refuses("TasksMax=5 TasksMax=6", "given twice");
}

TEST(a_line_that_is_too_long_is_refused) {
    char text[CONSTRAINT_TEXT + 10];
    memset(text, '1', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    refuses(text, "too long");
}

TEST(what_changed_is_printed_beside_what_was) {
    struct holden_properties before = {0};
    struct holden_properties after = {0};
    char text[CONSTRAINT_TEXT];
    HOLDEN_SET(&before, properties, memory_max, UINT64_MAX);
    HOLDEN_SET(&after, properties, memory_max, 100 * MIB);
    HOLDEN_SET(&after, properties, cpu_quota, 500000);
    HOLDEN_SET(&before, properties, cpu_weight, 100);
    HOLDEN_SET(&after, properties, cpu_weight, 0);
    HOLDEN_SET(&after, properties, tasks_max, HOLDEN_SHARE_BIT | 1000);
    constraint_print(&before, &after, text);
    assert_string_equal(text, "MemoryMax=100M (was infinity), CPUQuota=50% (was unset), "
                              "CPUWeight=idle (was 100), TasksMax=10% (was unset)");
}

UNIT_MAIN
