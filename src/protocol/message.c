/* The tables of message.h, expanded. The limits on struct sizes that the codec relies on are
 * asserted here. */
#include "protocol/message.h"

#include <stddef.h>

#include "common/cleanup.h"

#define ENUM(name, doc) static const struct holden_word name##_words[] = {
#define VALUE(name, value, number, word, doc) {(number), (word), (doc)},
#define END_ENUM(name) };
#include "protocol/enums.def"

#define ENUM(name, doc)                                                        \
    const struct holden_enum holden_enum_##name = {#name, (doc), name##_words, \
                                                   ARRAY_SIZE(name##_words)};
#define VALUE(name, value, number, word, doc)
#define END_ENUM(name)
#include "protocol/enums.def"

/* The descriptor that a field of RECORD or ENUM refers to; nothing for the other types. */
#define OF_U32(of)
#define OF_U64(of)
#define OF_I64(of)
#define OF_BOOL(of)
#define OF_STRING(of)
#define OF_BYTES(of)
#define OF_FD(of)
#define OF_ENUM(of) .enumeration = &holden_enum_##of,
#define OF_RECORD(of) .record = &holden_record_##of,
#define NEED_REQUIRED true
#define NEED_OPTIONAL false

#define ROW(record_, member, text, tag_, wire, need, of, bound_, many, doc_) \
    {.name = (text),                                                         \
     .doc = (doc_),                                                          \
     OF_##wire(of).bound = (bound_),                                         \
     .tag = (tag_),                                                          \
     .offset = offsetof(struct holden_##record_, member),                    \
     .type = HOLDEN_TYPE_##wire,                                             \
     .required = NEED_##need,                                                \
     .repeated = (many)},

/* A property's value is bounded by the record that carries it. */
enum { PROPERTY_BOUND = 1 << 20 };

#define RECORD(name, doc) static const struct holden_field name##_fields[] = {
#define MESSAGE(name, number, direction, reply, doc) RECORD(name, doc)
#define FIELD(record, member, tag, wire, need, of, bound, doc) \
    ROW(record, member, #member, tag, wire, need, of, bound, false, doc)
#define REPEATED(record, member, tag, wire, need, of, bound, doc) \
    ROW(record, member, #member, tag, wire, need, of, bound, true, doc)
#define PROPERTY_ONE(Name, member, tag, wire, of, doc) \
    ROW(properties, member, #Name, tag, wire, OPTIONAL, of, PROPERTY_BOUND, false, doc)
#define PROPERTY_MANY(Name, member, tag, wire, of, doc) \
    ROW(properties, member, #Name, tag, wire, OPTIONAL, of, PROPERTY_BOUND, true, doc)
#define END(name) };
#include "protocol/messages.def"

#define FIELD(record, member, tag, wire, need, of, bound, doc)
#define REPEATED(record, member, tag, wire, need, of, bound, doc)
#define PROPERTY_ONE(Name, member, tag, wire, of, doc)
#define PROPERTY_MANY(Name, member, tag, wire, of, doc)
#define END(name)
#define RECORD(name_, doc_)                                                                   \
    const struct holden_record holden_record_##name_ = {#name_, (doc_), name_##_fields,       \
                                                        ARRAY_SIZE(name_##_fields),           \
                                                        sizeof(struct holden_##name_)};       \
    _Static_assert(ARRAY_SIZE(name_##_fields) == HOLDEN_FIELDS_##name_, "one row, one index"); \
    _Static_assert(sizeof(struct holden_##name_) <= 4096, "the codec checks it on its stack");
#define MESSAGE(name, number, direction, reply, doc) RECORD(name, doc)
#include "protocol/messages.def"

/* Whether it is a request, and whether it changes something. */
#define IS_REQUEST true, false
#define IS_ORDER true, true
#define IS_REPLY false, false
static const struct holden_message_row messages[] = {
#define RECORD(name, doc)
#define MESSAGE(name, number, direction, reply, doc) \
    {(number), IS_##direction, &holden_record_##name, #reply},
#define FIELD(record, member, tag, wire, need, of, bound, doc)
#define REPEATED(record, member, tag, wire, need, of, bound, doc)
#define PROPERTY_ONE(Name, member, tag, wire, of, doc)
#define PROPERTY_MANY(Name, member, tag, wire, of, doc)
#define END(name)
#include "protocol/messages.def"
};

static const struct holden_record *const records[] = {
#define RECORD(name, doc) &holden_record_##name,
#define MESSAGE(name, number, direction, reply, doc)
#define FIELD(record, member, tag, wire, need, of, bound, doc)
#define REPEATED(record, member, tag, wire, need, of, bound, doc)
#define PROPERTY_ONE(Name, member, tag, wire, of, doc)
#define PROPERTY_MANY(Name, member, tag, wire, of, doc)
#define END(name)
#include "protocol/messages.def"
};

static const struct holden_enum *const enumerations[] = {
#define ENUM(name, doc) &holden_enum_##name,
#define VALUE(name, value, number, word, doc)
#define END_ENUM(name)
#include "protocol/enums.def"
};

const struct holden_message_row *holden_messages(size_t *count) {
    *count = ARRAY_SIZE(messages);
    return messages;
}

const struct holden_message_row *holden_message(uint16_t number) {
    for (size_t i = 0; i < ARRAY_SIZE(messages); i++)
        if (messages[i].number == number)
            return &messages[i];
    return NULL;
}

const struct holden_enum *const *holden_enums(size_t *count) {
    *count = ARRAY_SIZE(enumerations);
    return enumerations;
}

const struct holden_record *const *holden_records(size_t *count) {
    *count = ARRAY_SIZE(records);
    return records;
}

int holden_exit_status(uint32_t code) {
    switch (code) {
    case HOLDEN_code_DONE: return 0;
    case HOLDEN_code_NO_PROCESS: return 4;
    case HOLDEN_code_NOT_PERMITTED: return 5;
    default: return 1;
    }
}
