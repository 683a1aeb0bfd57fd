#include "common/option.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "suite.h"

struct given {
    const char *name;
    unsigned flags;
    const char *values[8];
    size_t count;
};

static const char *take_name(void *into, const char *value) {
    ((struct given *)into)->name = value;
    return *value ? NULL : "is empty";
}
static const char *take_flag(void *into, const char *value) {
    ((struct given *)into)->flags++;
    return value ? "a flag got a value" : NULL;
}
static const char *take_value(void *into, const char *value) {
    struct given *given = into;
    given->values[given->count++] = value;
    return NULL;
}

static const struct option_row rows[] = {
    {'n', "name", "NAME", "its name", take_name},
    {'q', "quiet", NULL, "says nothing", take_flag},
    {'p', NULL, "VALUE", "a value, any number of times", take_value},
    {0, "long-only", NULL, "has no letter", take_flag},
};

/* Parses; what goes to standard error in the meantime comes into `said`. */
static int parse(struct given *given, char *said, size_t space, const char *const *arguments) {
    int argc = 0;
    while (arguments[argc])
        argc++;
    char path[] = "/tmp/holden-unit.XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    unlink(path);
    int before = dup(STDERR_FILENO);
    dup2(fd, STDERR_FILENO);
    *given = (struct given){0};
    int r = option_parse(rows, ARRAY_SIZE(rows), "prog", argc, (char *const *)(uintptr_t)arguments,
                         given);
    fflush(stderr);
    dup2(before, STDERR_FILENO);
    close(before);
    ssize_t size = pread(fd, said, space - 1, 0);
    assert_true(size >= 0);
    said[size] = '\0';
    close(fd);
    return r;
}

#define ARGUMENTS(...) ((const char *const[]){"prog", __VA_ARGS__, NULL})

static void accepted(struct given *given, int rest, const char *const *arguments) {
    char said[256];
    assert_int_equal(parse(given, said, sizeof(said), arguments), rest);
    assert_string_equal(said, "");
}

static void refused(const char *message, const char *const *arguments) {
    struct given given;
    char said[256];
    assert_int_equal(parse(&given, said, sizeof(said), arguments), -1);
    assert_string_equal(said, message);
}

TEST(ways_to_give_a_value) {
    struct given given;
    accepted(&given, 3, ARGUMENTS("--name", "x"));
    assert_string_equal(given.name, "x");
    accepted(&given, 2, ARGUMENTS("--name=x=y"));
    assert_string_equal(given.name, "x=y");
    accepted(&given, 2, ARGUMENTS("-nx"));
    assert_string_equal(given.name, "x");
    accepted(&given, 3, ARGUMENTS("-n", "-x"));
    assert_string_equal(given.name, "-x");
}

TEST(letters_together) {
    struct given given;
    accepted(&given, 3, ARGUMENTS("-qqn", "x"));
    assert_int_equal(given.flags, 2);
    assert_string_equal(given.name, "x");
    accepted(&given, 4, ARGUMENTS("-pa", "-p", "b"));
    assert_int_equal(given.count, 2);
    assert_string_equal(given.values[1], "b");
}

TEST(where_options_end) {
    struct given given;
    accepted(&given, 1, (const char *const[]){"prog", NULL});
    accepted(&given, 2, ARGUMENTS("--", "-q"));
    assert_int_equal(given.flags, 0);
    accepted(&given, 2, ARGUMENTS("-q", "word", "-q"));
    assert_int_equal(given.flags, 1);
    accepted(&given, 1, ARGUMENTS("-", "-q"));
    accepted(&given, 1, ARGUMENTS("", "-q"));
    accepted(&given, 2, ARGUMENTS("--long-only"));
    assert_int_equal(given.flags, 1);
}

TEST(what_is_wrong_is_said_in_one_line) {
    refused("prog: option '--nam': unknown; see prog --help\n", ARGUMENTS("--nam"));
    refused("prog: option '--names': unknown; see prog --help\n", ARGUMENTS("--names"));
    refused("prog: option '-x': unknown; see prog --help\n", ARGUMENTS("-x"));
    refused("prog: option '--name': a value is missing; see prog --help\n", ARGUMENTS("--name"));
    refused("prog: option '-n': a value is missing; see prog --help\n", ARGUMENTS("-n"));
    refused("prog: option '--quiet=1': takes no value; see prog --help\n", ARGUMENTS("--quiet=1"));
    refused("prog: option '--name=': is empty; see prog --help\n", ARGUMENTS("--name="));
}

UNIT_MAIN
