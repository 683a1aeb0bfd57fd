/* What a terminal is shown. */
#include <locale.h>
#include <string.h>

#include "monitor/text.h"
#include "suite.h"

/* Fits `text` into `columns` and compares what is shown and how wide it is. */
static void fits(const char *text, unsigned columns, bool utf8, const char *shown, unsigned width) {
    char out[64];
    assert_int_equal(text_fit(holden_view(text), columns, utf8, out, sizeof(out)), width);
    assert_string_equal(out, shown);
}

TEST(plain_text_is_cut_with_a_mark) {
    fits("hello", 10, false, "hello", 5);
    fits("hello", 5, false, "hello", 5);
    fits("hello", 4, false, "hel+", 4);
    fits("hello", 1, false, "+", 1);
    fits("hello", 0, false, "", 0);
    fits("", 0, false, "", 0);
}

TEST(nothing_steers_the_terminal) {
    fits("a\033[31mb\n\t\x7f", 20, false, "a?[31mb???", 10);
    fits("caf\xc3\xa9", 20, false, "caf??", 5);
}

TEST(characters_are_as_wide_as_they_are) {
    if (!setlocale(LC_CTYPE, "C.UTF-8"))
        skip();
    assert_true(text_is_utf8());
    fits("caf\xc3\xa9", 20, true, "caf\xc3\xa9", 4);
    fits("\xe6\x97\xa5\xe6\x9c\xac", 4, true, "\xe6\x97\xa5\xe6\x9c\xac", 4);
    fits("\xe6\x97\xa5\xe6\x9c\xac", 3, true, "\xe6\x97\xa5\xe2\x80\xa6", 3);
    fits("\xe6\x97\xa5\xe6\x9c\xac", 2, true, "\xe2\x80\xa6", 1);
    assert_int_equal(text_width(holden_view("\xe6\x97\xa5\xe6\x9c\xac"), 100, true), 4);
    assert_int_equal(text_width(holden_view("\xe6\x97\xa5\xe6\x9c\xac"), 3, true), 3);
}

TEST(broken_and_invisible_characters_do_no_harm) {
    if (!setlocale(LC_CTYPE, "C.UTF-8"))
        skip();
    fits("a\xff\xc3", 20, true, "a??", 3);
    fits("\xe6\x97", 20, true, "??", 2);
    fits("e\xcc\x81" "x", 20, true, "ex", 2);          /* a combining accent */
    fits("a\xe2\x80\x8b" "b", 20, true, "ab", 2);      /* a space without width */
    fits("a\xc2\x9b" "31mb", 20, true, "a?31mb", 6);   /* a C1 control */
}

TEST(a_small_buffer_is_never_overrun) {
    char out[8];
    for (unsigned columns = 0; columns < 20; columns++) {
        assert_true(text_fit(holden_view("0123456789abcdef"), columns, false, out, sizeof(out)) <=
                    columns);
        assert_true(strlen(out) < sizeof(out));
    }
}

UNIT_MAIN
