/* What people see of text that a process made. */
#include "controller/output.h"

#include <string.h>

#include "suite.h"

static void shows(const char *text, size_t size, const char *expected) {
    struct output output = {0};
    output_safe(&output, (struct holden_view){text, size});
    assert_int_equal(output.error, 0);
    assert_int_equal(output.buffer.size, strlen(expected));
    assert_memory_equal(buffer_bytes(&output.buffer), expected, strlen(expected));
    buffer_free(&output.buffer);
}

#define SHOWS(text, expected) shows(text, sizeof(text) - 1, expected)

TEST(characters_are_shown) {
    SHOWS("", "");
    SHOWS("plain text ~", "plain text ~");
    SHOWS("é € 😀 ě", "é € 😀 ě");
    SHOWS("\xc2\xa0\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf",
          "\xc2\xa0\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf");
}

TEST(nothing_steers_the_terminal) {
    SHOWS("\033[2J", "\\x1b[2J");
    SHOWS("a\0b\r\n\t\x7f", "a\\x00b\\x0d\\x0a\\x09\\x7f");
    /* CSI and OSC as one character, in UTF-8 and without. */
    SHOWS("\xc2\x9b" "31m\xc2\x9d", "\\xc2\\x9b31m\\xc2\\x9d");
    SHOWS("\x9b" "31m", "\\x9b31m");
}

TEST(what_is_no_character_is_shown_byte_by_byte) {
    SHOWS("\xff\xfe", "\\xff\\xfe");
    SHOWS("\xc3", "\\xc3");
    SHOWS("\xe2\x82", "\\xe2\\x82");
    SHOWS("\xc0\x9b", "\\xc0\\x9b");             /* longer than it needs to be */
    SHOWS("\xe0\x82\x9b", "\\xe0\\x82\\x9b");
    SHOWS("\xed\xa0\x80", "\\xed\\xa0\\x80");    /* a surrogate */
    SHOWS("\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80");
    SHOWS("\xc3\xc3\xa9", "\\xc3é");
}

TEST(lines_stay_and_a_part_of_a_character_waits) {
    struct output output = {0};
    static const char text[] = "a\tb\n\r\xe2\x82";
    struct holden_view view = {text, sizeof(text) - 1};
    assert_int_equal(output_safe_text(&output, view, false), sizeof(text) - 3);
    assert_int_equal(output.buffer.size, 8);
    assert_memory_equal(buffer_bytes(&output.buffer), "a\tb\n\\x0d", 8);
    output.buffer.size = 0;
    assert_int_equal(output_safe_text(&output, view, true), sizeof(text) - 1);
    assert_int_equal(output.buffer.size, 16);
    buffer_free(&output.buffer);
}

UNIT_MAIN
