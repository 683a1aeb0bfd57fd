#include "agent/trimmer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/logfile.h"
#include "agent/machine.h"
#include "stage.h"
#include "suite.h"

enum { SIZE = 1 << 20 };

/* A process whose log has SIZE bytes. */
static struct process *writer(struct stage *stage, const char *name) {
    static const char block[65536] = "x";
    int fd = -1;
    struct process *process = stage_process(stage, name, HOLDEN_state_EXITED, 0);
    assert_int_equal(logfile_open(process, &fd), 0);
    for (unsigned i = 0; i < SIZE / sizeof(block); i++)
        assert_int_equal(write(fd, block, sizeof(block)), sizeof(block));
    close(fd);
    return process;
}

static int log_for_writing(const struct process *process) {
    char path[128];
    snprintf(path, sizeof(path), "%s/logs/%u", process->agent->store.path, (unsigned)process->id);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

static void ask(struct stage *stage, struct process *process, uint64_t size) {
    assert_int_equal(trimmer_ask(&stage->agent->trimmer, process, log_for_writing(process), size),
                     0);
    assert_non_null(process->log_job);
}

/* The trimmer's only worker: this program's only child. */
static pid_t worker(void) {
    char path[64], text[32] = "";
    snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = read(fd, text, sizeof(text) - 1);
    close(fd);
    return size > 0 ? (pid_t)strtol(text, NULL, 10) : 0;
}

TEST(heads_are_given_back_one_after_the_other) {
    struct stage stage;
    struct stat status;
    struct process *processes[20];
    stage_open(&stage);
    for (unsigned i = 0; i < ARRAY_SIZE(processes); i++) {
        char name[16];
        snprintf(name, sizeof(name), "p%u", i);
        processes[i] = writer(&stage, name);
        ask(&stage, processes[i], SIZE / 2);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(processes); i++) {
        GUEST_UNTIL(stage.agent->event, !processes[i]->log_job);
        assert_int_equal(processes[i]->log_given, SIZE / 2);
        int fd = log_for_writing(processes[i]);
        assert_int_equal(fstat(fd, &status), 0);
        close(fd);
        assert_int_equal(status.st_size, SIZE);
        assert_true(status.st_blocks * 512 <= SIZE / 2 + (off_t)machine_page());
    }
    stage_close(&stage);
    assert_int_equal(worker(), 0);
}

TEST(a_worker_that_dies_is_made_anew) {
    struct stage stage;
    stage_open(&stage);
    struct process *process = writer(&stage, "web");
    ask(&stage, process, 4096);
    GUEST_UNTIL(stage.agent->event, process->log_given == 4096);
    pid_t first = worker();
    assert_true(first > 0);
    assert_int_equal(kill(first, SIGSTOP), 0);
    ask(&stage, process, 8192);
    assert_int_equal(kill(first, SIGKILL), 0);
    GUEST_UNTIL(stage.agent->event, !process->log_job);
    assert_int_equal(process->log_given, 4096);
    ask(&stage, process, 8192);
    GUEST_UNTIL(stage.agent->event, process->log_given == 8192);
    assert_int_not_equal(worker(), first);
    stage_close(&stage);
}

/* As one is that waits for somebody who writes. */
TEST(a_worker_that_is_held_up_holds_up_its_own_job_alone) {
    struct stage stage;
    stage_open(&stage);
    struct process *process = writer(&stage, "web"), *other = writer(&stage, "other");
    ask(&stage, process, 4096);
    GUEST_UNTIL(stage.agent->event, process->log_given == 4096);
    pid_t first = worker();
    assert_int_equal(kill(first, SIGSTOP), 0);
    ask(&stage, process, 8192);
    ask(&stage, other, 8192);
    GUEST_UNTIL(stage.agent->event, other->log_given == 8192);
    assert_non_null(process->log_job);
    assert_int_equal(kill(first, SIGCONT), 0);
    GUEST_UNTIL(stage.agent->event, process->log_given == 8192);
    stage_close(&stage);
    assert_int_equal(worker(), 0);
}

TEST(a_process_may_go_before_its_job_is_done) {
    struct stage stage;
    stage_open(&stage);
    struct process *process = writer(&stage, "web"), *other = writer(&stage, "other"),
                   *third = writer(&stage, "third");
    ask(&stage, process, 4096);
    GUEST_UNTIL(stage.agent->event, process->log_given == 4096);
    assert_int_equal(kill(worker(), SIGSTOP), 0);
    ask(&stage, process, 8192);
    ask(&stage, other, 8192);
    process_free(process); /* in the worker's hands */
    process_free(other);   /* waiting */
    ask(&stage, third, 8192);
    GUEST_UNTIL(stage.agent->event, third->log_given == 8192);
    stage_close(&stage);
    assert_int_equal(worker(), 0);
}

TEST(what_cannot_be_given_back_is_said_once) {
    struct stage stage;
    stage_open(&stage);
    struct process *process = writer(&stage, "web");
    for (unsigned i = 0; i < 2; i++) {
        int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
        assert_int_equal(trimmer_ask(&stage.agent->trimmer, process, fd, 4096), 0);
        GUEST_UNTIL(stage.agent->event, !process->log_job);
        assert_true(process->log_failed);
        assert_int_equal(process->log_given, 0);
    }
    stage_close(&stage);
}

UNIT_MAIN
