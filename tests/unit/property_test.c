#include "protocol/property.h"

#include <errno.h>
#include <string.h>

#include "suite.h"

TEST(rows) {
    for (size_t i = 0; i < HOLDEN_PROPERTIES; i++) {
        const struct holden_property *row = holden_property(i);
        assert_string_equal(row->name, holden_record_properties.fields[i].name);
        assert_true(row->minimum <= row->maximum);
        assert_true(row->syntax < HOLDEN_SYNTAXES);
        assert_non_null(row->doc);
        assert_non_null(row->file);
        if (row->home == HOLDEN_HOME_CGROUP)
            assert_string_not_equal(row->file, "");
    }
}

/* A number that people may give has bounds; the wire's type must hold them. */
TEST(bounds_fit_the_wire) {
    for (size_t i = 0; i < HOLDEN_PROPERTIES; i++) {
        const struct holden_property *row = holden_property(i);
        uint8_t type = holden_record_properties.fields[i].type;
        if (type == HOLDEN_TYPE_U32 || type == HOLDEN_TYPE_U64)
            assert_true(row->minimum >= 0);
        if (type == HOLDEN_TYPE_U32)
            assert_true(row->maximum <= UINT32_MAX);
    }
}

TEST(found_by_name) {
    size_t index = 12345;
    for (size_t i = 0; i < HOLDEN_PROPERTIES; i++) {
        assert_int_equal(holden_property_find(holden_property(i)->name, &index), 0);
        assert_int_equal(index, i);
    }
    index = 12345;
    assert_int_equal(holden_property_find("memorymax", &index), -ENOENT);
    assert_int_equal(holden_property_find("", &index), -ENOENT);
    assert_int_equal(index, 12345);
}

TEST(shares) {
    assert_true(holden_is_share(HOLDEN_SHARE_BIT | 5000));
    assert_false(holden_is_share(UINT64_MAX));
    assert_false(holden_is_share(5000));
    assert_false(holden_is_share(INT64_MAX));
}

UNIT_MAIN
