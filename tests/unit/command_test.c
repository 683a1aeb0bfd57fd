/* Command lines taken apart by the table of verbs; names; signals; endings; tables. */
#include "suite.h"

#include <string.h>

#include "common/name.h"
#include "controller/command.h"
#include "controller/ending.h"
#include "controller/signal_name.h"
#include "controller/table.h"
#include "controller/words.h"

/* Parses "verb a b …", NULL-terminated. The command is to be freed. */
static int parse(struct command *command, const char *const *words) {
    int count = 0;
    while (words[count])
        count++;
    *command = (struct command){.verb = verb_find(words[0])};
    assert_non_null(command->verb);
    return command_parse(command, count, (char **)words);
}
#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

TEST(options_may_stand_anywhere) {
    struct command command;
    assert_int_equal(parse(&command, WORDS("constrain", "web", "100", "50", "-p", "TasksMax=10",
                                           "--for", "30s")),
                     0);
    assert_int_equal(command.count, 3);
    assert_string_equal(command.arguments[2], "50");
    assert_int_equal(command.options.property_count, 1);
    assert_int_equal(command.options.duration, 30000000);
    command_free(&command);
    assert_int_equal(
        parse(&command, WORDS("stop", "--signal=INT", "a", "--timeout", "0", "b", "--", "-c")), 0);
    assert_int_equal(command.count, 3);
    assert_int_equal(command.options.signal, 2);
    assert_true(command.options.has_timeout && command.options.timeout == 0);
    assert_string_equal(command.arguments[2], "-c");
    command_free(&command);
}

TEST(a_command_keeps_its_own_options) {
    struct command command;
    assert_int_equal(parse(&command, WORDS("start", "--name", "n", "ls", "-l", "--name", "x")), 0);
    assert_int_equal(command.count, 4);
    assert_string_equal(command.arguments[1], "-l");
    assert_string_equal(command.options.name, "n");
    command_free(&command);
    assert_int_equal(parse(&command, WORDS("run", "--json", "--", "--weird", "--")), 0);
    assert_int_equal(command.count, 2);
    assert_string_equal(command.arguments[0], "--weird");
    command_free(&command);
    assert_int_equal(parse(&command, WORDS("monitor", "--once", "--sort", "cpu")), 0);
    assert_int_equal(command.count, 3);
    command_free(&command);
}

TEST(wrong_lines_are_usage_errors) {
    static const char *const rows[][4] = {
        {"start"},
        {"list", "x"},
        {"logs"},
        {"logs", "a", "b"},
        {"stop"},
        {"constrain"},
        {"ping", "x"},
        {"start", "--all", "x"},
        {"list", "--follow"},
        {"stop", "--signal", "FOO"},
        {"logs", "-n", "x"},
        {"stop", "--timeout"},
        {"constrain", "--for", "0"},
        {"completion"},
        {"events", "--since", "-1"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct command command;
        const char *words[5] = {rows[i][0], rows[i][1], rows[i][2], rows[i][3], NULL};
        if (parse(&command, words) != STATUS_USAGE)
            fail_msg("taken: %s %s", words[0], words[1] ? words[1] : "");
        command_free(&command);
    }
}

TEST(every_verb_has_help_and_parses_it) {
    size_t count;
    const struct verb *rows = verbs(&count);
    for (size_t i = 0; i < count; i++) {
        struct command command;
        assert_true(*rows[i].doc);
        if (rows[i].shape == VERB_FOREIGN)
            continue;
        assert_int_equal(parse(&command, WORDS(rows[i].name, "--help")), 0);
        assert_true(command.options.help);
        command_free(&command);
    }
    assert_null(verb_find("strat"));
}

TEST(no_verb_has_two_options_of_one_name) {
    size_t count;
    const struct verb *verb = verbs(&count);
    for (size_t i = 0; i < count; i++, verb++) {
        struct option_row rows[OPTION_COUNT];
        size_t options = options_rows(OPTIONS_GLOBAL | verb->options, rows);
        for (size_t a = 0; a < options; a++)
            for (size_t b = a + 1; b < options; b++) {
                assert_string_not_equal(rows[a].name, rows[b].name);
                assert_true(!rows[a].letter || rows[a].letter != rows[b].letter);
            }
    }
}

TEST(names_follow_the_rule) {
    static const char *const good[] = {"a", "web-1", "a.b@c:d_e", "1a", "A", "0x", "_", ":",
        "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijkl"};
    static const char *const bad[] = {
        "",
        "1",
        "123",
        "-a",
        ".a",
        "a b",
        "a/b",
        "a\n",
        "\xc3\xa9",
        "a*",
        "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklm"};
    for (size_t i = 0; i < ARRAY_SIZE(good); i++)
        assert_true(name_valid(good[i], strlen(good[i])));
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        assert_false(name_valid(bad[i], strlen(bad[i])));
    assert_false(name_valid("a\0b", 3));
    assert_true(name_is_pid("123", 3));
    assert_false(name_is_pid("", 0));
    assert_int_equal(command_check_target("123"), STATUS_DONE);
    assert_int_equal(command_check_target("a b"), STATUS_USAGE);
    assert_int_equal(command_check_target(""), STATUS_USAGE);
}

TEST(signals_have_names) {
    static const struct { const char *text; uint32_t number; const char *printed;
    } rows[] = {
        {"SIGTERM", 15, "SIGTERM"},
        {"term", 15, "SIGTERM"},
        {"9", 9, "SIGKILL"},
        {"SIGRTMIN", 34, "SIGRTMIN"},
        {"RTMIN+30", 64, "SIGRTMIN+30"},
        {"RTMAX", 64, "SIGRTMIN+30"},
        {"RTMAX-1", 63, "SIGRTMIN+29"},
        {"64", 64, "SIGRTMIN+30"},
    };
    static const char *const bad[] = {"",         "0",       "65", "SIG",      "SIGFOO", "RTMIN+31",
                                      "RTMAX-31", "RTMIN-1", "-9", "infinity", "RTMIN+x"};
    char text[32];
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        uint32_t number = 0;
        assert_int_equal(signal_parse(rows[i].text, &number), 0);
        assert_int_equal(number, rows[i].number);
        assert_string_equal(signal_print(number, text, sizeof(text)), rows[i].printed);
    }
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        uint32_t number;
        if (signal_parse(bad[i], &number) == 0)
            fail_msg("taken: %s", bad[i]);
    }
}

TEST(endings_have_words_and_statuses) {
    struct holden_exited exited = {.cause = HOLDEN_cause_EXITED};
    _cleanup_(buffer_free) struct buffer words = {0};
    HOLDEN_SET(&exited, exited, status, 3);
    assert_int_equal(ending_status(&exited), 3);
    assert_false(ending_needs_words(&exited));
    assert_int_equal(ending_print(&exited, &words), 0);
    assert_memory_equal(buffer_bytes(&words), "exited with status 3", words.size);
    words.size = 0;
    exited = (struct holden_exited){.cause = HOLDEN_cause_OUT_OF_MEMORY};
    HOLDEN_SET(&exited, exited, signal, 9);
    HOLDEN_SET(&exited, exited, explanation, holden_view("peak\n5M"));
    assert_int_equal(ending_status(&exited), 137);
    assert_true(ending_needs_words(&exited));
    assert_int_equal(ending_print(&exited, &words), 0);
    assert_memory_equal(buffer_bytes(&words), "ended by SIGKILL: peak\\x0a5M", words.size);
    exited = (struct holden_exited){.cause = HOLDEN_cause_SETUP};
    assert_int_equal(ending_status(&exited), STATUS_FAILED);
}

TEST(tables_align_and_cut) {
    static const struct table_column columns[] = {{"NAME", false}, {"N", true}, {"WHAT", false}};
    _cleanup_(table_free) struct table table;
    struct output output = {.width = 24};
    table_init(&table, columns, ARRAY_SIZE(columns));
    table_text(&table, OUTPUT_PLAIN, "a");
    table_number(&table, 7);
    table_text(&table, OUTPUT_PLAIN, "0123456789abcdef");
    table_text(&table, OUTPUT_PLAIN, "longer");
    table_number(&table, 1234);
    table_text(&table, OUTPUT_GOOD, "\033[2J");
    table_print(&table, &output);
    static const char expected[] = "NAME       N  WHAT\n"
                                   "a          7  0123456789\n"
                                   "longer  1234  \\x1b[2J\n";
    assert_int_equal(output.buffer.size, strlen(expected));
    assert_memory_equal(buffer_bytes(&output.buffer), expected, strlen(expected));
    buffer_free(&output.buffer);
}

TEST(what_users_wrote_is_shown_short) {
    char shown[WORDS_SHOWN];
    char text[300];
    assert_string_equal(words_show("a\nb\033", shown), "a?b?");
    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    assert_int_equal(strlen(words_show(text, shown)), WORDS_SHOWN - 1);
    assert_string_equal(shown + WORDS_SHOWN - 4, "\xe2\x80\xa6");
}

UNIT_MAIN
