/* Actions: what is said of answers, and what a change of limits can be taken back to. */
#include <string.h>

#include "monitor/action.h"
#include "suite.h"

#define MIB UINT64_C(1048576)

static struct holden_properties limits(uint64_t memory, uint64_t tasks) {
    struct holden_properties limits = {0};
    HOLDEN_SET(&limits, properties, memory_max, memory);
    if (tasks)
        HOLDEN_SET(&limits, properties, tasks_max, tasks);
    return limits;
}

static void encode(struct buffer *body, const struct holden_properties *before,
                   const struct holden_properties *after) {
    struct holden_constrained message = {0};
    HOLDEN_SET(&message, constrained, before, (struct holden_nested){.value = before});
    HOLDEN_SET(&message, constrained, after, (struct holden_nested){.value = after});
    assert_int_equal(holden_encode(&holden_record_constrained, &message, body), 0);
}

static struct holden_reply reply_of(const struct buffer *body, uint16_t type) {
    return (struct holden_reply){.frame = {.type = type, .id = 1, .size = (uint32_t)body->size},
                                 .body = buffer_bytes(body)};
}

TEST(a_dry_run_says_what_would_be) {
    _cleanup_(buffer_free) struct buffer body = {0};
    struct holden_properties before = limits(UINT64_MAX, 9);
    struct holden_properties after = limits(100 * MIB, 77);
    struct action_pending pending = {
        .id = 1, .action = ACTION_CONSTRAIN, .dry_run = true, .name = "web"};
    char text[ACTION_TEXT];
    encode(&body, &before, &after);
    struct holden_reply reply = reply_of(&body, HOLDEN_MESSAGE_constrained);
    assert_true(action_answer(&pending, &reply, text));
    assert_string_equal(text, "web: would be MemoryMax=100M (was infinity), TasksMax=77 (was 9)");
    pending.dry_run = false;
    assert_true(action_answer(&pending, &reply, text));
    assert_string_equal(text, "web: MemoryMax=100M (was infinity), TasksMax=77 (was 9)");
}

TEST(what_was_can_be_set_again) {
    _cleanup_(buffer_free) struct buffer body = {0};
    struct holden_properties before = limits(64 * MIB, 9);
    struct holden_properties after = limits(100 * MIB, 77);
    struct holden_properties found;
    encode(&body, &before, &after);
    struct holden_reply reply = reply_of(&body, HOLDEN_MESSAGE_constrained);
    assert_int_equal(action_before(&reply, &found), 0);
    assert_int_equal(found.memory_max, 64 * MIB);
    assert_int_equal(found.tasks_max, 9);
}

TEST(what_was_not_set_cannot_be_set_again) {
    _cleanup_(buffer_free) struct buffer body = {0};
    _cleanup_(buffer_free) struct buffer nothing = {0};
    struct holden_properties before = limits(64 * MIB, 0);
    struct holden_properties after = limits(100 * MIB, 77);
    struct holden_properties found;
    encode(&body, &before, &after);
    struct holden_reply reply = reply_of(&body, HOLDEN_MESSAGE_constrained);
    assert_true(action_before(&reply, &found) < 0);
    reply = reply_of(&nothing, HOLDEN_MESSAGE_done);
    assert_true(action_before(&reply, &found) < 0);
}

TEST(a_refusal_is_quoted) {
    _cleanup_(buffer_free) struct buffer body = {0};
    struct holden_error error = {0};
    const struct action_pending pending = {.id = 1, .action = ACTION_SIGNAL, .name = "web"};
    char text[ACTION_TEXT];
    HOLDEN_SET(&error, error, code, HOLDEN_code_NOT_PERMITTED);
    HOLDEN_SET(&error, error, text, holden_view("you may not"));
    assert_int_equal(holden_encode(&holden_record_error, &error, &body), 0);
    struct holden_reply reply = reply_of(&body, HOLDEN_MESSAGE_error);
    assert_false(action_answer(&pending, &reply, text));
    assert_string_equal(text, "cannot signal web: you may not");
}

UNIT_MAIN
