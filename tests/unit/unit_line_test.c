/* Unit files line by line: the rules of systemd.syntax(7). */
#include "suite.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "controller/unit_line.h"

/* Everything in the text as "[SECTION]" and "NUMBER NAME=VALUE", with | between; an error as
 * "NUMBER! what is wrong". */
static char *read_all(struct holden_view text, char *out, size_t space) {
    struct arena arena = {0};
    struct unit_reader reader = {.text = text, .arena = &arena};
    struct unit_line line = {0};
    size_t used = 0;
    int r;
    out[0] = '\0';
    while ((r = unit_line_next(&reader, &line)) > 0) {
        const char *bar = used ? "|" : "";
        used += (size_t)(line.kind == UNIT_LINE_SECTION
                             ? snprintf(out + used, space - used, "%s[%s]", bar, line.name)
                             : snprintf(out + used, space - used, "%s%u %s=%s", bar, line.number,
                                        line.name, line.value));
        assert_true(used < space);
    }
    if (r < 0)
        snprintf(out + used, space - used, "%s%u! %s", used ? "|" : "", line.number,
                 r == -EINVAL ? reader.wrong : "?");
    arena_free(&arena);
    return out;
}

static void check(const char *text, const char *expected) {
    char out[512];
    assert_string_equal(read_all(holden_view(text), out, sizeof(out)), expected);
}

TEST(sections_assignments_comments_and_blank_lines) {
    check("", "");
    check("\n \n# c\n; c\n", "");
    check("[Unit]\nA=1\nA = 2 \n  B=x y\t\n", "[Unit]|2 A=1|3 A=2|4 B=x y");
    check("[A]\nx=1 # no comment\ny=\n", "[A]|2 x=1 # no comment|3 y=");
    check(" [A] \n#\n x=a=b", "[A]|3 x=a=b");
    check("\xef\xbb\xbf[A]\nx=1", "[A]|2 x=1");
    check("[A]\r\nx=1\r\n", "[A]|2 x=1");
}

/* The example of systemd.syntax(7), "Example 1", and what lies beside it. */
TEST(a_backslash_at_the_end_continues_the_line) {
    check("[Section A]\nKeyOne=value 1\nKeyTwo=value 2\n\n# a comment\n\n[Section B]\n"
          "Setting=\"something\" \"some thing\" \"...\"\nKeyTwo=value 2 \\\n       value 2 continued\n\n"
          "[Section C]\nKeyThree=value 3\\\n# this line is ignored\n; this line is ignored too\n"
          "       value 3 continued\n",
          "[Section A]|2 KeyOne=value 1|3 KeyTwo=value 2|[Section B]|"
          "8 Setting=\"something\" \"some thing\" \"...\"|9 KeyTwo=value 2         value 2 continued|"
          "[Section C]|13 KeyThree=value 3        value 3 continued");
    check("[A]\nx=a\\\\\ny=b", "[A]|2 x=a\\\\|3 y=b");
    check("[A]\nx=a\\\n\nb", "[A]|2 x=a b");
    check("[A]\nx=a\\", "[A]|2 x=a");
    check("[A]\nx=a\\\r\n b", "[A]|2 x=a  b");
    check("[A]\n# a comment \\\nx=1", "[A]|3 x=1");
}

TEST(what_is_no_line_is_refused_with_its_number) {
    check("[A", "1! expected [SECTION]");
    check("[]", "1! expected [SECTION]");
    check("[A]x", "1! expected [SECTION]");
    check("[A]\n\nnothing", "[A]|3! expected NAME=VALUE or [SECTION]");
    check("x=1", "1! an assignment before the first [SECTION]");
    check("[A]\n=1", "[A]|2! a name is missing before =");
    check("[A]\nx=\xff", "[A]|2! not UTF-8");
    char out[128];
    assert_string_equal(read_all((struct holden_view){"[A]\nx=\0", 7}, out, sizeof(out)),
                        "[A]|2! holds a zero byte; not a text");
}

UNIT_MAIN
