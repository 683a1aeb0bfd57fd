#include "agent/arguments.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "suite.h"

/* Parses a command line; what is said on stderr goes to `said`. */
static int parse(struct arguments *arguments, char *said, size_t space, const char *const *words) {
    char *argv[16] = {(char *)(uintptr_t) "agent"};
    int argc = 1;
    for (; words[argc - 1]; argc++)
        argv[argc] = (char *)(uintptr_t)words[argc - 1];
    int file = memfd_create("stderr", MFD_CLOEXEC), old = dup(STDERR_FILENO);
    dup2(file, STDERR_FILENO);
    int r = arguments_parse(arguments, argc, argv);
    fflush(stderr);
    dup2(old, STDERR_FILENO);
    ssize_t size = pread(file, said, space - 1, 0);
    assert_true(size >= 0);
    said[size] = '\0';
    close(file);
    close(old);
    return r;
}

#define PARSE(...) parse(&arguments, said, sizeof(said), (const char *const[]){__VA_ARGS__, NULL})

TEST(nothing_given) {
    struct arguments arguments;
    char said[512];
    unsetenv("HOLDEN_SOCKET");
    assert_int_equal(PARSE(NULL), 0);
    assert_string_equal(arguments.socket, "/run/holden/agent.sock");
    assert_string_equal(arguments.state, "/run/holden/state");
    assert_string_equal(arguments.config, "/etc/holden/agent.conf");
    assert_null(arguments.cgroup);
    assert_false(arguments.config_given || arguments.check || arguments.help || arguments.version);
    assert_string_equal(said, "");
}

TEST(everything_given) {
    struct arguments arguments;
    char said[512];
    assert_int_equal(PARSE("--socket", "s", "--state-dir=/d", "--cgroup", "/c", "--config=f",
                           "--check", "-h", "--version"),
                     0);
    assert_string_equal(arguments.socket, "s");
    assert_string_equal(arguments.state, "/d");
    assert_string_equal(arguments.cgroup, "/c");
    assert_string_equal(arguments.config, "f");
    assert_true(arguments.config_given && arguments.check && arguments.help && arguments.version);
}

TEST(the_socket_of_the_environment) {
    struct arguments arguments;
    char said[512];
    setenv("HOLDEN_SOCKET", "/there", 1);
    assert_int_equal(PARSE(NULL), 0);
    assert_string_equal(arguments.socket, "/there");
    assert_int_equal(PARSE("--socket", "/here"), 0);
    assert_string_equal(arguments.socket, "/here");
    unsetenv("HOLDEN_SOCKET");
}

TEST(what_is_wrong_is_said_in_a_line) {
    struct arguments arguments;
    char said[512];
    static const struct {
        const char *first, *second, *words;
    } rows[] = {
        {"--nonsense", NULL, "nonsense"},
        {"--socket", NULL, "socket"},
        {"--socket=", NULL, "empty"},
        {"--state-dir", "relative", "not an absolute path"},
        {"--cgroup=relative", NULL, "absolute"},
        {"--config=", NULL, "empty"},
        {"start", NULL, "'start': no arguments"},
        {"--check=1", NULL, "check"},
        {"--", "x", "'x': no arguments"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        assert_int_equal(PARSE(rows[i].first, rows[i].second), -1);
        if (!strstr(said, rows[i].words) || strchr(said, '\n') != said + strlen(said) - 1)
            fail_msg("%s: %s", rows[i].first, said);
    }
}

UNIT_MAIN
