/* The keeper's own life: its socket, its children, and the agents that come and go. What a child
 * does before exec is in keeper_child_test.c. */
#include "keeper_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "suite.h"

static struct draft draft; /* large */

static int connect_to(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "%.107s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
        return fd;
    int r = -errno;
    close(fd);
    return r;
}

/* Starts a process that stays; its pidfd is closed. */
static pid_t start_sleeper(struct fixture *fixture) {
    struct keeper_reply reply;
    draft_open(&draft, "/bin/sleep", "1000", NULL);
    int pidfd = draft_spawn(&draft, fixture, &reply);
    assert_int_equal(reply.error, 0);
    close(pidfd);
    return reply.pid;
}

static void end_main(struct fixture *fixture, pid_t pid) {
    kill(pid, SIGKILL);
    assert_int_equal(fixture_status(fixture, pid).status, SIGKILL);
    fixture_ask(fixture, KEEPER_RELEASE, pid);
    fixture_gone(pid);
}

/* ---- the socket ---- */

TEST(the_socket_is_made_and_removed) {
    struct fixture fixture;
    struct stat made, above;
    char lock[200];
    fixture_run(&fixture);
    snprintf(lock, sizeof(lock), "%s.lock", fixture.socket);
    assert_int_equal(lstat(fixture.socket, &made), 0);
    assert_int_equal(made.st_mode, S_IFSOCK | 0600);
    *strrchr(fixture.socket, '/') = '\0';
    assert_int_equal(stat(fixture.socket, &above), 0);
    assert_int_equal(above.st_mode, S_IFDIR | 0755);
    fixture.socket[strlen(fixture.socket)] = '/';
    int client = connect_to(fixture.socket);
    assert_true(client >= 0);
    int accepted = accept4(fixture.listening, NULL, NULL, SOCK_CLOEXEC);
    assert_true(accepted >= 0);
    close(accepted);
    close(client);
    fixture_close(&fixture);
    assert_int_equal(access(lock, F_OK), -1);
}

TEST(a_stale_socket_is_replaced) {
    struct fixture fixture;
    struct stat before, after;
    fixture_run(&fixture);
    pid_t core = fixture.core;
    kill(fixture.keeper, SIGKILL);
    assert_int_equal(fixture_end(&fixture), -SIGKILL);
    kill(core, SIGKILL);
    assert_int_equal(waitpid(core, NULL, 0), core);
    close(fixture.puppet);
    close(fixture.listening);
    close(fixture.channel);
    EVENTUALLY(connect_to(fixture.socket) == -ECONNREFUSED);
    assert_int_equal(lstat(fixture.socket, &before), 0);
    fixture_start(&fixture, false);
    fixture_meet(&fixture, true);
    assert_int_equal(lstat(fixture.socket, &after), 0);
    int client = connect_to(fixture.socket);
    assert_true(client >= 0);
    close(client);
    fixture_close(&fixture);
}

TEST(a_second_agent_is_refused) {
    struct fixture fixture;
    fixture_run(&fixture);
    struct fixture second = fixture;
    fixture_start(&second, false);
    assert_int_equal(fixture_end(&second), 1);
    assert_true(fixture_said(&fixture, "agent: cannot listen on "));
    assert_true(fixture_said(&fixture, "another agent has it"));
    int client = connect_to(fixture.socket);
    assert_true(client >= 0);
    close(client);
    fixture_close(&fixture);
}

static int listen_on(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "%.107s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fd, 1), 0);
    return fd;
}

TEST(what_else_is_in_the_sockets_place_stays) {
    struct fixture fixture;
    fixture_open(&fixture);
    snprintf(fixture.socket, sizeof(fixture.socket), "%s/agent.sock", fixture.directory);
    int fd = open(fixture.socket, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    close(fd);
    fixture_start(&fixture, false);
    assert_int_equal(fixture_end(&fixture), 1);
    assert_true(fixture_said(&fixture, "something that is no socket is there"));
    assert_int_equal(unlink(fixture.socket), 0);
    fd = listen_on(fixture.socket);
    fixture_start(&fixture, false);
    assert_int_equal(fixture_end(&fixture), 1);
    assert_true(fixture_said(&fixture, "another agent has it"));
    assert_int_equal(unlink(fixture.socket), 0);
    close(fd);
    char lock[200];
    snprintf(lock, sizeof(lock), "%s.lock", fixture.socket);
    assert_int_equal(access(lock, F_OK), -1);
    fixture_close(&fixture);
}

/* 107 bytes fit, 108 do not. */
TEST(a_path_too_long_is_refused) {
    struct fixture fixture;
    fixture_open(&fixture);
    memset(fixture.socket + strlen(fixture.socket), 'x', 108 - strlen(fixture.socket));
    fixture.socket[108] = '\0';
    fixture_start(&fixture, false);
    assert_int_equal(fixture_end(&fixture), 1);
    assert_true(fixture_said(&fixture, "the path is longer than 107 bytes"));
    fixture.socket[107] = '\0';
    fixture_start(&fixture, false);
    fixture_meet(&fixture, true);
    fixture_close(&fixture);
}

/* ---- children ---- */

TEST(an_exit_status_stays_until_it_is_released) {
    struct fixture fixture;
    struct keeper_reply reply;
    fixture_run(&fixture);
    draft_open(&draft, "/bin/sh", "-c", "exit 42", NULL);
    int pidfd = draft_spawn(&draft, &fixture, &reply);
    struct pollfd polled = {pidfd, POLLIN, 0};
    assert_int_equal(poll(&polled, 1, FIXTURE_PATIENCE), 1);
    close(pidfd);
    for (int i = 0; i < 3; i++) {
        struct keeper_reply status = fixture_status(&fixture, reply.pid);
        assert_int_equal(status.error, 0);
        assert_int_equal(status.code, CLD_EXITED);
        assert_int_equal(status.status, 42);
        assert_true(status.peak > 0);
        assert_true(fixture_is_zombie(reply.pid));
    }
    fixture_ask(&fixture, KEEPER_RELEASE, reply.pid);
    fixture_gone(reply.pid);
    assert_int_equal(fixture_status(&fixture, reply.pid).error, ECHILD);
    fixture_close(&fixture);
}

TEST(a_living_child_has_no_status) {
    struct fixture fixture;
    fixture_run(&fixture);
    pid_t pid = start_sleeper(&fixture);
    fixture_ask(&fixture, KEEPER_STATUS, pid);
    assert_int_equal(fixture_answer(&fixture, NULL).error, EAGAIN);
    end_main(&fixture, pid);
    fixture_close(&fixture);
}

/* The first number that the process has no descriptor for. */
static rlim_t first_free(pid_t pid) {
    char path[64];
    for (rlim_t number = 0;; number++) {
        snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)pid, (int)number);
        if (faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
            return number;
    }
}

/* The kernel drops the descriptors that there is no room for, and says so in the packet's flags. */
TEST(a_plan_whose_descriptors_have_no_room_is_refused) {
    struct fixture fixture;
    struct keeper_reply reply;
    struct rlimit before, least;
    fixture_run(&fixture);
    assert_int_equal(prlimit(fixture.keeper, RLIMIT_NOFILE, NULL, &before), 0);
    least = (struct rlimit){first_free(fixture.keeper), before.rlim_max};
    assert_int_equal(prlimit(fixture.keeper, RLIMIT_NOFILE, &least, NULL), 0);
    draft_open(&draft, "/bin/true", NULL);
    assert_int_equal(draft_spawn(&draft, &fixture, &reply), -1);
    assert_int_equal(reply.error, EMFILE);
    assert_int_equal(reply.token, 0x1122334455667788);
    assert_int_equal(prlimit(fixture.keeper, RLIMIT_NOFILE, &before, NULL), 0);
    draft_open(&draft, "/bin/true", NULL);
    assert_int_equal(draft_finish(&draft, &fixture).status, 0);
    fixture_close(&fixture);
}

/* Microseconds of CPU time that the process has used. */
static uint64_t used_by(pid_t pid) {
    clockid_t clock;
    struct timespec time;
    assert_int_equal(clock_getcpuclockid(pid, &clock), 0);
    assert_int_equal(clock_gettime(clock, &time), 0);
    return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_nsec / 1000;
}

/* poll(2) refuses more descriptors than RLIMIT_NOFILE allows. */
TEST(it_works_slowly_but_does_not_spin_when_it_cannot_poll) {
    struct fixture fixture;
    struct rlimit before;
    fixture_run(&fixture);
    pid_t ended = start_sleeper(&fixture);
    assert_int_equal(prlimit(fixture.keeper, RLIMIT_NOFILE, NULL, &before), 0);
    const struct rlimit least = {2, before.rlim_max};
    assert_int_equal(prlimit(fixture.keeper, RLIMIT_NOFILE, &least, NULL), 0);
    kill(ended, SIGTERM);
    EVENTUALLY(fixture_said(&fixture, "cannot wait for events, and looks for them now and then: "
                                      "Invalid argument"));
    uint64_t used = used_by(fixture.keeper);
    for (int i = 0; i < 3; i++)
        assert_int_equal(fixture_status(&fixture, ended).status, SIGTERM);
    poll(NULL, 0, 1000);
    assert_in_range(used_by(fixture.keeper) - used, 0, 100000);
    fixture_ask(&fixture, KEEPER_RELEASE, ended);
    fixture_gone(ended);
    kill(fixture.keeper, SIGHUP);
    assert_int_equal(fixture_signal(&fixture), SIGHUP);
    assert_int_equal(prlimit(fixture.keeper, RLIMIT_NOFILE, &before, NULL), 0);
    draft_open(&draft, "/bin/true", NULL);
    assert_int_equal(draft_finish(&draft, &fixture).status, 0);
    fixture_close(&fixture);
}

TEST(others_processes_are_no_children) {
    struct fixture fixture;
    static const pid_t strangers[] = {0, -1, 1, 4194304, INT32_MAX, INT32_MIN};
    fixture_run(&fixture);
    for (size_t i = 0; i < ARRAY_SIZE(strangers); i++) {
        assert_int_equal(fixture_status(&fixture, strangers[i]).error, ECHILD);
        fixture_ask(&fixture, KEEPER_RELEASE, strangers[i]);
    }
    assert_int_equal(fixture_adopt(&fixture, strangers, ARRAY_SIZE(strangers)), 0);
    fixture_close(&fixture);
}

TEST(cpu_time_and_memory_are_told) {
    struct fixture fixture;
    fixture_run(&fixture);
    draft_open(&draft, "/bin/sh", "-c",
               "i=0; while [ $i -lt 30000 ]; do i=$((i+1)); done; kill -9 $$", NULL);
    struct keeper_reply reply = draft_finish(&draft, &fixture);
    assert_int_equal(reply.code, CLD_KILLED);
    assert_int_equal(reply.status, SIGKILL);
    assert_true(reply.user + reply.system > 1000);
    assert_in_range(reply.peak, 100 << 10, 100 << 20);
    fixture_close(&fixture);
}

/* Orphans whose signals coalesce, behind a main that waits for its release. */
TEST(orphans_are_reaped) {
    struct fixture fixture;
    struct keeper_reply reply;
    fixture_run(&fixture);
    draft_open(&draft, "/bin/true", NULL);
    close(draft_spawn(&draft, &fixture, &reply));
    pid_t held = reply.pid;
    fixture_zombie(held);
    draft_open(&draft, "/bin/sh", "-c",
               "i=0; while [ $i -lt 100 ]; do sleep 0.2 & i=$((i+1)); done; exec sleep 0.01", NULL);
    assert_int_equal(draft_finish(&draft, &fixture).status, 0);
    EVENTUALLY(fixture_children(&fixture) < 100);
    fixture_ask(&fixture, KEEPER_RELEASE, held);
    EVENTUALLY(fixture_children(&fixture) == 1);
    fixture_close(&fixture);
}

TEST(a_released_child_that_lives_becomes_an_orphan) {
    struct fixture fixture;
    fixture_run(&fixture);
    pid_t pid = start_sleeper(&fixture);
    fixture_ask(&fixture, KEEPER_RELEASE, pid);
    assert_int_equal(fixture_status(&fixture, pid).error, ECHILD);
    kill(pid, SIGKILL);
    fixture_gone(pid);
    fixture_close(&fixture);
}

/* ---- agents ---- */

TEST(a_crashed_agent_is_replaced) {
    struct fixture fixture;
    fixture_run(&fixture);
    assert_int_equal(fixture.recoveries, 0);
    fixture_die(&fixture, SIGSEGV);
    int client = connect_to(fixture.socket);
    assert_true(client >= 0);
    fixture_meet(&fixture, true);
    assert_int_equal(fixture.recoveries, 1);
    assert_true(fixture_said(&fixture, "was killed by SIGSEGV; starting it again in 0 ms"));
    fixture_exit(&fixture, 9);
    fixture_meet(&fixture, true);
    assert_int_equal(fixture.recoveries, 2);
    assert_true(fixture_said(&fixture, "exited with status 9; starting it again in 100 ms"));
    int accepted = accept4(fixture.listening, NULL, NULL, SOCK_CLOEXEC);
    assert_true(accepted >= 0);
    close(accepted);
    close(client);
    fixture_close(&fixture);
}

/* Whoever kills an agent that works does not make its successors wait; one killed before it worked
 * may have been on the way to a failure. */
TEST(a_killed_agent_has_not_failed) {
    struct fixture fixture;
    fixture_run(&fixture);
    for (unsigned i = 1; i <= 4; i++) {
        poll(NULL, 0, 110); /* what it has to live at the least */
        fixture_die(&fixture, SIGKILL);
        fixture_meet(&fixture, i < 4);
        assert_int_equal(fixture.recoveries, i);
    }
    assert_false(fixture_said(&fixture, "starting it again in 100 ms"));
    fixture_die(&fixture, SIGKILL);
    fixture_meet(&fixture, true);
    assert_true(fixture_said(&fixture, "starting it again in 100 ms"));
    fixture_close(&fixture);
}

TEST(an_agent_that_closed_its_channel_is_replaced) {
    struct fixture fixture;
    fixture_run(&fixture);
    pid_t core = fixture.core;
    assert_int_equal(shutdown(fixture.channel, SHUT_RDWR), 0);
    fixture_gone(core);
    close(fixture.puppet);
    close(fixture.listening);
    close(fixture.channel);
    fixture_meet(&fixture, true);
    assert_int_equal(fixture.recoveries, 1);
    fixture_close(&fixture);
}

/* Three children of a crashed agent: one lives, one has ended, one is in no record. */
TEST(children_are_adopted) {
    struct fixture fixture;
    fixture_run(&fixture);
    pid_t living = start_sleeper(&fixture);
    pid_t ended = start_sleeper(&fixture);
    pid_t forgotten = start_sleeper(&fixture);
    fixture_die(&fixture, SIGKILL);
    kill(ended, SIGTERM);
    kill(forgotten, SIGTERM);
    fixture_meet(&fixture, false);
    fixture_zombie(ended);
    fixture_zombie(forgotten);
    assert_int_equal(fixture_status(&fixture, living).error, ECHILD);
    assert_int_equal(fixture_adopt(&fixture, (const pid_t[]){1, living, ended}, 3), 6);
    int pidfd = pidfd_open(living, 0);
    struct pollfd polled = {pidfd, POLLIN, 0};
    assert_int_equal(poll(&polled, 1, 0), 0);
    fixture_ask(&fixture, KEEPER_STATUS, living);
    assert_int_equal(fixture_answer(&fixture, NULL).error, EAGAIN);
    end_main(&fixture, living);
    assert_int_equal(poll(&polled, 1, FIXTURE_PATIENCE), 1);
    close(pidfd);
    assert_true(fixture_is_zombie(forgotten));
    fixture_ask(&fixture, KEEPER_RECOVERED, 0);
    assert_int_equal(fixture_adopt(&fixture, (const pid_t[]){getpid()}, 1), 0);
    struct keeper_reply reply = fixture_status(&fixture, ended);
    assert_int_equal(reply.code, CLD_KILLED);
    assert_int_equal(reply.status, SIGTERM);
    fixture_ask(&fixture, KEEPER_RELEASE, ended);
    fixture_gone(ended);
    fixture_gone(forgotten);
    fixture_close(&fixture);
}

TEST(signals_are_passed_on) {
    struct fixture fixture;
    fixture_open(&fixture);
    fixture_start(&fixture, false);
    fixture_meet(&fixture, false);
    kill(fixture.keeper, SIGHUP);
    kill(fixture.keeper, SIGUSR1);
    fixture_ask(&fixture, KEEPER_RECOVERED, 0);
    assert_int_equal(fixture_signal(&fixture), SIGHUP);
    kill(fixture.keeper, SIGHUP);
    assert_int_equal(fixture_signal(&fixture), SIGHUP);
    kill(fixture.keeper, SIGINT);
    assert_int_equal(fixture_signal(&fixture), SIGTERM);
    kill(fixture.keeper, SIGTERM);
    assert_int_equal(fixture_signal(&fixture), SIGTERM);
    fixture_exit(&fixture, AGENT_EXIT_STOPPED);
    assert_int_equal(fixture_end(&fixture), 0);
    fixture_close(&fixture);
}

TEST(one_that_starts_is_told_to_end_once_it_can_hear_it) {
    struct fixture fixture;
    fixture_open(&fixture);
    fixture_start(&fixture, false);
    fixture_meet(&fixture, false);
    kill(fixture.keeper, SIGTERM);
    for (int i = 0; i < 2; i++)
        assert_int_equal(fixture_adopt(&fixture, (const pid_t[]){1}, 1), 0);
    struct pollfd polled = {fixture.puppet, POLLIN, 0};
    assert_int_equal(poll(&polled, 1, 50), 0);
    fixture_ask(&fixture, KEEPER_RECOVERED, 0);
    assert_int_equal(fixture_signal(&fixture), SIGTERM);
    fixture_exit(&fixture, AGENT_EXIT_STOPPED);
    assert_int_equal(fixture_end(&fixture), 0);
    fixture_close(&fixture);
}

/* Milliseconds of the clock that only goes on. */
static int64_t now(void) {
    struct timespec time;
    assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &time), 0);
    return time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* `lives`: how many milliseconds the successor does; of one that has lived for 100, a kill is
 * forgiven at other times. */
static void crash_twice_while_stopping(int64_t lives) {
    struct fixture fixture;
    fixture_run(&fixture);
    kill(fixture.keeper, SIGTERM);
    assert_int_equal(fixture_signal(&fixture), SIGTERM);
    fixture_die(&fixture, SIGKILL);
    int64_t start = now();
    fixture_meet(&fixture, true);
    assert_int_equal(fixture_signal(&fixture), SIGTERM);
    EVENTUALLY(now() - start >= lives);
    fixture_die(&fixture, SIGKILL);
    assert_int_equal(fixture_end(&fixture), 1);
    fixture_close(&fixture);
}

TEST(a_crash_while_stopping_gets_one_successor) {
    crash_twice_while_stopping(0);
}

TEST(a_crash_while_stopping_gets_one_successor_however_long_that_lives) {
    crash_twice_while_stopping(200);
}

TEST(without_an_agent_it_ends_at_once) {
    struct fixture fixture;
    fixture_run(&fixture);
    for (int i = 0; i < 3; i++) {
        fixture_exit(&fixture, 9);
        fixture_meet(&fixture, true);
    }
    fixture_exit(&fixture, 9);
    EVENTUALLY(fixture_said(&fixture, "in 400 ms"));
    kill(fixture.keeper, SIGTERM);
    assert_int_equal(fixture_end(&fixture), 0);
    fixture_close(&fixture);
}

TEST(refusals_end_the_keeper_at_first_only) {
    static const struct {
        int agent;
        int keeper;
    } rows[] = {{AGENT_EXIT_USAGE, 2}, {AGENT_EXIT_REFUSED, 1}};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct fixture fixture;
        fixture_open(&fixture);
        fixture_start(&fixture, false);
        fixture_meet(&fixture, false);
        fixture_exit(&fixture, rows[i].agent);
        assert_int_equal(fixture_end(&fixture), rows[i].keeper);
        fixture_start(&fixture, false);
        fixture_meet(&fixture, true);
        fixture_exit(&fixture, rows[i].agent);
        fixture_meet(&fixture, true);
        fixture_close(&fixture);
    }
}

TEST(reexec_is_no_crash) {
    struct fixture fixture;
    fixture_run(&fixture);
    pid_t pid = start_sleeper(&fixture);
    for (unsigned i = 1; i <= 4; i++) {
        fixture_exit(&fixture, AGENT_EXIT_REEXEC);
        fixture_meet(&fixture, true);
        assert_int_equal(fixture.recoveries, i);
    }
    assert_false(fixture_said(&fixture, "starting it again"));
    kill(pid, SIGKILL);
    fixture_gone(pid);
    fixture_exit(&fixture, AGENT_EXIT_REEXEC);
    fixture_meet(&fixture, false);
    fixture_exit(&fixture, AGENT_EXIT_REEXEC);
    fixture_meet(&fixture, true);
    assert_true(fixture_said(&fixture, "exited with status 80; going back to the old one"));
    fixture_close(&fixture);
}

TEST(one_that_crashes_is_told_with_its_signal) {
    static const int signals[] = {SIGSEGV, SIGABRT, SIGILL, SIGBUS, SIGFPE};
    struct fixture fixture;
    fixture_run(&fixture);
    for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
        char line[64];
        snprintf(line, sizeof(line), "(pid %d) was killed by SIG%s; starting it", fixture.core,
                 sigabbrev_np(signals[i]));
        fixture_die(&fixture, signals[i]);
        fixture_meet(&fixture, true);
        assert_true(fixture_said(&fixture, line));
    }
    fixture_close(&fixture);
}

TEST(an_upgrade_replaces_the_keeper_too) {
    struct fixture fixture;
    char path[64], program[128];
    struct stat now, installed;
    fixture_run(&fixture);
    pid_t pid = start_sleeper(&fixture);
    int client = connect_to(fixture.socket);
    fixture_install(&fixture);
    fixture_exit(&fixture, AGENT_EXIT_REEXEC);
    fixture_meet(&fixture, false);
    assert_int_equal(fixture.recoveries, 1);
    snprintf(path, sizeof(path), "/proc/%d/exe", fixture.keeper);
    snprintf(program, sizeof(program), "%s/agent", fixture.directory);
    assert_int_equal(stat(path, &now), 0);
    assert_int_equal(stat(program, &installed), 0);
    assert_int_equal(now.st_ino, installed.st_ino);
    assert_int_equal(fixture_adopt(&fixture, &pid, 1), 1);
    fixture_ask(&fixture, KEEPER_RECOVERED, 0);
    end_main(&fixture, pid);
    int accepted = accept4(fixture.listening, NULL, NULL, SOCK_CLOEXEC);
    assert_true(accepted >= 0);
    close(accepted);
    close(client);
    fixture_close(&fixture);
}

TEST(it_works_as_process_1) {
    struct fixture fixture;
    struct keeper_reply reply;
    int pidfd;
    if (geteuid() != 0)
        skip();
    fixture_open(&fixture);
    fixture_start(&fixture, true);
    fixture_meet(&fixture, true);
    assert_int_equal(fixture.core, 2);
    draft_open(&draft, "/bin/sh", "-c", "sleep 0.1 & sleep 0.1 & exit 5", NULL);
    pidfd = draft_spawn(&draft, &fixture, &reply);
    close(pidfd);
    assert_int_equal(fixture_status(&fixture, reply.pid).status, 5);
    fixture_ask(&fixture, KEEPER_RELEASE, reply.pid);
    EVENTUALLY(fixture_children(&fixture) == 1);
    kill(fixture.keeper, SIGTERM);
    assert_int_equal(fixture_signal(&fixture), SIGTERM);
    fixture_die(&fixture, SIGKILL);
    fixture_meet(&fixture, true);
    /* The successor is told to end as well. */
    assert_int_equal(fixture_signal(&fixture), SIGTERM);
    fixture_close(&fixture);
}

int main(void) {
    return fixture_main();
}
