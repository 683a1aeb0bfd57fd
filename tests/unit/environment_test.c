/* Environment=, PassEnvironment=, EnvironmentFile=. */
#include "suite.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/file.h"
#include "controller/environment.h"
#include "controller/environment_file.h"

/* The list as "A=1|B=2". */
static void print_list(struct holden_repeated list, char *text, size_t space) {
    struct holden_view view;
    size_t used = 0;
    text[0] = '\0';
    while (holden_next_view(&list, &view))
        used += (size_t)snprintf(text + used, space - used, "%s%.*s", used ? "|" : "",
                                 (int)view.size, view.data);
}

TEST(items_are_quoted_as_in_unit_files) {
    static const struct { const char *value; const char *list; } rows[] = {
        {"A=1", "A=1"}, {"A=1 B=2", "A=1|B=2"}, {"  A=1\tB=2  ", "A=1|B=2"},
        {"\"A=x y\" 'B=x y'", "A=x y|B=x y"}, {"A=\"x y\"z", "A=x yz"}, {"A='\"'", "A=\""},
        {"A=\\x41\\102\\u00e9\\n\\s", "A=AB\xc3\xa9\n "}, {"A=\\\"", "A=\""}, {"A=", "A="},
        {"A=$HOME", "A=$HOME"}, {"A=\\U0001f600", "A=\xf0\x9f\x98\x80"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct settings settings = {0};
        char text[128];
        assert_int_equal(environment_assign(&settings, rows[i].value), 0);
        print_list(settings.properties.environment, text, sizeof(text));
        assert_string_equal(text, rows[i].list);
        settings_free(&settings);
    }
}

TEST(bad_quoting_is_refused) {
    static const char *const rows[] = {
        "\"A=1",         "'A=1", "A=\\q", "A=\\x4", "A=\\u12", "A=\\000", "A=\\x00", "A=\\ud800",
        "A=\\U00110000", "A=\\", "A",     "=1",     "A-B=1",   "1A=1",    "A=1 B"};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct settings settings = {0};
        if (environment_assign(&settings, rows[i]) != -EINVAL)
            fail_msg("taken: %s", rows[i]);
        settings_free(&settings);
    }
}

TEST(printing_and_reading_agree) {
    static const char *const rows[] = {"A=1", "A=x y",     "A=\"\\'", "A=a\nb\x01\x7f",
                                       "A=",  "A=\xc3\xa9"};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        _cleanup_(buffer_free) struct buffer printed = {0};
        struct settings settings = {0};
        char text[64];
        assert_int_equal(environment_print(holden_view(rows[i]), &printed), 0);
        assert_int_equal(buffer_append(&printed, "", 1), 0);
        assert_int_equal(environment_assign(&settings, (const char *)buffer_bytes(&printed)), 0);
        print_list(settings.properties.environment, text, sizeof(text));
        assert_string_equal(text, rows[i]);
        settings_free(&settings);
    }
}

static int take(struct settings *settings, struct holden_repeated *list,
                struct holden_view assignment) {
    (void)list;
    return settings_append(settings, HOLDEN_INDEX(properties, environment), &assignment,
                           sizeof(assignment));
}

TEST(files_are_read_by_systemds_rules) {
    static const struct { const char *file; const char *list;
    } rows[] = {
        {"A=1\nB=2\n", "A=1|B=2"},
        {"A=1", "A=1"},
        {"# c\n; c\nA=1\n", "A=1"},
        {"\n\n  A=1  \n", "A=1"},
        {"A = x y  \n", "A=x y"},
        {"A=\"x y\" # z\n", "A=x y# z"},
        {"A='x\\n'\n", "A=x\\n"},
        {"A=x\\\ny\n", "A=xy"},
        {"A=\\x\n", "A=x"},
        {"A=\"a\\\"b\\$c\\d\"\n", "A=a\"b$c\\d"},
        {"A=\"one\ntwo\"\nB=2\n", "A=one\ntwo|B=2"},
        {"A=\"a\\\nb\"\n", "A=ab"},
        {"A='a'b'c'\n", "A=ab'c'"},
        {"A=\nB=2\n", "A=|B=2"},
        {"A\nB=2\n", "B=2"},
        {"# c \\\nA=1\nB=2\n", "B=2"},
        {"A=\"open", "A=open"},
        {"A=1\r\nB=2\r\n", "A=1|B=2"},
        {"", ""},
        {"A=a  b\n", "A=a  b"},
        {"A=\\ \n", "A= "},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct settings settings = {0};
        char text[128];
        assert_int_equal(
            environment_file_parse(&settings, "f", holden_view(rows[i].file), take, NULL), 0);
        print_list(settings.properties.environment, text, sizeof(text));
        if (strcmp(text, rows[i].list) != 0)
            fail_msg("row %zu: '%s', not '%s'", i, text, rows[i].list);
        settings_free(&settings);
    }
}

/* One file with one line, removed by the test. */
static void write_file(char *path, const char *text) {
    strcpy(path, "/tmp/holden-environment-XXXXXX");
    _cleanup_close_ int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(file_write_all(fd, text, strlen(text)), 0);
}

TEST(later_sources_replace_earlier_ones) {
    struct settings settings = {0};
    char path[64];
    char assignment[128];
    char text[256];
    write_file(path, "C=file\nD=file\n");
    snprintf(assignment, sizeof(assignment), "EnvironmentFile=%s", path);
    assert_int_equal(setenv("B", "passed", 1), 0);
    assert_int_equal(setenv("C", "passed", 1), 0);
    assert_int_equal(environment_base(&settings, "A", "base"), 0);
    assert_int_equal(environment_base(&settings, "B", "base"), 0);
    assert_int_equal(settings_assign_text(&settings, assignment), 0);
    assert_int_equal(settings_assign_text(&settings, "PassEnvironment=B C NO_SUCH_VARIABLE"), 0);
    assert_int_equal(settings_assign_text(&settings, "Environment=D=given E=given E=again"), 0);
    int r = environment_finish(&settings);
    unlink(path);
    assert_int_equal(r, 0);
    print_list(settings.properties.environment, text, sizeof(text));
    assert_string_equal(text, "A=base|B=passed|C=file|D=file|E=again");
    assert_false(HOLDEN_HAS(&settings.properties, properties, environment_file));
    assert_false(HOLDEN_HAS(&settings.properties, properties, pass_environment));
    settings_free(&settings);
}

TEST(a_missing_file_counts_unless_allowed) {
    static const struct { const char *text; int result;
    } rows[] = {
        {"EnvironmentFile=/nonesuch/environment", -EINVAL},
        {"EnvironmentFile=-/nonesuch/environment", 0},
        {"EnvironmentFile=/nonesuch/*.env", -EINVAL},
        {"EnvironmentFile=-/nonesuch/*.env", 0},
        {"EnvironmentFile=/tmp", -EINVAL},
        {"EnvironmentFile=/dev/zero", -EINVAL},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct settings settings = {0};
        assert_int_equal(settings_assign_text(&settings, rows[i].text), 0);
        assert_int_equal(environment_finish(&settings), rows[i].result);
        settings_free(&settings);
    }
}

UNIT_MAIN
