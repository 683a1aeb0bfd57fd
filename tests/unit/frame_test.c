#include "protocol/frame.h"

#include <errno.h>
#include <string.h>

#include "sample.h"
#include "suite.h"

static void put_stop(struct buffer *out, uint32_t id) {
    struct holden_stop stop = {0};
    HOLDEN_SET(&stop, stop, name, holden_view("web"));
    assert_int_equal(holden_frame_put(out, HOLDEN_MESSAGE_stop, id, &stop), 0);
}

TEST(bytes_of_a_frame) {
    _cleanup_(buffer_free) struct buffer out = {0};
    put_stop(&out, 0x01020304);
    static const uint8_t expected[] = {'H', 'd', 1, 0, HOLDEN_MESSAGE_stop, 0, 0, 0, 9, 0, 0, 0,
                                       4, 3, 2, 1, 0, 0, 0, 0, 1, 0, 3, 0, 0, 0, 'w', 'e', 'b'};
    assert_int_equal(out.size, sizeof(expected));
    assert_memory_equal(buffer_bytes(&out), expected, sizeof(expected));
}

TEST(header_read) {
    _cleanup_(buffer_free) struct buffer out = {0};
    put_stop(&out, 77);
    struct holden_frame frame;
    for (size_t size = 0; size < HOLDEN_FRAME_HEADER; size++)
        assert_int_equal(holden_frame_get(buffer_bytes(&out), size, &frame), -EAGAIN);
    assert_int_equal(holden_frame_get(buffer_bytes(&out), out.size, &frame), 0);
    assert_int_equal(frame.type, HOLDEN_MESSAGE_stop);
    assert_int_equal(frame.id, 77);
    assert_int_equal(frame.node, 0);
    assert_int_equal(frame.size, out.size - HOLDEN_FRAME_HEADER);
}

/* Every value of every byte of a header: what is refused is refused with the right error, and with
 * the id for the answer. */
TEST(every_one_byte_mutation_of_a_header) {
    _cleanup_(buffer_free) struct buffer out = {0};
    put_stop(&out, 77);
    for (size_t at = 0; at < HOLDEN_FRAME_HEADER; at++)
        for (unsigned change = 1; change < 256; change++) {
            uint8_t header[HOLDEN_FRAME_HEADER];
            struct holden_frame frame = {0};
            memcpy(header, buffer_bytes(&out), sizeof(header));
            header[at] ^= (uint8_t)change;
            int expected = 0;
            if (at < 2 || at == 3 || at == 6 || at == 7)
                expected = -EPROTO;
            else if (at == 2)
                expected = -EPROTONOSUPPORT;
            else if (holden_get32(header + 8) > HOLDEN_FRAME_MAX - HOLDEN_FRAME_HEADER)
                expected = -EMSGSIZE;
            assert_int_equal(holden_frame_get(header, sizeof(header), &frame), expected);
            assert_int_equal(frame.id, holden_get32(header + 12));
        }
}

TEST(lengths_up_to_the_largest) {
    static const struct { uint32_t size; int result;
    } rows[] = {
        {0, 0},
        {1, 0},
        {HOLDEN_FRAME_MAX - HOLDEN_FRAME_HEADER, 0},
        {HOLDEN_FRAME_MAX - HOLDEN_FRAME_HEADER + 1, -EMSGSIZE},
        {HOLDEN_FRAME_MAX, -EMSGSIZE},
        {INT32_MAX, -EMSGSIZE},
        {UINT32_MAX - HOLDEN_FRAME_HEADER, -EMSGSIZE},
        {UINT32_MAX, -EMSGSIZE},
    };
    uint8_t header[HOLDEN_FRAME_HEADER] = {'H', 'd', HOLDEN_VERSION, 0, HOLDEN_MESSAGE_ping};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct holden_frame frame;
        holden_put32(header + 8, rows[i].size);
        assert_int_equal(holden_frame_get(header, sizeof(header), &frame), rows[i].result);
    }
}

TEST(what_cannot_be_put_leaves_nothing) {
    _cleanup_(buffer_free) struct buffer out = {0};
    struct holden_stop stop = {0};
    put_stop(&out, 1);
    size_t before = out.size;
    assert_int_equal(holden_frame_put(&out, HOLDEN_MESSAGE_stop, 2, &stop), -EINVAL);
    assert_int_equal(holden_frame_put(&out, 60000, 2, &stop), -EINVAL);
    assert_int_equal(out.size, before);
}

TEST(frames_past_the_bound_are_not_put) {
    _cleanup_(buffer_free) struct buffer out = {0};
    static char longest[131071];
    static struct holden_view views[33];
    memset(longest, 'a', sizeof(longest));
    for (size_t i = 0; i < ARRAY_SIZE(views); i++)
        views[i] = (struct holden_view){longest, sizeof(longest)};
    struct holden_start start = {0};
    HOLDEN_SET(&start, start, argument, (struct holden_repeated){.count = 31, .items = views});
    assert_int_equal(holden_frame_put(&out, HOLDEN_MESSAGE_start, 1, &start), 0);
    assert_true(out.size <= HOLDEN_FRAME_MAX);
    size_t before = out.size;
    start.argument.count = 33;
    assert_int_equal(holden_frame_put(&out, HOLDEN_MESSAGE_start, 1, &start), -EMSGSIZE);
    assert_int_equal(out.size, before);
}

UNIT_MAIN
