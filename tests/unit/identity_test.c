#include "agent/identity.h"

#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <unistd.h>

#include "agent/capability.h"
#include "settings.h"
#include "suite.h"

enum { MEMBER = 1000, MEMBERS_GROUP = 1001 };
static const uint32_t members_groups[] = {20, 30};

/* The properties that an identity is made of, in the form in which they come. */
struct wanted {
    struct properties properties;
    struct holden_user user;
    uint32_t groups[300];
    uint32_t more[300];
};

static void want_user(struct wanted *wanted, uint32_t uid, uint32_t gid, uint32_t groups) {
    for (uint32_t i = 0; i < groups; i++)
        wanted->groups[i] = 20 + 10 * i;
    HOLDEN_SET(&wanted->user, user, uid, uid);
    HOLDEN_SET(&wanted->user, user, gid, gid);
    if (groups > 0)
        HOLDEN_SET(&wanted->user, user, group,
                   (struct holden_repeated){.count = groups, .items = wanted->groups});
    HOLDEN_SET(&wanted->properties.all, properties, user,
               (struct holden_nested){.value = &wanted->user});
}

static void want_groups(struct wanted *wanted, uint32_t first, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        wanted->more[i] = first + i;
    HOLDEN_SET(&wanted->properties.all, properties, supplementary_groups,
               (struct holden_repeated){.count = count, .items = wanted->more});
}

static int resolve(struct wanted *wanted, bool filter, uint32_t owner, struct identity *identity,
                   struct failure *failure) {
    struct wire wire = {0};
    int r = identity_resolve(wire_pass(&wire, &wanted->properties.all), filter, owner,
                             owner == 0 ? 0 : MEMBERS_GROUP, members_groups,
                             owner == 0 ? 0 : ARRAY_SIZE(members_groups), identity, failure);
    wire_free(&wire);
    return r;
}

static void granted(struct wanted *wanted, uint32_t owner, struct identity *identity) {
    struct failure failure = {0};
    int r = resolve(wanted, false, owner, identity, &failure);
    if (r < 0)
        print_message("refused: %s: %s\n", failure.step, failure.text);
    assert_int_equal(r, 0);
}

static void refused(struct wanted *wanted, uint32_t owner, uint32_t code, const char *step) {
    struct identity identity;
    struct failure failure = {0};
    assert_int_equal(resolve(wanted, false, owner, &identity, &failure), -EREMOTEIO);
    assert_int_equal(failure.code, code);
    assert_string_equal(failure.step, step);
}

TEST(root_runs_as_root_in_no_groups) {
    struct wanted wanted = {0};
    struct identity identity;
    granted(&wanted, 0, &identity);
    assert_int_equal(identity.set, geteuid() != 0);
    assert_int_equal(identity.uid, 0);
    assert_int_equal(identity.gid, 0);
    assert_int_equal(identity.group_count, 0);
    assert_false(identity.capabilities);
    assert_false(identity.no_new_privileges);
    assert_int_equal(identity.bounding, capability_all());
}

TEST(root_may_name_anybody) {
    struct wanted wanted = {0};
    struct identity identity;
    want_user(&wanted, 33, 34, 2);
    granted(&wanted, 0, &identity);
    assert_true(identity.set);
    assert_int_equal(identity.uid, 33);
    assert_int_equal(identity.gid, 34);
    assert_int_equal(identity.group_count, 2);
    assert_int_equal(identity.groups[1], 30);
    HOLDEN_SET(&wanted.properties.all, properties, group, 99);
    want_groups(&wanted, 30, 2);
    granted(&wanted, 0, &identity);
    assert_int_equal(identity.gid, 99);
    assert_int_equal(identity.group_count, 3); /* 20 30 31: each once */
    assert_int_equal(identity.groups[2], 31);
    assert_false(identity.no_new_privileges);
}

TEST(a_member_runs_as_itself_in_its_own_groups) {
    struct wanted wanted = {0};
    struct identity identity;
    granted(&wanted, MEMBER, &identity);
    assert_true(identity.set);
    assert_int_equal(identity.uid, MEMBER);
    assert_int_equal(identity.gid, MEMBERS_GROUP);
    assert_int_equal(identity.group_count, 2);
    assert_memory_equal(identity.groups, members_groups, sizeof(members_groups));
    assert_true(identity.no_new_privileges);
    assert_int_equal(identity.ambient, 0);
    assert_int_equal(identity.inheritable, 0);
}

TEST(a_member_may_name_what_it_is_already) {
    struct wanted wanted = {0};
    struct identity identity;
    want_user(&wanted, MEMBER, MEMBERS_GROUP, 1);
    HOLDEN_SET(&wanted.properties.all, properties, group, 30);
    want_groups(&wanted, 20, 1);
    granted(&wanted, MEMBER, &identity);
    assert_int_equal(identity.gid, 30);
    assert_int_equal(identity.group_count, 1);
    assert_int_equal(identity.groups[0], 20);
}

TEST(groups_have_a_bound) {
    struct wanted wanted = {0};
    struct identity identity;
    want_groups(&wanted, 1, 256);
    granted(&wanted, 0, &identity);
    assert_int_equal(identity.group_count, 256);
    want_groups(&wanted, 1, 257);
    refused(&wanted, 0, HOLDEN_code_INVALID, "SupplementaryGroups");
}

#define CAP(name) (UINT64_C(1) << CAP_##name)

static void want_capabilities(struct wanted *wanted, bool ambient, const char *const *names) {
    struct holden_repeated lists =
        properties_lists(&wanted->properties, (const char *const *const[]){names, NULL});
    if (ambient)
        HOLDEN_SET(&wanted->properties.all, properties, ambient_capabilities, lists);
    else
        HOLDEN_SET(&wanted->properties.all, properties, capability_bounding_set, lists);
}

TEST(capabilities_of_root) {
    struct wanted wanted = {0};
    struct identity identity;
    want_capabilities(&wanted, false, LIST("~CAP_SYS_ADMIN", "CAP_KILL"));
    granted(&wanted, 0, &identity);
    assert_true(identity.capabilities);
    assert_int_equal(identity.bounding, capability_all() & ~(CAP(SYS_ADMIN) | CAP(KILL)));
    assert_int_equal(identity.ambient, 0);
    wanted = (struct wanted){0};
    want_capabilities(&wanted, true, LIST("CAP_NET_BIND_SERVICE"));
    want_user(&wanted, 33, 33, 0);
    granted(&wanted, 0, &identity);
    assert_true(identity.capabilities);
    assert_int_equal(identity.ambient, CAP(NET_BIND_SERVICE));
    assert_int_equal(identity.inheritable, CAP(NET_BIND_SERVICE));
    assert_int_equal(identity.bounding, capability_all());
}

TEST(ambient_capabilities_lie_within_the_bounding_set) {
    struct wanted wanted = {0};
    struct properties bounding = {0};
    want_capabilities(&wanted, true, LIST("CAP_KILL", "CAP_CHOWN"));
    HOLDEN_SET(&wanted.properties.all, properties, capability_bounding_set,
               properties_lists(&bounding, (const char *const *const[]){LIST("CAP_KILL"), NULL}));
    refused(&wanted, 0, HOLDEN_code_INVALID, "AmbientCapabilities");
}

TEST(a_member_that_asks_for_no_capabilities_has_none) {
    struct wanted wanted = {0};
    struct identity identity;
    want_capabilities(&wanted, true, LIST(""));
    granted(&wanted, MEMBER, &identity);
    assert_int_equal(identity.ambient, 0);
}

TEST(unknown_capabilities_are_refused) {
    struct wanted wanted = {0};
    want_capabilities(&wanted, false, LIST("CAP_NO_SUCH"));
    refused(&wanted, 0, HOLDEN_code_INVALID, "CapabilityBoundingSet");
}

/* seccomp(2): without CAP_SYS_ADMIN a filter needs no_new_privs. */
TEST(a_filter_without_sys_admin_means_no_new_privileges) {
    static const struct {
        uint32_t uid;
        bool bounded, filter, asked, result;
    } rows[] = {
        {0, false, false, false, false}, {0, false, true, false, false},
        {0, true, false, false, false},  {0, true, true, false, true},
        {33, false, true, false, true},  {33, false, false, false, false},
        {0, false, false, true, true},   {33, false, false, true, true},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct wanted wanted = {0};
        struct identity identity;
        struct failure failure;
        want_user(&wanted, rows[i].uid, rows[i].uid, 0);
        if (rows[i].bounded)
            want_capabilities(&wanted, false, LIST("~CAP_SYS_ADMIN"));
        HOLDEN_SET(&wanted.properties.all, properties, no_new_privileges, rows[i].asked);
        assert_int_equal(resolve(&wanted, rows[i].filter, 0, &identity, &failure), 0);
        assert_int_equal(identity.no_new_privileges, rows[i].result);
    }
}

UNIT_MAIN
