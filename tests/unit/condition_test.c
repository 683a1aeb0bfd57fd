/* Conditions of units, against files made for them. */
#include "suite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "controller/condition.h"

static bool holds(const char *name, const char *path) {
    bool answer;
    assert_int_equal(condition_check(name, path, &answer), 0);
    return answer;
}

static void touch(const char *path, const char *text, mode_t mode) {
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    assert_int_equal(chmod(path, mode), 0);
}

TEST(paths) {
    char directory[] = "/tmp/condition.XXXXXX";
    char file[64], script[64], link[64], pattern[64], none[64];
    assert_non_null(mkdtemp(directory));
    snprintf(none, sizeof(none), "%s/none", directory);
    snprintf(file, sizeof(file), "%s/file", directory);
    snprintf(script, sizeof(script), "%s/script", directory);
    snprintf(link, sizeof(link), "%s/link", directory);
    snprintf(pattern, sizeof(pattern), "%s/f?le", directory);
    assert_false(holds("ConditionDirectoryNotEmpty", directory));
    touch(file, "", 0644);
    touch(script, "x", 0755);
    assert_int_equal(symlink(directory, link), 0);
    assert_true(holds("ConditionDirectoryNotEmpty", directory));
    assert_false(holds("ConditionDirectoryNotEmpty", none));
    assert_true(holds("AssertPathExists", file));
    assert_false(holds("AssertPathExists", none));
    assert_true(holds("ConditionPathExistsGlob", pattern));
    assert_false(holds("ConditionPathExistsGlob", none));
    assert_true(holds("ConditionPathIsDirectory", link));
    assert_false(holds("ConditionPathIsDirectory", file));
    assert_true(holds("ConditionPathIsSymbolicLink", link));
    assert_false(holds("ConditionPathIsSymbolicLink", directory));
    assert_false(holds("ConditionFileNotEmpty", file));
    assert_true(holds("ConditionFileNotEmpty", script));
    assert_false(holds("ConditionFileNotEmpty", directory));
    assert_true(holds("ConditionFileIsExecutable", script));
    assert_false(holds("ConditionFileIsExecutable", file));
    assert_false(holds("ConditionFileIsExecutable", directory));
    assert_true(holds("ConditionPathIsReadWrite", directory));
    assert_true(holds("ConditionPathIsMountPoint", "/proc"));
    assert_false(holds("ConditionPathIsMountPoint", directory));
    unlink(file);
    unlink(script);
    unlink(link);
    assert_int_equal(rmdir(directory), 0);
}

TEST(what_is_no_condition) {
    bool answer;
    assert_int_equal(condition_check("ConditionPathExists", "relative", &answer), -EINVAL);
    assert_int_equal(condition_check("ConditionPathExists", "", &answer), -EINVAL);
    assert_int_equal(condition_check("ConditionMemory", "/", &answer), -ENOENT);
    assert_int_equal(condition_check("PathExists", "/", &answer), -ENOENT);
}

UNIT_MAIN
