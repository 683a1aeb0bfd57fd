/* Names of units. */
#include "suite.h"

#include <errno.h>
#include <string.h>

#include "controller/unit_name.h"

TEST(names_are_taken_apart) {
    static const struct { const char *full, *stem, *prefix, *instance; bool templated; } rows[] = {
        {"web.service", "web", "web", "", false},
        {"web@2.service", "web@2", "web", "2", true},
        {"web@.service", "web@", "web", "", true},
        {"a-b@x@y.service", "a-b@x@y", "a-b", "x@y", true},
        {"a.b\\x2d.service", "a.b\\x2d", "a.b\\x2d", "", false},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct unit_name name;
        assert_int_equal(unit_name_parse(rows[i].full, &name), 0);
        assert_string_equal(name.full, rows[i].full);
        assert_string_equal(name.stem, rows[i].stem);
        assert_string_equal(name.prefix, rows[i].prefix);
        assert_string_equal(name.instance, rows[i].instance);
        assert_int_equal(name.templated, rows[i].templated);
    }
}

TEST(what_is_no_service_is_refused) {
    static const char *const rows[] = {"", ".service", "web", "web.socket", "@a.service",
                                       "a b.service", "a/b.service", "\xc3\xa9.service"};
    struct unit_name name;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        assert_int_equal(unit_name_parse(rows[i], &name), -EINVAL);
    char text[UNIT_NAME_SIZE + 20];
    memset(text, 'a', sizeof(text));
    strcpy(text + UNIT_NAME_SIZE - 8, ".service");
    assert_int_equal(unit_name_parse(text, &name), -EINVAL);
    strcpy(text + UNIT_NAME_SIZE - 9, ".service");
    assert_int_equal(unit_name_parse(text, &name), 0);
}

TEST(the_template_of_an_instance) {
    struct unit_name name;
    char text[UNIT_NAME_SIZE];
    assert_int_equal(unit_name_parse("web@2.service", &name), 0);
    assert_string_equal(unit_name_template(&name, text), "web@.service");
}

TEST(escapes_are_undone) {
    static const struct { const char *text, *plain; } rows[] = {
        {"a", "a"}, {"a-b", "a/b"}, {"a\\x2db", "a-b"}, {"\\x20", " "}, {"", ""},
        {"dev-disk-by\\x2dlabel", "dev/disk/by-label"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        _cleanup_(buffer_free) struct buffer out = {0};
        assert_int_equal(unit_name_unescape(rows[i].text, &out), 0);
        assert_int_equal(out.size, strlen(rows[i].plain));
        assert_memory_equal(buffer_bytes(&out), rows[i].plain, out.size);
    }
    static const char *const bad[] = {"\\", "\\x", "\\x2", "\\y20", "\\x00", "\\xzz"};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        _cleanup_(buffer_free) struct buffer out = {0};
        assert_int_equal(unit_name_unescape(bad[i], &out), -EINVAL);
    }
}

UNIT_MAIN
