#include "agent/task.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "suite.h"

static pid_t spawn(const char *program) {
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        prctl(PR_SET_NAME, ") R 1 (");
        if (program)
            execl(program, program, "1000", NULL);
        pause();
        _exit(1);
    }
    return pid;
}

static void finish(pid_t pid) {
    siginfo_t info;
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
}

static bool executed(pid_t pid) {
    bool result = false;
    assert_int_equal(task_executed(pid, &result), 0);
    return result;
}

TEST(a_fork_has_not_executed_alive_or_dead) {
    pid_t pid = spawn(NULL);
    assert_false(executed(pid));
    finish(pid);
    assert_false(executed(pid));
    waitpid(pid, NULL, 0);
}

TEST(what_executed_has_also_when_it_is_dead) {
    pid_t pid = spawn("/bin/sleep");
    while (!executed(pid))
        usleep(1000);
    finish(pid);
    assert_true(executed(pid));
    waitpid(pid, NULL, 0);
}

TEST(a_failed_exec_is_none) {
    pid_t pid = spawn("/nonexistent");
    assert_false(executed(pid));
    finish(pid);
    assert_false(executed(pid));
    waitpid(pid, NULL, 0);
}

TEST(who_is_not_there_is_told) {
    pid_t pid = spawn(NULL);
    bool result = true;
    finish(pid);
    waitpid(pid, NULL, 0);
    assert_int_equal(task_executed(pid, &result), -ENOENT);
    assert_true(result);
}

TEST(whose_child_it_is) {
    pid_t pid = spawn(NULL), parent = 0;
    assert_int_equal(task_parent(pid, &parent), 0);
    assert_int_equal(parent, getpid());
    finish(pid);
    waitpid(pid, NULL, 0);
    assert_int_equal(task_parent(pid, &parent), -ENOENT);
}

/* Within a tick of the clock that the kernel tells it by. */
TEST(when_it_was_born) {
    struct timespec now;
    uint64_t born = 0;
    clock_gettime(CLOCK_BOOTTIME, &now);
    uint64_t before = (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
    pid_t pid = spawn(NULL);
    clock_gettime(CLOCK_BOOTTIME, &now);
    assert_int_equal(task_born(pid, &born), 0);
    assert_true(born + 10000 >= before);
    assert_true(born <= (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000);
    finish(pid);
    waitpid(pid, NULL, 0);
    assert_int_equal(task_born(pid, &born), -ENOENT);
}

UNIT_MAIN
