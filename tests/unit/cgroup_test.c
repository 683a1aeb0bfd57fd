/* Cgroups: what only reads and writes files, on plain ones; the rest on the real thing, as root
 * where there is a cgroup2 file system. */
#include "agent/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/file.h"
#include "scratch.h"
#include "suite.h"

TEST(names_hold_the_id) {
    char name[96], shortest[5];
    cgroup_name(12, "web", name, sizeof(name));
    assert_string_equal(name, "12-web");
    cgroup_name(UINT64_MAX, "x", name, sizeof(name));
    assert_string_equal(name, "18446744073709551615-x");
    cgroup_name(12, "web", shortest, sizeof(shortest));
    assert_string_equal(shortest, "12-w");
}

TEST(keys_are_whole_words_at_the_beginning_of_a_line) {
    static const char text[] = "oom 1\noom_kill 23\nmax 18446744073709551615\nempty\nlast 4";
    uint64_t value = 99;
    assert_true(cgroup_key(text, "oom", &value));
    assert_int_equal(value, 1);
    assert_true(cgroup_key(text, "oom_kill", &value));
    assert_int_equal(value, 23);
    assert_true(cgroup_key(text, "max", &value));
    assert_true(value == UINT64_MAX);
    assert_true(cgroup_key(text, "last", &value));
    assert_int_equal(value, 4);
    assert_false(cgroup_key(text, "oom_k", &value));
    assert_false(cgroup_key(text, "kill", &value));
    assert_false(cgroup_key(text, "empty", &value));
    assert_false(cgroup_key("", "oom", &value));
    assert_int_equal(value, 4);
}

TEST(numbers) {
    struct scratch scratch;
    uint64_t value = 99;
    scratch_open(&scratch);
    assert_int_equal(cgroup_read_number(scratch.directory, "n", &value), -ENOENT);
    assert_int_equal(value, 99);
    scratch_write(&scratch, "n", "4096\n");
    assert_int_equal(cgroup_read_number(scratch.directory, "n", &value), 0);
    assert_int_equal(value, 4096);
    scratch_write(&scratch, "n", "max\n");
    assert_int_equal(cgroup_read_number(scratch.directory, "n", &value), 0);
    assert_true(value == UINT64_MAX);
    scratch_close(&scratch);
}

TEST(populated_unless_it_surely_is_not) {
    struct scratch scratch;
    scratch_open(&scratch);
    assert_true(cgroup_populated(scratch.directory));
    scratch_write(&scratch, "cgroup.events", "populated 0\nfrozen 0\n");
    assert_false(cgroup_populated(scratch.directory));
    scratch_write(&scratch, "cgroup.events", "populated 1\nfrozen 0\n");
    assert_true(cgroup_populated(scratch.directory));
    scratch_write(&scratch, "cgroup.events", "frozen 0\n");
    assert_true(cgroup_populated(scratch.directory));
    scratch_close(&scratch);
}

TEST(freezing_and_killing_are_writes) {
    struct scratch scratch;
    char text[16];
    scratch_open(&scratch);
    assert_int_equal(cgroup_freeze(scratch.directory, true), -ENOENT);
    scratch_write(&scratch, "cgroup.freeze", "0");
    assert_int_equal(cgroup_freeze(scratch.directory, true), 0);
    assert_string_equal(scratch_read(&scratch, "cgroup.freeze", text, sizeof(text)), "1");
    assert_int_equal(cgroup_freeze(scratch.directory, false), 0);
    assert_string_equal(scratch_read(&scratch, "cgroup.freeze", text, sizeof(text)), "0");
    scratch_write(&scratch, "cgroup.kill", "");
    assert_int_equal(cgroup_kill(scratch.directory), 0);
    assert_string_equal(scratch_read(&scratch, "cgroup.kill", text, sizeof(text)), "1");
    scratch_close(&scratch);
}

TEST(made_opened_and_removed) {
    struct scratch scratch;
    int directory = -7;
    scratch_open(&scratch);
    const struct hierarchy hierarchy = {.root = scratch.directory};
    assert_int_equal(cgroup_open(&hierarchy, "1-a", &directory), -ENOENT);
    assert_int_equal(directory, -7);
    assert_int_equal(cgroup_make(&hierarchy, "1-a", &directory), 0);
    close(directory);
    directory = -7;
    assert_int_equal(cgroup_make(&hierarchy, "1-a", &directory), -EEXIST);
    assert_int_equal(directory, -7);
    assert_int_equal(cgroup_open(&hierarchy, "1-a", &directory), 0);
    close(directory);
    assert_int_equal(cgroup_remove(&hierarchy, "1-a"), 0);
    assert_int_equal(cgroup_remove(&hierarchy, "1-a"), -ENOENT);
    scratch_close(&scratch);
}

TEST(links_are_not_followed) {
    struct scratch scratch;
    int directory;
    scratch_open(&scratch);
    const struct hierarchy hierarchy = {.root = scratch.directory};
    assert_int_equal(symlinkat("/tmp", scratch.directory, "1-a"), 0);
    assert_true(cgroup_open(&hierarchy, "1-a", &directory) < 0);
    scratch_close(&scratch);
}

/* ---- signals ---- */

static pid_t sleeper(void) {
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        alarm(60);
        for (;;)
            pause();
    }
    return child;
}

static void list(const struct scratch *scratch, const char *file, const pid_t *pids, size_t count) {
    char text[256] = "";
    for (size_t i = 0; i < count; i++)
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%d\n", (int)pids[i]);
    scratch_write(scratch, file, text);
}

/* The signal that ended the child. */
static int ended_by(pid_t pid) {
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    return WTERMSIG(status);
}

TEST(everybody_below_is_signalled_but_one) {
    struct scratch scratch;
    scratch_open(&scratch);
    scratch_make(&scratch, "below");
    scratch_make(&scratch, "below/.hidden");
    pid_t pids[4];
    for (size_t i = 0; i < ARRAY_SIZE(pids); i++)
        pids[i] = sleeper();
    list(&scratch, "cgroup.procs", pids, 2);
    list(&scratch, "below/cgroup.procs", NULL, 0);
    list(&scratch, "below/.hidden/cgroup.procs", pids + 2, 1);
    assert_int_equal(cgroup_signal(scratch.directory, SIGUSR1, pids[1]), 0);
    assert_int_equal(ended_by(pids[0]), SIGUSR1);
    assert_int_equal(ended_by(pids[2]), SIGUSR1);
    /* Zombies and pids that are nobody's are no failure. */
    list(&scratch, "cgroup.procs", pids, 2);
    assert_int_equal(cgroup_kill(scratch.directory), 0);
    assert_int_equal(ended_by(pids[1]), SIGKILL);
    assert_int_equal(waitpid(pids[3], NULL, WNOHANG), 0);
    kill(pids[3], SIGTERM);
    assert_int_equal(ended_by(pids[3]), SIGTERM);
    scratch_close(&scratch);
}

TEST(a_failure_below_does_not_spare_the_others) {
    struct scratch scratch;
    scratch_open(&scratch);
    scratch_make(&scratch, "below"); /* without cgroup.procs */
    pid_t pid = sleeper();
    list(&scratch, "cgroup.procs", &pid, 1);
    assert_int_equal(cgroup_signal(scratch.directory, SIGTERM, 0), -ENOENT);
    assert_int_equal(ended_by(pid), SIGTERM);
    scratch_close(&scratch);
}

/* ---- the real thing ---- */

static bool open_real(struct hierarchy *hierarchy, const char *path) {
    struct failure failure = {0};
    int r = hierarchy_open(hierarchy, path, getpid(), &failure);
    if (r < 0)
        print_message("%s: %s\n", failure.step, failure.text);
    return r == 0;
}

/* A name that no other test uses. */
static void choose(char path[64]) {
    snprintf(path, 64, "/holden-unit-%d", (int)getpid());
}

TEST(a_hierarchy_is_made_and_removed) {
    struct hierarchy hierarchy, again;
    struct stat status;
    char path[64], whole[4200], nested[80];
    if (geteuid() != 0)
        skip();
    choose(path);
    if (!open_real(&hierarchy, path)) {
        hierarchy_close(&hierarchy, false);
        skip();
    }
    snprintf(whole, sizeof(whole), "%s%s", hierarchy.mount, path);
    assert_string_equal(hierarchy.path, whole);
    assert_true(hierarchy.made);
    assert_int_equal(hierarchy.controllers & ~hierarchy.offered, 0);
    assert_int_equal(stat(whole, &status), 0);
    /* The path as the file system has it means the same; what is there is not made. */
    assert_true(open_real(&again, whole));
    assert_string_equal(again.path, whole);
    assert_false(again.made);
    hierarchy_close(&again, true);
    assert_int_equal(stat(whole, &status), 0);
    snprintf(nested, sizeof(nested), "%s/below/", path);
    assert_true(open_real(&again, nested));
    assert_true(again.made);
    hierarchy_close(&again, true);
    hierarchy_close(&hierarchy, true);
    assert_int_equal(stat(whole, &status), -1);
}

/* Puts a child into the cgroup. */
static pid_t inhabit(int directory) {
    char text[16];
    pid_t pid = sleeper();
    snprintf(text, sizeof(text), "%d", (int)pid);
    assert_int_equal(file_write(directory, "cgroup.procs", text), 0);
    return pid;
}

TEST(a_cgroup_is_removed_once_it_is_empty) {
    struct hierarchy hierarchy;
    struct hierarchy below = {.root = -1};
    char path[64];
    int directory;
    if (geteuid() != 0)
        skip();
    choose(path);
    if (!open_real(&hierarchy, path)) {
        hierarchy_close(&hierarchy, false);
        skip();
    }
    assert_int_equal(cgroup_make(&hierarchy, "1-a", &directory), 0);
    below.root = directory;
    int inner, innermost;
    assert_int_equal(cgroup_make(&below, ".inner", &inner), 0);
    below.root = inner;
    assert_int_equal(cgroup_make(&below, "innermost", &innermost), 0);
    assert_false(cgroup_populated(directory));
    pid_t pids[] = {inhabit(innermost), inhabit(directory)};
    assert_true(cgroup_populated(directory));
    assert_int_equal(cgroup_remove(&hierarchy, "1-a"), -EBUSY);
    assert_int_equal(cgroup_signal(directory, SIGUSR2, pids[1]), 0);
    assert_int_equal(ended_by(pids[0]), SIGUSR2);
    assert_int_equal(cgroup_freeze(directory, true), 0);
    assert_int_equal(cgroup_kill(directory), 0);
    assert_int_equal(ended_by(pids[1]), SIGKILL);
    assert_false(cgroup_populated(directory));
    assert_int_equal(cgroup_remove(&hierarchy, "1-a"), 0);
    assert_int_equal(cgroup_remove(&hierarchy, "1-a"), -ENOENT);
    close(innermost);
    close(inner);
    close(directory);
    hierarchy_close(&hierarchy, true);
}

TEST(threads_of_a_cgroup_are_those_of_the_one_above) {
    struct hierarchy hierarchy;
    struct hierarchy below = {.root = -1};
    char path[64];
    int directory, inner;
    if (geteuid() != 0)
        skip();
    choose(path);
    if (!open_real(&hierarchy, path)) {
        hierarchy_close(&hierarchy, false);
        skip();
    }
    assert_int_equal(cgroup_make(&hierarchy, "1-a", &directory), 0);
    below.root = directory;
    assert_int_equal(cgroup_make(&below, "threads", &inner), 0);
    pid_t pid = inhabit(directory);
    char text[16];
    snprintf(text, sizeof(text), "%d", (int)pid);
    assert_int_equal(file_write(inner, "cgroup.type", "threaded"), 0);
    assert_int_equal(file_write(inner, "cgroup.threads", text), 0);
    assert_true(cgroup_holds(directory, pid));
    assert_int_equal(cgroup_signal(directory, SIGUSR2, 0), 0);
    assert_int_equal(ended_by(pid), SIGUSR2);
    assert_int_equal(cgroup_remove(&hierarchy, "1-a"), 0);
    close(inner);
    close(directory);
    hierarchy_close(&hierarchy, true);
}

TEST(controllers_have_names) {
    assert_string_equal(cgroup_controller_name(CGROUP_MEMORY), "memory");
    assert_string_equal(cgroup_controller_name(CGROUP_CPU), "cpu");
    assert_string_equal(cgroup_controller_name(CGROUP_CPUSET), "cpuset");
    assert_string_equal(cgroup_controller_name(CGROUP_PIDS), "pids");
    assert_string_equal(cgroup_controller_name(CGROUP_IO), "io");
    assert_string_equal(cgroup_controller_name(0), "?");
}

UNIT_MAIN
