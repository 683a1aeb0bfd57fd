/* OCI seccomp profiles: what is read, what its conditions leave, what is refused. */
#include "suite.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "controller/profile.h"

/* Root runs it, whoever runs the tests. */
static struct settings as_root(void) {
    struct settings settings = {0};
    assert_int_equal(settings_assign_text(&settings, "User=root"), 0);
    assert_int_equal(settings_finish(&settings), 0);
    return settings;
}

static int parse(struct settings *settings, const char *text) {
    return profile_parse(settings, "p.json", holden_view(text));
}

static const struct holden_seccomp_profile *profile_of(const struct settings *settings) {
    return settings->properties.seccomp_profile.value;
}

/* The first name of each rule, as "read,write". */
static const char *rules_of(const struct settings *settings, char *text, size_t space) {
    struct holden_repeated rules = profile_of(settings)->rule;
    struct holden_nested nested;
    size_t used = 0;
    text[0] = '\0';
    while (holden_next_record(&rules, &nested)) {
        const struct holden_seccomp_rule *rule = nested.value;
        struct holden_repeated names = rule->name;
        struct holden_view name;
        assert_true(holden_next_view(&names, &name));
        used += (size_t)snprintf(text + used, space - used, "%s%.*s", used ? "," : "",
                                 (int)name.size, name.data);
    }
    return text;
}

static void check_encodes(const struct settings *settings) {
    _cleanup_(buffer_free) struct buffer wire = {0};
    struct holden_properties decoded;
    struct holden_fault fault;
    assert_int_equal(holden_encode(&holden_record_properties, &settings->properties, &wire), 0);
    assert_int_equal(
        holden_decode(&holden_record_properties, buffer_bytes(&wire), wire.size, &decoded, &fault),
        0);
}

TEST(a_profile_is_read) {
    struct settings settings = as_root();
    char text[64];
    assert_int_equal(parse(&settings,
        "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":38,\"comment\":\"x\","
        "\"architectures\":[\"SCMP_ARCH_X86_64\",\"SCMP_ARCH_X86\"],"
        "\"syscalls\":[{\"names\":[\"read\",\"write\"],\"action\":\"SCMP_ACT_ALLOW\"},"
        "{\"name\":\"personality\",\"action\":\"SCMP_ACT_ALLOW\",\"args\":[{\"index\":0,"
        "\"value\":18446744073709551615,\"valueTwo\":8,\"op\":\"SCMP_CMP_MASKED_EQ\"}]},"
        "{\"names\":[\"kill\"],\"action\":\"SCMP_ACT_ERRNO\",\"errno\":\"EPERM\"}]}"), 0);
    const struct holden_seccomp_profile *profile = profile_of(&settings);
    assert_int_equal(profile->default_action, HOLDEN_seccomp_action_ERRNO);
    assert_int_equal(profile->default_error, 38);
    assert_int_equal(profile->architecture.count, 2);
    assert_string_equal(rules_of(&settings, text, sizeof(text)), "read,personality,kill");
    const struct holden_nested *rules = profile->rule.items;
    const struct holden_seccomp_rule *rule = rules[1].value;
    const struct holden_nested *arguments = rule->argument.items;
    const struct holden_seccomp_argument *argument = arguments[0].value;
    assert_true(argument->value == UINT64_MAX);
    assert_int_equal(argument->value_two, 8);
    assert_int_equal(argument->operator, HOLDEN_seccomp_operator_MASKED_EQ);
    check_encodes(&settings);
    settings_free(&settings);
}

#define PROFILE(rule) "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[" rule "]}"
#define RULE(name, more) "{\"names\":[\"" name "\"],\"action\":\"SCMP_ACT_ALLOW\"" more "}"

struct condition_row {
    const char *bounding; /* CapabilityBoundingSet=, or NULL */
    const char *more;
    const char *rules;
};

TEST(conditions_are_resolved) {
    static const struct condition_row rows[] = {
        {NULL, "", "read"},
        {NULL, ",\"includes\":{\"caps\":[\"CAP_SYS_ADMIN\"]}", "read"},
        {NULL, ",\"excludes\":{\"caps\":[\"CAP_SYS_ADMIN\"]}", ""},
        {"CAP_CHOWN", ",\"includes\":{\"caps\":[\"CAP_SYS_ADMIN\"]}", ""},
        {"CAP_CHOWN", ",\"includes\":{\"caps\":[\"CAP_CHOWN\"]}", "read"},
        {"cap_chown", ",\"includes\":{\"caps\":[\"CAP_CHOWN\"]}", "read"},
        {"CAP_CHOWN", ",\"includes\":{\"caps\":[\"CAP_CHOWN\",\"CAP_KILL\"]}", ""},
        {"~CAP_CHOWN", ",\"includes\":{\"caps\":[\"CAP_KILL\"]}", "read"},
        {"~CAP_CHOWN", ",\"excludes\":{\"caps\":[\"CAP_CHOWN\"]}", "read"},
        {"", ",\"includes\":{\"caps\":[\"CAP_KILL\"]}", ""},
        {NULL, ",\"includes\":{\"minKernel\":\"2.6\"}", "read"},
        {NULL, ",\"includes\":{\"minKernel\":\"99.0\"}", ""},
        {NULL, ",\"excludes\":{\"minKernel\":\"2.6\"}", ""},
        {NULL, ",\"excludes\":{\"minKernel\":\"99.0\"}", "read"},
        {NULL, ",\"includes\":{\"arches\":[\"no-such\"]}", ""},
        {NULL, ",\"excludes\":{\"arches\":[\"no-such\"]}", "read"},
        {NULL, ",\"includes\":{},\"excludes\":{}", "read"},
        {NULL, ",\"includes\":null,\"args\":null", "read"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct settings settings = as_root();
        char text[512];
        char rules[64];
        if (rows[i].bounding)
            assert_int_equal(settings_assign(&settings, "CapabilityBoundingSet", rows[i].bounding),
                             0);
        snprintf(text, sizeof(text), PROFILE("%s%s}"),
                 "{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\"", rows[i].more);
        if (parse(&settings, text) < 0)
            fail_msg("row %zu: %s", i, settings.wrong);
        if (strcmp(rules_of(&settings, rules, sizeof(rules)), rows[i].rules) != 0)
            fail_msg("row %zu (%s): rules '%s'", i, rows[i].more, rules);
        settings_free(&settings);
    }
}

TEST(a_user_has_no_capabilities_but_ambient_ones) {
    static const char text[] = PROFILE(RULE("read", ",\"includes\":{\"caps\":[\"CAP_KILL\"]}"));
    struct settings settings = {0};
    char rules[64];
    assert_int_equal(settings_assign_text(&settings, "User=12345"), 0);
    assert_int_equal(settings_assign_text(&settings, "Group=12345"), 0);
    assert_int_equal(settings_finish(&settings), 0);
    assert_int_equal(parse(&settings, text), 0);
    assert_string_equal(rules_of(&settings, rules, sizeof(rules)), "");
    assert_int_equal(settings_assign_text(&settings, "AmbientCapabilities=CAP_KILL"), 0);
    assert_int_equal(parse(&settings, text), 0);
    assert_string_equal(rules_of(&settings, rules, sizeof(rules)), "read");
    settings_free(&settings);
}

TEST(the_map_of_architectures_yields_this_machine_s) {
    struct settings settings = as_root();
    struct utsname name;
    assert_int_equal(uname(&name), 0);
    assert_int_equal(
        parse(&settings,
              "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"archMap\":["
              "{\"architecture\":\"SCMP_ARCH_X86_64\",\"subArchitectures\":[\"SCMP_ARCH_X86\","
              "\"SCMP_ARCH_X32\"]},"
              "{\"architecture\":\"SCMP_ARCH_S390X\",\"subArchitectures\":[\"SCMP_ARCH_S390\"]}]}"),
        0);
    if (strcmp(name.machine, "x86_64") == 0)
        assert_int_equal(profile_of(&settings)->architecture.count, 3);
    settings_free(&settings);
}

TEST(a_rule_that_says_the_default_is_dropped) {
    struct settings settings = as_root();
    char rules[64];
    assert_int_equal(
        parse(&settings,
              PROFILE("{\"names\":[\"a\"],\"action\":\"SCMP_ACT_ERRNO\"},"
                      "{\"names\":[\"b\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":1},"
                      "{\"names\":[\"c\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":38}")),
        0);
    assert_string_equal(rules_of(&settings, rules, sizeof(rules)), "c");
    settings_free(&settings);
}

TEST(two_conditions_on_one_argument_are_alternatives) {
    struct settings settings = as_root();
    assert_int_equal(
        parse(&settings,
              PROFILE(RULE("socket", ",\"args\":[{\"index\":0,\"value\":1,\"op\":\"SCMP_CMP_EQ\"},{"
                                     "\"index\":0,\"value\":2,\"op\":\"SCMP_CMP_EQ\"}]"))),
        0);
    assert_int_equal(profile_of(&settings)->rule.count, 2);
    settings_free(&settings);
}

TEST(what_cannot_be_kept_is_refused) {
    static const struct { const char *text; const char *says;
    } rows[] = {
        {"", "line"},
        {"[]", "not a JSON object"},
        {"{", "line"},
        {"{}", "defaultAction is missing"},
        {"{\"defaultAction\":5}", "must be a string"},
        {"{\"defaultAction\":\"X\"}", "unknown action X"},
        {"{\"defaultAction\":\"SCMP_ACT_NOTIFY\"}", "not supported"},
        {"{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"listenerPath\":\"/x\"}", "listenerPath"},
        {"{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"flags\":[\"X\"]}", "flag X"},
        {"{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":{}}", "must be an array"},
        {"{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":5000}", "at most 4095"},
        {"{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"defaultAction\":\"SCMP_ACT_LOG\"}", "duplicate"},
        {"{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"architectures\":[\"a\"],\"archMap\":[{}]}",
         "only one"},
        {PROFILE("5"), "syscalls[0]: must be an object"},
        {PROFILE("{}"), "action is missing"},
        {PROFILE("{\"action\":\"SCMP_ACT_ALLOW\"}"), "names no system call"},
        {PROFILE("{\"names\":[5],\"action\":\"SCMP_ACT_ALLOW\"}"), "a name must be a string"},
        {PROFILE(RULE("a", "") "," RULE("b", ",\"unless\":1")),
         "syscalls[1]: unknown member \"unless\""},
        {PROFILE(RULE("a", ",\"args\":[{\"index\":6,\"op\":\"SCMP_CMP_EQ\"}]")), "from 0 to 5"},
        {PROFILE(RULE("a", ",\"args\":[{\"index\":0,\"op\":\"EQ\"}]")), "unknown op EQ"},
        {PROFILE(RULE("a", ",\"args\":[{\"index\":0,\"value\":-1,\"op\":\"SCMP_CMP_EQ\"}]")),
         "2^64-1"},
        {PROFILE(RULE(
             "a",
             ",\"args\":[{\"index\":0,\"value\":18446744073709551616,\"op\":\"SCMP_CMP_EQ\"}]")),
         "2^64-1"},
        {PROFILE(RULE("a", ",\"includes\":{\"moon\":\"full\"}")), "unknown member \"moon\""},
        {PROFILE(RULE("a", ",\"includes\":{\"minKernel\":\"new\"}")), "minKernel"},
        {PROFILE(RULE("a", ",\"errno\":\"EFOO\"")), "unknown error EFOO"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct settings settings = as_root();
        if (parse(&settings, rows[i].text) != -EINVAL)
            fail_msg("taken: %s", rows[i].text);
        if (!strstr(settings.wrong, rows[i].says))
            fail_msg("%s: says '%s'", rows[i].text, settings.wrong);
        settings_free(&settings);
    }
}

TEST(a_missing_file_is_named) {
    struct settings settings = {0};
    assert_int_equal(settings_assign_text(&settings, "SeccompProfile=/nonesuch.json"), 0);
    assert_int_equal(settings_finish(&settings), -EINVAL);
    assert_string_equal(settings.wrong, "SeccompProfile=/nonesuch.json: No such file or directory");
    settings_free(&settings);
}

UNIT_MAIN
