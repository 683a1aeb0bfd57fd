#include "protocol/names.h"

#include <string.h>

#include "settings.h"
#include "suite.h"

TEST(lists_and_their_names) {
    struct properties properties = {0};
    struct wire wire = {0};
    struct holden_names list;
    char name[64], shortest[4];
    properties_calls(&properties, LIST("read", "write"), LIST("~openat"), LIST(""));
    struct holden_repeated left = wire_pass(&wire, &properties.all)->system_call_filter;
    assert_int_equal(names_next(&left, &list), 1);
    assert_false(names_inverted(&list));
    assert_true(names_take(&list, name, sizeof(name)));
    assert_string_equal(name, "read");
    assert_true(names_take(&list, shortest, sizeof(shortest)));
    assert_string_equal(shortest, "wri");
    assert_false(names_take(&list, name, sizeof(name)));
    assert_int_equal(names_next(&left, &list), 1);
    assert_true(names_inverted(&list));
    assert_true(names_take(&list, name, sizeof(name)));
    assert_string_equal(name, "openat");
    assert_int_equal(names_next(&left, &list), 1);
    assert_false(names_inverted(&list));
    assert_false(names_take(&list, name, sizeof(name)));
    assert_int_equal(names_next(&left, &list), 0);
    wire_free(&wire);
}

TEST(no_lists) {
    struct holden_properties properties = {0};
    struct wire wire = {0};
    struct holden_names list;
    struct holden_repeated left = wire_pass(&wire, &properties)->system_call_filter;
    assert_int_equal(names_next(&left, &list), 0);
    wire_free(&wire);
}

UNIT_MAIN
