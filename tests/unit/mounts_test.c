/* What settings make of the file system: the list of mounts, in the order in which a child makes
 * them. */
#include "agent/mounts.h"

#include <stdio.h>
#include <string.h>

#include "agent/mount_order.h"
#include "controller/settings.h"
#include "settings.h"
#include "suite.h"

static const char *const kinds[] = {
    [PLAN_MOUNT_INACCESSIBLE] = "none", [PLAN_MOUNT_BIND] = "bind",
    [PLAN_MOUNT_DEVICES] = "devices",
    [PLAN_MOUNT_PRIVATE] = "private",   [PLAN_MOUNT_PROC] = "proc", [PLAN_MOUNT_READ_ONLY] = "ro",
    [PLAN_MOUNT_READ_WRITE] = "rw",     [PLAN_MOUNT_NO_EXEC] = "noexec",
    [PLAN_MOUNT_EXEC] = "exec",         [PLAN_MOUNT_TEMPORARY] = "tmpfs",
    [PLAN_MOUNT_QUEUES] = "mqueue",     [PLAN_MOUNT_AS_IS] = "asis",
};

static const struct { uint32_t bit; const char *word; } bits[] = {
    {PLAN_MOUNT_OPTIONAL, "?"},          {PLAN_MOUNT_RECURSIVE, "+r"}, {PLAN_MOUNT_FALLBACK, "+f"},
    {PLAN_MOUNT_RDONLY, "+ro"},          {PLAN_MOUNT_NOEXEC, "+nx"},
    {PLAN_MOUNT_EXECUTABLE, "+x"},       {PLAN_MOUNT_NOSUID, "+ns"},   {PLAN_MOUNT_NODEV, "+nd"},
    {PLAN_MOUNT_RELAXED, "+relaxed"},
};

/* One line for each mount: "kind bits path [<source] [options]". */
static void print(const struct mounts *mounts, char *text, size_t space) {
    size_t used = 0;
    *text = '\0';
    for (size_t i = 0; i < mounts->count; i++) {
        const struct plan_mount *mount = &mounts->at[i];
        used += (size_t)snprintf(text + used, space - used, "%s", kinds[mount->kind]);
        for (size_t b = 0; b < ARRAY_SIZE(bits); b++)
            if (mount->flags & bits[b].bit)
                used += (size_t)snprintf(text + used, space - used, "%s", bits[b].word);
        used += (size_t)snprintf(text + used, space - used, " %s", mount_path(mount));
        if (mount->source)
            used += (size_t)snprintf(text + used, space - used, " <%s",
                                     (const char *)(uintptr_t)mount->source);
        if (mount->options && *(const char *)(uintptr_t)mount->options)
            used += (size_t)snprintf(text + used, space - used, " %s",
                                     (const char *)(uintptr_t)mount->options);
        used += (size_t)snprintf(text + used, space - used, "\n");
        assert_true(used < space);
    }
}

/* Collects what the settings come to once they have been sent. */
static int collect(const char *const *texts, struct mounts *mounts, struct failure *failure) {
    struct settings settings = {0};
    struct wire wire = {0};
    for (size_t i = 0; texts[i]; i++)
        if (settings_assign_text(&settings, texts[i]) < 0)
            fail_msg("%s: %s", texts[i], settings.wrong);
    int r = mounts_collect(NULL, wire_pass(&wire, &settings.properties), mounts, failure);
    wire_free(&wire);
    settings_free(&settings);
    return r;
}

#define HIDDEN "none? /run/credentials\n"

static const struct {
    const char *settings[6];
    const char *expected;
} rows[] = {
    {{NULL}, ""},
    {{"PrivateMounts=yes"}, HIDDEN},
    {{"PrivateMounts=no", "ProtectSystem=no", "PrivateTmp=no"}, ""},
    {{"ReadOnlyPaths=/b /a/x -/a"}, "ro? /a\nro /b\n" HIDDEN},
    {{"ReadOnlyPaths=/a /a/x /a/x/y", "ReadWritePaths=/a/x"}, "ro /a\n" HIDDEN},
    {{"ReadOnlyPaths=/a /a/x/y", "ReadWritePaths=/a/x"}, "ro /a\nrw /a/x\nro /a/x/y\n" HIDDEN},
    {{"ReadOnlyPaths=/a-b /a /a/b"}, "ro /a\nro /a-b\n" HIDDEN},
    {{"InaccessiblePaths=/a", "ReadWritePaths=/a/b /ab"}, "none /a\nrw /ab\n" HIDDEN},
    {{"NoExecPaths=/", "ExecPaths=/usr", "ReadOnlyPaths=/usr"},
     "noexec /\n" HIDDEN "ro+x /usr\n"},
    {{"BindPaths=/s:/t -/o", "BindReadOnlyPaths=/r:/t/u:norbind"},
     "bind?+r /o </o\n" HIDDEN "bind+r /t </s\nbind+ro /t/u </r\n"},
    {{"TemporaryFileSystem=/t /u:ro,size=1M,,nosuid"},
     HIDDEN "tmpfs+nd /t mode=0755,size=10%,nr_inodes=400k\n"
            "tmpfs+ro+ns+nd /u mode=0755,size=10%,nr_inodes=400k,size=1M\n"},
    {{"PrivateTmp=yes", "ReadOnlyPaths=/tmp"},
     HIDDEN "private+ro+ns+nd /tmp mode=1777\nprivate+ns+nd /var/tmp mode=1777\n"},
    {{"ProtectSystem=strict", "ProtectHome=yes", "ReadWritePaths=/var/lib"},
     "ro /\nasis? /dev\nnone? /home\nasis? /proc\nnone? /root\n" HIDDEN
     "none? /run/user\nasis? /sys\nrw /var/lib\n"},
    {{"ProtectSystem=yes"},
     "ro? /bin\nro? /boot\nro? /efi\nro? /lib\nro? /lib64\n" HIDDEN "ro? /sbin\nro /usr\n"},
    {{"ProtectHome=tmpfs"},
     "tmpfs?+ro+nd /home mode=0755,size=4m,nr_inodes=1k\n"
     "tmpfs?+ro+nd /root mode=0700,size=4m,nr_inodes=1k\n" HIDDEN
     "tmpfs?+ro+nd /run/user mode=0755,size=4m,nr_inodes=1k\n"},
    {{"StateDirectory=a", "RuntimeDirectory=b/c:d"}, ""},
    {{"StateDirectory=a", "RuntimeDirectory=b/c:d", "ReadOnlyPaths=/run/b/c /run"},
     "ro /run\nbind+r+ro /run/b/c </run/b/c\n" HIDDEN "bind+r /var/lib/a </var/lib/a\n"},
    {{"StateDirectory=a b/c", "DynamicUser=yes", "PrivateMounts=yes", "RuntimeDirectory=r"},
     HIDDEN "bind+r /run/r </run/r\n"
     "tmpfs+ro+ns+nd /var/lib/private mode=0755,size=4m,nr_inodes=1k\n"
     "bind+r /var/lib/private/a </var/lib/private/a\n"
     "bind+r /var/lib/private/b/c </var/lib/private/b/c\n"},
    {{"StateDirectory=a", "DynamicUser=yes", "RootDirectory=/srv/r", "MountAPIVFS=no"},
     HIDDEN "bind+r /var/lib/a </var/lib/private/a\n"},
    {{"ProtectControlGroups=yes"}, "proc+relaxed /proc\n" HIDDEN "ro? /sys/fs/cgroup\n"},
    {{"ProtectKernelTunables=yes", "ProtectControlGroups=yes", "ReadWritePaths=/proc/sys/net",
      "ProtectSystem=strict", "ProtectHome=yes"},
     "ro /\nasis? /dev\nnone? /home\nproc+relaxed /proc\n"
     "ro? /proc/acpi\nro? /proc/apm\nro? /proc/asound\nro? /proc/bus\nro? /proc/fs\nro? /proc/irq\n"
     "none? /proc/kallsyms\nnone? /proc/kcore\nro? /proc/latency_stats\nro? /proc/mtrr\n"
     "ro? /proc/scsi\nro? /proc/sys\nrw /proc/sys/net\nro? /proc/sysrq-trigger\n"
     "ro? /proc/timer_stats\nnone? /root\n" HIDDEN "none? /run/user\nasis? /sys/fs/selinux\n"},
    {{"ProtectProc=invisible", "ProcSubset=pid"},
     "proc /proc hidepid=invisible,subset=pid\n" HIDDEN},
    {{"ProcSubset=pid"}, "proc /proc hidepid=off,subset=pid\n" HIDDEN},
    {{"ProtectKernelModules=yes", "ProtectKernelLogs=yes"},
     "none? /dev/kmsg\nnone? /lib/modules\nnone? /proc/kmsg\n" HIDDEN "none? /usr/lib/modules\n"},
    {{"PrivateDevices=yes"}, "devices+ro /dev 4m\n" HIDDEN},
    {{"PrivateIPC=yes"}, "mqueue? /dev/mqueue\n" HIDDEN},
    {{"ProtectHostname=yes"},
     "ro? /proc/sys/kernel/domainname\nro? /proc/sys/kernel/hostname\n" HIDDEN},
    {{"PrivatePIDs=yes"}, "proc /proc\n" HIDDEN},
    {{"RootDirectory=/srv/r"},
     "bind+r+f /dev </dev\nproc+relaxed /proc\n"
     "tmpfs+f+ns+nd /run mode=0755,size=20%,nr_inodes=800k\n" HIDDEN "bind+r+f /sys </sys\n"},
    {{"RootImage=/srv/i", "RootImageOptions=ro", "ReadOnlyPaths=/srv/i/etc +/usr /opt -+/a"},
     "ro? /a\nbind+r+f /dev </dev\nproc+relaxed /proc\n"
     "tmpfs+f+ns+nd /run mode=0755,size=20%,nr_inodes=800k\n" HIDDEN "bind+r+f /sys </sys\n"
     "ro /usr\n"},
    {{"RootImageOptions=ro"}, ""},
    {{"MountAPIVFS=yes"}, ""},
    {{"RootDirectory=/srv/r", "MountAPIVFS=no", "ReadOnlyPaths=/srv/r/etc +/usr /opt /srv/root"},
     "ro /etc\n" HIDDEN "ro /usr\n"},
    {{"RootDirectory=/srv/r", "PrivateDevices=yes", "ReadWritePaths=/srv/r"},
     "rw /\ndevices+ro /dev 4m\nproc+relaxed /proc\n"
     "tmpfs+f+ns+nd /run mode=0755,size=20%,nr_inodes=800k\n" HIDDEN "bind+r+f /sys </sys\n"},
};

TEST(each_setting_means_what_it_means_to_systemd) {
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct mounts mounts;
        struct failure failure = {0};
        char text[8192];
        if (collect(rows[i].settings, &mounts, &failure) < 0)
            fail_msg("row %zu: %s", i, failure.text);
        print(&mounts, text, sizeof(text));
        assert_string_equal(text, rows[i].expected);
        assert_int_equal(mounts.own, *rows[i].expected != '\0');
        assert_int_equal(mounts.inaccessible, strstr(text, "none") != NULL);
        mounts_free(&mounts);
    }
}

TEST(without_such_settings_nothing_is_allocated) {
    struct holden_properties none = {0};
    struct mounts mounts;
    struct failure failure = {0};
    assert_int_equal(mounts_collect(NULL, &none, &mounts, &failure), 0);
    assert_null(mounts.at);
    assert_null(mounts.texts);
    mounts_free(&mounts);
}

/* Who speaks the protocol is not always the controller. */
TEST(paths_are_checked_again) {
    static const char *const bad[] = {"",       "-",     "+",   "a", "/a/", "/a//b",
                                      "/a/./b", "/a/..", "/..", "//"};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct properties asked = {0};
        struct wire wire = {0};
        struct mounts mounts;
        struct failure failure = {0};
        HOLDEN_SET(&asked.all, properties, read_only_paths,
                   settings_views(asked.architectures, LIST(bad[i])));
        if (mounts_collect(NULL, wire_pass(&wire, &asked.all), &mounts, &failure) == 0)
            fail_msg("\"%s\" is taken", bad[i]);
        assert_int_equal(failure.code, HOLDEN_code_INVALID);
        assert_string_equal(failure.step, "ReadOnlyPaths");
        mounts_free(&mounts);
        wire_free(&wire);
    }
}

TEST(too_many_places_are_refused) {
    static char long_list[(MOUNTS_MOST + 1) * 8 + 16];
    struct mounts mounts;
    struct failure failure = {0};
    size_t used = (size_t)sprintf(long_list, "ReadOnlyPaths=");
    for (int i = 0; i <= MOUNTS_MOST; i++)
        used += (size_t)snprintf(long_list + used, sizeof(long_list) - used, "/p%d ", i);
    assert_true(collect(LIST(long_list), &mounts, &failure) < 0);
    assert_int_equal(failure.code, HOLDEN_code_TOO_MANY);
    mounts_free(&mounts);
}

TEST(a_mount_is_named_by_its_number) {
    struct mounts mounts;
    struct failure failure = {0};
    const char *property, *path;
    assert_int_equal(collect(LIST("ReadOnlyPaths=/b /a", "ProtectHome=yes", "RootDirectory=/r/",
                                  "BindPaths=/s:/t"),
                             &mounts, &failure),
                     0);
    for (size_t i = 0; i < mounts.count; i++) {
        mounts_name(&mounts, mounts.at[i].number, &property, &path);
        assert_string_equal(path, mount_path(&mounts.at[i]));
        if (strcmp(path, "/t") == 0)
            assert_string_equal(property, "BindPaths");
        if (strcmp(path, "/home") == 0)
            assert_string_equal(property, "ProtectHome");
    }
    mounts_name(&mounts, UINT32_MAX, &property, &path);
    assert_string_equal(property, "RootDirectory");
    assert_string_equal(path, "/r");
    mounts_free(&mounts);
}

TEST(an_image_has_its_bits_and_its_options) {
    static const struct { const char *options, *rest; uint32_t flags; } each[] = {
        {"", "", PLAN_MOUNT_NODEV},
        {"RootImageOptions=dev,nosuid,,commit=7,ro,rw", ",commit=7", PLAN_MOUNT_NOSUID},
        {"RootImageOptions=a,noexec,b=c", ",a,b=c", PLAN_MOUNT_NODEV | PLAN_MOUNT_NOEXEC},
    };
    const char *property, *path;
    for (size_t i = 0; i < ARRAY_SIZE(each); i++) {
        struct mounts mounts;
        struct failure failure = {0};
        assert_int_equal(collect(LIST("RootImage=/i", *each[i].options ? each[i].options : NULL),
                                 &mounts, &failure),
                         0);
        assert_true(mounts.image);
        assert_string_equal(mounts.root, "/i");
        assert_string_equal(mounts.root_options, each[i].rest);
        assert_int_equal(mounts.root_flags, each[i].flags);
        mounts_name(&mounts, PLAN_ROOT_LOOP, &property, &path);
        assert_string_equal(property, "RootImage");
        mounts_name(&mounts, PLAN_ROOT_OPTIONS, &property, &path);
        assert_string_equal(property, "RootImageOptions");
        assert_string_equal(path, "/i");
        mounts_free(&mounts);
    }
}

TEST(there_is_one_root) {
    struct mounts mounts;
    struct failure failure = {0};
    assert_true(collect(LIST("RootImage=/i", "RootDirectory=/"), &mounts, &failure) < 0);
    assert_int_equal(failure.code, HOLDEN_code_INVALID);
    assert_string_equal(failure.step, "RootImage");
    mounts_free(&mounts);
}

/* A link may lead to a place that was mounted already, or is out of reach by now. */
TEST(what_comes_later_is_held_against_what_is_made) {
    struct plan_mount mounts[] = {
        {.kind = PLAN_MOUNT_READ_WRITE, .path = (uintptr_t) "/a"},
        {.kind = PLAN_MOUNT_INACCESSIBLE, .path = (uintptr_t) "/b"},
        {.kind = PLAN_MOUNT_READ_ONLY, .path = (uintptr_t) "/a"},
        {.kind = PLAN_MOUNT_BIND, .path = (uintptr_t) "/b/c"},
        {.kind = PLAN_MOUNT_READ_ONLY, .path = (uintptr_t) "/"},
        {.kind = PLAN_MOUNT_READ_WRITE, .path = (uintptr_t) "/a/x"},
    };
    assert_int_equal(mount_order(mounts, 2, 6), 3);
    assert_string_equal(mount_path(&mounts[2]), "/");
    assert_true(mount_is_read_only(&mounts[0]));
}

UNIT_MAIN
