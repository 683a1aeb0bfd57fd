/* The line that asks. */
#include <string.h>

#include "monitor/prompt.h"
#include "monitor/terminal.h"
#include "suite.h"

static void type(struct prompt *prompt, const char *text) {
    for (; *text; text++)
        assert_int_equal(prompt_key(prompt, *text), PROMPT_CHANGED);
}

TEST(text_is_typed_and_taken_back) {
    struct prompt prompt = {0};
    type(&prompt, "one two");
    assert_string_equal(prompt.text, "one two");
    assert_int_equal(prompt_key(&prompt, TERMINAL_BACKSPACE), PROMPT_CHANGED);
    assert_string_equal(prompt.text, "one tw");
    assert_int_equal(prompt_key(&prompt, TERMINAL_CONTROL('W')), PROMPT_CHANGED);
    assert_string_equal(prompt.text, "one ");
    assert_int_equal(prompt_key(&prompt, TERMINAL_CONTROL('W')), PROMPT_CHANGED);
    assert_string_equal(prompt.text, "");
    assert_int_equal(prompt_key(&prompt, TERMINAL_BACKSPACE), PROMPT_SAME);
    type(&prompt, "x");
    assert_int_equal(prompt_key(&prompt, TERMINAL_CONTROL('U')), PROMPT_CHANGED);
    assert_string_equal(prompt.text, "");
    assert_int_equal(prompt_key(&prompt, TERMINAL_ENTER), PROMPT_DONE);
    assert_int_equal(prompt_key(&prompt, TERMINAL_ESCAPE), PROMPT_LEFT);
}

TEST(other_keys_mean_nothing) {
    struct prompt prompt = {0};
    const int keys[] = {TERMINAL_UP, TERMINAL_F1, 0, 1, 0x80, 0xff, TERMINAL_NONE};
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
        assert_int_equal(prompt_key(&prompt, keys[i]), PROMPT_SAME);
}

TEST(a_full_line_takes_no_more) {
    struct prompt prompt = {0};
    for (int i = 0; i < PROMPT_TEXT * 2; i++)
        prompt_key(&prompt, 'x');
    assert_int_equal(strlen(prompt.text), PROMPT_TEXT - 1);
    assert_int_equal(prompt.size, PROMPT_TEXT - 1);
}

TEST(a_question_is_answered_by_yes_only_where_yes_is_typed) {
    struct prompt prompt = {.confirm = true};
    assert_int_equal(prompt_key(&prompt, 'y'), PROMPT_DONE);
    assert_int_equal(prompt_key(&prompt, 'Y'), PROMPT_DONE);
    const int no[] = {'n', 'N', 'q', TERMINAL_ESCAPE, TERMINAL_ENTER};
    for (size_t i = 0; i < ARRAY_SIZE(no); i++)
        assert_int_equal(prompt_key(&prompt, no[i]), PROMPT_LEFT);
    assert_int_equal(prompt_key(&prompt, 's'), PROMPT_SAME);
}

UNIT_MAIN
