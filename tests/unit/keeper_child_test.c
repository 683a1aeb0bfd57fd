/* What a child does between clone and exec, as the program sees it then, or as the report tells
 * where it did not come that far. */
#include "keeper_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/magic.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "suite.h"

enum { SOMEBODY = 12345, SOMEGROUP = 23456 };

static struct draft draft; /* large */
static char text[1 << 16];

static void need_root(void) {
    if (geteuid() != 0)
        skip();
}

/* The program ran. */
static void ran(struct fixture *fixture) {
    assert_int_equal(fixture_report(fixture)->reached, PLAN_STEP_EXEC);
    assert_int_equal(fixture_report(fixture)->error, 0);
}

/* The plan fails in this step. */
static void fails(struct fixture *fixture, enum plan_step step, int error) {
    struct keeper_reply reply = draft_finish(&draft, fixture);
    assert_int_equal(fixture_report(fixture)->reached, step);
    assert_int_equal(fixture_report(fixture)->error, error);
    assert_int_equal(reply.code, CLD_EXITED);
    assert_int_equal(reply.status, 127);
}

/* The plan's program runs, ends with 0, and its output is `expected`. */
static void prints(struct fixture *fixture, const char *expected) {
    struct keeper_reply reply = draft_output(&draft, fixture, text, sizeof(text));
    ran(fixture);
    assert_string_equal(text, expected);
    assert_int_equal(reply.status, 0);
}

/* The same, the output being lines of /proc/self/status, each of which is there. */
static void shows(struct fixture *fixture, const char *const *lines) {
    assert_int_equal(draft_output(&draft, fixture, text, sizeof(text)).status, 0);
    for (; *lines; lines++)
        if (!strstr(text, *lines))
            fail_msg("'%s' is not in:\n%s", *lines, text);
}
#define LINES(...) ((const char *const[]){__VA_ARGS__, NULL})

/* ---- clone and exec ---- */

/* A new cgroup, in whichever hierarchy is version 2. */
static bool make_cgroup(char *path, size_t space) {
    static const char *const roots[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};
    for (size_t i = 0; i < ARRAY_SIZE(roots); i++) {
        struct statfs found;
        snprintf(path, space, "%s/keeper-test-%d", roots[i], getpid());
        if (statfs(roots[i], &found) == 0 && found.f_type == CGROUP2_SUPER_MAGIC)
            return mkdir(path, 0755) == 0;
    }
    return false;
}

static void use_cgroup(const char *path) {
    close(draft.fds[PLAN_FD_CGROUP]);
    draft.fds[PLAN_FD_CGROUP] = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(draft.fds[PLAN_FD_CGROUP] >= 0);
    draft.plan.has |= PLAN_HAS_CGROUP;
}

TEST(it_is_born_in_its_cgroup) {
    struct fixture fixture;
    char path[64], expected[80];
    need_root();
    if (!make_cgroup(path, sizeof(path)))
        skip();
    fixture_run(&fixture);
    draft_open(&draft, "/bin/sed", "-n", "s/^0:://p", "/proc/self/cgroup", NULL);
    use_cgroup(path);
    snprintf(expected, sizeof(expected), "%s\n", strrchr(path, '/'));
    prints(&fixture, expected);
    EVENTUALLY(rmdir(path) == 0);
    fixture_close(&fixture);
}

TEST(without_its_cgroup_it_is_not_born) {
    struct fixture fixture;
    struct keeper_reply reply;
    char path[64];
    need_root();
    if (!make_cgroup(path, sizeof(path)))
        skip();
    fixture_run(&fixture);
    draft_open(&draft, "/bin/true", NULL);
    use_cgroup(path);
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(draft_spawn(&draft, &fixture, &reply), -1);
    assert_true(reply.error == ENODEV || reply.error == ENOENT);
    assert_int_equal(reply.token, draft.plan.token);
    draft_open(&draft, "/bin/true", NULL);
    draft.plan.has |= PLAN_HAS_CGROUP;
    assert_int_equal(draft_spawn(&draft, &fixture, &reply), -1);
    assert_int_equal(reply.error, EBADF);
    assert_int_equal(fixture_children(&fixture), 1);
    fixture_close(&fixture);
}

TEST(a_plan_without_sense_is_refused) {
    struct fixture fixture;
    struct keeper_reply reply;
    fixture_run(&fixture);
    draft_open(&draft, "/bin/true", NULL);
    draft.plan.report = PLAN_REPORTS;
    assert_int_equal(draft_spawn(&draft, &fixture, &reply), -1);
    assert_int_equal(reply.error, EPROTO);
    draft_open(&draft, "/bin/true", NULL);
    draft_add(&draft, text, KEEPER_PACKET_MAX, 1);
    draft.plan
        .size -= 8; /* the memfd is shorter than a page less than it should be: it still runs */
    assert_int_equal(draft_finish(&draft, &fixture).status, 0);
    fixture_close(&fixture);
}

TEST(what_is_missing_is_named) {
    struct fixture fixture;
    fixture_run(&fixture);
    draft_open(&draft, "/nonexistent", NULL);
    fails(&fixture, PLAN_STEP_EXEC, ENOENT);
    draft_open(&draft, "/bin/true/x", NULL);
    fails(&fixture, PLAN_STEP_EXEC, ENOTDIR);
    draft_open(&draft, "/etc/passwd", NULL);
    fails(&fixture, PLAN_STEP_EXEC, EACCES);
    fixture_close(&fixture);
}

TEST(paths_are_tried_in_turn) {
    struct fixture fixture;
    fixture_run(&fixture);
    draft_open(&draft, "/bin/echo", "found", NULL);
    draft.plan.paths = draft_strings(
        &draft, LINES("/nonexistent", "/etc/passwd", "/bin/sh/x", "/bin/echo"));
    prints(&fixture, "found\n");
    draft_open(&draft, "/bin/echo", NULL);
    draft.plan.paths = draft_strings(&draft, LINES("/etc/passwd", "/nonexistent"));
    fails(&fixture, PLAN_STEP_EXEC, EACCES);
    fixture_close(&fixture);
}

TEST(a_large_plan_travels_in_a_memfd) {
    struct fixture fixture;
    static char value[100001];
    fixture_run(&fixture);
    memset(value, 'x', sizeof(value) - 1);
    for (int name = 'A'; name <= 'C'; name++) {
        value[0] = (char)name;
        value[1] = '=';
        if (name == 'A')
            draft_open(&draft, "/bin/sh", "-c", "echo ${#A} ${#B}", NULL);
        else if (name == 'B')
            draft.plan.environment = draft_strings(&draft, LINES("B=1", value, "A=xyz"));
    }
    assert_true(draft.plan.size > KEEPER_PACKET_MAX);
    prints(&fixture, "3 99998\n");
    fixture_close(&fixture);
}

/* ---- streams ---- */

TEST(only_the_standard_streams_are_open) {
    struct fixture fixture;
    fixture_run(&fixture);
    draft_open(&draft, "/bin/sh", "-c", "for fd in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do"
               " [ -e /proc/$$/fd/$fd ] && echo $fd; done; readlink /proc/$$/fd/0", NULL);
    prints(&fixture, "0\n1\n2\n/dev/null\n");
    fixture_close(&fixture);
}

static void use_path(unsigned stream, enum plan_source source, const char *path) {
    draft.plan.stream[stream] = (struct plan_stream){
        .source = source,
        .path = draft_add(&draft, path, strlen(path) + 1, (uint32_t)strlen(path) + 1)};
}

static void holds(const char *path, const char *expected, mode_t mode) {
    char found[256];
    struct stat made;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = read(fd, found, sizeof(found) - 1);
    assert_true(size >= 0);
    found[size] = '\0';
    assert_string_equal(found, expected);
    assert_int_equal(fstat(fd, &made), 0);
    assert_int_equal(made.st_mode & 07777, mode);
    close(fd);
}

TEST(streams_are_opened_by_path) {
    struct fixture fixture;
    static const struct { enum plan_source source; const char *say; const char *then; } rows[] = {
        {PLAN_SOURCE_WRITE, "one two three\n", "one two three\n"},
        {PLAN_SOURCE_WRITE, "two\n", "two\ntwo three\n"},
        {PLAN_SOURCE_APPEND, "four\n", "two\ntwo three\nfour\n"},
        {PLAN_SOURCE_TRUNCATE, "five\n", "five\n"},
    };
    char path[96];
    fixture_run(&fixture);
    snprintf(path, sizeof(path), "%s/out", fixture.directory);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        draft_open(&draft, "/usr/bin/printf", rows[i].say, NULL);
        draft.plan.umask = 026;
        use_path(STDOUT_FILENO, rows[i].source, path);
        assert_int_equal(draft_finish(&draft, &fixture).status, 0);
        holds(path, rows[i].then, 0640);
    }
    draft_open(&draft, "/bin/cat", NULL);
    use_path(STDIN_FILENO, PLAN_SOURCE_READ, path);
    prints(&fixture, "five\n");
    draft_open(&draft, "/bin/cat", NULL);
    use_path(STDIN_FILENO, PLAN_SOURCE_READ, "/nonexistent");
    fails(&fixture, PLAN_STEP_STDIN, ENOENT);
    draft_open(&draft, "/bin/cat", NULL);
    use_path(STDERR_FILENO, PLAN_SOURCE_WRITE, "/");
    fails(&fixture, PLAN_STEP_STDERR, EISDIR);
    fixture_close(&fixture);
}

static void use_ids(uint32_t uid, uint32_t gid) {
    draft.plan.has |= PLAN_HAS_IDS;
    draft.plan.uid = uid;
    draft.plan.gid = gid;
}

TEST(paths_are_opened_with_ones_own_rights) {
    struct fixture fixture;
    char path[96];
    need_root();
    fixture_run(&fixture);
    snprintf(path, sizeof(path), "%s/private", fixture.directory);
    close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    for (int i = 0; i < 3; i++) {
        draft_open(&draft, "/bin/sh", "-c", "echo out; echo error >&2", NULL);
        use_path(STDOUT_FILENO, PLAN_SOURCE_APPEND, path);
        draft.plan.stream[STDERR_FILENO].source = PLAN_SOURCE_OUTPUT;
        use_ids(SOMEBODY, SOMEGROUP);
        draft.plan.has |= i > 0 ? PLAN_HAS_OPEN_AS_USER : 0;
        if (i == 1) {
            fails(&fixture, PLAN_STEP_STDOUT, EACCES);
            assert_int_equal(chown(path, SOMEBODY, 0), 0);
            continue;
        }
        assert_int_equal(draft_finish(&draft, &fixture).status, 0);
        holds(path, i == 0 ? "out\nerror\n" : "out\nerror\nout\nerror\n", 0600);
    }
    fixture_close(&fixture);
}

TEST(a_terminal_becomes_the_controlling_one) {
    struct fixture fixture;
    fixture_run(&fixture);
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(master >= 0);
    assert_int_equal(grantpt(master) | unlockpt(master), 0);
    for (int i = 0; i < 2; i++) {
        draft_open(&draft, "/bin/sh", "-c", ": </dev/tty && echo yes", NULL);
        draft.plan.has |= i == 0 ? PLAN_HAS_TERMINAL : 0;
        int slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
        draft_pass(&draft, STDIN_FILENO, slave);
        close(slave);
        draft_output(&draft, &fixture, text, sizeof(text));
        assert_int_equal(strcmp(text, "yes\n") == 0, i == 0);
    }
    draft_open(&draft, "/bin/true", NULL);
    draft.plan.has |= PLAN_HAS_TERMINAL;
    fails(&fixture, PLAN_STEP_TERMINAL, ENOTTY);
    close(master);
    fixture_close(&fixture);
}

/* ---- what the process is ---- */

TEST(a_session_of_its_own_without_blocked_or_ignored_signals) {
    struct fixture fixture;
    fixture_run(&fixture);
    draft_open(&draft, "/bin/cat", "/proc/self/status", NULL);
    draft.plan.umask = 0137;
    shows(&fixture, LINES("SigBlk:\t0000000000000000\n", "SigIgn:\t0000000000000000\n",
                          "SigCgt:\t0000000000000000\n", "Umask:\t0137\n", "NoNewPrivs:\t0\n",
                          "Seccomp:\t0\n"));
    draft_open(&draft, "/bin/sh", "-c",
               "read -r pid comm state parent group session rest </proc/$$/stat;"
               "echo $((group - pid)) $((session - pid)); pwd",
               NULL);
    prints(&fixture, "0 0\n/\n");
    fixture_close(&fixture);
}

TEST(priority_affinity_and_limits) {
    struct fixture fixture;
    static const struct plan_limit limits[] = {{.resource = RLIMIT_NOFILE, .soft = 77, .hard = 88},
                                               {.resource = RLIMIT_CORE, .soft = 0, .hard = 4096}};
    static const uint8_t first[8] = {1};
    fixture_run(&fixture);
    draft_open(&draft, "/bin/sh", "-c", "ulimit -n; ulimit -Hn; ulimit -c; ulimit -Hc; nice;"
               "cat /proc/self/oom_score_adj; grep ^Cpus_allowed_list /proc/self/status", NULL);
    draft.plan.has |= PLAN_HAS_NICE | PLAN_HAS_AFFINITY | PLAN_HAS_OOM_SCORE;
    draft.plan.nice = 7;
    draft.plan.oom_score = 123;
    draft.plan.affinity = draft_add(&draft, first, sizeof(first), sizeof(first));
    draft.plan.limits = draft_add(&draft, limits, sizeof(limits), 2);
    draft.plan.environment = draft_strings(&draft, LINES("PATH=/usr/bin:/bin"));
    prints(&fixture, "77\n88\n0\n8\n7\n123\nCpus_allowed_list:\t0\n");
    draft_open(&draft, "/bin/true", NULL);
    draft.plan.has |= PLAN_HAS_OOM_SCORE;
    draft.plan.oom_score = -1001;
    fails(&fixture, PLAN_STEP_OOM_SCORE, EINVAL);
    draft_open(&draft, "/bin/true", NULL);
    draft.plan.limits = draft_add(&draft, &(struct plan_limit){.resource = 99}, sizeof(limits[0]),
                                  1);
    fails(&fixture, PLAN_STEP_LIMITS, EINVAL);
    draft_open(&draft, "/bin/true", NULL);
    draft.plan.has |= PLAN_HAS_AFFINITY;
    draft.plan.affinity = draft_add(&draft, (uint8_t[8]){0}, 8, 8);
    fails(&fixture, PLAN_STEP_AFFINITY, EINVAL);
    fixture_close(&fixture);
}

TEST(the_working_directory) {
    struct fixture fixture;
    fixture_run(&fixture);
    for (int i = 0; i < 3; i++) {
        const char *directory = i == 0 ? "/usr/bin" : "/nonexistent";
        draft_open(&draft, "/bin/pwd", NULL);
        draft.plan.has |= PLAN_HAS_DIRECTORY | (i == 2 ? PLAN_HAS_DIRECTORY_OPTIONAL : 0);
        draft.plan.directory = draft_add(&draft, directory, strlen(directory) + 1, 1);
        if (i == 1)
            fails(&fixture, PLAN_STEP_DIRECTORY, ENOENT);
        else
            prints(&fixture, i == 0 ? "/usr/bin\n" : "/\n");
    }
    fixture_close(&fixture);
}

TEST(ids_and_groups) {
    struct fixture fixture;
    static const uint32_t groups[] = {34567, 45678};
    need_root();
    fixture_run(&fixture);
    draft_open(&draft, "/bin/cat", "/proc/self/status", NULL);
    use_ids(SOMEBODY, SOMEGROUP);
    draft.plan.groups = draft_add(&draft, groups, sizeof(groups), 2);
    shows(&fixture,
          LINES("Uid:\t12345\t12345\t12345\t12345\n", "Gid:\t23456\t23456\t23456\t23456\n",
                "Groups:\t34567 45678 \n", "CapPrm:\t0000000000000000\n",
                "CapEff:\t0000000000000000\n", "CapAmb:\t0000000000000000\n"));
    draft_open(&draft, "/bin/cat", "/proc/self/status", NULL);
    use_ids(SOMEBODY, SOMEGROUP);
    shows(&fixture, LINES("Groups:\t \n"));
    draft_open(&draft, "/bin/true", NULL);
    use_ids(UINT32_MAX, SOMEGROUP); /* would mean: unchanged */
    fails(&fixture, PLAN_STEP_UID, EINVAL);
    draft_open(&draft, "/bin/true", NULL);
    use_ids(SOMEBODY, UINT32_MAX);
    fails(&fixture, PLAN_STEP_GID, EINVAL);
    fixture_close(&fixture);
}

static uint64_t own_bounding(void) {
    uint64_t set = 0;
    for (int i = 0; prctl(PR_CAPBSET_READ, i, 0, 0, 0) >= 0; i++)
        set |= (uint64_t)prctl(PR_CAPBSET_READ, i, 0, 0, 0) << i;
    return set;
}

static void use_capabilities(uint64_t bounding, uint64_t inheritable, uint64_t ambient) {
    draft.plan.has |= PLAN_HAS_CAPABILITIES;
    draft.plan.bounding = bounding;
    draft.plan.inheritable = inheritable;
    draft.plan.ambient = ambient;
}

TEST(capabilities_of_somebody) {
    struct fixture fixture;
    uint64_t bind = UINT64_C(1) << CAP_NET_BIND_SERVICE;
    need_root();
    fixture_run(&fixture);
    draft_open(&draft, "/bin/cat", "/proc/self/status", NULL);
    use_ids(SOMEBODY, SOMEGROUP);
    use_capabilities(bind | 1 << CAP_CHOWN, bind, bind);
    shows(&fixture, LINES("CapInh:\t0000000000000400\n", "CapPrm:\t0000000000000400\n",
                          "CapEff:\t0000000000000400\n", "CapBnd:\t0000000000000401\n",
                          "CapAmb:\t0000000000000400\n"));
    draft_open(&draft, "/bin/cat", "/proc/self/status", NULL);
    use_ids(SOMEBODY, SOMEGROUP);
    use_capabilities(0, 0, 0);
    shows(&fixture, LINES("CapInh:\t0000000000000000\n", "CapPrm:\t0000000000000000\n",
                          "CapEff:\t0000000000000000\n", "CapBnd:\t0000000000000000\n",
                          "CapAmb:\t0000000000000000\n"));
    draft_open(&draft, "/bin/true", NULL);
    use_ids(SOMEBODY, SOMEGROUP);
    use_capabilities(0, bind, bind); /* not in the bounding set */
    fails(&fixture, PLAN_STEP_CAPABILITIES, EPERM);
    fixture_close(&fixture);
}

TEST(capabilities_of_root) {
    struct fixture fixture;
    char permitted[64], bounding[64];
    uint64_t own = own_bounding();
    need_root();
    fixture_run(&fixture);
    draft_open(&draft, "/bin/cat", "/proc/self/status", NULL);
    use_capabilities(own & ~(UINT64_C(1) << CAP_SYS_ADMIN | UINT64_C(1) << CAP_SETPCAP), 0, 0);
    use_ids(0, 0);
    snprintf(permitted, sizeof(permitted), "CapPrm:\t%016llx\n",
             (unsigned long long)draft.plan.bounding);
    snprintf(bounding, sizeof(bounding), "CapBnd:\t%016llx\n",
             (unsigned long long)draft.plan.bounding);
    shows(&fixture, LINES(permitted, bounding, "CapInh:\t0000000000000000\n"));
    fixture_close(&fixture);
}

/* ---- the filter ---- */

#define ALLOW(number)                                        \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (number), 0, 1),     \
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

static void use_filter(const struct sock_filter *filter, size_t size, bool no_new_privileges) {
    draft.plan.has |= PLAN_HAS_FILTER | (no_new_privileges ? PLAN_HAS_NO_NEW_PRIVILEGES : 0);
    draft.plan.filter = draft_add(&draft, filter, size, (uint32_t)(size / sizeof(*filter)));
}

/* Past the filter a child makes no other call than these two, and still reports. */
TEST(a_filter_may_forbid_all_but_exec_and_exit) {
    struct fixture fixture;
    static const struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        ALLOW(SYS_execve), ALLOW(SYS_exit_group),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    };
    fixture_run(&fixture);
    draft_open(&draft, "/nonexistent", NULL);
    use_filter(filter, sizeof(filter), true);
    fails(&fixture, PLAN_STEP_EXEC, ENOENT);
    draft_open(&draft, "/bin/true", NULL);
    use_filter(filter, sizeof(filter), true);
    struct keeper_reply reply = draft_finish(&draft, &fixture);
    ran(&fixture);
    assert_true(reply.code == CLD_KILLED || reply.code == CLD_DUMPED);
    assert_int_equal(reply.status, SIGSYS);
    fixture_close(&fixture);
}

TEST(filter_and_no_new_privileges_are_seen) {
    struct fixture fixture;
    static const struct sock_filter filter[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    fixture_run(&fixture);
    draft_open(&draft, "/bin/cat", "/proc/self/status", NULL);
    use_filter(filter, sizeof(filter), true);
    shows(&fixture, LINES("NoNewPrivs:\t1\n", "Seccomp:\t2\n", "Seccomp_filters:\t1\n"));
    draft_open(&draft, "/bin/true", NULL);
    use_filter(filter, 0, true);
    fails(&fixture, PLAN_STEP_FILTER, EINVAL);
    need_root();
    draft_open(&draft, "/bin/true", NULL);
    use_filter(filter, sizeof(filter), false);
    use_ids(SOMEBODY, SOMEGROUP);
    fails(&fixture, PLAN_STEP_FILTER, EACCES);
    fixture_close(&fixture);
}

int main(void) {
    return fixture_main();
}
