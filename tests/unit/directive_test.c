/* The vocabulary of unit files: that it is whole is compared with systemd itself, in
 * tests/e2e/apply.bats; here, that its tables agree with each other. */
#include "suite.h"

#include <errno.h>
#include <string.h>

#include "controller/directive.h"
#include "controller/unit.h"

TEST(no_directive_stands_twice) {
    struct directive one, other;
    for (size_t i = 0; directive_at(i, &one); i++)
        for (size_t k = i + 1; directive_at(k, &other); k++)
            if (one.section == other.section && strcmp(one.name, other.name) == 0)
                fail_msg("%s stands twice; what is in properties.def has no row in "
                         "directives.def: take it out there, then `make reference`",
                         one.name);
}

TEST(an_old_name_leads_to_a_present_one) {
    struct directive row, found;
    for (size_t i = 0; directive_at(i, &row); i++) {
        int r = directive_find(row.section, row.name, &found);
        if (r < 0 || found.of)
            fail_msg("%s leads nowhere", row.name);
        assert_string_equal(found.name, row.of ? row.of : row.name);
    }
}

TEST(each_has_a_reason) {
    struct directive row;
    for (size_t i = 0; directive_at(i, &row); i++)
        if (!*row.why)
            fail_msg("%s says not why", row.name);
}

TEST(what_is_done_has_a_function) {
    struct directive row;
    for (size_t i = 0; directive_at(i, &row); i++) {
        struct unit unit = {0};
        const struct unit_setting setting = {.name = row.name, .value = "", .file = "f",
                                             .line = 1};
        int r = unit_take(&unit, &setting, row.name);
        bool done = row.state == DIRECTIVE_DONE;
        if (done != (r != -ENOENT))
            fail_msg("%s: %s, but a function is %s", row.name, directive_words(row.state),
                     done ? "missing" : "there");
        unit_free(&unit);
    }
}

TEST(values_that_ask_for_nothing) {
    static const struct {
        enum directive_section section;
        const char *name, *value;
        bool inert;
    } rows[] = {
        {DIRECTIVE_UNIT, "After", "network.target -.mount", true},
        {DIRECTIVE_UNIT, "After", "network.target db.service", false},
        {DIRECTIVE_UNIT, "OnFailure", "", true},
        {DIRECTIVE_SERVICE, "RootDirectoryStartOnly", "No", true},
        {DIRECTIVE_SERVICE, "RootDirectoryStartOnly", "off", true},
        {DIRECTIVE_SERVICE, "RootDirectoryStartOnly", "yes", false},
        {DIRECTIVE_SERVICE, "RootDirectoryStartOnly", "0 1", false},
        {DIRECTIVE_SERVICE, "RuntimeRandomizedExtraSec", "0", true},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct directive directive;
        assert_int_equal(directive_find(rows[i].section, rows[i].name, &directive), 0);
        if (directive_inert(&directive, rows[i].value) != rows[i].inert)
            fail_msg("%s=%s", rows[i].name, rows[i].value);
    }
}

UNIT_MAIN
