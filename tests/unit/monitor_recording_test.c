/* Recordings: what is written is told again; a file that is cut or damaged anywhere is refused or
 * played up to there. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/file.h"
#include "monitor/recorder.h"
#include "monitor/replay.h"
#include "monitor_fixture.h"
#include "suite.h"

#define SECOND UINT64_C(1000000)
enum { SAMPLES = 4 };

struct fixture {
    char path[64];
    struct buffer whole; /* the file */
};

static void fixture_free(struct fixture *fixture) {
    unlink(fixture->path);
    buffer_free(&fixture->whole);
}

static void tell_process(struct fleet *fleet, uint64_t id, uint64_t cpu, uint64_t time) {
    _cleanup_(buffer_free) struct buffer body = {0};
    told_encode(&(struct told){.id = id, .name = "web", .state = HOLDEN_state_RUNNING, .at = time,
                               .cpu = cpu, .memory = 1000, .pid = 7}, &body);
    fleet_tell(fleet, 0, TIDING_PROCESS,
               (struct holden_view){(const char *)buffer_bytes(&body), body.size}, time);
}

/* Samples at 100 s, 101 s, …; each tells of one process more than the one before. */
static void write_file(struct fixture *fixture) {
    static const char *const paths[] = {"/run/a.sock"};
    struct fleet fleet = {0};
    struct recorder recorder;
    strcpy(fixture->path, "/tmp/holden-recording-XXXXXX");
    int fd = mkstemp(fixture->path);
    assert_true(fd >= 0);
    close(fd);
    fleet_name(&fleet, paths, 1);
    assert_int_equal(recorder_open(&recorder, fixture->path, SECOND, &fleet), 0);
    fleet.feeds[0].tap = &fleet.tap;
    for (uint64_t i = 0; i < SAMPLES; i++) {
        uint64_t time = (100 + i) * SECOND;
        fleet_tell(&fleet, 0, TIDING_BEGIN, holden_view(""), time);
        for (uint64_t id = 1; id <= i + 1; id++)
            tell_process(&fleet, id, i * SECOND / 2, time);
        fleet_tell(&fleet, 0, TIDING_END, holden_view(""), time);
        fleet_tell(&fleet, 0, TIDING_MACHINE, holden_view("cpu0 1 2 3 4\n"), time);
    }
    assert_int_equal(recorder_close(&recorder), 0);
    fleet_close(&fleet);
    assert_int_equal(file_read_all(AT_FDCWD, fixture->path, 1 << 20, &fixture->whole), 0);
}

static void write_part(const struct fixture *fixture, size_t size) {
    int fd = open(fixture->path, O_WRONLY | O_TRUNC | O_CLOEXEC);
    assert_int_equal(file_write_all(fd, buffer_bytes(&fixture->whole), size), 0);
    close(fd);
}

TEST(what_was_written_is_told_again) {
    _cleanup_(fixture_free) struct fixture fixture = {0};
    struct fleet fleet = {0};
    struct replay replay;
    char why[RECORDING_WHY];
    write_file(&fixture);
    assert_int_equal(replay_open(&replay, fixture.path, &fleet, why), 0);
    assert_false(replay.recording.cut);
    assert_string_equal(fleet.feeds[0].path, "/run/a.sock");
    assert_int_equal(replay.recording.samples, SAMPLES);
    assert_int_equal(fleet.feeds[0].model.count, 1);
    for (size_t i = 2; i <= SAMPLES; i++) {
        assert_int_equal(replay_step(&replay), 0);
        assert_int_equal(fleet.feeds[0].model.count, i);
        assert_true(model_find(&fleet.feeds[0].model, 1)->rates.cpu == 50);
    }
    assert_int_equal(replay_step(&replay), -ENODATA);
    assert_int_equal(fleet.machine.cores, 1);
    replay_close(&replay);
    fleet_close(&fleet);
}

TEST(any_time_can_be_shown_at_any_speed) {
    _cleanup_(fixture_free) struct fixture fixture = {0};
    struct fleet fleet = {0};
    struct replay replay;
    char why[RECORDING_WHY];
    write_file(&fixture);
    assert_int_equal(replay_open(&replay, fixture.path, &fleet, why), 0);
    replay_seek(&replay, 102 * SECOND);
    assert_int_equal(fleet.feeds[0].model.count, 3);
    replay_seek(&replay, 101 * SECOND);
    assert_int_equal(fleet.feeds[0].model.count, 2);
    replay_seek(&replay, 0);
    assert_int_equal(fleet.feeds[0].model.count, 1);
    replay.ticked = SECOND;
    replay_faster(&replay, true);
    assert_true(replay_deadline(&replay) <= SECOND + SECOND / 2 + 2);
    replay_work(&replay, SECOND + SECOND / 2);
    assert_int_equal(fleet.feeds[0].model.count, 2);
    replay.paused = true;
    replay_work(&replay, 10 * SECOND);
    assert_int_equal(fleet.feeds[0].model.count, 2);
    assert_true(replay_deadline(&replay) == UINT64_MAX);
    replay_seek(&replay, UINT64_MAX);
    assert_int_equal(fleet.feeds[0].model.count, SAMPLES);
    replay_close(&replay);
    fleet_close(&fleet);
}

TEST(what_is_not_whole_is_not_told_in_the_end) {
    _cleanup_(fixture_free) struct fixture fixture = {0};
    struct fleet fleet = {0};
    struct replay replay;
    char why[RECORDING_WHY];
    write_file(&fixture);
    /* The last END and what is behind it go: the last sample has no end. */
    size_t size = fixture.whole.size - (size_t)3 * RECORDING_ENTRY - strlen("cpu0 1 2 3 4\n");
    write_part(&fixture, size);
    assert_int_equal(replay_open(&replay, fixture.path, &fleet, why), 0);
    assert_int_equal(replay.recording.samples, SAMPLES - 1);
    replay_finish(&replay);
    assert_int_equal(fleet.feeds[0].samples, SAMPLES - 1);
    assert_int_equal(fleet.feeds[0].model.count, SAMPLES - 1);
    replay_close(&replay);
    fleet_close(&fleet);
}

TEST(a_file_cut_anywhere_is_played_up_to_there_or_refused) {
    _cleanup_(fixture_free) struct fixture fixture = {0};
    unsigned played = 0;
    write_file(&fixture);
    for (size_t size = 0; size < fixture.whole.size; size++) {
        struct fleet fleet = {0};
        struct replay replay = {.recording = {.fd = -1}};
        char why[RECORDING_WHY] = "";
        write_part(&fixture, size);
        int r = replay_open(&replay, fixture.path, &fleet, why);
        if (r == 0) {
            assert_true(replay.recording.cut);
            replay_seek(&replay, UINT64_MAX);
            played++;
        } else {
            assert_non_null(strstr(why, fixture.path));
            assert_null(strchr(why, '\n'));
        }
        replay_close(&replay);
        fleet_close(&fleet);
    }
    assert_true(played > 0);
}

TEST(a_file_damaged_anywhere_breaks_nothing) {
    _cleanup_(fixture_free) struct fixture fixture = {0};
    write_file(&fixture);
    for (size_t at = 0; at < fixture.whole.size; at++) {
        struct fleet fleet = {0};
        struct replay replay = {.recording = {.fd = -1}};
        char why[RECORDING_WHY] = "";
        buffer_bytes(&fixture.whole)[at] ^= 0xff;
        write_part(&fixture, fixture.whole.size);
        if (replay_open(&replay, fixture.path, &fleet, why) == 0)
            replay_seek(&replay, UINT64_MAX);
        else
            assert_true(why[0]);
        buffer_bytes(&fixture.whole)[at] ^= 0xff;
        replay_close(&replay);
        fleet_close(&fleet);
    }
}

TEST(a_newer_version_is_refused_by_name) {
    _cleanup_(fixture_free) struct fixture fixture = {0};
    struct recording recording = {.fd = -1};
    char why[RECORDING_WHY];
    write_file(&fixture);
    buffer_bytes(&fixture.whole)[8] = 2;
    write_part(&fixture, fixture.whole.size);
    assert_int_equal(recording_open(&recording, fixture.path, why), -EPROTONOSUPPORT);
    assert_non_null(strstr(why, "format is 2"));
}

TEST(what_is_no_recording_is_refused) {
    struct recording recording = {.fd = -1};
    char why[RECORDING_WHY];
    assert_int_equal(recording_open(&recording, "/dev/null", why), -EBADMSG);
    assert_int_equal(recording_open(&recording, "/nonexistent", why), -ENOENT);
    assert_true(recording_open(&recording, "/proc", why) < 0);
}

UNIT_MAIN
