/* Unit files as a whole: drop-ins and templates on disk, what the lines come to, and what is
 * refused. */
#include "suite.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/file.h"
#include "controller/syntax.h"
#include "controller/unit.h"

/* ---- a unit from text ---- */

/* Interprets a text as NAME; the caller frees it. */
static void interpret(struct unit *unit, const char *name, struct holden_view text) {
    char wrong[512];
    *unit = (struct unit){0};
    assert_int_equal(unit_name_parse(name, &unit->file.paths.name), 0);
    unit->file.paths.fragment = "/f.service";
    int r = unit_file_parse(&unit->launch.settings.arena, text, "/f.service", &unit->file, wrong);
    r = r < 0 ? unit_note(unit, UNIT_REFUSED, NULL, wrong) : unit_interpret(unit, NULL);
    assert_int_equal(r, 0);
}

/* All findings but those that are only ignored, with | between. */
static const char *findings(const struct unit *unit, char *text, size_t space) {
    _cleanup_(buffer_free) struct buffer out = {0};
    for (const struct unit_finding *at = unit->findings; at; at = at->next) {
        if (at->kind == UNIT_IGNORED)
            continue;
        assert_int_equal(buffer_append(&out, "|", out.size > 0), 0);
        assert_int_equal(unit_finding_print(at, &out), 0);
    }
    assert_true(out.size < space);
    memcpy(text, buffer_bytes(&out), out.size);
    text[out.size] = '\0';
    return text;
}

static void check_findings(const char *text, bool refused, const char *expected) {
    struct unit unit;
    char said[1024];
    interpret(&unit, "web@2.service", holden_view(text));
    assert_string_equal(findings(&unit, said, sizeof(said)), expected);
    assert_int_equal(unit.refused, refused);
    unit_free(&unit);
}

/* The value of a property as it is printed, or "". */
static const char *property(const struct unit *unit, const char *name, char *text, size_t space) {
    _cleanup_(buffer_free) struct buffer out = {0};
    size_t index;
    assert_int_equal(holden_property_find(name, &index), 0);
    if (settings_has(&unit->launch.settings, index))
        assert_int_equal(syntax_print(&unit->launch.settings.properties, index, " ", &out), 0);
    assert_true(out.size < space);
    memcpy(text, buffer_bytes(&out), out.size);
    text[out.size] = '\0';
    return text;
}

static const char *words(const struct unit *unit, char *text, size_t space) {
    struct holden_repeated list = unit->launch.start.argument;
    struct holden_view view;
    size_t used = 0;
    text[0] = '\0';
    while (holden_next_view(&list, &view))
        used += (size_t)snprintf(text + used, space - used, "<%.*s>", (int)view.size, view.data);
    return text;
}

TEST(a_unit_becomes_a_request) {
    struct unit unit;
    char text[256];
    interpret(&unit, "web@2.service",
              holden_view("[Unit]\nDescription=x\n[Service]\nType=exec\nEnvironment=A=%i "
                          "\"B=b c\"\n"
                          "ExecStart=/bin/echo $A ${B} %n\nMemoryMax=50%\nTasksMax=5\nTasksMax=7\n"
                          "Environment=C=%I\n[Install]\nWantedBy=multi-user.target\n"));
    assert_string_equal(findings(&unit, text, sizeof(text)), "");
    assert_string_equal(words(&unit, text, sizeof(text)), "</bin/echo><2><b c><web@2.service>");
    assert_string_equal(property(&unit, "MemoryMax", text, sizeof(text)), "50%");
    assert_string_equal(property(&unit, "TasksMax", text, sizeof(text)), "7");
    assert_string_equal(property(&unit, "TimeoutStopSec", text, sizeof(text)), "1min 30s");
    assert_true(holden_view_is(unit.launch.start.name, "web@2"));
    size_t index = HOLDEN_INDEX(properties, tasks_max);
    assert_int_equal(unit.origins[index]->line, 9);
    assert_null(unit.origins[index]->next);
    index = HOLDEN_INDEX(properties, environment);
    assert_int_equal(unit.origins[index]->line, 10);
    assert_int_equal(unit.origins[index]->next->line, 5);
    unit_free(&unit);
}

TEST(an_empty_value_takes_back_what_came_before) {
    struct unit unit;
    char text[256];
    interpret(&unit, "a.service",
              holden_view("[Service]\nExecStart=/bin/a\nExecStart=\nExecStart=/bin/b\nTasksMax=5\n"
                          "TasksMax=\nEnvironment=A=1\nEnvironment=\nEnvironment=B=1\n"
                          "RootHash=x\nRootHash=\n[Unit]\nOnFailure=x.service\nOnFailure=\n"));
    assert_string_equal(findings(&unit, text, sizeof(text)), "");
    assert_string_equal(words(&unit, text, sizeof(text)), "</bin/b>");
    assert_string_equal(property(&unit, "TasksMax", text, sizeof(text)), "");
    assert_null(unit.origins[HOLDEN_INDEX(properties, tasks_max)]);
    assert_non_null(strstr(property(&unit, "Environment", text, sizeof(text)), "B=1"));
    assert_null(strstr(text, "A=1"));
    unit_free(&unit);
}

TEST(what_is_refused_and_what_is_warned_about) {
    check_findings("[Service]\nExecStart=/bin/a\nRootHash=x\n", true,
                   "/f.service:3: RootHash=: not supported: an image is mounted as it "
                   "is: nothing sets up dm-verity for it; the unit is not started without it");
    check_findings("[Unit]\nOnFailure=x.service\n[Service]\nExecStart=/bin/a\n", false,
                   "/f.service:2: OnFailure=: ignored: no unit starts another");
    check_findings("[Service]\nExecStart=/bin/a\nTaskMax=4\n", true,
                   "/f.service:3: TaskMax=: no such directive in [Service]; did you mean TasksMax");
    check_findings("[Unit]\nFoo=4\n[Service]\nExecStart=/bin/a\n", false,
                   "/f.service:2: Foo=: ignored: no such directive in [Unit]");
    check_findings("[Unit]\nTasksMax=4\n[Service]\nExecStart=/bin/a\n", true,
                   "/f.service:2: TasksMax=: belongs into [Service], not into [Unit]");
    check_findings("[Servcie]\nTasksMax=4\n[Service]\nExecStart=/bin/a\n", true,
                   "/f.service:2: TasksMax=: [Servcie] is no section of a service unit");
    check_findings("[X-Mine]\nA=4\n[Service]\nX-B=1\nExecStart=/bin/a\n", false, "");
    check_findings("[Service]\nExecStart=/bin/a\nTasksMax=many\n", true,
                   "/f.service:3: TasksMax=: many: expected a number, a percentage of the "
                   "machine's most, or "
                   "infinity");
    check_findings("[Service]\nExecStart=/bin/a 'b\n", true,
                   "/f.service:2: ExecStart=: an open quote");
    check_findings("[Service]\nTasksMax=4\n", true,
                   "/f.service: nothing to run: there is no ExecStart=");
    check_findings("[Service]\nExecStart=/bin/a\nUser=no-such-user-here\n", true,
                   "/f.service:3: User=: no-such-user-here: no such user");
    check_findings("[Service]\nKillMode=process\nExecStart=/bin/a\n", false,
                   "/f.service:2: KillMode=: ignored: a stop sends the signal to the main "
                   "process, but "
                   "leaves nothing behind");
    check_findings("[Service]\nKillMode=process\nKillMode=mixed\nExecStart=/bin/a\n", false, "");
    check_findings("[Service]\nExecStart=/bin/a\nnonsense\n", true,
                   "/f.service:3: expected NAME=VALUE or [SECTION]");
    check_findings("[Service]\nExecStart=/bin/a\nReadWriteDirectories=\n", false, "");
}

TEST(conditions_and_assertions) {
    static const struct { const char *lines; bool unmet; } rows[] = {
        {"ConditionPathExists=/\n", false},
        {"ConditionPathExists=!/\n", true},
        {"ConditionPathExists=/none\n", true},
        {"ConditionPathExists=/none\nConditionPathExists=\n", false},
        {"ConditionPathExists=|/none\nConditionPathExists=|/\n", false},
        {"ConditionPathExists=|/none\nConditionPathIsDirectory=|!/\n", true},
        {"ConditionPathExists=|/\nConditionPathExists=/none\n", true},
        {"ConditionPathExists=/%p\n", true},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct unit unit;
        char text[256];
        snprintf(text, sizeof(text), "[Service]\nExecStart=/a\n[Unit]\n%s", rows[i].lines);
        interpret(&unit, "none.service", holden_view(text));
        assert_false(unit.refused);
        if ((unit.unmet != NULL) != rows[i].unmet)
            fail_msg("%s", rows[i].lines);
        unit_free(&unit);
    }
    check_findings("[Unit]\nAssertPathExists=/none\n[Service]\nExecStart=/bin/a\n", true,
                   "/f.service:2: AssertPathExists=/none does not hold");
    check_findings("[Unit]\nAssertPathExists=none\n[Service]\nExecStart=/bin/a\n", true,
                   "/f.service:2: AssertPathExists=: expected an absolute path");
}

/* Wherever a file is cut, it is either a unit or refused with one line that names the file. */
TEST(a_unit_cut_at_every_byte) {
    static const char text[] =
        "[Unit]\nDescription=\xc3\xa9\nAfter=network.target \\\n  "
        "a.service\nConditionPathExists=!/none\n"
        "[Service]\nType=oneshot\nEnvironment=\"A=b c\" D=\\x41\nExecStart=-/bin/sh -c "
        "'echo $$A' \\\n"
        "# between\n  ${A}\nMemoryMax=10M\nTasksMax=5%\nUser=root\nUMask=0022\n"
        "[Install]\nWantedBy=multi-user.target\n";
    for (size_t size = 0; size < sizeof(text); size++) {
        struct unit unit;
        char said[1024];
        interpret(&unit, "cut.service", (struct holden_view){text, size});
        findings(&unit, said, sizeof(said));
        assert_null(strchr(said, '\n'));
        size_t refusals = 0;
        for (const struct unit_finding *at = unit.findings; at; at = at->next)
            refusals += at->kind == UNIT_REFUSED;
        if (refusals != unit.refused || (*said && strncmp(said, "/f.service", 10) != 0))
            fail_msg("cut at %zu: %s", size, said);
        unit_free(&unit);
    }
}

/* ---- on disk ---- */

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place) {
    (void)status;
    (void)kind;
    (void)place;
    return remove(path);
}

static void put(const char *directory, const char *name, const char *text) {
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", directory, name);
    char *slash = strrchr(path, '/');
    *slash = '\0';
    assert_true(mkdir(path, 0755) == 0 || errno == EEXIST);
    *slash = '/';
    assert_int_equal(file_replace(AT_FDCWD, path, text, strlen(text), 0644), 0);
}

TEST(drop_ins_are_found_by_every_name_and_read_in_order) {
    char directory[] = "/tmp/units.XXXXXX";
    char argument[64], text[256];
    struct unit unit;
    assert_non_null(mkdtemp(directory));
    put(directory, "a-b@.service", "[Service]\nExecStart=/bin/a %i\nEnvironment=L=0\n");
    put(directory, "a-b@1.service.d/50-x.conf", "[Service]\nEnvironment=I=1\n");
    put(directory, "a-b@.service.d/50-x.conf", "[Service]\nEnvironment=HIDDEN=1\n");
    put(directory, "a-b@.service.d/40.conf", "[Service]\nEnvironment=L=40\n");
    put(directory, "a-.service.d/30.conf", "[Service]\nEnvironment=NOT=1\n");
    put(directory, "a-@.service.d/30.conf", "[Service]\nEnvironment=L=30 P=1\n");
    put(directory, "service.d/60.conf", "[Service]\nEnvironment=S=1 I=60\n");
    put(directory, "service.d/.60.conf", "nonsense\n");
    put(directory, "service.d/60.conf~", "nonsense\n");
    snprintf(argument, sizeof(argument), "%s/a-b@1.service", directory);
    assert_int_equal(unit_read(&unit, argument, NULL, NULL), 0);
    assert_string_equal(findings(&unit, text, sizeof(text)), "");
    assert_string_equal(words(&unit, text, sizeof(text)), "</bin/a><1>");
    property(&unit, "Environment", text, sizeof(text));
    const char *list = strstr(text, "L=");
    assert_string_equal(list ? list : text, "L=40 P=1 I=60 S=1");
    unit_free(&unit);
    snprintf(argument, sizeof(argument), "%s/a-b@.service", directory);
    assert_int_equal(unit_read(&unit, argument, NULL, NULL), 0);
    assert_true(unit.refused);
    assert_non_null(strstr(unit.findings->why, "a template; name an instance"));
    unit_free(&unit);
    assert_int_equal(nftw(directory, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

TEST(files_that_are_none) {
    static const struct { const char *argument, *said; } rows[] = {
        {"/no/such/a.service", "/no/such/a.service: No such file or directory"},
        {"/tmp/no-such-unit-here.service", "/tmp/no-such-unit-here.service: no such file"},
        {"no-such-unit-here.service", "no-such-unit-here.service: no such file"},
        {"/etc/passwd",
         "/etc/passwd: not the name of a service or slice, such as web.service or web.slice"},
        {"", "'': an empty name; name a unit, such as web.service or web.slice"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct unit unit;
        assert_int_equal(unit_read(&unit, rows[i].argument, NULL, NULL), 0);
        assert_true(unit.refused);
        assert_string_equal(unit.findings->why, rows[i].said);
        assert_null(unit.findings->next);
        unit_free(&unit);
    }
}

UNIT_MAIN
