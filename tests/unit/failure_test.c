#include "daemon/failure.h"

#include <errno.h>
#include <string.h>

#include "suite.h"

TEST(refusals_have_code_step_and_text) {
    struct failure failure = {0};
    assert_int_equal(failure_set(&failure, HOLDEN_code_INVALID, "MemoryMax", "%d is too little", 3),
                     -EREMOTEIO);
    assert_int_equal(failure.code, HOLDEN_code_INVALID);
    assert_string_equal(failure.step, "MemoryMax");
    assert_string_equal(failure.text, "3 is too little");
}

TEST(failed_system_calls_have_their_error) {
    struct failure failure = {0};
    assert_int_equal(failure_errno(&failure, ENOENT, NULL, "cannot open %s", "/x"), -EREMOTEIO);
    assert_int_equal(failure.code, HOLDEN_code_FAILED);
    assert_null(failure.step);
    assert_string_equal(failure.text, "cannot open /x: No such file or directory");
    failure_errno(&failure, EMFILE, NULL, "x");
    assert_int_equal(failure.code, HOLDEN_code_TOO_MANY);
}

TEST(long_texts_are_cut) {
    struct failure failure = {0};
    char longest[2000];
    memset(longest, 'a', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    failure_set(&failure, HOLDEN_code_FAILED, NULL, "%s", longest);
    assert_int_equal(strlen(failure.text), sizeof(failure.text) - 1);
    failure_errno(&failure, EIO, NULL, "%s", longest);
    assert_int_equal(strlen(failure.text), sizeof(failure.text) - 1);
}

UNIT_MAIN
