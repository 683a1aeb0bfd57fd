/* Lines of the log: one each, whatever is in them. */
#include "common/log.h"

#include <string.h>
#include <unistd.h>

#include "suite.h"

TEST(names_in_it_write_no_lines_of_their_own) {
    char line[256] = "";
    int ends[2], kept = dup(STDERR_FILENO);
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
    log_error("x\nagent: recovered\t\033[2J\x7f%s", "\xc3\xa9");
    assert_int_equal(dup2(kept, STDERR_FILENO), STDERR_FILENO);
    ssize_t size = read(ends[0], line, sizeof(line) - 1);
    assert_true(size > 0);
    assert_string_equal(strchr(line, ':'), ": x?agent: recovered??[2J?\xc3\xa9\n");
    close(ends[0]);
    close(ends[1]);
    close(kept);
}

UNIT_MAIN
