/* The messages: structs, numbers and descriptors, all expanded from enums.def, properties.def and
 * messages.def. To add one, add its block there. */
#pragma once

#include "protocol/codec.h"

#define HOLDEN_C_U32 uint32_t
#define HOLDEN_C_U64 uint64_t
#define HOLDEN_C_I64 int64_t
#define HOLDEN_C_BOOL bool
#define HOLDEN_C_STRING struct holden_view
#define HOLDEN_C_BYTES struct holden_view
#define HOLDEN_C_ENUM uint32_t
#define HOLDEN_C_FD uint32_t
#define HOLDEN_C_RECORD struct holden_nested

/* enum holden_state { HOLDEN_STATE_… }: the enumerator is HOLDEN_<enumeration>_<VALUE>. */
#define ENUM(name, doc) enum holden_##name##_values {
#define VALUE(name, value, number, word, doc) HOLDEN_##name##_##value = (number),
#define END_ENUM(name) };
#include "protocol/enums.def"

/* The table of each enumeration: holden_enum_<name>. */
#define ENUM(name, doc) extern const struct holden_enum holden_enum_##name;
#define VALUE(name, value, number, word, doc)
#define END_ENUM(name)
#include "protocol/enums.def"

/* Field indexes: HOLDEN_FIELD_<record>_<member>, and HOLDEN_FIELDS_<record>, how many. */
#define RECORD(name, doc) enum {
#define MESSAGE(name, number, direction, reply, doc) enum {
#define FIELD(record, member, tag, wire, need, of, bound, doc) HOLDEN_FIELD_##record##_##member,
#define REPEATED(record, member, tag, wire, need, of, bound, doc) HOLDEN_FIELD_##record##_##member,
#define PROPERTY_ONE(Name, member, tag, wire, of, doc) HOLDEN_FIELD_properties_##member,
#define PROPERTY_MANY(Name, member, tag, wire, of, doc) HOLDEN_FIELD_properties_##member,
#define END(name) HOLDEN_FIELDS_##name };
#include "protocol/messages.def"

/* struct holden_<name>: the bit set of present fields, then a member a field. */
#define RECORD(name, doc) struct holden_##name { uint64_t present[HOLDEN_FIELDS_##name / 64 + 1];
#define MESSAGE(name, number, direction, reply, doc) RECORD(name, doc)
#define FIELD(record, member, tag, wire, need, of, bound, doc) HOLDEN_C_##wire member;
#define REPEATED(record, member, tag, wire, need, of, bound, doc) struct holden_repeated member;
#define PROPERTY_ONE(Name, member, tag, wire, of, doc) HOLDEN_C_##wire member;
#define PROPERTY_MANY(Name, member, tag, wire, of, doc) struct holden_repeated member;
#define END(name) };
#include "protocol/messages.def"

/* enum holden_message: HOLDEN_MESSAGE_<name>, the type in the frame header. */
enum holden_message {
#define RECORD(name, doc)
#define MESSAGE(name, number, direction, reply, doc) HOLDEN_MESSAGE_##name = (number),
#define FIELD(record, member, tag, wire, need, of, bound, doc)
#define REPEATED(record, member, tag, wire, need, of, bound, doc)
#define PROPERTY_ONE(Name, member, tag, wire, of, doc)
#define PROPERTY_MANY(Name, member, tag, wire, of, doc)
#define END(name)
#include "protocol/messages.def"
};

/* The descriptor of each record and message: holden_record_<name>. */
#define RECORD(name, doc) extern const struct holden_record holden_record_##name;
#define MESSAGE(name, number, direction, reply, doc) RECORD(name, doc)
#define FIELD(record, member, tag, wire, need, of, bound, doc)
#define REPEATED(record, member, tag, wire, need, of, bound, doc)
#define PROPERTY_ONE(Name, member, tag, wire, of, doc)
#define PROPERTY_MANY(Name, member, tag, wire, of, doc)
#define END(name)
#include "protocol/messages.def"

/* One row per message, in the order of messages.def. */
struct holden_message_row {
    uint16_t number;
    bool request;                       /* client to agent */
    bool order;                         /* such a one that changes something */
    const struct holden_record *record;
    const char *reply;                  /* name of the message that answers it, or "none" */
};

/* The table of all messages; *count is set to its length. Static. */
const struct holden_message_row *holden_messages(size_t *count);

/* The row of a message type, or NULL for an unknown one. Static. */
const struct holden_message_row *holden_message(uint16_t number);

/* The tables of all enumerations and of all records that are not messages; *count is set to the
 * length. Static. For documentation and dictionaries. */
const struct holden_enum *const *holden_enums(size_t *count);
const struct holden_record *const *holden_records(size_t *count);

/* The exit status of the command line for a result code (enum holden_code_values). */
int holden_exit_status(uint32_t code);
