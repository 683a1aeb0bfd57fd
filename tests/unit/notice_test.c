#include "agent/notice.h"

#include <stdio.h>
#include <string.h>

#include "protocol/message.h"
#include "suite.h"

static char text[NOTICE_MOST + 1];

static struct notice parse(const char *datagram) {
    struct notice notice;
    snprintf(text, sizeof(text), "%s", datagram);
    assert_true(notice_parse(text, strlen(text), &notice));
    return notice;
}

TEST(every_line_that_means_something_is_kept) {
    struct notice notice = parse("MAINPID=42\nSTATUS=half way = there\nX_OTHER=1\nERRNO=2\n"
                                 "BUSERROR=org.example\nEXTEND_TIMEOUT_USEC=7\nREADY=1\n");
    assert_int_equal(notice.main, 42);
    assert_string_equal(notice.text, "half way = there");
    assert_int_equal(notice.error, 2);
    assert_string_equal(notice.bus_error, "org.example");
    assert_true(notice.extend == 7);
    assert_int_equal(notice.state, HOLDEN_notify_state_READY);
    assert_null(notice.fault);
}

TEST(nothing_is_made_of_what_only_begins_like_it) {
    static const char *const others[] = {"", "READY=10", "READY=0", "XREADY=1", "READY", " READY=1",
                                         "STATUS", "reloading=1", "STOPPING=1 "};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        struct notice notice = parse(others[i]);
        assert_int_equal(notice.state, HOLDEN_notify_state_NONE);
        assert_null(notice.text);
        assert_int_equal(notice.error, -1);
    }
}

TEST(of_states_the_last_counts_of_values_the_first) {
    assert_int_equal(parse("READY=1\nRELOADING=1").state, HOLDEN_notify_state_RELOADING);
    assert_int_equal(parse("STOPPING=1\nREADY=1").state, HOLDEN_notify_state_READY);
    assert_string_equal(parse("STATUS=one\nSTATUS=two").text, "one");
    assert_string_equal(parse("STATUS=").text, "");
}

TEST(what_is_no_number_and_no_text_is_passed_over_and_named) {
    static const char *const bad[] = {
        "MAINPID=0", "MAINPID=-1", "MAINPID=", "MAINPID=12x", "MAINPID=4294967296", "MAINPID= 1",
        "ERRNO=-2", "ERRNO=4096", "ERRNO=ENONSENSE", "ERRNO=", "EXTEND_TIMEOUT_USEC=0",
        "EXTEND_TIMEOUT_USEC=18446744073709551616", "EXTEND_TIMEOUT_USEC=1s", "STATUS=\xff",
        "BUSERROR=\xc3"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct notice notice = parse(bad[i]);
        assert_non_null(notice.fault);
        assert_int_equal(notice.main, 0);
        assert_int_equal(notice.error, -1);
        assert_true(notice.extend == 0);
        assert_null(notice.text);
        assert_null(notice.bus_error);
    }
    assert_int_equal(parse("ERRNO=0").error, 0);
    assert_int_equal(parse("ERRNO=ENOENT").error, 2);
}

TEST(what_feeds_the_watchdog) {
    struct notice notice = parse("WATCHDOG=1\nWATCHDOG_USEC=20000000");
    assert_true(notice.alive);
    assert_false(notice.trigger);
    assert_true(notice.watchdog == 20000000);
    assert_null(notice.fault);
    assert_true(parse("WATCHDOG=trigger").trigger);
    assert_false(parse("WATCHDOG=trigger").alive);
    assert_non_null(parse("WATCHDOG=2").fault);
    assert_non_null(parse("WATCHDOG_USEC=0").fault);
    assert_non_null(parse("WATCHDOG_USEC=1s").fault);
}

TEST(a_zero_byte_is_allowed_at_the_end_alone) {
    struct notice notice;
    memcpy(text, "READY=1\0", 9);
    assert_true(notice_parse(text, 8, &notice));
    assert_int_equal(notice.state, HOLDEN_notify_state_READY);
    memcpy(text, "READY=1\0\nSTATUS=x", 18);
    assert_false(notice_parse(text, 17, &notice));
    assert_int_equal(notice.state, HOLDEN_notify_state_NONE);
    text[0] = '\0';
    assert_true(notice_parse(text, 0, &notice));
}

UNIT_MAIN
