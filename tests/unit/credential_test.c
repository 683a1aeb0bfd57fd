/* Credentials as the agent takes them from whoever asks, and as it tells of them. */
#include "agent/credential.h"

#include <stdlib.h>
#include <string.h>

#include "settings.h"
#include "suite.h"

/* Properties with one credential, as they come over the wire. */
struct made {
    struct holden_credential credentials[2];
    struct holden_nested nested[2];
    struct holden_properties properties;
    struct wire wire;
};

static const struct holden_properties *make(struct made *made, const char *name, size_t size,
                                            uint32_t count) {
    static const char bytes[CREDENTIALS_MOST];
    *made = (struct made){0};
    for (uint32_t i = 0; i < count; i++) {
        HOLDEN_SET(&made->credentials[i], credential, name, holden_view(name));
        HOLDEN_SET(&made->credentials[i], credential, data, (struct holden_view){bytes, size});
        made->nested[i].value = &made->credentials[i];
    }
    HOLDEN_SET(&made->properties, properties, set_credential,
               (struct holden_repeated){.count = count, .items = made->nested});
    return wire_pass(&made->wire, &made->properties);
}

TEST(names) {
    static const char *const bad[] = {"", ".", "..", "a/b", "/", "a b", "a:b", "a\n", "\x7f"};
    static const char *const good[] = {"a", "...", "a.b_c-d@e", "\xc3\xa4"};
    struct made made;
    struct failure failure;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        if (credential_check(make(&made, bad[i], 1, 1), &failure) == 0)
            fail_msg("\"%s\" is taken", bad[i]);
        assert_int_equal(failure.code, HOLDEN_code_INVALID);
        wire_free(&made.wire);
    }
    for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
        if (credential_check(make(&made, good[i], 1, 1), &failure) < 0)
            fail_msg("%s", failure.text);
        wire_free(&made.wire);
    }
}

TEST(all_together_have_a_bound) {
    struct made made;
    struct failure failure;
    assert_int_equal(credential_check(make(&made, "a", CREDENTIALS_MOST / 2 - 1, 2), &failure), 0);
    wire_free(&made.wire);
    assert_int_not_equal(credential_check(make(&made, "a", CREDENTIALS_MOST / 2, 2), &failure), 0);
    assert_int_equal(failure.code, HOLDEN_code_TOO_MANY);
    wire_free(&made.wire);
}

TEST(what_is_told_has_no_contents) {
    struct made made;
    struct wire told = {0};
    struct holden_properties properties = *make(&made, "a", 5, 2);
    void *memory = credential_redact(&properties);
    const struct holden_properties *seen = wire_pass(&told, &properties);
    struct holden_repeated left = seen->set_credential;
    struct holden_nested nested;
    struct holden_credential credential;
    struct holden_fault fault;
    assert_int_equal(left.count, 2);
    while (holden_next_record(&left, &nested)) {
        assert_int_equal(holden_decode(&holden_record_credential, nested.bytes.data,
                                       nested.bytes.size, &credential, &fault), 0);
        assert_false(HOLDEN_HAS(&credential, credential, data));
        assert_int_equal(credential.size, 5);
        assert_true(holden_view_is(credential.name, "a"));
    }
    free(memory);
    properties = (struct holden_properties){0};
    assert_null(credential_redact(&properties));
    wire_free(&told);
    wire_free(&made.wire);
}

UNIT_MAIN
