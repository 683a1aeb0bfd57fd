/* Encoding and decoding, for every record and message of the tables. */
#include "protocol/codec.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "protocol/json.h"
#include "sample.h"
#include "suite.h"

/* Every record and message in turn. */
static const struct holden_record *each(size_t index) {
    size_t records;
    size_t messages;
    const struct holden_record *const *record = holden_records(&records);
    const struct holden_message_row *row = holden_messages(&messages);
    if (index < records)
        return record[index];
    return index - records < messages ? row[index - records].record : NULL;
}
#define EACH_RECORD(record) \
    (size_t index_ = 0; ((record) = each(index_)); index_++)

/* Room for any decoded message. */
union space {
    uint64_t align;
    unsigned char bytes[4096];
};

static void encode(const struct holden_record *record, const void *message, struct buffer *out) {
    int r = holden_encode(record, message, out);
    if (r < 0)
        fail_msg("%s does not encode: %s", record->name, strerror(-r));
}

static void decode(const struct holden_record *record, const void *bytes, size_t size,
                   union space *space) {
    struct holden_fault fault;
    if (holden_decode(record, bytes, size, space, &fault) < 0)
        fail_msg("%s does not decode: %s.%s: %s", record->name, fault.record, fault.field,
                 fault.what);
}

/* The bytes must not decode; a fault that names its place must be told. */
static void malformed(const struct holden_record *record, const void *bytes, size_t size,
                      const char *what) {
    union space space;
    struct holden_fault fault = {0};
    int r = holden_decode(record, bytes, size, &space, &fault);
    if (r != -EBADMSG)
        fail_msg("%s decodes (%d) although it is %s", record->name, r, what);
    assert_non_null(fault.record);
    if (strcmp(fault.what, what) != 0)
        fail_msg("%s.%s: '%s' in place of '%s'", fault.record, fault.field, fault.what, what);
}

/* Takes all fields away but number i and those that must be there. */
static void keep_only(const struct holden_record *record, void *message, size_t i) {
    for (size_t other = 0; other < record->count; other++)
        if (other != i && !record->fields[other].required)
            holden_unmark(message, other);
}

static void put(struct buffer *out, uint16_t tag, uint32_t size, const void *bytes, size_t held) {
    uint8_t header[HOLDEN_TLV_HEADER];
    holden_put16(header, tag);
    holden_put32(header + 2, size);
    assert_int_equal(buffer_append(out, header, sizeof(header)), 0);
    assert_int_equal(buffer_append(out, bytes, held), 0);
}

/* ---- there and back ---- */

static void round_trip(const struct holden_record *record, uint64_t seed,
                       enum sample_extent extent) {
    _cleanup_(sample_free) struct sample sample = {.random = seed};
    _cleanup_(buffer_free) struct buffer first = {0};
    _cleanup_(buffer_free) struct buffer second = {0};
    union space space;
    const void *message = sample_make(&sample, record, extent);
    encode(record, message, &first);
    decode(record, buffer_bytes(&first), first.size, &space);
    if (!sample_equal(record, message, &space))
        fail_msg("%s comes back different (seed %lu)", record->name, (unsigned long)seed);
    encode(record, &space, &second);
    assert_int_equal(first.size, second.size);
    if (first.size > 0)
        assert_memory_equal(buffer_bytes(&first), buffer_bytes(&second), first.size);
}

TEST(every_record_comes_back_as_it_was) {
    const struct holden_record *record;
    for EACH_RECORD(record) {
        round_trip(record, 1, SAMPLE_LEAST);
        round_trip(record, 2, SAMPLE_ALL);
        for (uint64_t seed = 3; seed < 200; seed++)
            round_trip(record, seed, SAMPLE_SOME);
    }
}

TEST(present_bits) {
    struct holden_list list = {0};
    assert_false(HOLDEN_HAS(&list, list, usage));
    HOLDEN_SET(&list, list, usage, true);
    assert_true(HOLDEN_HAS(&list, list, usage));
    assert_true(holden_has(&list, HOLDEN_INDEX(list, usage)));
    holden_unmark(&list, HOLDEN_INDEX(list, usage));
    assert_false(HOLDEN_HAS(&list, list, usage));
    struct holden_properties properties = {0};
    for (size_t i = 0; i < HOLDEN_FIELDS_properties; i++) {
        assert_false(holden_has(&properties, i));
        holden_mark(&properties, i);
        assert_true(holden_has(&properties, i));
    }
}

/* ---- what must not encode ---- */

/* Takes required fields away, one at a time. */
TEST(missing_fields_do_not_encode_nor_decode) {
    const struct holden_record *record;
    for EACH_RECORD(record)
        for (size_t i = 0; i < record->count; i++) {
            _cleanup_(sample_free) struct sample sample = {.random = 4};
            _cleanup_(buffer_free) struct buffer bytes = {0};
            void *message = sample_make(&sample, record, SAMPLE_ALL);
            holden_unmark(message, i);
            int r = holden_encode(record, message, &bytes);
            assert_int_equal(r, record->fields[i].required ? -EINVAL : 0);
            assert_true(r == 0 || bytes.size == 0);
        }
}

TEST(values_that_the_table_forbids_do_not_encode) {
    _cleanup_(buffer_free) struct buffer bytes = {0};
    struct holden_stop stop = {0};
    char longest[65];
    memset(longest, 'a', sizeof(longest));
    HOLDEN_SET(&stop, stop, name, (struct holden_view){longest, 65});
    assert_int_equal(holden_encode(&holden_record_stop, &stop, &bytes), -EINVAL);
    HOLDEN_SET(&stop, stop, name, (struct holden_view){longest, 64});
    assert_int_equal(holden_encode(&holden_record_stop, &stop, &bytes), 0);
    HOLDEN_SET(&stop, stop, name, (struct holden_view){"a\0b", 3});
    size_t before = bytes.size;
    assert_int_equal(holden_encode(&holden_record_stop, &stop, &bytes), -EINVAL);
    assert_int_equal(bytes.size, before);
    struct holden_stream stream = {0};
    HOLDEN_SET(&stream, stream, kind, 1000);
    assert_int_equal(holden_encode(&holden_record_stream, &stream, &bytes), -EINVAL);
}

/* ---- what must not decode ---- */

TEST(truncated_messages) {
    const struct holden_record *record;
    for EACH_RECORD(record) {
        _cleanup_(sample_free) struct sample sample = {.random = 5};
        _cleanup_(buffer_free) struct buffer bytes = {0};
        encode(record, sample_make(&sample, record, SAMPLE_ALL), &bytes);
        for (size_t size = 0; size < bytes.size; size++) {
            union space space;
            struct holden_fault fault = {0};
            /* A copy of its own size, so that a sanitizer sees what is read past it. */
            _cleanup_free_ void *cut = malloc(size ? size : 1);
            memcpy(cut, buffer_bytes(&bytes), size);
            int r = holden_decode(record, cut, size, &space, &fault);
            assert_true(r == 0 || (r == -EBADMSG && fault.record && fault.what));
        }
    }
}

/* Whatever decodes must then encode, print, and be walked. */
static void use(const struct holden_record *record, const union space *space) {
    _cleanup_(buffer_free) struct buffer again = {0};
    _cleanup_(buffer_free) struct buffer json = {0};
    encode(record, space, &again);
    assert_int_equal(holden_json(record, space, &json), 0);
}

/* What of a byte is changed: each of its 8 bits, or all its 255 other values are tried. */
enum changes { ONE_BIT, ANY_BITS };

/* Decodes the message with each of its bytes changed. */
static void mutate(const struct holden_record *record, const struct buffer *bytes,
                   enum changes changes) {
    _cleanup_free_ uint8_t *copy = malloc(bytes->size ? bytes->size : 1);
    if (bytes->size > 0)
        memcpy(copy, buffer_bytes(bytes), bytes->size);
    for (size_t at = 0; at < bytes->size; at++) {
        uint8_t before = copy[at];
        for (unsigned change = 1; change < 256; change++) {
            union space space;
            struct holden_fault fault = {0};
            if (changes == ONE_BIT && (change & (change - 1)) != 0)
                continue;
            copy[at] = (uint8_t)(before ^ change);
            int r = holden_decode(record, copy, bytes->size, &space, &fault);
            assert_true(r == 0 || (r == -EBADMSG && fault.record && fault.what));
            /* Printing each would take minutes; one bit a byte is enough of them. */
            if (r == 0 && change == 1U << (at % 8))
                use(record, &space);
        }
        copy[at] = before;
    }
}

TEST(every_one_bit_mutation_of_every_record) {
    const struct holden_record *record;
    for EACH_RECORD(record) {
        _cleanup_(sample_free) struct sample sample = {.random = 6};
        _cleanup_(buffer_free) struct buffer bytes = {0};
        encode(record, sample_make(&sample, record, SAMPLE_ALL), &bytes);
        mutate(record, &bytes, ONE_BIT);
    }
}

/* Beside the fields that must be there, since all of a record at once would take the square of its
 * size; records within are tried by themselves. */
TEST(every_one_byte_mutation_of_every_field) {
    const struct holden_record *record;
    for EACH_RECORD(record)
        for (size_t i = 0; i < record->count; i++) {
            _cleanup_(sample_free) struct sample sample = {.random = 6};
            _cleanup_(buffer_free) struct buffer bytes = {0};
            void *message = sample_make(&sample, record, SAMPLE_FLAT);
            keep_only(record, message, i);
            encode(record, message, &bytes);
            mutate(record, &bytes, ANY_BITS);
        }
}

TEST(lengths_past_the_end) {
    static const uint32_t lengths[] = {1,          7,          0xff,       0xffff,
                                       0x7fffffff, 0x80000000, 0xfffffff9, 0xffffffff};
    const struct holden_record *record;
    for EACH_RECORD(record)
        for (size_t i = 0; i < record->count; i++)
            for (size_t n = 0; n < ARRAY_SIZE(lengths); n++) {
                _cleanup_(buffer_free) struct buffer bytes = {0};
                put(&bytes, record->fields[i].tag, lengths[n], NULL, 0);
                malformed(record, buffer_bytes(&bytes), bytes.size, "cut short");
            }
}

TEST(headers_cut_short) {
    for (size_t size = 1; size < HOLDEN_TLV_HEADER; size++)
        malformed(&holden_record_ping, "\1\0\0\0\0", size, "cut short");
}

TEST(fields_given_twice) {
    const struct holden_record *record;
    for EACH_RECORD(record) {
        _cleanup_(sample_free) struct sample sample = {.random = 7};
        for (size_t i = 0; i < record->count; i++) {
            _cleanup_(buffer_free) struct buffer bytes = {0};
            void *message = sample_make(&sample, record, SAMPLE_ALL);
            encode(record, message, &bytes);
            keep_only(record, message, i);
            size_t once = bytes.size;
            encode(record, message, &bytes);
            assert_true(bytes.size > once);
            union space space;
            struct holden_fault fault;
            bool lists_only = record->fields[i].repeated;
            for (size_t other = 0; other < record->count; other++)
                lists_only = lists_only &&
                             (!record->fields[other].required || record->fields[other].repeated);
            assert_int_equal(
                holden_decode(record, buffer_bytes(&bytes), bytes.size, &space, &fault),
                lists_only ? 0 : -EBADMSG);
        }
    }
}

TEST(fields_that_are_missing_do_not_decode) {
    const struct holden_record *record;
    for EACH_RECORD(record)
        for (size_t i = 0; i < record->count; i++)
            if (record->fields[i].required) {
                malformed(record, NULL, 0, "missing");
                break;
            }
}

TEST(wrong_sizes_of_numbers) {
    static const struct { enum holden_type type; size_t size; const char *what; } rows[] = {
        {HOLDEN_TYPE_U32, 4, "not 4 bytes"},  {HOLDEN_TYPE_FD, 4, "not 4 bytes"},
        {HOLDEN_TYPE_ENUM, 4, "not 4 bytes"}, {HOLDEN_TYPE_U64, 8, "not 8 bytes"},
        {HOLDEN_TYPE_I64, 8, "not 8 bytes"},  {HOLDEN_TYPE_BOOL, 1, "neither 0 nor 1"},
    };
    static const uint8_t zeros[16];
    const struct holden_record *record;
    for EACH_RECORD(record)
        for (size_t i = 0; i < record->count; i++)
            for (size_t n = 0; n < ARRAY_SIZE(rows); n++)
                for (uint32_t size = 0; record->fields[i].type == rows[n].type && size < 16;
                     size++) {
                    _cleanup_(buffer_free) struct buffer bytes = {0};
                    put(&bytes, record->fields[i].tag, size, zeros, size);
                    if (size != rows[n].size)
                        malformed(record, buffer_bytes(&bytes), bytes.size, rows[n].what);
                }
}

TEST(values_that_the_table_forbids_do_not_decode) {
    static char longest[65];
    const uint8_t two = 2;
    const uint8_t word[4] = {0xff, 0xff, 0xff, 0xff};
    _cleanup_(buffer_free) struct buffer bytes = {0};
    memset(longest, 'a', sizeof(longest));
    put(&bytes, holden_record_stop.fields[HOLDEN_FIELD_stop_name].tag, 65, longest, 65);
    malformed(&holden_record_stop, buffer_bytes(&bytes), bytes.size, "too long");
    buffer_free(&bytes);
    put(&bytes, holden_record_stop.fields[HOLDEN_FIELD_stop_name].tag, 3, "a\0b", 3);
    malformed(&holden_record_stop, buffer_bytes(&bytes), bytes.size, "a NUL in a string");
    buffer_free(&bytes);
    put(&bytes, holden_record_list.fields[HOLDEN_FIELD_list_usage].tag, 1, &two, 1);
    malformed(&holden_record_list, buffer_bytes(&bytes), bytes.size, "neither 0 nor 1");
    buffer_free(&bytes);
    put(&bytes, holden_record_stream.fields[HOLDEN_FIELD_stream_kind].tag, 4, word, 4);
    malformed(&holden_record_stream, buffer_bytes(&bytes), bytes.size, "no such value");
}

TEST(faults_inside_nested_records_are_named) {
    _cleanup_(buffer_free) struct buffer inner = {0};
    _cleanup_(buffer_free) struct buffer bytes = {0};
    put(&inner, holden_record_user.fields[HOLDEN_FIELD_user_uid].tag, 3, "abc", 3);
    _cleanup_(buffer_free) struct buffer middle = {0};
    put(&middle, holden_record_properties.fields[HOLDEN_FIELD_properties_user].tag,
        (uint32_t)inner.size, buffer_bytes(&inner), inner.size);
    put(&bytes, holden_record_start.fields[HOLDEN_FIELD_start_properties].tag,
        (uint32_t)middle.size, buffer_bytes(&middle), middle.size);
    union space space;
    struct holden_fault fault;
    assert_int_equal(
        holden_decode(&holden_record_start, buffer_bytes(&bytes), bytes.size, &space, &fault),
        -EBADMSG);
    assert_string_equal(fault.record, "user");
    assert_string_equal(fault.field, "uid");
    assert_string_equal(fault.what, "not 4 bytes");
}

/* ---- what must be passed over ---- */

TEST(unknown_fields_are_skipped) {
    const struct holden_record *record;
    for EACH_RECORD(record) {
        _cleanup_(sample_free) struct sample sample = {.random = 8};
        _cleanup_(buffer_free) struct buffer bytes = {0};
        const void *message = sample_make(&sample, record, SAMPLE_ALL);
        put(&bytes, 60000, 5, "other", 5);
        encode(record, message, &bytes);
        put(&bytes, 60001, 0, NULL, 0);
        union space space;
        decode(record, buffer_bytes(&bytes), bytes.size, &space);
        assert_true(sample_equal(record, message, &space));
    }
}

/* Elements of a list with other fields between them, as another implementation may send them. */
TEST(lists_may_be_interrupted) {
    _cleanup_(buffer_free) struct buffer bytes = {0};
    uint16_t tag = holden_record_start.fields[HOLDEN_FIELD_start_argument].tag;
    put(&bytes, tag, 2, "ls", 2);
    put(&bytes, holden_record_start.fields[HOLDEN_FIELD_start_name].tag, 1, "n", 1);
    put(&bytes, 60000, 2, "??", 2);
    put(&bytes, tag, 2, "-l", 2);
    put(&bytes, holden_record_start.fields[HOLDEN_FIELD_start_wait].tag, 1, "\1", 1);
    struct holden_start start;
    struct holden_fault fault;
    assert_int_equal(
        holden_decode(&holden_record_start, buffer_bytes(&bytes), bytes.size, &start, &fault), 0);
    struct holden_view view;
    assert_int_equal(start.argument.count, 2);
    assert_true(holden_next_view(&start.argument, &view) && holden_view_is(view, "ls"));
    assert_true(holden_next_view(&start.argument, &view) && holden_view_is(view, "-l"));
    assert_false(holden_next_view(&start.argument, &view));
    assert_true(holden_view_is(start.name, "n"));
    assert_true(start.wait);
}

/* ---- depth ---- */

/* Records that hold themselves, as no message does: only the bound on the depth ends them. */
struct chain {
    uint64_t present[1];
    struct holden_nested next;
};
extern const struct holden_record chain_record;
static const struct holden_field chain_fields[] = {
    {.name = "next", .record = &chain_record, .tag = 1, .offset = offsetof(struct chain, next),
     .type = HOLDEN_TYPE_RECORD},
};
const struct holden_record chain_record = {"chain", "", chain_fields, 1, sizeof(struct chain)};

TEST(nesting_is_bounded) {
    struct chain links[HOLDEN_DEPTH_MAX + 2] = {{{0}, {0}}};
    for (size_t depth = 1; depth < ARRAY_SIZE(links); depth++) {
        holden_mark(&links[depth], 0);
        links[depth].next.value = &links[depth - 1];
        _cleanup_(buffer_free) struct buffer bytes = {0};
        assert_int_equal(holden_encode(&chain_record, &links[depth], &bytes),
                         depth <= HOLDEN_DEPTH_MAX ? 0 : -EMSGSIZE);
    }
    _cleanup_(buffer_free) struct buffer bytes = {0};
    for (size_t depth = 1; depth < 100; depth++) {
        _cleanup_(buffer_free) struct buffer outer = {0};
        put(&outer, 1, (uint32_t)bytes.size, bytes.data, bytes.size);
        buffer_free(&bytes);
        bytes = outer;
        outer = (struct buffer){0};
        struct chain chain;
        struct holden_fault fault;
        int r = holden_decode(&chain_record, buffer_bytes(&bytes), bytes.size, &chain, &fault);
        assert_int_equal(r, depth <= HOLDEN_DEPTH_MAX ? 0 : -EBADMSG);
    }
}

/* ---- words and numbers ---- */

TEST(words) {
    uint32_t number = 99;
    assert_string_equal(holden_word(&holden_enum_state, HOLDEN_state_RUNNING), "running");
    assert_null(holden_word(&holden_enum_state, 12345));
    assert_int_equal(holden_number(&holden_enum_state, "failed", &number), 0);
    assert_int_equal(number, HOLDEN_state_FAILED);
    assert_int_equal(holden_number(&holden_enum_state, "Failed", &number), -EINVAL);
    assert_int_equal(number, HOLDEN_state_FAILED);
}

TEST(views) {
    assert_true(holden_view_is(holden_view("abc"), "abc"));
    assert_false(holden_view_is(holden_view("abc"), "abcd"));
    assert_false(holden_view_is(holden_view("abcd"), "abc"));
    assert_true(holden_view_is(holden_view(""), ""));
}

TEST(numbers_are_little_endian) {
    uint8_t bytes[8];
    holden_put64(bytes, UINT64_C(0x0123456789abcdef));
    assert_memory_equal(bytes, "\xef\xcd\xab\x89\x67\x45\x23\x01", 8);
    assert_int_equal(holden_get64(bytes), UINT64_C(0x0123456789abcdef));
    assert_int_equal(holden_get32(bytes), 0x89abcdef);
    assert_int_equal(holden_get16(bytes), 0xcdef);
}

UNIT_MAIN
