/* Sizes, counts, percents, times and sets of CPUs, as people write them and as they are printed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/unit.h"

#define KIB UINT64_C(1024)
#define MIB (KIB * 1024)
#define GIB (MIB * 1024)
#define SECOND UINT64_C(1000000)

static void sizes_are_read(void **state) {
    static const struct { const char *text; int result; uint64_t bytes;
    } rows[] = {
        {"0", 0, 0},
        {"1", 0, 1},
        {"512B", 0, 512},
        {"1K", 0, KIB},
        {"100M", 0, 100 * MIB},
        {"1.5G", 0, 3 * GIB / 2},
        {"0.5K", 0, 512},
        {"7E", 0, 7 * GIB * GIB},
        {"9223372036854775807", 0, INT64_MAX},
        {"infinity", 0, UNIT_INFINITY},
        {"8E", -ERANGE, 0},
        {"9223372036854775808", -ERANGE, 0},
        {"99999999999999999999999", -ERANGE, 0},
        {"", -EINVAL, 0},
        {"M", -EINVAL, 0},
        {"-1", -EINVAL, 0},
        {"+1", -EINVAL, 0},
        {"1Q", -EINVAL, 0},
        {"1MB", -EINVAL, 0},
        {"1.M", -EINVAL, 0},
        {"1 M", -EINVAL, 0},
        {".5M", -EINVAL, 0},
        {"1k", -EINVAL, 0},
        {"0x10", -EINVAL, 0},
        {"infinit", -EINVAL, 0},
        {"50%", -EINVAL, 0},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        uint64_t bytes = 0;
        assert_int_equal(unit_parse_size(rows[i].text, &bytes), rows[i].result);
        assert_int_equal(bytes, rows[i].bytes);
    }
}

static void bandwidths_count_in_thousands(void **state) {
    uint64_t bytes;
    char text[32];
    (void)state;
    assert_int_equal(unit_parse_bandwidth("5M", &bytes), 0);
    assert_int_equal(bytes, 5000000);
    assert_string_equal(unit_format_bandwidth(1500000, text, sizeof(text)), "1.5M");
}

static void counts_are_read(void **state) {
    uint64_t count = 7;
    (void)state;
    assert_int_equal(unit_parse_count("4096", &count), 0);
    assert_int_equal(count, 4096);
    assert_int_equal(unit_parse_count("infinity", &count), 0);
    assert_int_equal(count, UNIT_INFINITY);
    assert_int_equal(unit_parse_count("1.5", &count), -EINVAL);
    assert_int_equal(unit_parse_count("12x", &count), -EINVAL);
    assert_int_equal(unit_parse_count("-1", &count), -EINVAL);
    assert_int_equal(unit_parse_count("18446744073709551615", &count), -ERANGE);
}

static void percents_are_read(void **state) {
    uint64_t hundredths = 0;
    (void)state;
    assert_int_equal(unit_parse_percent("50%", &hundredths), 0);
    assert_int_equal(hundredths, 5000);
    assert_int_equal(unit_parse_percent("12.25%", &hundredths), 0);
    assert_int_equal(hundredths, 1225);
    assert_int_equal(unit_parse_percent("0.5%", &hundredths), 0);
    assert_int_equal(hundredths, 50);
    assert_int_equal(unit_parse_percent("400%", &hundredths), 0);
    assert_int_equal(hundredths, 40000);
    assert_int_equal(unit_parse_percent("50", &hundredths), -EINVAL);
    assert_int_equal(unit_parse_percent("1.125%", &hundredths), -EINVAL);
    assert_int_equal(unit_parse_percent("%", &hundredths), -EINVAL);
    assert_int_equal(unit_parse_percent("99999999999999999999%", &hundredths), -ERANGE);
}

static void times_are_read(void **state) {
    static const struct { const char *text; int result; uint64_t microseconds;
    } rows[] = {
        {"90", 0, 90 * SECOND},
        {"1min 30s", 0, 90 * SECOND},
        {"1min30s", 0, 90 * SECOND},
        {"500ms", 0, SECOND / 2},
        {"1.5s", 0, 3 * SECOND / 2},
        {"2h", 0, 7200 * SECOND},
        {"3 days", 0, 259200 * SECOND},
        {"1w", 0, 604800 * SECOND},
        {"5us", 0, 5},
        {"7\xc2\xb5s", 0, 7},
        {"1y", 0, 31557600 * SECOND},
        {"1M", 0, 2629800 * SECOND},
        {"1m", 0, 60 * SECOND},
        {"0", 0, 0},
        {"infinity", 0, UNIT_INFINITY},
        {" 5 s ", 0, 5 * SECOND},
        {"", -EINVAL, 0},
        {"s", -EINVAL, 0},
        {"5 parsecs", -EINVAL, 0},
        {"-1s", -EINVAL, 0},
        {"1e3", -EINVAL, 0},
        {"1s infinity", -EINVAL, 0},
        {"400000y", -ERANGE, 0},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        uint64_t microseconds = 0;
        assert_int_equal(unit_parse_time(rows[i].text, SECOND, &microseconds), rows[i].result);
        assert_int_equal(microseconds, rows[i].microseconds);
    }
    uint64_t microseconds;
    assert_int_equal(unit_parse_time("90", 1, &microseconds), 0);
    assert_int_equal(microseconds, 90);
}

static void cpus_are_read(void **state) {
    static const struct { const char *text; int result; const char *printed;
    } rows[] = {
        {"0", 0, "0"},         {"0-3,5", 0, "0-3,5"}, {"5,0-2 1", 0, "0-2,5"},
        {"7 8,9", 0, "7-9"},   {"1,,2", 0, "1-2"},    {"", -EINVAL, ""},
        {"3-1", -EINVAL, ""},  {"1-", -EINVAL, ""},   {"a", -EINVAL, ""},
        {"0-3x", -EINVAL, ""}, {"64", -ERANGE, ""},   {"0-4000000000", -ERANGE, ""},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        uint8_t mask[8];
        char text[64];
        size_t size = 0;
        assert_int_equal(unit_parse_cpus(rows[i].text, mask, sizeof(mask), &size), rows[i].result);
        assert_string_equal(unit_format_cpus(mask, size, text, sizeof(text)), rows[i].printed);
    }
}

static void values_are_printed_exactly(void **state) {
    char text[64];
    (void)state;
    assert_string_equal(unit_format_size(0, text, sizeof(text)), "0");
    assert_string_equal(unit_format_size(1234, text, sizeof(text)), "1234");
    assert_string_equal(unit_format_size(100 * MIB, text, sizeof(text)), "100M");
    assert_string_equal(unit_format_size(1536 * MIB, text, sizeof(text)), "1.5G");
    assert_string_equal(unit_format_size(7 * GIB * GIB, text, sizeof(text)), "7E");
    assert_string_equal(unit_format_size(UNIT_INFINITY, text, sizeof(text)), "infinity");
    assert_string_equal(unit_format_time(90 * SECOND, text, sizeof(text)), "1min 30s");
    assert_string_equal(unit_format_time(90061 * SECOND + 5, text, sizeof(text)),
                        "1d 1h 1min 1s 5us");
    assert_string_equal(unit_format_time(0, text, sizeof(text)), "0");
    assert_string_equal(unit_format_time(UNIT_INFINITY, text, sizeof(text)), "infinity");
    assert_string_equal(unit_format_percent(5000, text, sizeof(text)), "50%");
    assert_string_equal(unit_format_percent(1225, text, sizeof(text)), "12.25%");
    assert_string_equal(unit_format_percent(1205, text, sizeof(text)), "12.05%");
    assert_string_equal(unit_format_percent(50, text, sizeof(text)), "0.5%");
}

static void values_are_printed_for_a_glance(void **state) {
    char text[64];
    (void)state;
    assert_string_equal(unit_format_size_short(0, text, sizeof(text)), "0B");
    assert_string_equal(unit_format_size_short(999, text, sizeof(text)), "999B");
    assert_string_equal(unit_format_size_short(1010, text, sizeof(text)), "0.98K");
    assert_string_equal(unit_format_size_short(100 * MIB, text, sizeof(text)), "100M");
    assert_string_equal(unit_format_size_short(1044 * MIB, text, sizeof(text)), "1.01G");
    assert_string_equal(unit_format_size_short(INT64_MAX, text, sizeof(text)), "7.99E");
    assert_string_equal(unit_format_time_short(0, text, sizeof(text)), "0");
    assert_string_equal(unit_format_time_short(45, text, sizeof(text)), "45us");
    assert_string_equal(unit_format_time_short(12345, text, sizeof(text)), "12.3ms");
    assert_string_equal(unit_format_time_short(3250000, text, sizeof(text)), "3.25s");
    assert_string_equal(unit_format_time_short(123 * SECOND, text, sizeof(text)), "2min 3s");
    assert_string_equal(unit_format_time_short(3605 * SECOND, text, sizeof(text)), "1h");
    assert_string_equal(unit_format_time_short(90061 * SECOND, text, sizeof(text)), "1d 1h");
}

static void what_does_not_fit_is_cut(void **state) {
    char text[4];
    uint8_t mask[] = {0x55};
    (void)state;
    assert_string_equal(unit_format_size(1234567, text, sizeof(text)), "123");
    assert_string_equal(unit_format_time(90 * SECOND, text, sizeof(text)), "1mi");
    assert_string_equal(unit_format_cpus(mask, 1, text, sizeof(text)), "0,2");
}

static void printing_and_reading_agree(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed < UINT64_C(1) << 62; seed = seed * 3 + 1) {
        char text[128];
        uint64_t read = 0;
        assert_int_equal(unit_parse_size(unit_format_size(seed, text, sizeof(text)), &read), 0);
        assert_true(read == seed);
        assert_int_equal(unit_parse_time(unit_format_time(seed, text, sizeof(text)), SECOND, &read),
                         0);
        assert_true(read == seed);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_are_read),
        cmocka_unit_test(bandwidths_count_in_thousands),
        cmocka_unit_test(counts_are_read),
        cmocka_unit_test(percents_are_read),
        cmocka_unit_test(times_are_read),
        cmocka_unit_test(cpus_are_read),
        cmocka_unit_test(values_are_printed_exactly),
        cmocka_unit_test(values_are_printed_for_a_glance),
        cmocka_unit_test(what_does_not_fit_is_cut),
        cmocka_unit_test(printing_and_reading_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
