/* What every unit test includes: cmocka, with the headers that it wants before itself, and a table
 * in place of a second list of the tests. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/cleanup.h"

/* The one argument of a test that does not use it. */
#define UNUSED_STATE __attribute__((unused)) void **state

/* TEST(name) { … } defines a test and enters it in the program's list. */
#define TEST(name_)                                                                         \
    static void name_(void **state);                                                        \
    static const struct CMUnitTest name_##_row                                              \
        __attribute__((used, section("unit_tests"), aligned(8))) = {#name_, name_, NULL, NULL, NULL}; \
    static void name_(UNUSED_STATE)

/* The bounds of the list, made by the linker. */
extern const struct CMUnitTest __start_unit_tests[];
extern const struct CMUnitTest __stop_unit_tests[];

#define UNIT_MAIN                                                                             \
    int main(void) {                                                                          \
        return _cmocka_run_group_tests("tests", __start_unit_tests,                           \
                                       (size_t)(__stop_unit_tests - __start_unit_tests),      \
                                       NULL, NULL);                                           \
    }
