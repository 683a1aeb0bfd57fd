#include "agent/logfile.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file.h"
#include "agent/machine.h"
#include "agent/state.h"
#include "stage.h"
#include "suite.h"

static int log_of(struct process *process) {
    int fd = -1;
    assert_int_equal(logfile_open(process, &fd), 0);
    return fd;
}

static void write_to(int fd, const char *text) {
    assert_int_equal(file_write_all(fd, text, strlen(text)), 0);
}

static void tail_is(const struct process *process, size_t most, const char *text) {
    _cleanup_(buffer_free) struct buffer out = {0};
    logfile_tail(process, most, &out);
    assert_int_equal(out.size, strlen(text));
    assert_true(out.size == 0 || memcmp(buffer_bytes(&out), text, out.size) == 0);
}

TEST(made_for_its_owner_alone) {
    struct stage stage;
    struct stat status;
    int fd = -7;
    stage_open(&stage);
    struct process *process = stage_process(&stage, "web", HOLDEN_state_RUNNING, 0);
    assert_int_equal(logfile_read(process, &fd), -ENOENT);
    assert_int_equal(fd, -7);
    assert_false(process->has_log);
    fd = log_of(process);
    assert_true(process->has_log);
    assert_int_equal(fstat(fd, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    assert_true(fcntl(fd, F_GETFL) & O_APPEND);
    assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    close(fd);
    stage_close(&stage);
}

TEST(a_restart_goes_on_behind_what_is_there) {
    struct stage stage;
    char text[16] = "";
    int fd;
    stage_open(&stage);
    struct process *process = stage_process(&stage, "web", HOLDEN_state_RUNNING, 0);
    for (unsigned runs = 0; runs < 2; runs++) {
        fd = log_of(process);
        write_to(fd, "run\n");
        close(fd);
    }
    assert_int_equal(logfile_read(process, &fd), 0);
    assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
    assert_int_equal(read(fd, text, sizeof(text) - 1), 8);
    assert_string_equal(text, "run\nrun\n");
    close(fd);
    stage_close(&stage);
}

TEST(a_link_in_its_place_is_not_followed) {
    struct stage stage;
    int fd;
    stage_open(&stage);
    struct process *process = stage_process(&stage, "web", HOLDEN_state_RUNNING, 0);
    assert_int_equal(symlinkat("/etc/passwd", stage.agent->store.logs, "1"), 0);
    assert_int_equal(logfile_open(process, &fd), -ELOOP);
    assert_false(process->has_log);
    stage_close(&stage);
}

TEST(the_last_ten_lines) {
    struct stage stage;
    stage_open(&stage);
    struct process *process = stage_process(&stage, "web", HOLDEN_state_RUNNING, 0);
    tail_is(process, 100, "");
    int fd = log_of(process);
    tail_is(process, 100, "");
    write_to(fd, "1\n2\n3\n");
    tail_is(process, 100, "1\n2\n3\n");
    write_to(fd, "4\n5\n6\n7\n8\n9\n10\n");
    tail_is(process, 100, "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n");
    write_to(fd, "11\n");
    tail_is(process, 100, "2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n");
    write_to(fd, "not ended");
    tail_is(process, 100, "3\n4\n5\n6\n7\n8\n9\n10\n11\nnot ended");
    write_to(fd, "\n\n\n\n\n\n\n\n\n\n\n\n");
    tail_is(process, 100, "\n\n\n\n\n\n\n\n\n\n");
    close(fd);
    stage_close(&stage);
}

TEST(no_more_than_the_bytes_asked_for) {
    struct stage stage;
    stage_open(&stage);
    struct process *process = stage_process(&stage, "web", HOLDEN_state_RUNNING, 0);
    int fd = log_of(process);
    write_to(fd, "a long line without an end");
    tail_is(process, 10, "out an end");
    write_to(fd, "\nab\ncd\n");
    tail_is(process, 5, "b\ncd\n");
    close(fd);
    stage_close(&stage);
}

static struct stat look(struct stage *stage) {
    struct stat status;
    assert_int_equal(fstatat(stage->agent->store.logs, "1", &status, 0), 0);
    return status;
}

/* Writes until the log is that long; then waits until its head has been given back. */
static void fill(struct stage *stage, int fd, off_t size) {
    static char block[4096];
    memset(block, 'x', sizeof(block));
    block[sizeof(block) - 1] = '\n';
    for (off_t written = look(stage).st_size; written < size; written += (off_t)sizeof(block))
        assert_int_equal(file_write_all(fd, block, sizeof(block)), 0);
}

TEST(the_head_is_given_back) {
    struct stage stage;
    struct holden_properties properties = {0};
    char byte;
    stage_open(&stage);
    struct process *process = stage_process(&stage, "web", HOLDEN_state_RUNNING, 0);
    HOLDEN_SET(&properties, properties, log_max, 65536);
    stage_settings(process, &properties);
    int fd = log_of(process);
    logfile_watch(process);
    for (unsigned rounds = 1; rounds <= 2; rounds++) {
        fill(&stage, fd, rounds << 20);
        GUEST_UNTIL(stage.agent->event,
                    look(&stage).st_blocks * 512 <= 65536 + (off_t)machine_page());
        assert_int_equal(look(&stage).st_size, rounds << 20); /* offsets stay true */
    }
    int reading;
    assert_int_equal(logfile_read(process, &reading), 0);
    assert_int_equal(pread(reading, &byte, 1, (2 << 20) - 65536), 1);
    assert_int_equal(byte, 'x');
    assert_int_equal(pread(reading, &byte, 1, 0), 1);
    assert_int_equal(byte, 0);
    close(reading);
    close(fd);
    stage_close(&stage);
}

/* As quick as it is, it may be over before anybody has looked. */
TEST(what_was_written_before_the_watch_is_bounded) {
    for (int over = 0; over < 2; over++) {
        struct stage stage;
        struct holden_properties properties = {0};
        stage_open(&stage);
        struct process *process = stage_process(&stage, "web", HOLDEN_state_RUNNING, 0);
        HOLDEN_SET(&properties, properties, log_max, 65536);
        stage_settings(process, &properties);
        int fd = log_of(process);
        fill(&stage, fd, 1 << 20);
        if (over) {
            state_recover(process, HOLDEN_state_EXITED);
            logfile_ended(process);
        } else
            logfile_watch(process);
        GUEST_UNTIL(stage.agent->event,
                    look(&stage).st_blocks * 512 <= 65536 + (off_t)machine_page());
        close(fd);
        stage_close(&stage);
    }
}

TEST(what_fits_stays) {
    struct stage stage;
    stage_open(&stage);
    stage.agent->config.log_max = 65536;
    struct process *process = stage_process(&stage, "web", HOLDEN_state_RUNNING, 0);
    int fd = log_of(process);
    logfile_watch(process);
    fill(&stage, fd, 65536);
    GUEST_UNTIL(stage.agent->event, process->log_look);
    GUEST_UNTIL(stage.agent->event, !process->log_look);
    assert_int_equal(lseek(fd, 0, SEEK_HOLE), 65536);
    fill(&stage, fd, 65536 + 4096);
    GUEST_UNTIL(stage.agent->event, process->log_look);
    GUEST_UNTIL(stage.agent->event, process->log_given == 4096);
    assert_int_equal(lseek(fd, 0, SEEK_DATA), 4096);
    tail_is(process, 1, "\n");
    close(fd);
    stage_close(&stage);
}

TEST(a_log_that_is_only_a_hole_has_no_lines) {
    struct stage stage;
    stage_open(&stage);
    struct process *process = stage_process(&stage, "web", HOLDEN_state_RUNNING, 0);
    int fd = log_of(process);
    assert_int_equal(ftruncate(fd, 1 << 20), 0);
    tail_is(process, 100, "");
    close(fd);
    stage_close(&stage);
}

TEST(what_was_given_back_is_no_line) {
    struct stage stage;
    stage_open(&stage);
    struct process *process = stage_process(&stage, "web", HOLDEN_state_RUNNING, 0);
    int fd = log_of(process);
    assert_int_equal(ftruncate(fd, 4096), 0);
    write_to(fd, "a line\n");
    tail_is(process, 100, "a line\n");
    close(fd);
    stage_close(&stage);
}

TEST(without_a_bound_nothing_is_given_back) {
    struct stage stage;
    struct holden_properties properties = {0};
    stage_open(&stage);
    struct process *process = stage_process(&stage, "web", HOLDEN_state_RUNNING, 0);
    HOLDEN_SET(&properties, properties, log_max, UINT64_MAX);
    stage_settings(process, &properties);
    int fd = log_of(process);
    logfile_watch(process);
    fill(&stage, fd, 1 << 20);
    GUEST_UNTIL(stage.agent->event, process->log_look);
    GUEST_UNTIL(stage.agent->event, !process->log_look);
    assert_int_equal(process->log_given, 0);
    assert_int_equal(lseek(fd, 0, SEEK_HOLE), 1 << 20);
    close(fd);
    stage_close(&stage);
}

TEST(a_lower_bound_holds_at_once) {
    struct stage stage;
    stage_open(&stage);
    struct process *process = stage_process(&stage, "web", HOLDEN_state_RUNNING, 0);
    int fd = log_of(process);
    fill(&stage, fd, 65536);
    stage.agent->config.log_max = 8192;
    logfile_written(process);
    GUEST_UNTIL(stage.agent->event, process->log_given == 65536 - 8192);
    close(fd);
    stage_close(&stage);
}

/* The process can do that to its own standard output. */
TEST(a_log_made_shorter_is_bounded_again) {
    struct stage stage;
    stage_open(&stage);
    stage.agent->config.log_max = 8192;
    struct process *process = stage_process(&stage, "web", HOLDEN_state_RUNNING, 0);
    int fd = log_of(process);
    logfile_watch(process);
    fill(&stage, fd, 1 << 20);
    GUEST_UNTIL(stage.agent->event, process->log_given == (1 << 20) - 8192);
    assert_int_equal(ftruncate(fd, 0), 0);
    fill(&stage, fd, 65536);
    GUEST_UNTIL(stage.agent->event, process->log_given == 65536 - 8192);
    assert_true(look(&stage).st_blocks * 512 <= 8192 + (off_t)machine_page());
    close(fd);
    stage_close(&stage);
}

/* What the kernel dropped could have been anybody's. */
TEST(a_queue_that_ran_over_is_made_up_for) {
    struct stage stage;
    char text[16];
    stage_open(&stage);
    struct process *process = stage_process(&stage, "web", HOLDEN_state_RUNNING, 0);
    int fd = log_of(process), other = -1;
    assert_true(file_read(AT_FDCWD, "/proc/sys/fs/inotify/max_queued_events", text,
                          sizeof(text)) > 0);
    struct process *noisy = stage_process(&stage, "noisy", HOLDEN_state_RUNNING, 0);
    struct process *noisier = stage_process(&stage, "noisier", HOLDEN_state_RUNNING, 0);
    logfile_watch(process);
    assert_int_equal(logfile_open(noisy, &other), 0);
    int third = log_of(noisier), numbers[2] = {-1, -1};
    char path[2][128];
    struct process *const owners[] = {noisy, noisier};
    for (unsigned i = 0; i < 2; i++) {
        snprintf(path[i], sizeof(path[i]), "%s/logs/%u", stage.agent->store.path, i + 2);
        assert_int_equal(watch_add(&stage.agent->watch, owners[i], path[i], false, &numbers[i]), 0);
    }
    for (long i = strtol(text, NULL, 10) / 2 + 2; i > 0; i--) {
        write_to(other, "x");
        write_to(third, "x");
    }
    write_to(fd, "x");
    GUEST_UNTIL(stage.agent->event, process->log_look);
    watch_remove(&stage.agent->watch, &numbers[0]);
    watch_remove(&stage.agent->watch, &numbers[1]);
    close(fd);
    close(other);
    close(third);
    stage_close(&stage);
}

/* What failed once, when the agent started, does not last. (ramfs cannot at all: logs.bats.) */
TEST(whether_it_can_be_bounded_is_found_out_anew) {
    struct stage stage;
    int fd;
    stage_open(&stage);
    assert_true(trimmer_able(&stage.agent->trimmer));
    stage.agent->trimmer.able = false;
    struct process *process = stage_process(&stage, "web", HOLDEN_state_RUNNING, 0);
    assert_int_equal(logfile_open(process, &fd), 0);
    assert_true(process->has_log);
    close(fd);
    stage_close(&stage);
}

/* A still log costs nothing, and a process without one is not watched. */
TEST(watched_again_only_once_it_is_still) {
    struct stage stage;
    stage_open(&stage);
    struct process *silent = stage_process(&stage, "silent", HOLDEN_state_RUNNING, 0);
    logfile_watch(silent);
    assert_int_equal(silent->log_watch, -1);
    struct process *process = stage_process(&stage, "web", HOLDEN_state_RUNNING, 0);
    int fd = log_of(process);
    logfile_watch(process);
    int watch = process->log_watch;
    assert_true(watch >= 0);
    logfile_watch(process);
    assert_int_equal(process->log_watch, watch);
    write_to(fd, "x");
    GUEST_UNTIL(stage.agent->event, process->log_look);
    assert_int_equal(process->log_watch, -1);
    assert_int_equal(sd_event_source_set_time(process->log_look, UINT64_MAX / 2), 0);
    for (unsigned i = 0; i < 100; i++)
        write_to(fd, "x");
    assert_int_equal(guest_turn(stage.agent->event), 0);
    assert_int_equal(sd_event_source_set_time(process->log_look, 1), 0);
    GUEST_UNTIL(stage.agent->event, process->log_watch >= 0);
    assert_null(process->log_look);
    write_to(fd, "x");
    GUEST_UNTIL(stage.agent->event, process->log_look);
    state_recover(process, HOLDEN_state_EXITED);
    GUEST_UNTIL(stage.agent->event, !process->log_look);
    assert_int_equal(process->log_watch, -1);
    close(fd);
    stage_close(&stage);
}

UNIT_MAIN
