#include "agent/plan_build.h"

#include <errno.h>
#include <linux/filter.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "agent/filter.h"
#include "agent/mounts.h"
#include "agent/process.h"
#include "settings.h"
#include "suite.h"

/* A plan with what it is made from. */
struct made {
    struct properties properties; /* what is asked for */
    struct wire wire;
    struct holden_start start;
    struct holden_view arguments[16];
    struct holden_view environment[16];
    struct process process;
    struct plan_input input;
    struct buffer bytes;
};

static void begin(struct made *made, const char *const *arguments) {
    memset(made, 0, sizeof(*made));
    made->process.id = 7;
    made->process.name = (char *)(uintptr_t) "web";
    HOLDEN_SET(&made->start, start, argument, settings_views(made->arguments, arguments));
    made->input =
        (struct plan_input){.process = &made->process, .start = &made->start, .token = 7};
}

static void environment(struct made *made, const char *const *assignments) {
    HOLDEN_SET(&made->properties.all, properties, environment,
               settings_views(made->environment, assignments));
}

static const struct plan *head(const struct made *made) {
    return (const struct plan *)(const void *)buffer_bytes(&made->bytes);
}

/* The run's bytes, which must lie in the plan, aligned. */
static const void *run_of(const struct made *made, struct plan_run run, size_t element) {
    assert_int_equal(run.at % 8, 0);
    assert_true(run.at >= sizeof(struct plan));
    assert_true(run.at + run.count * element <= made->bytes.size);
    return buffer_bytes(&made->bytes) + run.at;
}

/* String number `i` of a list of offsets, which must lie in the plan with its end. */
static const char *string(const struct made *made, struct plan_run run, uint32_t i) {
    const uint64_t *offsets =
        run_of(made, (struct plan_run){run.at, run.count + 1}, sizeof(uint64_t));
    assert_int_equal(offsets[run.count], 0);
    assert_true(i < run.count);
    assert_true(offsets[i] >= sizeof(struct plan) && offsets[i] < made->bytes.size);
    assert_non_null(
        memchr(buffer_bytes(&made->bytes) + offsets[i], 0, made->bytes.size - offsets[i]));
    return (const char *)buffer_bytes(&made->bytes) + offsets[i];
}

static void strings(const struct made *made, struct plan_run run, const char *const *expected) {
    uint32_t count = 0;
    for (; expected[count]; count++)
        assert_string_equal(string(made, run, count), expected[count]);
    assert_int_equal(run.count, count);
}

static void build(struct made *made) {
    made->input.properties = wire_pass(&made->wire, &made->properties.all);
    assert_int_equal(plan_build(&made->input, &made->bytes), 0);
    assert_int_equal(head(made)->magic, PLAN_MAGIC);
    assert_int_equal(head(made)->size, made->bytes.size);
}

static void end(struct made *made) {
    wire_free(&made->wire);
    buffer_free(&made->bytes);
}

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

TEST(the_least) {
    struct made made;
    begin(&made, LIST("/bin/true"));
    made.input.report = 12;
    build(&made);
    const struct plan *plan = head(&made);
    assert_int_equal(plan->token, 7);
    assert_int_equal(plan->report, 12);
    assert_int_equal(plan->has, 0);
    assert_int_equal(plan->umask, 0022);
    strings(&made, plan->arguments, LIST("/bin/true"));
    strings(&made, plan->paths, LIST("/bin/true"));
    strings(&made, plan->environment, LIST("PATH=" DEFAULT_PATH, "HOLDEN_NAME=web"));
    assert_int_equal(plan->limits.count, 0);
    assert_int_equal(plan->groups.count, 0);
    assert_int_equal(plan->filter.count, 0);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(plan->stream[i].source, PLAN_SOURCE_NULL);
    end(&made);
}

TEST(arguments_as_they_came) {
    struct made made;
    begin(&made, LIST("./x", "", "two words", "\xff\n", "-"));
    build(&made);
    strings(&made, head(&made)->arguments, LIST("./x", "", "two words", "\xff\n", "-"));
    strings(&made, head(&made)->paths, LIST("./x"));
    end(&made);
}

TEST(a_command_without_a_slash_is_looked_for) {
    struct made made;
    begin(&made, LIST("true"));
    build(&made);
    strings(&made, head(&made)->paths,
            LIST("/usr/local/sbin/true", "/usr/local/bin/true", "/usr/sbin/true", "/usr/bin/true",
                 "/sbin/true", "/bin/true"));
    end(&made);
    begin(&made, LIST("tool"));
    environment(&made, LIST("A=b", "PATH=/opt/bin:/x", "PATH=/last:/y", "PATHS=1"));
    build(&made);
    strings(&made, head(&made)->paths, LIST("/last/tool", "/y/tool"));
    strings(&made, head(&made)->environment,
            LIST("PATH=/last:/y", "HOLDEN_NAME=web", "A=b", "PATHS=1"));
    end(&made);
}

/* execvp(3): an empty part of PATH is the current directory. */
TEST(empty_parts_of_the_path) {
    struct made made;
    begin(&made, LIST("tool"));
    environment(&made, LIST("PATH=:/bin::"));
    build(&made);
    strings(&made, head(&made)->paths, LIST("tool", "/bin/tool", "tool", "tool"));
    end(&made);
    begin(&made, LIST("tool"));
    environment(&made, LIST("PATH="));
    build(&made);
    strings(&made, head(&made)->paths, LIST("tool"));
    strings(&made, head(&made)->environment, LIST("PATH=", "HOLDEN_NAME=web"));
    end(&made);
}

TEST(a_path_to_search_goes_before_all_others) {
    struct made made;
    struct holden_view parts[] = {holden_view("/a"), holden_view("/b/c")};
    const struct holden_repeated list = {.count = 2, .items = parts};
    begin(&made, LIST("tool"));
    HOLDEN_SET(&made.properties.all, properties, exec_search_path, list);
    build(&made);
    strings(&made, head(&made)->paths, LIST("/a/tool", "/b/c/tool"));
    strings(&made, head(&made)->environment, LIST("PATH=/a:/b/c", "HOLDEN_NAME=web"));
    end(&made);
    begin(&made, LIST("tool"));
    environment(&made, LIST("PATH=/bin"));
    HOLDEN_SET(&made.properties.all, properties, exec_search_path, list);
    build(&made);
    strings(&made, head(&made)->paths, LIST("/a/tool", "/b/c/tool"));
    strings(&made, head(&made)->environment, LIST("PATH=/bin", "HOLDEN_NAME=web"));
    end(&made);
}

TEST(a_watched_process_is_told) {
    struct made made;
    begin(&made, LIST("/x"));
    made.input.notify = "/n";
    made.input.watchdog = 5000000;
    build(&made);
    const struct plan *plan = head(&made);
    static const char path[] = "PATH=" DEFAULT_PATH;
    strings(&made, plan->environment,
            LIST(path, "HOLDEN_NAME=web", "NOTIFY_SOCKET=/n", "WATCHDOG_PID=          ",
                 "WATCHDOG_USEC=5000000"));
    assert_int_equal(plan->pids.count, 1);
    assert_string_equal(string(&made, plan->pids, 0), "          ");
    end(&made);
}

TEST(a_long_path_is_not_cut) {
    static char path[20000] = "PATH=/bin";
    struct made made;
    memset(path + 9, ':', sizeof(path) - 10);
    memcpy(path + sizeof(path) - 6, "/last", 5);
    begin(&made, LIST("tool"));
    environment(&made, LIST(path));
    build(&made);
    const struct plan *plan = head(&made);
    assert_string_equal(string(&made, plan->environment, 0), path);
    assert_string_equal(string(&made, plan->paths, plan->paths.count - 1), "/last/tool");
    end(&made);
}

TEST(many_and_long_arguments) {
    enum { MANY = 3000, LONG = 131071 };
    struct made made;
    begin(&made, LIST("x"));
    struct holden_view *views = calloc(MANY, sizeof(*views));
    char *longest = malloc(LONG);
    assert_true(views && longest);
    memset(longest, 'y', LONG);
    for (size_t i = 0; i < MANY; i++)
        views[i] = (struct holden_view){longest, i % 150 ? i : LONG};
    HOLDEN_SET(&made.start, start, argument,
               (struct holden_repeated){.count = MANY, .items = views});
    build(&made);
    assert_int_equal(head(&made)->arguments.count, MANY);
    for (uint32_t i = 0; i < MANY; i++)
        assert_int_equal(strlen(string(&made, head(&made)->arguments, i)), i % 150 ? i : LONG);
    free(views);
    free(longest);
    end(&made);
}

TEST(streams) {
    struct made made;
    static const struct {
        unsigned number;
        struct plan_stream_input from;
        uint32_t source;
        const char *path;
    } rows[] = {
        {0, {HOLDEN_stream_kind_NULL, 0, {0}}, PLAN_SOURCE_NULL, NULL},
        {1, {HOLDEN_stream_kind_LOG, 2, {0}}, PLAN_SOURCE_PASSED, NULL},
        {2, {HOLDEN_stream_kind_INHERIT, 0, {0}}, PLAN_SOURCE_OUTPUT, NULL},
        {1, {HOLDEN_stream_kind_INHERIT, 0, {0}}, PLAN_SOURCE_INPUT, NULL},
        {0, {HOLDEN_stream_kind_PASSED, 3, {0}}, PLAN_SOURCE_PASSED, NULL},
        {0, {HOLDEN_stream_kind_FILE, 0, {"/input", 6}}, PLAN_SOURCE_READ, "/input"},
        {1, {HOLDEN_stream_kind_FILE, 0, {"/output", 7}}, PLAN_SOURCE_WRITE, "/output"},
        {2, {HOLDEN_stream_kind_APPEND, 0, {"/a", 2}}, PLAN_SOURCE_APPEND, "/a"},
        {1, {HOLDEN_stream_kind_TRUNCATE, 0, {"/t", 2}}, PLAN_SOURCE_TRUNCATE, "/t"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        begin(&made, LIST("/bin/true"));
        made.input.streams[rows[i].number] = rows[i].from;
        build(&made);
        const struct plan_stream *stream = &head(&made)->stream[rows[i].number];
        assert_int_equal(stream->source, rows[i].source);
        assert_int_equal(stream->passed, rows[i].from.passed);
        if (rows[i].path) {
            assert_string_equal(run_of(&made, stream->path, 1), rows[i].path);
            assert_int_equal(stream->path.count, strlen(rows[i].path) + 1);
        } else
            assert_int_equal(stream->path.count, 0);
        end(&made);
    }
}

TEST(the_header_of_journald) {
    struct made made;
    begin(&made, LIST("/bin/true"));
    made.input.streams[1].kind = HOLDEN_stream_kind_JOURNAL;
    build(&made);
    const struct plan_stream *stream = &head(&made)->stream[1];
    assert_int_equal(stream->source, PLAN_SOURCE_JOURNAL);
    assert_string_equal(run_of(&made, stream->path, 1), "web\n\n30\n1\n0\n0\n0\n");
    assert_int_equal(stream->path.count, strlen("web\n\n30\n1\n0\n0\n0\n") + 1);
    end(&made);
    begin(&made, LIST("/bin/true"));
    struct holden_properties *all = &made.properties.all;
    HOLDEN_SET(all, properties, syslog_identifier, holden_view("front door"));
    HOLDEN_SET(all, properties, syslog_facility, HOLDEN_syslog_facility_LOCAL7);
    HOLDEN_SET(all, properties, syslog_level, HOLDEN_syslog_level_ERR);
    HOLDEN_SET(all, properties, syslog_level_prefix, false);
    made.input.streams[2].kind = HOLDEN_stream_kind_JOURNAL;
    build(&made);
    assert_string_equal(run_of(&made, head(&made)->stream[2].path, 1),
                        "front door\n\n187\n0\n0\n0\n0\n");
    end(&made);
}

TEST(directory_and_scheduling) {
    struct made made;
    begin(&made, LIST("/bin/true"));
    struct holden_properties *all = &made.properties.all;
    HOLDEN_SET(all, properties, working_directory, holden_view("/srv"));
    HOLDEN_SET(all, properties, nice, -5);
    HOLDEN_SET(all, properties, oom_score_adjust, 900);
    HOLDEN_SET(all, properties, umask, 0077);
    HOLDEN_SET(all, properties, cpu_affinity, (struct holden_view){"\x05\x01", 2});
    made.input.has = PLAN_HAS_CGROUP | PLAN_HAS_TERMINAL;
    build(&made);
    const struct plan *plan = head(&made);
    assert_int_equal(plan->has, PLAN_HAS_CGROUP | PLAN_HAS_TERMINAL | PLAN_HAS_DIRECTORY |
                                    PLAN_HAS_NICE | PLAN_HAS_OOM_SCORE | PLAN_HAS_AFFINITY);
    assert_string_equal(run_of(&made, plan->directory, 1), "/srv");
    assert_int_equal(plan->nice, -5);
    assert_int_equal(plan->oom_score, 900);
    assert_int_equal(plan->umask, 0077);
    assert_int_equal(plan->affinity.count, 2);
    assert_memory_equal(run_of(&made, plan->affinity, 1), "\x05\x01", 2);
    end(&made);
    begin(&made, LIST("/bin/true"));
    HOLDEN_SET(&made.properties.all, properties, working_directory, holden_view("-/gone"));
    build(&made);
    assert_int_equal(head(&made)->has, PLAN_HAS_DIRECTORY | PLAN_HAS_DIRECTORY_OPTIONAL);
    assert_string_equal(run_of(&made, head(&made)->directory, 1), "/gone");
    end(&made);
}

TEST(resource_limits) {
    struct made made;
    static const struct holden_resource_limit files = {{3}, 10, 20};
    static const struct holden_resource_limit stack = {{3}, UINT64_MAX, UINT64_MAX};
    begin(&made, LIST("/bin/true"));
    HOLDEN_SET(&made.properties.all, properties, limit_nofile,
               (struct holden_nested){.value = &files});
    HOLDEN_SET(&made.properties.all, properties, limit_stack,
               (struct holden_nested){.value = &stack});
    build(&made);
    struct plan_run run = head(&made)->limits;
    const struct plan_limit *limits = run_of(&made, run, sizeof(struct plan_limit));
    assert_int_equal(run.count, 2);
    for (uint32_t i = 0; i < 2; i++) {
        bool is_files = limits[i].resource == RLIMIT_NOFILE;
        assert_true(is_files || limits[i].resource == RLIMIT_STACK);
        assert_true(limits[i].soft == (is_files ? 10 : RLIM_INFINITY));
        assert_true(limits[i].hard == (is_files ? 20 : RLIM_INFINITY));
    }
    end(&made);
}

TEST(identity_and_filter) {
    static const uint32_t groups[] = {4, 5, 6};
    struct sock_filter code[3] = {{1, 2, 3, 4}};
    const struct filter filter = {.program = {code, 3}};
    struct made made;
    begin(&made, LIST("/bin/true"));
    made.input.has = PLAN_HAS_IDS | PLAN_HAS_CAPABILITIES;
    made.input.uid = 33;
    made.input.gid = 34;
    made.input.groups = groups;
    made.input.group_count = ARRAY_SIZE(groups);
    made.input.bounding = 0xff;
    made.input.inheritable = 0xf;
    made.input.ambient = 0x3;
    made.input.filter = &filter;
    build(&made);
    const struct plan *plan = head(&made);
    assert_int_equal(plan->has, PLAN_HAS_IDS | PLAN_HAS_CAPABILITIES | PLAN_HAS_FILTER);
    assert_int_equal(plan->uid, 33);
    assert_int_equal(plan->gid, 34);
    assert_int_equal(plan->groups.count, 3);
    assert_memory_equal(run_of(&made, plan->groups, sizeof(uint32_t)), groups, sizeof(groups));
    assert_int_equal(plan->bounding, 0xff);
    assert_int_equal(plan->inheritable, 0xf);
    assert_int_equal(plan->ambient, 0x3);
    assert_int_equal(plan->filter.count, 3);
    assert_memory_equal(run_of(&made, plan->filter, sizeof(struct sock_filter)), code,
                        sizeof(code));
    end(&made);
}

TEST(every_step_has_words) {
    for (uint32_t step = 0; step < PLAN_STEP_COUNT; step++) {
        assert_non_null(plan_step_words(step));
        assert_string_not_equal(plan_step_words(step), "unknown step");
    }
    assert_string_equal(plan_step_words(PLAN_STEP_EXEC), "exec");
    assert_string_equal(plan_step_words(PLAN_STEP_COUNT), "unknown step");
    assert_string_equal(plan_step_words(UINT32_MAX), "unknown step");
}

TEST(tuning) {
    struct made made;
    begin(&made, LIST("x"));
    HOLDEN_SET(&made.properties.all, properties, cpu_scheduling_policy, SCHED_RR);
    HOLDEN_SET(&made.properties.all, properties, cpu_scheduling_reset_on_fork, true);
    HOLDEN_SET(&made.properties.all, properties, io_scheduling_priority, 2);
    HOLDEN_SET(&made.properties.all, properties, timer_slack, 7);
    build(&made);
    assert_int_equal(head(&made)->policy, SCHED_RR | SCHED_RESET_ON_FORK);
    assert_int_equal(head(&made)->priority, 1);
    assert_int_equal(head(&made)->io_priority, 2 << 13 | 2);
    assert_int_equal(head(&made)->slack, 7);
    assert_false(head(&made)->has & PLAN_HAS_PERSONALITY);
    end(&made);
    begin(&made, LIST("x"));
    HOLDEN_SET(&made.properties.all, properties, io_scheduling_class, HOLDEN_io_class_IDLE);
    build(&made);
    assert_int_equal(head(&made)->io_priority, 3 << 13 | 4);
    assert_false(head(&made)->has & PLAN_HAS_POLICY);
    end(&made);
}

TEST(namespaces) {
    struct made made;
    begin(&made, LIST("x"));
    HOLDEN_SET(&made.properties.all, properties, private_network, true);
    HOLDEN_SET(&made.properties.all, properties, private_pids, true);
    HOLDEN_SET(&made.properties.all, properties, private_ipc, false);
    build(&made);
    assert_int_equal(head(&made)->namespaces, CLONE_NEWNET | CLONE_NEWPID);
    assert_int_equal(head(&made)->network.count, 0);
    end(&made);
    begin(&made, LIST("x"));
    HOLDEN_SET(&made.properties.all, properties, private_network, true);
    HOLDEN_SET(&made.properties.all, properties, network_namespace_path, holden_view("/n"));
    build(&made);
    assert_int_equal(head(&made)->namespaces, 0);
    assert_string_equal(run_of(&made, head(&made)->network, 1), "/n");
    end(&made);
}

TEST(mounts) {
    struct plan_mount list[] = {
        {.kind = PLAN_MOUNT_BIND, .path = (uintptr_t) "/t", .source = (uintptr_t) "/s", .fd = -1},
        {.kind = PLAN_MOUNT_TEMPORARY, .path = (uintptr_t) "/u", .options = (uintptr_t) "size=1"},
    };
    const struct mounts mounts = {
        .own = true, .inaccessible = true, .root = "/r", .at = list, .count = 2};
    struct made made;
    begin(&made, LIST("x"));
    made.input.mounts = &mounts;
    made.input.nodes = "/nodes";
    build(&made);
    const struct plan *plan = head(&made);
    assert_true(plan->has & PLAN_HAS_MOUNTS);
    assert_string_equal(run_of(&made, plan->root, 1), "/r");
    assert_string_equal(run_of(&made, plan->nodes, 1), "/nodes");
    assert_int_equal(plan->mounts.count, 2);
    const struct plan_mount *at = run_of(&made, plan->mounts, sizeof(*at));
    const char *bytes = (const char *)plan;
    assert_string_equal(bytes + at[0].path, "/t");
    assert_string_equal(bytes + at[0].source, "/s");
    assert_int_equal(at[0].options, 0);
    assert_string_equal(bytes + at[1].options, "size=1");
    end(&made);
}

TEST(directories) {
    struct made made;
    struct holden_directory wanted = {0};
    struct holden_nested nested = {.value = &wanted};
    struct wire wire = {0};
    begin(&made, LIST("x"));
    HOLDEN_SET(&wanted, directory, name, holden_view("a"));
    HOLDEN_SET(&wanted, directory, link, holden_view("b/c"));
    HOLDEN_SET(&made.properties.all, properties, state_directory,
               (struct holden_repeated){.count = 1, .items = &nested});
    made.input.properties = wire_pass(&wire, &made.properties.all);
    build(&made);
    const struct plan *plan = head(&made);
    const struct plan_directory *at = run_of(&made, plan->directories, sizeof(*at));
    const char *bytes = (const char *)plan;
    assert_int_equal(plan->directories.count, 2);
    assert_int_equal(at[0].kind, PLAN_DIRECTORY_OWN);
    assert_int_equal(at[0].mode, 0755);
    assert_string_equal(bytes + at[0].prefix, "/var/lib");
    assert_string_equal(bytes + at[0].path, "a");
    assert_int_equal(at[1].kind, PLAN_DIRECTORY_LINK);
    assert_string_equal(bytes + at[1].path, "b/c");
    assert_string_equal(bytes + at[1].text, "../a");
    wire_free(&wire);
    end(&made);
}

TEST(rules_of_landlock) {
    struct made made;
    struct holden_view writes[2], runs[1];
    begin(&made, LIST("x"));
    build(&made);
    assert_int_equal(head(&made)->landlock.count, 0);
    end(&made);
    begin(&made, LIST("x"));
    HOLDEN_SET(&made.properties.all, properties, landlock_read_write_paths,
               settings_views(writes, LIST("/a", "-/b")));
    HOLDEN_SET(&made.properties.all, properties, landlock_exec_paths,
               settings_views(runs, LIST("-+/c")));
    build(&made);
    const struct plan *plan = head(&made);
    const struct plan_access *at = run_of(&made, plan->landlock, sizeof(*at));
    const char *bytes = (const char *)plan;
    assert_int_equal(plan->landlock.count, 3);
    assert_string_equal(bytes + at[0].path, "/a");
    assert_int_equal(at[0].access, PLAN_ACCESS_READ | PLAN_ACCESS_WRITE);
    assert_int_equal(at[0].optional, 0);
    assert_string_equal(bytes + at[1].path, "/b");
    assert_int_equal(at[1].optional, 1);
    assert_string_equal(bytes + at[2].path, "/c");
    assert_int_equal(at[2].access, PLAN_ACCESS_READ | PLAN_ACCESS_EXEC);
    assert_int_equal(at[2].optional, 1);
    end(&made);
}

UNIT_MAIN
