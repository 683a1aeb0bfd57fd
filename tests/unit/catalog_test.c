#include "agent/catalog.h"

#include <string.h>

#include "suite.h"

TEST(every_kind_has_an_id_of_its_own) {
    for (enum catalog_kind kind = 0; kind < CATALOG_KINDS; kind++) {
        const struct catalog_entry *entry = catalog_entry(kind);
        assert_int_equal(strlen(entry->id), 32);
        assert_int_equal(strspn(entry->id, "0123456789abcdef"), 32);
        assert_true(strlen(entry->subject) > 0 && strlen(entry->text) > 0);
        for (enum catalog_kind other = 0; other < kind; other++)
            assert_string_not_equal(entry->id, catalog_entry(other)->id);
    }
}

static enum catalog_kind of(uint32_t kind, uint32_t state, uint32_t cause) {
    struct holden_event event = {0};
    HOLDEN_SET(&event, event, kind, kind);
    HOLDEN_SET(&event, event, state, state);
    if (cause != HOLDEN_cause_NONE)
        HOLDEN_SET(&event, event, cause, cause);
    return catalog_of(&event);
}

TEST(every_event_is_a_kind_of_entry) {
    for (size_t i = 0; i < holden_enum_event_kind.count; i++) {
        uint32_t kind = holden_enum_event_kind.words[i].number;
        /* What one reader missed is no event; refused calls have entries with more in them. */
        bool none = kind == HOLDEN_event_kind_DROPPED || kind == HOLDEN_event_kind_REFUSED;
        assert_int_equal(of(kind, HOLDEN_state_RUNNING, HOLDEN_cause_NONE) == CATALOG_NONE, none);
    }
    for (size_t i = 0; i < holden_enum_state.count; i++) {
        uint32_t to = holden_enum_state.words[i].number;
        assert_int_equal(of(HOLDEN_event_kind_STATE, to, HOLDEN_cause_NONE) == CATALOG_NONE,
                         to == HOLDEN_state_STARTING);
    }
}

TEST(a_cause_that_says_more_than_the_state_is_what_counts) {
    const uint32_t changed = HOLDEN_event_kind_STATE, failed = HOLDEN_state_FAILED;
    assert_int_equal(of(changed, failed, HOLDEN_cause_OUT_OF_MEMORY), CATALOG_OUT_OF_MEMORY);
    assert_int_equal(of(changed, failed, HOLDEN_cause_SETUP), CATALOG_SETUP);
    assert_int_equal(of(changed, failed, HOLDEN_cause_UNKNOWN), CATALOG_LOST);
    assert_int_equal(of(changed, failed, HOLDEN_cause_EXITED), CATALOG_FAILED);
    assert_int_equal(of(changed, HOLDEN_state_EXITED, HOLDEN_cause_EXITED), CATALOG_EXITED);
    assert_int_equal(of(changed, HOLDEN_state_STOPPED, HOLDEN_cause_STOPPED), CATALOG_STOPPED);
    /* Only the state of a process has a cause. */
    assert_int_equal(of(HOLDEN_event_kind_FROZEN, failed, HOLDEN_cause_SETUP), CATALOG_FROZEN);
    /* Numbers that nobody knows yet. */
    assert_int_equal(of(1000, 0, HOLDEN_cause_NONE), CATALOG_NONE);
    assert_int_equal(of(changed, 1000, 1000), CATALOG_NONE);
}

UNIT_MAIN
