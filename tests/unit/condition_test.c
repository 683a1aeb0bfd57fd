/* Conditions of units, against files made for them and against this machine. */
#include "suite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "common/version.h"
#include "controller/condition.h"
#include "controller/condition_virtual.h"

static bool holds(const char *name, const char *path) {
    bool answer;
    char why[160];
    if (condition_check(name, path, &answer, why) < 0)
        fail_msg("%s=%s: %s", name, path, why);
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

TEST(what_the_machine_says) {
    struct utsname name;
    char text[300];
    assert_int_equal(uname(&name), 0);
    assert_true(holds("ConditionArchitecture", "native"));
    assert_false(holds("ConditionArchitecture", "alpha"));
    assert_true(holds("ConditionHost", name.nodename));
    assert_true(holds("ConditionHost", "*"));
    assert_false(holds("AssertHost", "no-such-host-?"));
    assert_false(holds("ConditionHost", "0123456789abcdef0123456789abcdef"));
    assert_true(holds("ConditionKernelVersion", ">=2.6.32"));
    assert_true(holds("ConditionKernelVersion", ">= 2.6 <1000"));
    assert_false(holds("ConditionKernelVersion", ">=2.6 <3"));
    assert_true(holds("ConditionKernelVersion", "*.*"));
    assert_true(holds("ConditionKernelVersion", name.release));
    snprintf(text, sizeof(text), "!=%s", name.release);
    assert_false(holds("ConditionKernelVersion", text));
    assert_true(holds("ConditionOSRelease", "NO_SUCH_FIELD!=x"));
    assert_false(holds("ConditionOSRelease", "ID=no-such-system"));
    assert_true(holds("ConditionOSRelease", "ID!=no-such-system NAME!=x"));
    assert_false(holds("ConditionKernelCommandLine", "no-such-word"));
    assert_true(holds("ConditionCPUs", "1"));
    assert_true(holds("ConditionCPUs", ">= 1"));
    assert_false(holds("ConditionCPUs", ">100000"));
    assert_true(holds("ConditionMemory", "1M"));
    assert_true(holds("ConditionMemory", "<1000T"));
    assert_false(holds("ConditionMemory", "1000T"));
    assert_false(holds("ConditionSecurity", "tomoyo") && holds("ConditionSecurity", "smack"));
    assert_int_equal(holds("ConditionFirstBoot", "no"), !holds("ConditionFirstBoot", "yes"));
    assert_int_equal(holds("ConditionControlGroupController", "v1"),
                     !holds("ConditionControlGroupController", "v2"));
    assert_false(holds("ConditionControlGroupController", "no-such-controller"));
    if (access("/proc/pressure/memory", R_OK) == 0) {
        assert_true(holds("ConditionMemoryPressure", "100%"));
        assert_true(holds("ConditionIOPressure", "100%/10sec"));
        assert_true(holds("ConditionCPUPressure", "100%/1min"));
    }
}

TEST(who_asks) {
    char text[32];
    snprintf(text, sizeof(text), "%u", getuid());
    assert_true(holds("ConditionUser", text));
    assert_false(holds("ConditionUser", "no-such-user"));
    assert_int_equal(holds("ConditionUser", "root"), getuid() == 0);
    if (getuid() == 0)
        assert_true(holds("ConditionUser", "@system"));
    snprintf(text, sizeof(text), "%u", getgid());
    assert_true(holds("ConditionGroup", text));
    assert_false(holds("ConditionGroup", "no-such-group"));
    assert_int_equal(setenv("CONDITION_TEST", "some value", 1), 0);
    assert_true(holds("ConditionEnvironment", "CONDITION_TEST"));
    assert_true(holds("ConditionEnvironment", "CONDITION_TEST=some value"));
    assert_false(holds("ConditionEnvironment", "CONDITION_TEST=some"));
    assert_false(holds("ConditionEnvironment", "CONDITION_TES"));
    assert_int_equal(unsetenv("CONDITION_TEST"), 0);
    if (getuid() == 0)
        assert_true(holds("ConditionCapability", "CAP_CHOWN"));
}

TEST(what_is_no_condition) {
    static const struct { const char *name, *value; int error; } table[] = {
        {"ConditionPathExists", "relative", -EINVAL},
        {"ConditionPathExists", "", -EINVAL},
        {"ConditionNonesuch", "/", -ENOENT},
        {"ConditionVirtualization", "/", -EINVAL},
        {"AssertVirtualization", "", -EINVAL},
        {"PathExists", "/", -ENOENT},
        {"ConditionMemory", "much", -EINVAL},
        {"ConditionMemory", "", -EINVAL},
        {"ConditionMemory", "-1", -EINVAL},
        {"ConditionMemory", "99999999999999999999999", -EINVAL},
        {"ConditionCPUs", ">=", -EINVAL},
        {"ConditionCPUs", "99999999999999999999", -EINVAL},
        {"ConditionCapability", "CHOWN", -EINVAL},
        {"ConditionCapability", "CAP_NONE", -EINVAL},
        {"ConditionSecurity", "locks", -EINVAL},
        {"ConditionFirstBoot", "perhaps", -EINVAL},
        {"ConditionFirmware", "bios", -EINVAL},
        {"ConditionFirmware", "smbios-field(x)", -EINVAL},
        {"ConditionFirmware", "smbios-field(../x = y)", -EINVAL},
        {"ConditionFirmware", "smbios-field(= y)", -EINVAL},
        {"AssertACPower", "perhaps", -EINVAL},
        {"ConditionCredential", "a/b", -EINVAL},
        {"ConditionCredential", "..", -EINVAL},
        {"ConditionNeedsUpdate", "etc", -EINVAL},
        {"ConditionPathIsEncrypted", "dev", -EINVAL},
        {"ConditionKernelVersion", ">=", -EINVAL},
        {"ConditionKernelVersion", " ", -EINVAL},
        {"ConditionOSRelease", "ID", -EINVAL},
        {"ConditionOSRelease", "=debian", -EINVAL},
        {"ConditionEnvironment", "=x", -EINVAL},
        {"ConditionControlGroupController", " ", -EINVAL},
        {"ConditionMemoryPressure", "20", -EINVAL},
        {"ConditionMemoryPressure", "20%/2min", -EINVAL},
        {"ConditionCPUPressure", "200%", -EINVAL},
        {"ConditionIOPressure", "system.slice:20%", -EINVAL},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        bool answer;
        char why[160] = "";
        int r = condition_check(table[i].name, table[i].value, &answer, why);
        if (r != table[i].error)
            fail_msg("%s=%s: %d", table[i].name, table[i].value, r);
        assert_true(*why != '\0');
        assert_int_equal(condition_known(table[i].name), table[i].error != -ENOENT);
    }
}

/* Sets the times of last change of a file: seconds and nanoseconds since 1970. */
static void date(const char *path, time_t seconds, long nanoseconds) {
    const struct timespec times[2] = {{seconds, nanoseconds}, {seconds, nanoseconds}};
    assert_int_equal(utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW), 0);
}

TEST(an_update_is_needed_where_usr_is_newer) {
    char directory[] = "/tmp/condition.XXXXXX", stamp[64], text[64];
    struct stat usr;
    assert_non_null(mkdtemp(directory));
    assert_int_equal(lstat("/usr/", &usr), 0);
    snprintf(stamp, sizeof(stamp), "%s/.updated", directory);
    assert_true(holds("ConditionNeedsUpdate", directory));
    touch(stamp, "", 0644);
    assert_false(holds("ConditionNeedsUpdate", directory));
    date(stamp, usr.st_mtim.tv_sec - 1, 0);
    assert_true(holds("ConditionNeedsUpdate", directory));
    date(stamp, usr.st_mtim.tv_sec, usr.st_mtim.tv_nsec);
    assert_false(holds("AssertNeedsUpdate", directory));
    if (usr.st_mtim.tv_nsec > 0) {
        snprintf(text, sizeof(text), "# stamp\nTIMESTAMP_NSEC=%lld%09ld\n",
                 (long long)usr.st_mtim.tv_sec, usr.st_mtim.tv_nsec);
        touch(stamp, text, 0644);
        date(stamp, usr.st_mtim.tv_sec, 0);
        assert_false(holds("ConditionNeedsUpdate", directory));
        touch(stamp, "TIMESTAMP_NSEC=1\n", 0644);
        date(stamp, usr.st_mtim.tv_sec, 0);
        assert_true(holds("ConditionNeedsUpdate", directory));
    }
    unlink(stamp);
    assert_int_equal(rmdir(directory), 0);
}

TEST(credentials_of_the_caller) {
    char directory[] = "/tmp/condition.XXXXXX", file[64];
    assert_non_null(mkdtemp(directory));
    snprintf(file, sizeof(file), "%s/secret", directory);
    touch(file, "x", 0600);
    assert_false(holds("ConditionCredential", "secret"));
    setenv("CREDENTIALS_DIRECTORY", directory, 1);
    assert_true(holds("ConditionCredential", "secret"));
    assert_false(holds("AssertCredential", "other"));
    unsetenv("CREDENTIALS_DIRECTORY");
    setenv("ENCRYPTED_CREDENTIALS_DIRECTORY", directory, 1);
    assert_true(holds("ConditionCredential", "secret"));
    unsetenv("ENCRYPTED_CREDENTIALS_DIRECTORY");
    unlink(file);
    assert_int_equal(rmdir(directory), 0);
}

/* What it says is held against systemd-detect-virt in tests/vm/differential.bats. */
TEST(what_kind_of_machine_this_is) {
    bool container;
    const char *kind = condition_virtual(&container);
    bool any = strcmp(kind, "none") != 0;
    assert_int_equal(holds("ConditionVirtualization", "yes"), any);
    assert_int_equal(holds("AssertVirtualization", "no"), !any);
    assert_int_equal(holds("ConditionVirtualization", "container"), container);
    assert_int_equal(holds("ConditionVirtualization", "vm"), any && !container);
    assert_true(holds("ConditionVirtualization", kind));
    assert_false(holds("ConditionVirtualization", "no-such-kind"));
    if (access("/run/systemd/container", F_OK) < 0 && access("/.dockerenv", F_OK) < 0)
        assert_false(holds("ConditionVirtualization", "docker"));
}

TEST(what_the_machine_is_made_of) {
    assert_int_equal(holds("ConditionFirmware", "uefi"), access("/sys/firmware/efi", F_OK) == 0);
    assert_false(holds("ConditionFirmware", "device-tree-compatible(no,such)"));
    assert_false(holds("ConditionFirmware", "smbios-field(no_such_field = x)"));
    if (access("/sys/class/dmi/id/sys_vendor", R_OK) == 0) {
        assert_true(holds("ConditionFirmware", "smbios-field(sys_vendor $= *)"));
        assert_false(holds("ConditionFirmware", "smbios-field(sys_vendor !$= *)"));
        assert_false(holds("ConditionFirmware", "smbios-field(sys_vendor = no such vendor)"));
        assert_true(holds("ConditionFirmware", "smbios-field(sys_vendor!=no such vendor)"));
    }
    assert_true(holds("ConditionACPower", "yes") != holds("ConditionACPower", "no"));
    assert_false(holds("ConditionPathIsEncrypted", "/proc"));
    assert_false(holds("AssertPathIsEncrypted", "/nonesuch"));
    assert_false(holds("ConditionCPUFeature", "no_such_feature"));
#ifdef __x86_64__
    assert_true(holds("ConditionCPUFeature", "sse2"));
    assert_true(holds("AssertCPUFeature", "lm"));
    assert_int_equal(holds("ConditionCPUFeature", "avx2"), __builtin_cpu_supports("avx2") != 0);
#endif
}

TEST(versions) {
    static const char *const rising[] = {"122~rc1", "122", "123~rc1", "123~rc1-1", "123", "123-a",
                                         "123-a.1", "123-3", "123^a", "123^1", "123.a", "123.1",
                                         "123a", "124"};
    for (size_t i = 0; i < sizeof(rising) / sizeof(*rising); i++)
        for (size_t j = 0; j < sizeof(rising) / sizeof(*rising); j++) {
            int r = version_compare(rising[i], rising[j]);
            if ((r > 0) - (r < 0) != (i > j) - (i < j))
                fail_msg("%s and %s: %d", rising[i], rising[j], r);
        }
    assert_int_equal(version_compare("1.02", "1.2"), 0);
    assert_int_equal(version_compare("6.1_0", "6.1+0"), 0);
}

UNIT_MAIN
