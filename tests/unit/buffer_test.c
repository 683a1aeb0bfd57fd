#include "common/buffer.h"

#include <errno.h>
#include <string.h>

#include "suite.h"

static void holds(const struct buffer *buffer, const char *text) {
    assert_int_equal(buffer->size, strlen(text));
    if (buffer->size > 0)
        assert_memory_equal(buffer_bytes(buffer), text, buffer->size);
}

TEST(appended_and_consumed) {
    _cleanup_(buffer_free) struct buffer buffer = {0};
    assert_int_equal(buffer_append(&buffer, "abcdef", 6), 0);
    buffer_consume(&buffer, 2);
    holds(&buffer, "cdef");
    assert_int_equal(buffer_append(&buffer, "gh", 2), 0);
    holds(&buffer, "cdefgh");
    buffer_consume(&buffer, 6);
    holds(&buffer, "");
    assert_int_equal(buffer.start, 0);
}

TEST(nothing_appended) {
    _cleanup_(buffer_free) struct buffer buffer = {0};
    assert_int_equal(buffer_append(&buffer, NULL, 0), 0);
    holds(&buffer, "");
}

TEST(reserved_room_counts_once_it_is_filled) {
    _cleanup_(buffer_free) struct buffer buffer = {0};
    uint8_t *room;
    assert_int_equal(buffer_reserve(&buffer, 10, &room), 0);
    memcpy(room, "abc", 3);
    holds(&buffer, "");
    buffer_added(&buffer, 3);
    holds(&buffer, "abc");
}

/* A long stream through a buffer that is never empty: it must not grow with what has passed. */
TEST(space_is_used_again) {
    _cleanup_(buffer_free) struct buffer buffer = {0};
    uint8_t expected = 0;
    uint8_t next = 0;
    for (int i = 0; i < 10000; i++) {
        for (int n = 0; n < 7; n++, next++)
            assert_int_equal(buffer_append(&buffer, &next, 1), 0);
        size_t take = i % 2 ? 7 : 6;
        for (size_t n = 0; n < take; n++)
            assert_int_equal(buffer_bytes(&buffer)[n], expected++);
        buffer_consume(&buffer, take);
        if (buffer.size > 100)
            for (; buffer.size > 1; expected++)
                buffer_consume(&buffer, 1);
    }
    assert_true(buffer.space <= 1024);
}

TEST(an_emptied_large_buffer_gives_its_memory_back) {
    _cleanup_(buffer_free) struct buffer buffer = {0};
    uint8_t *room;
    assert_int_equal(buffer_reserve(&buffer, 100000, &room), 0);
    buffer_added(&buffer, 100000);
    assert_true(buffer.space >= 100000);
    buffer_consume(&buffer, 100000);
    assert_null(buffer.data);
    assert_int_equal(buffer.space, 0);
    assert_int_equal(buffer_append(&buffer, "again", 5), 0);
    holds(&buffer, "again");
}

TEST(impossible_sizes_change_nothing) {
    _cleanup_(buffer_free) struct buffer buffer = {0};
    uint8_t *room = NULL;
    assert_int_equal(buffer_append(&buffer, "abc", 3), 0);
    assert_int_equal(buffer_reserve(&buffer, SIZE_MAX, &room), -ENOMEM);
    assert_int_equal(buffer_reserve(&buffer, SIZE_MAX / 4, &room), -ENOMEM);
    assert_null(room);
    holds(&buffer, "abc");
}

TEST(formatted_text) {
    _cleanup_(buffer_free) struct buffer buffer = {0};
    char longer[1000];
    memset(longer, 'x', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    assert_int_equal(buffer_printf(&buffer, "%d-%s", 42, "abc"), 0);
    holds(&buffer, "42-abc");
    assert_int_equal(buffer_printf(&buffer, "%s", ""), 0);
    holds(&buffer, "42-abc");
    buffer_consume(&buffer, 6);
    assert_int_equal(buffer_printf(&buffer, "%s", longer), 0);
    holds(&buffer, longer);
}

UNIT_MAIN
