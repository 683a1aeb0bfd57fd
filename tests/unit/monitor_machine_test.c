/* The machine: what is made of the text of proc(5). */
#include <math.h>
#include <string.h>

#include "monitor/machine.h"
#include "suite.h"

#define SECOND UINT64_C(1000000)

static const char before[] =
    "cpu  100 0 100 800 0 0 0 0 0 0\ncpu0 50 0 50 400 0 0 0 0 0 0\ncpu1 50 0 50 400 0 0 0 0 0 0\n"
    "MemTotal: 1000 kB\nMemAvailable: 400 kB\nSwapTotal: 100 kB\nSwapFree: 75 kB\n"
    "pgpgin 1000\npgpgout 2000\n"
    "stall0 some avg10=0.00 avg60=0.00 avg300=0.00 total=1000000\n"
    "stall2 some avg10=0.00 avg60=0.00 avg300=0.00 total=2000000\n";
static const char after[] =
    "cpu  150 0 150 900 0 0 0 0 0 0\ncpu0 100 0 100 400 0 0 0 0 0 0\ncpu1 50 0 50 500 0 0 0 0 0 0\n"
    "MemTotal: 1000 kB\nMemAvailable: 300 kB\npgpgin 1010\npgpgout 2000\n"
    "stall0 some avg10=0.00 avg60=0.00 avg300=0.00 total=1500000\n"
    "stall2 some avg10=0.00 avg60=0.00 avg300=0.00 total=2000000\n";

TEST(rates_are_between_two_texts) {
    struct machine machine = {0};
    machine_take(&machine, holden_view(before), SECOND);
    assert_int_equal(machine.cores, 2);
    assert_true(isnan(machine.cpu));
    assert_int_equal(machine.memory_left, 400 * 1024);
    assert_int_equal(machine.swap_left, 75 * 1024);
    machine_take(&machine, holden_view(after), 3 * SECOND);
    assert_true(machine.cpu == 50);
    assert_true(machine.core[0] == 100);
    assert_true(machine.core[1] == 0);
    assert_true(machine.read == 5 * 1024);
    assert_true(machine.written == 0);
    assert_true(machine.stall[ROW_STALL_CPU] == 25);
    assert_true(machine.stall[ROW_STALL_IO] == 0);
    assert_int_equal(machine.memory_left, 300 * 1024);
}

TEST(nonsense_is_passed_over) {
    static const char *const texts[] = {
        "", "\n\n", "cpu", "cpu9999999999 1 2 3 4 5", "stall9 some total=1", "stall", "cpu -1 -1",
        "MemTotal: ", "pgpgin", "stall1 some total=\n"};
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        struct machine machine = {0};
        machine_take(&machine, holden_view(texts[i]), SECOND);
        machine_take(&machine, holden_view(texts[i]), 2 * SECOND);
        assert_true(machine.cores <= MACHINE_CORES);
    }
}

TEST(this_machine_can_be_read) {
    _cleanup_(buffer_free) struct buffer text = {0};
    struct machine machine = {0};
    assert_int_equal(machine_read(&text), 0);
    machine_take(&machine, (struct holden_view){(const char *)buffer_bytes(&text), text.size},
                 SECOND);
    assert_true(machine.cores > 0);
    assert_true(machine.memory > machine.memory_left && machine.memory_left > 0);
}

UNIT_MAIN
