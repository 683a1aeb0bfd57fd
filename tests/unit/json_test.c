#include "protocol/json.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "protocol/message.h"
#include "sample.h"
#include "suite.h"

static void is(const struct buffer *out, const char *text) {
    char *copy = strndup((const char *)buffer_bytes(out), out->size);
    assert_string_equal(copy, text);
    free(copy);
}

static void string_is(const char *bytes, size_t size, const char *json) {
    _cleanup_(buffer_free) struct buffer out = {0};
    assert_int_equal(holden_json_string((struct holden_view){bytes, size}, &out), 0);
    is(&out, json);
}
#define STRING_IS(bytes, json) string_is(bytes, sizeof(bytes) - 1, json)

TEST(characters) {
    STRING_IS("", "\"\"");
    STRING_IS("plain text", "\"plain text\"");
    STRING_IS("\"\\/", "\"\\\"\\\\/\"");
    STRING_IS("a\nb\tc\r\0d\x1f\x7f", "\"a\\nb\\u0009c\\u000d\\u0000d\\u001f\\u007f\"");
    STRING_IS("gr\xc3\xbc\xc3\x9f", "\"gr\xc3\xbc\xc3\x9f\"");
    STRING_IS("\xe2\x82\xac \xf0\x9f\x98\x80", "\"\xe2\x82\xac \xf0\x9f\x98\x80\"");
    STRING_IS("\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf",
              "\"\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf\"");
}

#define BAD "\xef\xbf\xbd"
TEST(what_is_no_utf8_becomes_the_replacement_character) {
    STRING_IS("\x80", "\"" BAD "\"");
    STRING_IS("a\xffz", "\"a" BAD "z\"");
    STRING_IS("\xc3", "\"" BAD "\"");
    STRING_IS("\xc3(", "\"" BAD "(\"");
    STRING_IS("\xc0\x80", "\"" BAD BAD "\"");
    STRING_IS("\xe0\x80\x80", "\"" BAD BAD BAD "\"");
    STRING_IS("\xed\xa0\x80", "\"" BAD BAD BAD "\"");
    STRING_IS("\xf4\x90\x80\x80", "\"" BAD BAD BAD BAD "\"");
    STRING_IS("\xe2\x82", "\"" BAD BAD "\"");
    STRING_IS("\xf0\x9f\x98", "\"" BAD BAD BAD "\"");
}

TEST(messages) {
    _cleanup_(buffer_free) struct buffer out = {0};
    struct holden_user user = {0};
    struct holden_properties properties = {0};
    uint32_t groups[] = {7, 8};
    HOLDEN_SET(&user, user, uid, 0);
    HOLDEN_SET(&user, user, gid, UINT32_MAX);
    HOLDEN_SET(&user, user, group, (struct holden_repeated){.count = 2, .items = groups});
    HOLDEN_SET(&properties, properties, memory_max, UINT64_MAX);
    HOLDEN_SET(&properties, properties, nice, -5);
    HOLDEN_SET(&properties, properties, oom_policy, HOLDEN_oom_policy_KILL);
    HOLDEN_SET(&properties, properties, no_new_privileges, true);
    HOLDEN_SET(&properties, properties, user, (struct holden_nested){.value = &user});
    assert_int_equal(holden_json(&holden_record_properties, &properties, &out), 0);
    is(&out, "{\"MemoryMax\":18446744073709551615,\"OOMPolicy\":\"kill\",\"Nice\":-5,"
             "\"User\":{\"uid\":0,\"gid\":4294967295,\"group\":[7,8]},\"NoNewPrivileges\":true}");
    buffer_free(&out);
    struct holden_ping ping = {0};
    assert_int_equal(holden_json(&holden_record_ping, &ping, &out), 0);
    is(&out, "{}");
}

/* Another reader of JSON must take whatever is written. */
TEST(every_message_is_json) {
    size_t count;
    const struct holden_message_row *rows = holden_messages(&count);
    for (size_t i = 0; i < count; i++)
        for (uint64_t seed = 1; seed < 50; seed++) {
            _cleanup_(sample_free) struct sample sample = {.random = seed};
            _cleanup_(buffer_free) struct buffer out = {0};
            const void *message = sample_make(&sample, rows[i].record, SAMPLE_SOME);
            assert_int_equal(holden_json(rows[i].record, message, &out), 0);
            json_error_t error;
            json_t *json = json_loadb((const char *)buffer_bytes(&out), out.size,
                                      JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, &error);
            if (!json)
                fail_msg("%s: %s", rows[i].record->name, error.text);
            assert_true(json_is_object(json));
            json_decref(json);
        }
}

UNIT_MAIN
