/* What the prefixes + and ! of a command lift, and what they leave. */
#include "agent/lift.h"

#include <string.h>

#include "protocol/property.h"
#include "suite.h"

static void fill(struct holden_properties *all) {
    memset(all, 0xff, sizeof(*all));
}

static size_t left(const struct holden_properties *properties) {
    size_t count = 0;
    for (size_t i = 0; i < HOLDEN_PROPERTIES; i++)
        count += holden_has(properties, i);
    return count;
}

TEST(the_units_rights_lift_nothing) {
    struct holden_properties all;
    fill(&all);
    lift_identity(HOLDEN_exec_rights_UNIT, &all);
    lift_sandbox(HOLDEN_exec_rights_UNIT, &all);
    assert_int_equal(left(&all), HOLDEN_PROPERTIES);
    assert_false(lift_filter(HOLDEN_exec_rights_UNIT));
}

TEST(without_a_user_all_else_confines) {
    struct holden_properties all;
    fill(&all);
    lift_sandbox(HOLDEN_exec_rights_NO_USER, &all);
    assert_int_equal(left(&all), HOLDEN_PROPERTIES);
    assert_false(lift_filter(HOLDEN_exec_rights_NO_USER));
    lift_identity(HOLDEN_exec_rights_NO_USER, &all);
    assert_int_equal(left(&all), HOLDEN_PROPERTIES - 3);
    assert_false(HOLDEN_HAS(&all, properties, user));
    assert_false(HOLDEN_HAS(&all, properties, group));
    assert_false(HOLDEN_HAS(&all, properties, supplementary_groups));
}

TEST(full_rights_leave_the_cgroup_and_what_is_shown) {
    struct holden_properties all;
    fill(&all);
    lift_sandbox(HOLDEN_exec_rights_FULL, &all);
    assert_true(lift_filter(HOLDEN_exec_rights_FULL));
    for (size_t i = 0; i < HOLDEN_PROPERTIES; i++) {
        const struct holden_property *property = holden_property(i);
        bool limit = strncmp(property->name, "Limit", 5) == 0;
        if (limit)
            assert_false(holden_has(&all, i));
        if (property->home == HOLDEN_HOME_CGROUP)
            assert_true(holden_has(&all, i));
    }
    assert_false(HOLDEN_HAS(&all, properties, secure_bits));
    assert_true(HOLDEN_HAS(&all, properties, root_directory));
    assert_true(HOLDEN_HAS(&all, properties, bind_paths));
    assert_true(HOLDEN_HAS(&all, properties, private_network));
    assert_true(HOLDEN_HAS(&all, properties, state_directory));
    assert_true(HOLDEN_HAS(&all, properties, environment));
    assert_true(HOLDEN_HAS(&all, properties, user));
    assert_false(HOLDEN_HAS(&all, properties, capability_bounding_set));
    assert_false(HOLDEN_HAS(&all, properties, protect_system));
    /* What is lifted is gone for those too who do not ask whether it is there. */
    assert_int_equal(all.inaccessible_paths.count, 0);
    assert_null(all.inaccessible_paths.items);
    assert_false(all.no_new_privileges);
}

UNIT_MAIN
