/* The tables themselves: what the codec, the clients and the documentation take for granted. */
#include "protocol/message.h"

#include <ctype.h>
#include <string.h>

#include "suite.h"

static void check_docs(const char *of, const char *doc) {
    if (!doc || !*doc || strchr(doc, '\n'))
        fail_msg("%s has no one-line documentation", of);
}

static void check_field(const struct holden_record *record, const struct holden_field *field) {
    bool bounded = field->type == HOLDEN_TYPE_STRING || field->type == HOLDEN_TYPE_BYTES;
    check_docs(field->name, field->doc);
    if (field->tag == 0)
        fail_msg("%s.%s has tag 0", record->name, field->name);
    if (bounded && field->bound == 0)
        fail_msg("%s.%s has no bound", record->name, field->name);
    assert_true((field->type == HOLDEN_TYPE_RECORD) == (field->record != NULL));
    assert_true((field->type == HOLDEN_TYPE_ENUM) == (field->enumeration != NULL));
    assert_true(field->offset >= sizeof(uint64_t) && field->offset < record->size);
}

static void check_record(const struct holden_record *record) {
    check_docs(record->name, record->doc);
    for (size_t i = 0; i < record->count; i++) {
        check_field(record, &record->fields[i]);
        for (size_t other = 0; other < i; other++) {
            if (record->fields[i].tag == record->fields[other].tag)
                fail_msg("%s: tag %u twice", record->name, record->fields[i].tag);
            if (strcmp(record->fields[i].name, record->fields[other].name) == 0)
                fail_msg("%s: field %s twice", record->name, record->fields[i].name);
        }
    }
}

TEST(records) {
    size_t count;
    const struct holden_record *const *records = holden_records(&count);
    assert_true(count > 0);
    for (size_t i = 0; i < count; i++) {
        check_record(records[i]);
        for (size_t other = 0; other < i; other++)
            assert_string_not_equal(records[i]->name, records[other]->name);
    }
}

TEST(messages) {
    size_t count;
    const struct holden_message_row *rows = holden_messages(&count);
    assert_true(count > 0);
    for (size_t i = 0; i < count; i++) {
        check_record(rows[i].record);
        assert_int_not_equal(rows[i].number, 0);
        assert_ptr_equal(holden_message(rows[i].number), &rows[i]);
        for (size_t other = 0; other < i; other++) {
            assert_int_not_equal(rows[i].number, rows[other].number);
            assert_string_not_equal(rows[i].record->name, rows[other].record->name);
        }
    }
    assert_null(holden_message(0));
    assert_null(holden_message(UINT16_MAX));
}

static const struct holden_message_row *find(const char *name) {
    size_t count;
    const struct holden_message_row *rows = holden_messages(&count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(rows[i].record->name, name) == 0)
            return &rows[i];
    return NULL;
}

/* A request is answered by a reply of the table; a reply by nothing. */
TEST(replies) {
    size_t count;
    const struct holden_message_row *rows = holden_messages(&count);
    for (size_t i = 0; i < count; i++) {
        const struct holden_message_row *reply = find(rows[i].reply);
        if (!rows[i].request)
            assert_string_equal(rows[i].reply, "none");
        else if (!reply || reply->request)
            fail_msg("%s is answered by %s, which is no reply", rows[i].record->name,
                     rows[i].reply);
    }
}

TEST(enumerations) {
    size_t count;
    const struct holden_enum *const *enums = holden_enums(&count);
    assert_true(count > 0);
    for (size_t i = 0; i < count; i++) {
        check_docs(enums[i]->name, enums[i]->doc);
        for (size_t n = 0; n < enums[i]->count; n++) {
            const struct holden_word *word = &enums[i]->words[n];
            check_docs(word->word, word->doc);
            assert_string_equal(holden_word(enums[i], word->number), word->word);
            uint32_t number;
            assert_int_equal(holden_number(enums[i], word->word, &number), 0);
            assert_int_equal(number, word->number);
        }
    }
}

TEST(exit_statuses) {
    assert_int_equal(holden_exit_status(HOLDEN_code_DONE), 0);
    assert_int_equal(holden_exit_status(HOLDEN_code_NO_PROCESS), 4);
    assert_int_equal(holden_exit_status(HOLDEN_code_NOT_PERMITTED), 5);
    assert_int_equal(holden_exit_status(HOLDEN_code_FAILED), 1);
    assert_int_equal(holden_exit_status(12345), 1);
}

UNIT_MAIN
