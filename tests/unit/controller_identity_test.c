/* Users and groups, and what goes into the environment with them. */
#include "suite.h"

#include <errno.h>
#include <string.h>

#include "controller/identity.h"

static bool has_variable(const struct settings *settings, const char *assignment) {
    struct holden_repeated list = settings->properties.environment;
    struct holden_view view;
    while (holden_next_view(&list, &view))
        if (holden_view_is(view, assignment))
            return true;
    return false;
}

static int finish(struct settings *settings, const char *first, const char *second) {
    assert_int_equal(settings_assign_text(settings, first), 0);
    if (second)
        assert_int_equal(settings_assign_text(settings, second), 0);
    return settings_finish(settings);
}

TEST(a_name_brings_ids_groups_and_variables) {
    struct settings settings = {0};
    assert_int_equal(finish(&settings, "User=root", "Environment=SHELL=/bin/own"), 0);
    const struct holden_user *user = settings.properties.user.value;
    assert_int_equal(user->uid, 0);
    assert_int_equal(user->gid, 0);
    assert_true(user->group.count >= 1);
    assert_true(identity_is_root(&settings));
    assert_true(has_variable(&settings, "USER=root"));
    assert_true(has_variable(&settings, "LOGNAME=root"));
    assert_true(has_variable(&settings, "HOME=/root"));
    assert_true(has_variable(&settings, "SHELL=/bin/own"));
    settings_free(&settings);
}

TEST(a_number_alone_needs_a_group) {
    struct settings settings = {0};
    assert_int_equal(finish(&settings, "User=54321", NULL), -EINVAL);
    assert_non_null(strstr(settings.wrong, "with Group= a number alone will do"));
    settings_free(&settings);
    settings = (struct settings){0};
    assert_int_equal(finish(&settings, "User=54321", "Group=54322"), 0);
    const struct holden_user *user = settings.properties.user.value;
    assert_int_equal(user->uid, 54321);
    assert_int_equal(user->gid, 54322);
    assert_false(identity_is_root(&settings));
    settings_free(&settings);
}

TEST(a_name_that_nobody_has_is_for_one_who_is_made_up) {
    struct settings settings = {0};
    assert_int_equal(finish(&settings, "User=no-such-user-here", "DynamicUser=yes"), 0);
    const struct holden_user *user = settings.properties.user.value;
    assert_int_equal(user->uid, UINT32_MAX);
    assert_true(holden_view_is(user->name, "no-such-user-here"));
    assert_false(identity_is_root(&settings));
    settings_free(&settings);
    settings = (struct settings){0};
    assert_int_equal(finish(&settings, "DynamicUser=yes", NULL), 0);
    assert_false(identity_is_root(&settings));
    settings_free(&settings);
    static const char *const bad[] = {"User=a.b", "User=4294967295", "User=54321"};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        settings = (struct settings){0};
        if (finish(&settings, bad[i], "DynamicUser=yes") != -EINVAL)
            fail_msg("taken: %s", bad[i]);
        settings_free(&settings);
    }
    /* Who is there is used. */
    settings = (struct settings){0};
    assert_int_equal(finish(&settings, "User=root", "DynamicUser=yes"), 0);
    assert_true(identity_is_root(&settings));
    settings_free(&settings);
}

TEST(nobody_is_refused) {
    static const char *const rows[] = {"User=no-such-user-here", "User=4294967295", "User=65535",
                                       "User=infinity", "User=99999999999999999999"};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct settings settings = {0};
        if (finish(&settings, rows[i], NULL) != -EINVAL)
            fail_msg("taken: %s", rows[i]);
        settings_free(&settings);
    }
}

TEST(an_empty_user_is_none) {
    struct settings settings = {0};
    assert_int_equal(finish(&settings, "User=no-such-user-here", "User="), 0);
    assert_false(HOLDEN_HAS(&settings.properties, properties, user));
    settings_free(&settings);
}

TEST(the_tilde_becomes_the_home) {
    static const struct {
        const char *written;
        const char *path;
    } rows[] = {{"~", "/root"}, {"-~", "-/root"}};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct settings settings = {0};
        assert_int_equal(settings_assign(&settings, "WorkingDirectory", rows[i].written), 0);
        assert_int_equal(finish(&settings, "User=root", NULL), 0);
        assert_true(holden_view_is(settings.properties.working_directory, rows[i].path));
        settings_free(&settings);
    }
}

TEST(groups_are_names_or_numbers) {
    struct settings settings = {0};
    assert_int_equal(finish(&settings, "Group=root", "SupplementaryGroups=root 5 77"), 0);
    assert_int_equal(settings.properties.group, 0);
    assert_int_equal(settings.properties.supplementary_groups.count, 3);
    const uint32_t *groups = settings.properties.supplementary_groups.items;
    assert_int_equal(groups[2], 77);
    settings_free(&settings);
}

UNIT_MAIN
