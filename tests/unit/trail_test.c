/* The audit trail: what stands in its file, how large that gets, and what comes of a full disk. */
#include "agent/trail.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/journal.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "stage.h"
#include "suite.h"

static void open_trail(struct stage *stage, uint64_t kind, uint64_t most) {
    stage_open(stage);
    stage->agent->config.audit = kind;
    stage->agent->config.audit_max = most;
    trail_open(stage->agent);
}

static void close_trail(struct stage *stage) {
    trail_close(&stage->agent->trail);
    stage_close(stage);
}

static void put(struct stage *stage, const char *target, const char *text) {
    struct holden_operation o = {0};
    HOLDEN_SET(&o, operation, time, 7);
    HOLDEN_SET(&o, operation, uid, 1);
    HOLDEN_SET(&o, operation, gid, 2);
    HOLDEN_SET(&o, operation, verb, holden_view("stop"));
    HOLDEN_SET(&o, operation, target, holden_view(target));
    HOLDEN_SET(&o, operation, text, holden_view(text));
    trail_write(stage->agent, &o);
}

static void reads(struct stage *stage, const char *wanted) {
    char text[4096];
    assert_true(file_read(stage->agent->store.root, "audit", text, sizeof(text)) > 0);
    assert_string_equal(text, wanted);
}

TEST(no_byte_ends_the_line_or_a_member) {
    struct stage stage;
    open_trail(&stage, CONFIG_AUDIT_FILE, 1 << 20);
    put(&stage, "a\n{\"time\":1}", "\",\"uid\":0,\x1b\xff");
    reads(&stage, "{\"time\":7,\"uid\":1,\"gid\":2,\"verb\":\"stop\",\"target\":"
                  "\"a\\n{\\\"time\\\":1}\",\"text\":\"\\\",\\\"uid\\\":0,\\u001b\xef\xbf\xbd\"}");
    close_trail(&stage);
}

TEST(its_head_goes_past_the_bound) {
    struct stage stage;
    struct stat status;
    char text[2048];
    open_trail(&stage, CONFIG_AUDIT_FILE, 64 << 10);
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    for (unsigned i = 0; i < 500; i++) {
        put(&stage, "web", text);
        assert_int_equal(fstat(stage.agent->trail.file, &status), 0);
        assert_true(status.st_blocks * 512 <= (64 << 10) + 8192);
    }
    assert_int_equal(stage.agent->trail.lines, 500);
    /* The next agent goes on behind it, and knows what is left. */
    uint64_t given = stage.agent->trail.given;
    trail_close(&stage.agent->trail);
    trail_open(stage.agent);
    put(&stage, "web", text);
    assert_true(stage.agent->trail.given <= given + 65536 && stage.agent->trail.given > 0);
    assert_int_equal(stage.agent->trail.lines, 1);
    close_trail(&stage);
}

TEST(what_a_full_disk_does_not_take_is_counted) {
    struct stage stage;
    struct rlimit before, small;
    open_trail(&stage, CONFIG_AUDIT_FILE, 1 << 20);
    put(&stage, "a", "b");
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = (struct rlimit){lseek(stage.agent->trail.file, 0, SEEK_END) + 10, before.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    put(&stage, "torn", "b");
    put(&stage, "lost", "b");
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_DFL);
    assert_int_equal(stage.agent->trail.lost, 2);
    put(&stage, "again", "b");
    assert_int_equal(stage.agent->trail.lines, 2);
#define WHO "{\"time\":7,\"uid\":1,\"gid\":2,\"verb\":\"stop\","
    reads(&stage, WHO "\"target\":\"a\",\"text\":\"b\"}\n"
                  "{\"time\":7,\n"
                  WHO "\"target\":\"again\",\"text\":\"b\"}");
#undef WHO
    close_trail(&stage);
}

TEST(a_file_that_is_not_its_own_is_not_written_to) {
    struct stage stage;
    open_trail(&stage, CONFIG_AUDIT_NONE, 1 << 20);
    scratch_write(&stage.scratch, "state/audit", "");
    assert_int_equal(fchmodat(stage.agent->store.root, "audit", 0666, 0), 0);
    stage.agent->config.audit = CONFIG_AUDIT_FILE;
    trail_open(stage.agent);
    put(&stage, "a", "b");
    assert_int_equal(stage.agent->trail.lines, 0);
    assert_true(stage.agent->trail.lost > 0);
    close_trail(&stage);
}

TEST(none_is_none) {
    struct stage stage;
    struct stat status;
    open_trail(&stage, CONFIG_AUDIT_NONE, 1 << 20);
    put(&stage, "a", "b");
    assert_int_equal(fstatat(stage.agent->store.root, "audit", &status, 0), -1);
    assert_int_equal(stage.agent->trail.lines, 0);
    close_trail(&stage);
}

TEST(fields_of_an_entry_hold_any_byte) {
    struct buffer entry = {0};
    assert_int_equal(journal_put(&entry, "PLAIN", holden_view("a=b")), 0);
    assert_int_equal(journal_put(&entry, "LINES", holden_view("a\nFORGED=b")), 0);
    static const char wanted[] = "PLAIN=a=b\nLINES\n\x0a\0\0\0\0\0\0\0" "a\nFORGED=b\n";
    assert_int_equal(entry.size, sizeof(wanted) - 1);
    assert_memory_equal(buffer_bytes(&entry), wanted, sizeof(wanted) - 1);
    buffer_free(&entry);
}

UNIT_MAIN
