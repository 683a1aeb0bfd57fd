#include "agent/policy.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/policy_file.h"
#include "scratch.h"
#include "settings.h"
#include "suite.h"

enum { MEMBERS = 60, ALICE = 1000, BOB = 1001, OPS = 1002, WWW = 33 };

#define BIT(verb) (UINT64_C(1) << HOLDEN_MESSAGE_##verb)

/* The accounts of a system that is the same everywhere. */
static int find_user(const char *name, struct group_user *user) {
    static const struct {
        const char *name;
        uid_t uid;
        gid_t gid, second;
    } rows[] = {{"root", 0, 0, 0}, {"alice", ALICE, ALICE, MEMBERS}, {"bob", BOB, BOB, MEMBERS},
                {"ops", OPS, OPS, OPS}, {"www", WWW, WWW, 34}};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (strcmp(rows[i].name, name) == 0) {
            *user = (struct group_user){.uid = rows[i].uid, .gid = rows[i].gid, .count = 2};
            user->groups[0] = rows[i].gid;
            user->groups[1] = rows[i].second;
            snprintf(user->name, sizeof(user->name), "%s", name);
            snprintf(user->home, sizeof(user->home), "/home/%s", name);
            return 0;
        }
    return strcmp(name, "lost") == 0 ? -ENOMEM : -ENOENT;
}

static int find_group(const char *name, gid_t *gid) {
    *gid = MEMBERS;
    return strcmp(name, "members") == 0 ? 0 : -ENOENT;
}

static const struct policy_accounts accounts = {find_user, find_group};

/* What a wrong file leads to is said on stderr too, which is not looked at here. */
static int parse(struct policy *policy, const char *text, char first[POLICY_COMPLAINT_MOST]) {
    policy_init(policy, MEMBERS, BIT(start) | BIT(stop) | BIT(list));
    FILE *file = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
    assert_non_null(file);
    int r = policy_file_parse(policy, file, "p", &accounts, first);
    fclose(file);
    return r;
}

static void good(struct policy *policy, const char *text) {
    char first[POLICY_COMPLAINT_MOST];
    int r = parse(policy, text, first);
    if (r < 0)
        print_error("%s\n", first);
    assert_int_equal(r, 0);
    assert_string_equal(first, "");
}

static void bad(const char *text, const char *words) {
    struct policy policy;
    char first[POLICY_COMPLAINT_MOST];
    assert_int_equal(parse(&policy, text, first), -EINVAL);
    if (!strstr(first, words))
        print_error("not \"%s\": %s\n", words, first);
    assert_non_null(strstr(first, words));
    assert_null(strchr(first, '\n'));
    policy_free(&policy);
}

static const uint32_t members[] = {MEMBERS};

static struct policy_question question(uint32_t uid, uint16_t verb) {
    bool member = uid == ALICE || uid == BOB;
    return (struct policy_question){
        .caller = {.uid = uid, .gid = uid, .groups = members, .group_count = member}, .verb = verb};
}

static void allowed(const struct policy *policy, const struct policy_question *asked,
                    const char *by) {
    struct failure failure = {0};
    const char *rule;
    int r = policy_decide(policy, asked, &rule, &failure);
    if (r < 0)
        print_error("%s\n", failure.text);
    assert_int_equal(r, 0);
    assert_string_equal(rule, by);
}

/* `by` is NULL where no rule allows it. */
static void refused(const struct policy *policy, const struct policy_question *asked,
                    const char *by, const char *words) {
    struct failure failure = {0};
    const char *rule;
    assert_int_equal(policy_decide(policy, asked, &rule, &failure), -EREMOTEIO);
    assert_int_equal(failure.code, HOLDEN_code_NOT_PERMITTED);
    if (!strstr(failure.text, words))
        print_error("not \"%s\": %s\n", words, failure.text);
    assert_non_null(strstr(failure.text, words));
    if (by)
        assert_string_equal(rule, by);
    else
        assert_null(rule);
}

static void about(const struct policy *policy, uint32_t uid, uint16_t verb, uint32_t owner,
                  const char *name, const char *by) {
    const struct policy_target target = {owner, holden_view(name)};
    struct policy_question asked = question(uid, verb);
    struct failure failure = {0};
    const char *rule;
    asked.target = &target;
    if (by)
        allowed(policy, &asked, by);
    else
        assert_int_equal(policy_decide(policy, &asked, &rule, &failure), -EREMOTEIO);
}

/* ---- without a file ---- */

TEST(without_a_file_members_have_their_own_and_root_everything) {
    struct policy policy;
    policy_init(&policy, MEMBERS, BIT(start) | BIT(stop) | BIT(list));
    about(&policy, 0, HOLDEN_MESSAGE_stop, ALICE, "a", "root");
    about(&policy, ALICE, HOLDEN_MESSAGE_stop, ALICE, "a", "members");
    about(&policy, ALICE, HOLDEN_MESSAGE_stop, BOB, "b", NULL);
    struct policy_question asked = question(ALICE, HOLDEN_MESSAGE_reexec);
    refused(&policy, &asked, NULL, "only root may do that");
    asked = question(OPS, HOLDEN_MESSAGE_list);
    refused(&policy, &asked, NULL, "no rule names user 1002");
    assert_true(policy_admits(&policy, &(struct policy_caller){.uid = 0}));
    assert_true(policy_admits(&policy, &(struct policy_caller){.uid = 7, .gid = MEMBERS}));
    assert_false(policy_admits(&policy, &(struct policy_caller){.uid = 7, .gid = 7}));
    assert_false(policy_names_others(&policy));
    policy_free(&policy);
}

TEST(a_policy_that_could_not_be_read_is_roots_alone) {
    struct policy policy;
    policy_init(&policy, MEMBERS, BIT(list));
    policy.closed = true;
    struct policy_question asked = question(ALICE, HOLDEN_MESSAGE_list);
    refused(&policy, &asked, NULL, "could not be read");
    asked = question(0, HOLDEN_MESSAGE_list);
    allowed(&policy, &asked, "root");
    assert_false(policy_admits(&policy, &(struct policy_caller){.uid = ALICE, .gid = MEMBERS}));
    policy_free(&policy);
}

/* ---- rules ---- */

TEST(whom_a_rule_names_has_that_rule_and_no_other) {
    struct policy policy;
    good(&policy, "[Rule ops]\nUsers=ops alice\nVerbs=stop list\nTargets=name:web-* owner:www\n");
    assert_true(policy_names_others(&policy));
    assert_true(policy_admits(&policy, &(struct policy_caller){.uid = OPS, .gid = OPS}));
    about(&policy, OPS, HOLDEN_MESSAGE_stop, 0, "web-1", "ops");
    about(&policy, OPS, HOLDEN_MESSAGE_stop, WWW, "db", "ops");
    about(&policy, OPS, HOLDEN_MESSAGE_stop, OPS, "db", NULL);
    about(&policy, OPS, HOLDEN_MESSAGE_kill, 0, "web-1", NULL);
    about(&policy, ALICE, HOLDEN_MESSAGE_stop, ALICE, "own", NULL);
    about(&policy, BOB, HOLDEN_MESSAGE_stop, BOB, "own", "members");
    struct policy_question asked = question(ALICE, HOLDEN_MESSAGE_start);
    refused(&policy, &asked, NULL, "no rule allows user 1000 to start: rule ops");
    policy_free(&policy);
}

TEST(what_is_denied_is_denied_whatever_allows_it) {
    struct policy policy;
    good(&policy, "[Rule all]\nGroups=members\nVerbs=any\nTargets=any\n"
                  "[Rule not-db]\nEffect=deny\nUsers=bob\nVerbs=stop kill\nTargets=name:db\n"
                  "[Rule no-www]\nEffect=deny\nUsers=bob\nVerbs=start\nCommands=/usr/bin/x\n");
    about(&policy, BOB, HOLDEN_MESSAGE_stop, 0, "web", "all");
    about(&policy, BOB, HOLDEN_MESSAGE_stop, 0, "db", NULL);
    about(&policy, ALICE, HOLDEN_MESSAGE_stop, 0, "db", "all");
    struct policy_question asked = question(BOB, HOLDEN_MESSAGE_stop);
    allowed(&policy, &asked, "all"); /* nothing is known of a target yet */
    const struct policy_target target = {0, holden_view("db")};
    asked.target = &target;
    refused(&policy, &asked, "not-db", "rule not-db denies user 1001 to stop");
    policy_free(&policy);
}

/* A start of `path` as that user, in that group. */
struct launch {
    struct policy_question asked;
    struct policy_target target;
    struct holden_start start;
    struct identity identity;
    struct holden_properties properties;
    struct holden_view argument;
};

static const struct policy_question *launch(struct launch *launch, uint32_t uid, const char *path,
                                            uint32_t as, uint32_t gid) {
    launch->argument = holden_view(path);
    launch->target = (struct policy_target){uid, holden_view("x")};
    launch->start = (struct holden_start){0};
    HOLDEN_SET(&launch->start, start, argument,
               (struct holden_repeated){.count = 1, .items = &launch->argument});
    launch->identity = (struct identity){.uid = as, .gid = gid};
    launch->asked = question(uid, HOLDEN_MESSAGE_start);
    launch->asked.start = &launch->start;
    launch->asked.target = &launch->target;
    launch->asked.identity = &launch->identity;
    launch->asked.properties = &launch->properties;
    return &launch->asked;
}

TEST(a_member_runs_things_as_itself_and_in_its_own_groups) {
    static struct launch l;
    struct policy policy;
    policy_init(&policy, MEMBERS, BIT(start));
    allowed(&policy, launch(&l, ALICE, "x", ALICE, ALICE), "members");
    allowed(&policy, launch(&l, ALICE, "x", ALICE, MEMBERS), "members");
    refused(&policy, launch(&l, ALICE, "x", 0, 0), NULL, "only as itself, not as user 0");
    refused(&policy, launch(&l, ALICE, "x", ALICE, 0), NULL, "not in group 0");
    launch(&l, ALICE, "x", ALICE, ALICE);
    l.identity.groups[0] = MEMBERS;
    l.identity.group_count = 1;
    allowed(&policy, &l.asked, "members");
    l.identity.groups[0] = 4;
    refused(&policy, &l.asked, NULL, "not in group 4");
    l.identity.group_count = 0;
    l.identity.ambient = 1;
    refused(&policy, &l.asked, "members", "only root may hand out capabilities");
    policy_free(&policy);
}

TEST(users_to_run_as_with_their_own_groups) {
    static struct launch l;
    struct policy policy;
    good(&policy, "[Rule web]\nUsers=alice\nVerbs=start\nRunAs=www\n"
                  "AmbientCapabilities=CAP_NET_BIND_SERVICE\n");
    allowed(&policy, launch(&l, ALICE, "x", WWW, WWW), "web");
    allowed(&policy, launch(&l, ALICE, "x", WWW, 34), "web");
    refused(&policy, launch(&l, ALICE, "x", WWW, MEMBERS), NULL, "rule web allows it only as www");
    refused(&policy, launch(&l, ALICE, "x", WWW, 0), NULL, "rule web");
    refused(&policy, launch(&l, ALICE, "x", ALICE, ALICE), NULL, "rule web");
    launch(&l, ALICE, "x", WWW, WWW);
    l.identity.ambient = UINT64_C(1) << 10;
    allowed(&policy, &l.asked, "web");
    l.identity.ambient |= UINT64_C(1) << 21;
    refused(&policy, &l.asked, "web", "none but those that it names");
    policy_free(&policy);
}

TEST(commands_by_their_whole_path) {
    static struct launch l;
    static const struct {
        const char *path;
        bool allowed;
    } rows[] = {{"/usr/bin/make", true}, {"/opt/a/run", true}, {"/opt/a/b/run", false},
                {"make", false}, {"/usr/bin/../bin/make", false}, {"/opt/../run", false},
                {"/opt/./run", false}, {"/usr/bin/makes", false}, {"/opt/..", false}, {"", false},
                {"//usr/bin/make", false}, {"/usr//bin/make", false}};
    struct policy policy;
    good(&policy, "[Rule build]\nUsers=alice\nVerbs=start\nCommands=/usr/bin/make /opt/*/run\n"
                  "[Rule not]\nEffect=deny\nUsers=bob\nVerbs=start\nCommands=/bin/sh\n"
                  "[Rule else]\nUsers=bob\nVerbs=start\n");
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        launch(&l, ALICE, rows[i].path, ALICE, ALICE);
        if (rows[i].allowed)
            allowed(&policy, &l.asked, "build");
        else
            refused(&policy, &l.asked, NULL, "rule build");
    }
    allowed(&policy, launch(&l, BOB, "/bin/ls", BOB, BOB), "else");
    refused(&policy, launch(&l, BOB, "/bin/sh", BOB, BOB), "not", "denies");
    refused(&policy, launch(&l, BOB, "/bin/../bin/sh", BOB, BOB), "not", "denies");
    refused(&policy, launch(&l, BOB, "//bin/sh", BOB, BOB), "not", "denies");
    /* The program counts, not the name that it is given. */
    launch(&l, ALICE, "/usr/bin/make", ALICE, ALICE);
    HOLDEN_SET(&l.start, start, program, holden_view("/bin/sh"));
    refused(&policy, &l.asked, NULL, "does not allow to execute /bin/sh");
    policy_free(&policy);
}

/* A shell reads BASH_ENV, an interpreter its own, and there is no list of all. */
TEST(variables_that_could_have_a_command_do_something_else) {
    static struct launch l;
    static const struct {
        const char *assignment;
        bool allowed;
    } rows[] = {{"LANG=C.UTF-8", true}, {"LC_ALL=de_DE.UTF-8", true}, {"TZ=Europe/Berlin", true},
                {"TERM=xterm", true}, {"NO_COLOR=", true}, {"LANGUAGE=de:en", true},
                {"LD_PRELOAD=/tmp/x.so", false}, {"BASH_ENV=/tmp/x", false}, {"PATH=/tmp", false},
                {"PYTHONPATH=/tmp", false}, {"BASH_FUNC_ls%%=() { id; }", false}, {"A=1", false},
                {"TERMINFO=/tmp", false}, {"TZ=/tmp/x", false}, {"TZ=:/tmp/x", false},
                {"TZ=../x", false}, {"LC_ALL=a/b", false}, {"LANG=%n", false}, {"LC_ALL", false}};
    struct policy policy;
    good(&policy, "[Rule build]\nUsers=alice\nVerbs=start\nCommands=/usr/bin/make\n");
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const struct holden_view assignment = holden_view(rows[i].assignment);
        l.properties = (struct holden_properties){0};
        launch(&l, ALICE, "/usr/bin/make", ALICE, ALICE);
        HOLDEN_SET(&l.properties, properties, environment,
                   (struct holden_repeated){.count = 1, .items = &assignment});
        if (rows[i].allowed)
            allowed(&policy, &l.asked, "build");
        else
            refused(&policy, &l.asked, "build", "could change what they do");
    }
    l.properties = (struct holden_properties){0};
    const struct holden_view directory = holden_view("/tmp");
    HOLDEN_SET(&l.properties, properties, exec_search_path,
               (struct holden_repeated){.count = 1, .items = &directory});
    refused(&policy, &l.asked, "build", "PATH that it sets");
    l.properties = (struct holden_properties){0};
    policy_free(&policy);
}

TEST(settings_that_do_more_with_the_rights_of_another_user) {
    static struct launch l;
    static const uint32_t paths[] = {HOLDEN_stream_kind_FILE, HOLDEN_stream_kind_APPEND,
                                     HOLDEN_stream_kind_TRUNCATE};
    struct policy policy;
    struct holden_stream stream = {0};
    good(&policy, "[Rule web]\nUsers=alice\nVerbs=start\nRunAs=www self\nCommands=/bin/deploy\n");
    for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
        l.properties = (struct holden_properties){0};
        HOLDEN_SET(&stream, stream, kind, paths[i]);
        HOLDEN_SET(&l.properties, properties, standard_output,
                   (struct holden_nested){.value = &stream});
        refused(&policy, launch(&l, ALICE, "/bin/deploy", WWW, WWW), "web", "StandardOutput=");
        allowed(&policy, launch(&l, ALICE, "/bin/deploy", ALICE, ALICE), "web");
    }
    HOLDEN_SET(&stream, stream, kind, HOLDEN_stream_kind_LOG);
    allowed(&policy, launch(&l, ALICE, "/bin/deploy", WWW, WWW), "web");
    /* What a login sets has to be that user's. */
    const struct holden_view login[] = {holden_view("USER=www"), holden_view("HOME=/home/www"),
                                        holden_view("HOME=/tmp")};
    HOLDEN_SET(&l.properties, properties, environment,
               (struct holden_repeated){.count = 2, .items = login});
    allowed(&policy, launch(&l, ALICE, "/bin/deploy", WWW, WWW), "web");
    l.properties.environment.count = 3;
    refused(&policy, launch(&l, ALICE, "/bin/deploy", WWW, WWW), "web", "HOME could change");
    allowed(&policy, launch(&l, ALICE, "/bin/deploy", ALICE, ALICE), "web");
    l.properties = (struct holden_properties){0};
    HOLDEN_SET(&l.properties, properties, remove_ipc, true);
    refused(&policy, launch(&l, ALICE, "/bin/deploy", WWW, WWW), "web", "RemoveIPC=");
    l.properties = (struct holden_properties){0};
    HOLDEN_SET(&l.properties, properties, system_call_error_number, 1);
    refused(&policy, launch(&l, ALICE, "/bin/deploy", WWW, WWW), "web", "SystemCallErrorNumber=");
    l.properties = (struct holden_properties){0};
    launch(&l, ALICE, "/bin/deploy", WWW, WWW);
    HOLDEN_SET(&l.start, start, rights, HOLDEN_exec_rights_NO_USER);
    refused(&policy, &l.asked, "web", "no command may run as another user");
    policy_free(&policy);
}

TEST(a_start_without_a_name_is_none_that_a_rule_about_names_could_deny) {
    static struct launch l;
    struct policy policy;
    good(&policy, "[Rule all]\nUsers=alice\nVerbs=start\n"
                  "[Rule no-db]\nEffect=deny\nUsers=alice\nVerbs=start\nTargets=name:db*\n");
    l.properties = (struct holden_properties){0};
    allowed(&policy, launch(&l, ALICE, "/bin/db", ALICE, ALICE), "all");
    l.target.name = (struct holden_view){"", 0};
    refused(&policy, &l.asked, "no-db", "choose one with --name");
    policy_free(&policy);
}

/* ---- bounds ---- */

TEST(what_several_rules_allow_is_held_to_the_bounds_of_all) {
    static struct launch l;
    struct policy policy;
    struct failure failure;
    struct arena arena = {0};
    l.properties = (struct holden_properties){0};
    good(&policy, "[Rule a]\nUsers=alice\nVerbs=start\nMemoryMax=2G\nTasksMax=10\n"
                  "[Rule b]\nGroups=members\nVerbs=members\nMemoryMax=1G\nRuntimeMaxSec=1min\n"
                  "CPUQuota=150%\n");
    launch(&l, ALICE, "x", ALICE, ALICE);
    allowed(&policy, &l.asked, "a");
    HOLDEN_SET(&l.properties, properties, memory_max, UINT64_C(1) << 30);
    allowed(&policy, &l.asked, "a");
    HOLDEN_SET(&l.properties, properties, memory_max, (UINT64_C(1) << 30) + 1);
    refused(&policy, &l.asked, "b", "rule b allows at most MemoryMax=1G, and 1073741825 is");
    HOLDEN_SET(&l.properties, properties, memory_max, UINT64_MAX);
    refused(&policy, &l.asked, "a", "at most MemoryMax=2G, and infinity is asked for");
    l.properties = (struct holden_properties){0};
    HOLDEN_SET(&l.properties, properties, tasks_max, 3);
    assert_int_equal(policy_impose(&policy, &l.asked, &arena, &l.properties, &failure), 0);
    assert_int_equal(l.properties.memory_max, UINT64_C(1) << 30);
    assert_int_equal(l.properties.tasks_max, 3);
    assert_int_equal(l.properties.runtime_max, 60000000);
    assert_int_equal(l.properties.cpu_quota, 1500000);
    arena_free(&arena);
    policy_free(&policy);
}

TEST(a_change_is_held_to_the_bounds_of_a_start) {
    struct policy policy;
    struct holden_properties wanted = {0};
    const struct policy_target target = {ALICE, holden_view("x")};
    good(&policy, "[Rule a]\nUsers=alice\nVerbs=start\nMemoryMax=1G\n"
                  "[Rule b]\nUsers=alice\nVerbs=constrain\n");
    struct policy_question asked = question(ALICE, HOLDEN_MESSAGE_constrain);
    asked.target = &target;
    asked.properties = &wanted;
    HOLDEN_SET(&wanted, properties, memory_max, UINT64_C(1) << 29);
    allowed(&policy, &asked, "b");
    HOLDEN_SET(&wanted, properties, memory_max, UINT64_C(1) << 31);
    refused(&policy, &asked, "a", "MemoryMax=1G, and 2G");
    policy_free(&policy);
}

TEST(a_sandbox_that_cannot_be_taken_off) {
    static struct launch l;
    static struct properties weak;
    struct policy policy;
    struct failure failure;
    struct arena arena = {0};
    struct holden_properties granted = {0};
    good(&policy, "[Rule s]\nUsers=alice\nVerbs=start\nSandbox=strict\nLimitCORE=1M\n");
    l.properties = (struct holden_properties){0};
    launch(&l, ALICE, "x", ALICE, ALICE);
    allowed(&policy, &l.asked, "s");
    policy_granted(&policy, &l.asked, &granted);
    assert_true(HOLDEN_HAS(&granted, properties, protect_system));
    assert_false(HOLDEN_HAS(&granted, properties, bind_paths));
    HOLDEN_SET(&l.properties, properties, protect_system, HOLDEN_protect_system_FULL);
    refused(&policy, &l.asked, "s", "demands ProtectSystem=strict");
    HOLDEN_SET(&l.properties, properties, protect_system, HOLDEN_protect_system_STRICT);
    allowed(&policy, &l.asked, "s");
    HOLDEN_SET(&l.properties, properties, private_network, false);
    refused(&policy, &l.asked, "s", "PrivateNetwork=yes");
    holden_unmark(&l.properties, HOLDEN_INDEX(properties, private_network));
    HOLDEN_SET(&l.properties, properties, restrict_namespaces, 0x10000000);
    refused(&policy, &l.asked, "s", "RestrictNamespaces=yes");
    HOLDEN_SET(&l.properties, properties, restrict_namespaces, 0);
    properties_calls(&weak, LIST("@system-service"));
    l.properties.system_call_filter = weak.all.system_call_filter;
    HOLDEN_MARK(&l.properties, properties, system_call_filter);
    refused(&policy, &l.asked, "s", "SystemCallFilter");
    properties_calls(&weak, LIST("read", "write", "execve", "exit_group"));
    l.properties.system_call_filter = weak.all.system_call_filter;
    allowed(&policy, &l.asked, "s");
    HOLDEN_SET(&l.properties, properties, system_call_learn, true);
    refused(&policy, &l.asked, "s", "SystemCallLearn");
    l.properties.system_call_learn = false;
    HOLDEN_SET(&l.start, start, rights, HOLDEN_exec_rights_NO_USER);
    refused(&policy, &l.asked, "s", "prefixes + and !");
    l.properties = (struct holden_properties){0};
    assert_int_equal(policy_impose(&policy, &l.asked, &arena, &l.properties, &failure), -EREMOTEIO);
    l.start.rights = HOLDEN_exec_rights_UNIT;
    l.properties = (struct holden_properties){0};
    assert_int_equal(policy_impose(&policy, &l.asked, &arena, &l.properties, &failure), 0);
    assert_int_equal(l.properties.protect_system, HOLDEN_protect_system_STRICT);
    assert_true(l.properties.dynamic_user && l.properties.private_users);
    assert_int_equal(l.properties.umask, 077);
    assert_int_equal(l.properties.temporary_file_system.count, 1);
    arena_free(&arena);
    policy_free(&policy);
}

/* Who may set how long a stop or a command beside the main one takes would set how long it runs. */
TEST(time_is_not_found_beside_the_time_that_a_rule_allows) {
    static struct launch l;
    static const size_t times[] = {HOLDEN_INDEX(properties, timeout_start),
                                   HOLDEN_INDEX(properties, timeout_stop),
                                   HOLDEN_INDEX(properties, timeout_abort)};
    struct policy policy;
    struct failure failure;
    struct arena arena = {0};
    good(&policy, "[Rule a]\nUsers=alice\nVerbs=start constrain\nRuntimeMaxSec=1min\n");
    assert_true(policy_bounds(&policy, HOLDEN_INDEX(properties, runtime_max)));
    assert_false(policy_bounds(&policy, HOLDEN_INDEX(properties, memory_max)));
    for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
        l.properties = (struct holden_properties){0};
        uint64_t *time = (void *)((uint8_t *)&l.properties +
                                  holden_record_properties.fields[times[i]].offset);
        holden_mark(&l.properties, times[i]);
        *time = 60000000;
        allowed(&policy, launch(&l, ALICE, "x", ALICE, ALICE), "a");
        *time = 60000001;
        refused(&policy, &l.asked, "a", "at most RuntimeMaxSec=1min, and Timeout");
        l.asked.verb = HOLDEN_MESSAGE_constrain;
        refused(&policy, &l.asked, "a", "at most RuntimeMaxSec=1min, and Timeout");
    }
    l.properties = (struct holden_properties){0};
    launch(&l, ALICE, "x", ALICE, ALICE);
    HOLDEN_SET(&l.properties, properties, send_sigkill, false);
    refused(&policy, &l.asked, "a", "no end without SIGKILL");
    l.properties = (struct holden_properties){0};
    assert_int_equal(policy_impose(&policy, &l.asked, &arena, &l.properties, &failure), 0);
    assert_int_equal(l.properties.timeout_start, 60000000);
    assert_false(HOLDEN_HAS(&l.properties, properties, timeout_stop));
    arena_free(&arena);
    policy_free(&policy);
}

TEST(devices_are_not_added_to_those_of_a_policy_that_a_rule_demands) {
    static struct launch l;
    static const struct holden_devices devices;
    struct policy policy;
    good(&policy, "[Rule a]\nUsers=alice\nVerbs=start\nDevicePolicy=closed\n");
    l.properties = (struct holden_properties){0};
    HOLDEN_SET(&l.properties, properties, device_allow, (struct holden_nested){.value = &devices});
    refused(&policy, launch(&l, ALICE, "x", ALICE, ALICE), "a", "DeviceAllow= allows more");
    l.properties = (struct holden_properties){0};
    policy_free(&policy);
}

TEST(file_systems_that_a_rule_demands_are_all_there) {
    static struct launch l;
    struct policy policy;
    struct holden_temporary_file_system a = {0}, b = {0};
    HOLDEN_SET(&a, temporary_file_system, path, holden_view("/a"));
    HOLDEN_SET(&b, temporary_file_system, path, holden_view("/b"));
    const struct holden_nested both[] = {{.value = &b}, {.value = &a}};
    const struct holden_nested twice[] = {{.value = &a}, {.value = &a}};
    good(&policy, "[Rule t]\nUsers=alice\nVerbs=start\nTemporaryFileSystem=/a\n"
                  "TemporaryFileSystem=/b\n");
    l.properties = (struct holden_properties){0};
    HOLDEN_SET(&l.properties, properties, temporary_file_system,
               (struct holden_repeated){.count = 2, .items = both});
    allowed(&policy, launch(&l, ALICE, "x", ALICE, ALICE), "t");
    l.properties.temporary_file_system.items = twice;
    refused(&policy, &l.asked, "t", "demands TemporaryFileSystem=");
    l.properties = (struct holden_properties){0};
    policy_free(&policy);
}

TEST(each_device_that_a_bound_names_stays_bounded) {
    const size_t index = HOLDEN_INDEX(properties, io_read_bandwidth_max);
    static struct bounds bounds;
    static struct holden_properties asked;
    struct holden_device_limit most = {0}, less, more, other;
    HOLDEN_SET(&most, device_limit, major, 8);
    HOLDEN_SET(&most, device_limit, minor, 0);
    HOLDEN_SET(&most, device_limit, value, 100);
    less = more = other = most;
    less.value = 99;
    more.value = 101;
    other.minor = 16;
    other.value = 1000;
    const struct holden_nested bound = {.value = &most};
    const struct holden_nested list[] = {{.value = &less}, {.value = &other}, {.value = &more}};
    HOLDEN_SET(&bounds.values, properties, io_read_bandwidth_max,
               (struct holden_repeated){.count = 1, .items = &bound});
    HOLDEN_SET(&asked, properties, io_read_bandwidth_max,
               (struct holden_repeated){.count = 2, .items = list});
    assert_true(bound_holds(&bounds, index, &asked));
    assert_true(bound_stays(&bounds, index, &asked));
    asked.io_read_bandwidth_max.count = 3;
    assert_false(bound_holds(&bounds, index, &asked));
    asked.io_read_bandwidth_max = (struct holden_repeated){.count = 1, .items = &list[1]};
    assert_true(bound_holds(&bounds, index, &asked));
    assert_false(bound_stays(&bounds, index, &asked));
}

TEST(sandboxes_are_all_read) {
    static const char *const words[] = {"service", "build", "judge", "strict"};
    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        struct policy policy;
        char text[128];
        snprintf(text, sizeof(text), "[Rule s]\nUsers=bob\nVerbs=start\nSandbox=%s\n", words[i]);
        good(&policy, text);
        policy_free(&policy);
    }
}

/* ---- files ---- */

#define RULE "[Rule r]\nUsers=alice\nVerbs=start\n"

TEST(every_fault_is_named_with_its_line) {
    bad("[Other]\nA=1\n", "p:2: [Other]: unknown section");
    bad("[Rule]\nUsers=alice\n", "unknown section");
    bad("[Rule x]\n[Rule r]\nUsers=alice\nVerbs=any\n", "p:1: a section without a key");
    bad("Users=alice\n", "unknown section");
    bad(RULE "Foo=1\n", "p:4: Foo=: there is no such key");
    bad(RULE "MemoryMx=1\n", "did you mean MemoryMax");
    bad(RULE "MemoryMin=1M\n", "no rule can put a bound on that");
    bad(RULE "MemoryMax=lots\n", "not a value");
    bad(RULE "MemoryMax=infinity\n", "not a value");
    bad(RULE "MemoryMax=1M\nMemoryMax=2M\n", "bounded in this rule already");
    bad(RULE "PrivateTmp=no\n", "not a value");
    bad(RULE "IOReadBandwidthMax=/dev/null 1M\n", "no block device");
    bad(RULE "CapabilityBoundingSet=CAP_NONE_SUCH\n", "not a value");
    bad(RULE "AmbientCapabilities=CAP_NONE_SUCH\n", "no such capability");
    bad(RULE "Users=nobody-here\n", "there is no such user");
    bad(RULE "Users=lost\n", "cannot look that user up");
    bad(RULE "Users=root\n", "root may do everything");
    bad(RULE "Groups=none-such\n", "there is no such group");
    bad(RULE "Verbs=strat\n", "did you mean start");
    bad(RULE "Targets=mine\n", "write own, any, name:PATTERN or owner:USER");
    bad(RULE "RunAs=4711\n", "no groups to run in");
    bad(RULE "Commands=make\n", "whole path");
    bad(RULE "Commands=/usr/../bin/make\n", "whole path");
    bad(RULE "Sandbox=tight\n", "no such sandbox");
    bad(RULE "Sandbox=judge\nSandbox=strict\n", "one already");
    bad(RULE "Effect=perhaps\n", "allow or deny");
    bad(RULE "Users=\n", "empty");
    bad(RULE "nonsense\n", "p:4: neither");
    bad(RULE "Effect=deny\nMemoryMax=1M\n", "bounds nothing");
    bad("[Rule r]\nUsers=alice\n", "p:2: [Rule r]: about nothing");
    bad("[Rule r]\nVerbs=any\n", "for nobody");
    bad("[Rule members]\nUsers=bob\nVerbs=any\n", "taken");
    bad(RULE "[Rule s]\nUsers=bob\nVerbs=any\n" RULE, "taken");
    bad("[Rule a b]\nUsers=bob\nVerbs=any\n", "no name");
    bad(RULE RULE, "p:5: [Rule r]: that name is taken");
    /* What the reader of the files would cut off would make one rule of two. */
    bad("[Rule a23456789-123456789-123456789-123456789-12345]\nUsers=bob\nVerbs=list\n"
        "[Rule a23456789-123456789-123456789-123456789-12346]\nUsers=alice\nVerbs=any\n",
        "p:1: the name is longer than 44 characters");
}

TEST(a_line_that_is_too_long_is_no_line) {
    char text[1024] = RULE "Users=";
    memset(text + strlen(text), 'x', 600);
    bad(text, "longer than");
}

static int read_files(const struct scratch *scratch, struct policy *policy, bool must,
                      char first[POLICY_COMPLAINT_MOST]) {
    char path[64];
    snprintf(path, sizeof(path), "%s/policy.conf", scratch->path);
    policy_init(policy, MEMBERS, BIT(start));
    return policy_file_read(policy, path, must, &accounts, first);
}

TEST(files_are_read_in_order_and_must_be_roots_alone) {
    struct scratch scratch;
    struct policy policy;
    char first[POLICY_COMPLAINT_MOST];
    if (geteuid() != 0)
        skip();
    scratch_open(&scratch);
    assert_int_equal(read_files(&scratch, &policy, false, first), 0);
    policy_free(&policy);
    assert_int_equal(read_files(&scratch, &policy, true, first), -EINVAL);
    assert_non_null(strstr(first, "cannot read it: No such file"));
    policy_free(&policy);
    scratch_write(&scratch, "policy.conf", RULE);
    scratch_make(&scratch, "policy.d");
    scratch_write(&scratch, "policy.d/20.conf", "[Rule c]\nUsers=bob\nVerbs=any\n");
    scratch_write(&scratch, "policy.d/10.conf", "[Rule b]\nUsers=bob\nVerbs=any\n");
    scratch_write(&scratch, "policy.d/README", "words");
    assert_int_equal(read_files(&scratch, &policy, true, first), 0);
    assert_int_equal(policy.count, 3);
    assert_string_equal(policy.rules[0]->name, "r");
    assert_string_equal(policy.rules[1]->name, "b");
    assert_string_equal(policy.rules[2]->name, "c");
    policy_free(&policy);
    assert_int_equal(fchmodat(scratch.directory, "policy.d/10.conf", 0666, 0), 0);
    assert_int_equal(read_files(&scratch, &policy, true, first), -EINVAL);
    assert_non_null(strstr(first, "10.conf: must belong to root"));
    policy_free(&policy);
    assert_int_equal(fchmodat(scratch.directory, "policy.d/10.conf", 0644, 0), 0);
    assert_int_equal(fchownat(scratch.directory, "policy.conf", 65534, 0, 0), 0);
    assert_int_equal(read_files(&scratch, &policy, true, first), -EINVAL);
    assert_non_null(strstr(first, "policy.conf: must belong to root"));
    policy_free(&policy);
    scratch_close(&scratch);
}

UNIT_MAIN
