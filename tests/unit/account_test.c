/* Users and groups: against the C library where both know them, and a getent of its own that stands
 * for services that no file knows. */
#include "controller/account.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "scratch.h"
#include "suite.h"

static void is_same(const struct passwd *entry, const struct account *account) {
    assert_int_equal(account->uid, entry->pw_uid);
    assert_int_equal(account->gid, entry->pw_gid);
    assert_string_equal(account->name, entry->pw_name);
    assert_string_equal(account->home, entry->pw_dir);
    assert_string_equal(account->shell, entry->pw_shell);
}

TEST(every_user_is_as_the_library_has_it) {
    size_t count = 0;
    setpwent();
    for (const struct passwd *entry; (entry = getpwent()); count++) {
        _cleanup_(account_free) struct account by_name = {0}, by_uid = {0};
        assert_int_equal(account_by_name(entry->pw_name, &by_name), 0);
        is_same(entry, &by_name);
        assert_int_equal(account_by_uid(entry->pw_uid, &by_uid), 0);
        assert_int_equal(by_uid.uid, entry->pw_uid);
    }
    endpwent();
    assert_true(count > 1);
}

TEST(every_group_is_as_the_library_has_it) {
    size_t count = 0;
    setgrent();
    for (const struct group *entry; (entry = getgrent()); count++) {
        uint32_t gid = UINT32_MAX;
        _cleanup_free_ char *name = NULL;
        assert_int_equal(account_group(entry->gr_name, &gid), 0);
        assert_int_equal(gid, entry->gr_gid);
        assert_int_equal(account_group_name(entry->gr_gid, &name), 0);
    }
    endgrent();
    assert_true(count > 1);
}

TEST(groups_begin_with_the_users_own_and_have_each_once) {
    _cleanup_free_ uint32_t *groups = NULL;
    size_t count = 0;
    assert_int_equal(account_groups("root", 4242, &groups, &count), 0);
    assert_true(count >= 1);
    assert_int_equal(groups[0], 4242);
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < i; k++)
            assert_int_not_equal(groups[i], groups[k]);
}

TEST(who_is_nowhere_is_nobody) {
    struct account account = {0};
    uint32_t gid = 7;
    char *name = NULL;
    assert_int_equal(account_by_name("no-such-user-here", &account), -ENOENT);
    assert_int_equal(account_by_uid(4000000001, &account), -ENOENT);
    assert_int_equal(account_by_name("", &account), -ENOENT);
    assert_int_equal(account_by_name("--help", &account), -ENOENT);
    assert_int_equal(account_group("no-such-group", &gid), -ENOENT);
    assert_int_equal(account_group_name(4000000001, &name), -ENOENT);
    assert_null(account.line);
    assert_int_equal(gid, 7);
    assert_null(name);
}

/* A service with the user afar (5000001), and with one whose line is broken. */
static void with_service(struct scratch *scratch, char **path) {
    static const char script[] = "#!/bin/sh\n"
                                 "case $1:$2 in\n"
                                 "passwd:afar|passwd:5000001)\n"
                                 "  echo afar:x:5000001:5000002:Far away:/home/afar:/bin/sh ;;\n"
                                 "passwd:broken) echo broken:x:many:1::/:/bin/sh ;;\n"
                                 "passwd:short) echo short:x:1 ;;\n"
                                 "group:afar|group:5000002) echo afar:x:5000002: ;;\n"
                                 "*) exit 2 ;;\n"
                                 "esac\n";
    char file[256];
    scratch_open(scratch);
    snprintf(file, sizeof(file), "%s/getent", scratch->path);
    FILE *out = fopen(file, "we");
    assert_non_null(out);
    assert_true(fputs(script, out) >= 0);
    assert_int_equal(fclose(out), 0);
    assert_int_equal(chmod(file, 0755), 0);
    *path = strdup(getenv("PATH"));
    assert_non_null(*path);
    char with[4096];
    snprintf(with, sizeof(with), "%s:%s", scratch->path, *path);
    assert_int_equal(setenv("PATH", with, 1), 0);
}

TEST(other_services_are_asked_through_getent) {
    struct scratch scratch;
    _cleanup_free_ char *path = NULL, *group = NULL;
    _cleanup_(account_free) struct account afar = {0}, by_uid = {0}, none = {0};
    uint32_t gid;
    with_service(&scratch, &path);
    assert_int_equal(account_by_name("afar", &afar), 0);
    assert_int_equal(afar.uid, 5000001);
    assert_int_equal(afar.gid, 5000002);
    assert_string_equal(afar.home, "/home/afar");
    assert_string_equal(afar.shell, "/bin/sh");
    assert_int_equal(account_by_uid(5000001, &by_uid), 0);
    assert_string_equal(by_uid.name, "afar");
    assert_int_equal(account_group("afar", &gid), 0);
    assert_int_equal(gid, 5000002);
    assert_int_equal(account_group_name(5000002, &group), 0);
    assert_string_equal(group, "afar");
    assert_int_equal(account_by_name("broken", &none), -EINVAL);
    assert_int_equal(account_by_name("short", &none), -ENOENT);
    setenv("PATH", path, 1);
    scratch_close(&scratch);
}

TEST(without_getent_the_files_do) {
    struct account account = {0};
    _cleanup_free_ char *path = strdup(getenv("PATH"));
    assert_non_null(path);
    setenv("PATH", "/nonexistent", 1);
    assert_int_equal(account_by_name("root", &account), 0);
    assert_int_equal(account.uid, 0);
    account_free(&account);
    assert_int_equal(account_by_name("afar", &account), -ENOENT);
    setenv("PATH", path, 1);
}

UNIT_MAIN
