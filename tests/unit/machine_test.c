#include "agent/machine.h"

#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/file.h"
#include "protocol/property.h"
#include "suite.h"

TEST(what_the_machine_has) {
    assert_int_equal(machine_page(), getpagesize());
    assert_true(machine_memory() >= 16 << 20);
    assert_int_equal(machine_memory() % machine_page(), 0);
    assert_true(machine_tasks() > 100);
    assert_true(machine_tasks() <= 4194304); /* PID_MAX_LIMIT */
}

TEST(shares) {
    assert_int_equal(machine_share(1000, HOLDEN_SHARE_BIT | 5000), 500);
    assert_int_equal(machine_share(1000, HOLDEN_SHARE_BIT), 0);
    assert_int_equal(machine_share(3, HOLDEN_SHARE_BIT | 9999), 2);
    assert_true(machine_share(UINT64_MAX, HOLDEN_SHARE_BIT | 10000) == UINT64_MAX);
}

TEST(clocks) {
    uint64_t realtime = machine_realtime(), monotonic = machine_monotonic();
    assert_true(realtime / 1000000 - (uint64_t)time(NULL) + 1 <= 2);
    assert_true(machine_monotonic() >= monotonic);
    assert_true(machine_monotonic() - monotonic < UINT64_C(60) * 1000000);
}

TEST(the_boot) {
    char id[37], again[37], text[64];
    assert_int_equal(machine_boot_id(id), 0);
    assert_int_equal(strlen(id), 36);
    assert_int_equal(machine_boot_id(again), 0);
    assert_string_equal(id, again);
    assert_int_equal(file_read(AT_FDCWD, "/proc/sys/kernel/random/boot_id", text, sizeof(text)),
                     36);
    assert_string_equal(id, text);
}

UNIT_MAIN
