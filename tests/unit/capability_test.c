#include "agent/capability.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>

#include "common/file.h"
#include "settings.h"
#include "suite.h"

#define BIT(name) (UINT64_C(1) << (name))

static uint64_t folded(const char *const *const *lists) {
    struct properties properties = {0};
    struct wire wire = {0};
    struct failure failure = {0};
    uint64_t mask = 0;
    HOLDEN_SET(&properties.all, properties, capability_bounding_set,
               properties_lists(&properties, lists));
    const struct holden_properties *decoded = wire_pass(&wire, &properties.all);
    assert_int_equal(
        capability_fold(decoded->capability_bounding_set, "CapabilityBoundingSet", &mask, &failure),
        0);
    wire_free(&wire);
    return mask;
}
#define FOLDED(...) folded((const char *const *const[]){__VA_ARGS__, NULL})

static void refused(const char *name, const char *text) {
    struct properties properties = {0};
    struct failure failure = {0};
    uint64_t mask = 77;
    struct holden_repeated lists =
        properties_lists(&properties, (const char *const *const[]){LIST(name), NULL});
    assert_int_equal(capability_fold(lists, "AmbientCapabilities", &mask, &failure), -EREMOTEIO);
    assert_int_equal(mask, 77);
    assert_int_equal(failure.code, HOLDEN_code_INVALID);
    assert_string_equal(failure.step, "AmbientCapabilities");
    assert_string_equal(failure.text, text);
}

TEST(all_is_what_the_kernel_knows) {
    char text[16];
    assert_true(file_read(AT_FDCWD, "/proc/sys/kernel/cap_last_cap", text, sizeof(text)) > 0);
    assert_int_equal(capability_all(), (UINT64_C(2) << strtoul(text, NULL, 10)) - 1);
}

TEST(the_first_list_sets_and_later_ones_add) {
    assert_int_equal(FOLDED(LIST("CAP_KILL", "CAP_CHOWN")), BIT(CAP_KILL) | BIT(CAP_CHOWN));
    assert_int_equal(FOLDED(LIST("CAP_KILL"), LIST("CAP_CHOWN")), BIT(CAP_KILL) | BIT(CAP_CHOWN));
    assert_int_equal(FOLDED(LIST("cap_kill")), BIT(CAP_KILL));
}

TEST(inverted_lists_take_away) {
    assert_int_equal(FOLDED(LIST("~CAP_KILL")), capability_all() & ~BIT(CAP_KILL));
    assert_int_equal(FOLDED(LIST("CAP_KILL", "CAP_CHOWN"), LIST("~CAP_KILL")), BIT(CAP_CHOWN));
    assert_int_equal(FOLDED(LIST("~CAP_KILL"), LIST("~CAP_CHOWN")),
                     capability_all() & ~BIT(CAP_KILL) & ~BIT(CAP_CHOWN));
}

TEST(empty_lists_start_anew) {
    assert_int_equal(FOLDED(LIST("")), 0);
    assert_int_equal(FOLDED(LIST("CAP_KILL"), LIST("")), 0);
    assert_int_equal(FOLDED(LIST("CAP_KILL"), LIST("~")), capability_all());
    assert_int_equal(FOLDED(LIST("CAP_KILL"), LIST(""), LIST("CAP_CHOWN")), BIT(CAP_CHOWN));
}

TEST(unknown_names_are_refused) {
    refused("CAP_SYS_ADMN", "unknown capability 'CAP_SYS_ADMN'; did you mean CAP_SYS_ADMIN?");
    refused("everything", "unknown capability 'everything'");
    refused("CAP_KILL ", "unknown capability 'CAP_KILL '; did you mean CAP_KILL?");
}

TEST(names) {
    char name[64];
    char small[5];
    assert_string_equal(capability_name(CAP_CHOWN, name, sizeof(name)), "CAP_CHOWN");
    assert_string_equal(capability_name(CAP_SYS_ADMIN, small, sizeof(small)), "CAP_");
    assert_string_equal(capability_name(63, name, sizeof(name)), "63");
}

UNIT_MAIN
