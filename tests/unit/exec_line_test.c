/* Command lines of unit files: systemd.service(5), "Command lines", and the cases of systemd's own
 * tests of them. */
#include "suite.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "controller/exec_line.h"

struct fixture {
    struct arena arena;
    struct unit_name name;
    struct specifier specifier;
    struct exec_list list;
    char wrong[160];
};

static int parse(struct fixture *fixture, const char *value) {
    *fixture = (struct fixture){0};
    assert_int_equal(unit_name_parse("web@2.service", &fixture->name), 0);
    fixture->specifier = (struct specifier){.name = &fixture->name, .path = "/web@.service"};
    return exec_line_parse(&fixture->arena, &fixture->specifier, value, &fixture->list,
                           fixture->wrong);
}

static size_t print_words(const struct holden_view *words, uint32_t count, char *text,
                          size_t space) {
    size_t used = 0;
    text[0] = '\0';
    for (uint32_t i = 0; i < count; i++)
        used += (size_t)snprintf(text + used, space - used, "<%.*s>", (int)words[i].size,
                                 words[i].data);
    return used;
}

/* "FLAGS PROGRAM <word><word>", commands with ; between. */
static void print(const struct fixture *fixture, char *text, size_t space) {
    size_t used = 0;
    text[0] = '\0';
    for (const struct exec_command *at = fixture->list.first; at; at = at->next) {
        used += (size_t)snprintf(text + used, space - used, "%s%s%s%s%s%s%s %s ", used ? ";" : "",
                                 at->ignore_failure ? "-" : "", at->named ? "@" : "",
                                 at->literal ? ":" : "", at->full ? "+" : "",
                                 at->as_root ? "!" : "", at->ambient ? "!!" : "", at->program);
        used += print_words(at->words, at->count, text + used, space - used);
    }
}

TEST(words_prefixes_and_semicolons) {
    static const struct { const char *value, *expected; } rows[] = {
        {"/RValue/path", " /RValue/path </RValue/path>"},
        {"/bin/x argv0 r1", " /bin/x </bin/x><argv0><r1>"},
        {"@/RValue argv0 argv1", "@ /RValue <argv0><argv1>"},
        {"-/RValue argv1", "- /RValue </RValue><argv1>"},
        {"-@/RValue a b", "-@ /RValue <a><b>"},
        {"@-/RValue a b", "-@ /RValue <a><b>"},
        {":/RValue $A", ": /RValue </RValue><$A>"},
        {"+/x", "+ /x </x>"},
        {"!/x", "! /x </x>"},
        {"!!/x", "!! /x </x>"},
        {"-!!@/x y", "-@!! /x <y>"},
        {"\"/bin/with space\" x", " /bin/with space </bin/with space><x>"},
        {"/x r1 ; /y r2 r3", " /x </x><r1>; /y </y><r2><r3>"},
        {"/x r1 \\; /y", " /x </x><r1><;></y>"},
        {"/x ;a b;", " /x </x><;a><b;>"},
        {"/x '#a'", " /x </x><#a>"},
        {"/x ;", " /x </x>"},
        {"/x \";\" \\;", " /x </x><;><;>"},
        {"/x a\\x41\\101\\u00e9 \\t", " /x </x><aAA\xc3\xa9><\t>"},
        {"/x \"a \\\" b\" 'c \\' d'", " /x </x><a \" b><c ' d>"},
        {"/x 's/\\./\\d/'", " /x </x><s/\\./\\d/>"},
        {"/x '' \"\"", " /x </x><><>"},
        {"/x %i %% %p\"%n\"", " /x </x><2><%><webweb@2.service>"},
        {"/opt/%p/run", " /opt/web/run </opt/web/run>"},
        {"echo / >/dev/null & \\;  ls", " echo <echo></><>/dev/null><&><;><ls>"},
        {"echo one ; echo \"two two\"", " echo <echo><one>; echo <echo><two two>"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct fixture fixture;
        char text[256];
        if (parse(&fixture, rows[i].value) != 0)
            fail_msg("%s: %s", rows[i].value, fixture.wrong);
        print(&fixture, text, sizeof(text));
        assert_string_equal(text, rows[i].expected);
        arena_free(&fixture.arena);
    }
}

TEST(what_is_no_command_is_refused) {
    static const char *const rows[] = {"",          " ",        "-",     "@",       "@/x",  "@/x \"\"",
                                       "/x/",       "a/b",      "./a",   "..",      "/x 'a", "/x \"a",
                                       "/x ; -",    "\"/a\\nb\"", "+!/x",
                                       "!!!/x"};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct fixture fixture;
        int r = parse(&fixture, rows[i]);
        if (r != -EINVAL || !fixture.wrong[0])
            fail_msg("taken: '%s'", rows[i]);
        arena_free(&fixture.arena);
    }
}

static void check_expansion(const char *value, const char *expected) {
    static const struct holden_view environment[] = {
        {"ONE='one'", 9},       {"TWO='two two' too", 17}, {"THREE=", 6}, {"FOUR=a b  c", 11},
        {"ONEMORE=x", 9},       {"OPEN='a b", 9},          {"BACK=a\\ b c", 11},
    };
    const struct holden_repeated list = {.count = ARRAY_SIZE(environment), .items = environment};
    struct fixture fixture;
    struct holden_view *words;
    uint32_t count;
    char text[256];
    assert_int_equal(parse(&fixture, value), 0);
    assert_int_equal(
        exec_line_expand(&fixture.arena, fixture.list.first, list, &words, &count, NULL), 0);
    print_words(words, count, text, sizeof(text));
    assert_string_equal(text, expected);
    arena_free(&fixture.arena);
}

TEST(variables_are_put_in) {
    check_expansion("/bin/echo ${ONE} ${TWO} ${THREE}",
                    "</bin/echo><'one'><'two two' too><>");
    check_expansion("/bin/echo $ONE $TWO $THREE", "</bin/echo><one><two two><too>");
    check_expansion("/x $FOUR", "</x><a><b><c>");
    check_expansion("/x ${FOUR}", "</x><a b  c>");
    check_expansion("/x \"$FOUR\" '${FOUR}'", "</x><a><b><c><a b  c>");
    check_expansion("/x a${ONE}b${NONE}c", "</x><a'one'bc>");
    check_expansion("/x $NONE ${NONE}", "</x><>");
    check_expansion("/x a$ONE", "</x><a$ONE>");
    check_expansion("/x $ONE/y", "</x>");
    check_expansion("/x $$ONE $$ a$$b", "</x><$ONE><$><a$b>");
    check_expansion("/x ${ONE", "</x><${ONE>");
    check_expansion("/x ${} $", "</x><>");
    check_expansion("/x $OPEN $BACK", "</x><a b><a b><c>");
    check_expansion(":/x $ONE ${ONE} $$", "</x><$ONE><${ONE}><$$>");
}

/* What only the agent knows is left to it, with a list of the words that it is in. */
static void check_late(const char *value, const char *expected, uint32_t count, uint32_t first) {
    static const struct holden_view environment[] = {{"ONE=a$b", 7}, {"EXIT_CODE=own", 13}};
    const struct holden_repeated list = {.count = ARRAY_SIZE(environment), .items = environment};
    struct fixture fixture;
    struct holden_view *words;
    struct holden_repeated late = {0};
    uint32_t all, number = first;
    char text[256];
    assert_int_equal(parse(&fixture, value), 0);
    assert_int_equal(
        exec_line_expand(&fixture.arena, fixture.list.first, list, &words, &all, &late), 0);
    print_words(words, all, text, sizeof(text));
    assert_string_equal(text, expected);
    assert_int_equal(late.count, count);
    assert_true(count == 0 || holden_next_u32(&late, &number));
    assert_int_equal(number, first);
    arena_free(&fixture.arena);
}

TEST(what_only_the_agent_knows_is_left) {
    check_late("/x $MAINPID $NONE ${ONE}", "</x><$MAINPID><a$b>", 1, 1);
    check_late("/x $NONE ${ONE}$$${MAINPID}${NONE}", "</x><a$$b$$${MAINPID}>", 1, 1);
    check_late("/x ${MAINPID} a ${EXIT_STATUS} $SERVICE_RESULT",
               "</x><${MAINPID}><a><${EXIT_STATUS}><$SERVICE_RESULT>", 3, 1);
    check_late("/x $$MAINPID $$${ONE} a$MAINPID $EXIT_CODE",
               "</x><$MAINPID><$a$b><a$MAINPID><own>", 0, 0);
    check_late(":/x $MAINPID ${MAINPID}", "</x><$MAINPID><${MAINPID}>", 0, 0);
}

UNIT_MAIN
