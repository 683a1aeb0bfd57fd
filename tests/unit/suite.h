/* What every unit test includes: cmocka, with the headers that it wants before itself, and a table
 * in place of a second list of the tests. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/cleanup.h"

/* TEST(name) { … } defines a test and enters it in the program's list. */
#define TEST(name_)                                                                            \
    static void name_(void **state);                                                           \
    static const struct CMUnitTest name_##_row                                                 \
        __attribute__((used, section("unit_tests"), aligned(8))) = {#name_, name_, NULL, NULL, \
                                                                    NULL};                     \
    static void name_(__attribute__((unused)) void **state)

/* The bounds of the list, made by the linker. */
extern const struct CMUnitTest __start_unit_tests[];
extern const struct CMUnitTest __stop_unit_tests[];

#define UNIT_MAIN                                                                             \
    int main(void) {                                                                          \
        size_t size = (uintptr_t)__stop_unit_tests - (uintptr_t)__start_unit_tests;           \
        return _cmocka_run_group_tests("tests", __start_unit_tests,                           \
                                       size / sizeof(struct CMUnitTest), NULL, NULL);         \
    }
