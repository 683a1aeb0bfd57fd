#include "common/spelling.h"

#include "suite.h"

static void offer(struct spelling *spelling) {
    static const char *const names[] = {"openat",  "open",  "openat2", "close",
                                        "restart", "start", "status"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        spelling_offer(spelling, names[i]);
}

static void suggests(const char *wanted, const char *best) {
    struct spelling spelling = {.wanted = wanted};
    offer(&spelling);
    assert_string_equal(spelling.best, best);
}

TEST(the_closest_wins) {
    suggests("opennat", "openat");
    suggests("opn", "open");
    suggests("strat", "start");
    suggests("CLOSE", "close");
    suggests("statsu", "status");
}

TEST(what_is_far_is_not_offered) {
    suggests("frobnicate", "");
    suggests("", "");
    suggests("x", "");
}

TEST(long_names_are_passed_over) {
    struct spelling spelling = {
        .wanted =
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
    spelling_offer(&spelling, "aaaa");
    assert_string_equal(spelling.best, "");
    spelling = (struct spelling){.wanted = "aaaa"};
    spelling_offer(
        &spelling,
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    assert_string_equal(spelling.best, "");
}

UNIT_MAIN
