/* The codec: TLVs to structs and back, driven by the field tables. Little-endian, explicit, views
 * into the decoded bytes in place of copies. A TLV is: tag (u16), length (u32), value. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buffer.h"

enum { HOLDEN_TLV_HEADER = 6, HOLDEN_DEPTH_MAX = 8 };

enum holden_type {
    HOLDEN_TYPE_U32,    /* 4 bytes; uint32_t */
    HOLDEN_TYPE_U64,    /* 8 bytes; uint64_t */
    HOLDEN_TYPE_I64,    /* 8 bytes, two's complement; int64_t */
    HOLDEN_TYPE_BOOL,   /* 1 byte, 0 or 1; bool */
    HOLDEN_TYPE_STRING, /* bytes without NUL; struct holden_view */
    HOLDEN_TYPE_BYTES,  /* any bytes; struct holden_view */
    HOLDEN_TYPE_ENUM,   /* 4 bytes, a number of the enumeration; uint32_t */
    HOLDEN_TYPE_FD,     /* 4 bytes, index among the frame's descriptors; uint32_t */
    HOLDEN_TYPE_RECORD, /* TLVs; struct holden_nested */
};

/* Bytes that belong to somebody else: when decoded, to the frame's body. Not NUL-terminated. */
struct holden_view {
    const char *data;
    size_t size;
};

/* A record inside a record. To encode: set value to its struct, or bytes to its encoded form.
 * Decoded: bytes, already validated; holden_decode() them again into its struct. */
struct holden_nested {
    const void *value;
    struct holden_view bytes;
};

/* A repeated field. To encode: items is an array of `count` elements (struct holden_view, struct
 * holden_nested, uint32_t or uint64_t). Decoded: a run of the body that holds `count` TLVs of this
 * tag among others; walk it with holden_next(). */
struct holden_repeated {
    uint32_t count;
    uint16_t tag;
    const void *items;
    const uint8_t *at;
    const uint8_t *end;
};

/* The words of one enumeration; words[i].number need not be dense. */
struct holden_word {
    uint32_t number;
    const char *word;
    const char *doc;
};
struct holden_enum {
    const char *name;
    const char *doc;
    const struct holden_word *words;
    size_t count;
};

struct holden_record;

/* One field of a record: one row of messages.def or properties.def. */
struct holden_field {
    const char *name;
    const char *doc;
    const struct holden_record *record;     /* for RECORD */
    const struct holden_enum *enumeration;  /* for ENUM */
    uint32_t bound;                         /* most bytes of a STRING, BYTES or RECORD */
    uint16_t tag;
    uint16_t offset;                        /* of the member in the struct */
    uint8_t type;
    bool required;
    bool repeated;
};

struct holden_record {
    const char *name;
    const char *doc;
    const struct holden_field *fields; /* in the order of their tags' rows */
    size_t count;
    size_t size;                       /* of the struct */
};

/* What is wrong with bytes that do not decode; for people. */
struct holden_fault {
    const char *record; /* static */
    const char *field;  /* static, or NULL where no field is to blame */
    const char *what;   /* static */
};

/* Whether the field with index `index` is in the struct, whose first member is the bit set of
 * present fields. HOLDEN_HAS and HOLDEN_SET spell it by name:
 * HOLDEN_SET(&request, start, name, view); if (HOLDEN_HAS(&request, start, name)) … */
#define HOLDEN_INDEX(record, member) HOLDEN_FIELD_##record##_##member
#define HOLDEN_HAS(message, record, member)                              \
    (((message)->present[HOLDEN_INDEX(record, member) / 64] >>           \
      (HOLDEN_INDEX(record, member) % 64)) & 1)
#define HOLDEN_MARK(message, record, member)                             \
    ((message)->present[HOLDEN_INDEX(record, member) / 64] |=            \
     UINT64_C(1) << (HOLDEN_INDEX(record, member) % 64))
#define HOLDEN_SET(message, record, field_, ...) \
    (HOLDEN_MARK(message, record, field_), (void)((message)->field_ = __VA_ARGS__))

/* The same by index, for code that walks the table. */
bool holden_has(const void *message, size_t index);
void holden_mark(void *message, size_t index);
void holden_unmark(void *message, size_t index);

/* Appends the present fields of `message` as TLVs. 0; -EINVAL for a value that the table does not
 * allow (too long, unknown enumeration number, required field missing, NUL in a string), -ENOMEM,
 * -EMSGSIZE for nesting deeper than HOLDEN_DEPTH_MAX. On failure `out` holds what it held. */
int holden_encode(const struct holden_record *record, const void *message, struct buffer *out);

/* Decodes `size` bytes into `message` (record->size bytes), whose views point into `bytes`.
 * Everything is checked, nested records too: lengths against what is left and the table's bounds,
 * numbers, required fields, fields given twice. Unknown tags are skipped. 0, or -EBADMSG with
 * *fault filled and `message` undefined. */
int holden_decode(const struct holden_record *record, const void *bytes, size_t size, void *message,
                  struct holden_fault *fault);

/* Takes the next element off the list into *element (the type named at struct holden_repeated).
 * False at the end. Walk a copy to keep the list:
 *   for (struct holden_repeated left = m.argument; holden_next(&left, field, &view);) … */
bool holden_next(struct holden_repeated *list, enum holden_type type, void *element);
#define holden_next_view(list, view) holden_next(list, HOLDEN_TYPE_STRING, view)
#define holden_next_u32(list, number) holden_next(list, HOLDEN_TYPE_U32, number)
#define holden_next_record(list, nested) holden_next(list, HOLDEN_TYPE_RECORD, nested)

/* The struct of a nested record, whether it was set or decoded; in the second case it is decoded
 * into `space`, its struct. NULL where it does not decode. */
const void *holden_nested_value(const struct holden_record *record,
                                const struct holden_nested *nested, void *space);

/* The size of a value of that type in a struct, or as an element of a list. */
size_t holden_size(enum holden_type type);

/* A view of a C string; the string must outlive it. */
struct holden_view holden_view(const char *text);

/* Whether the view holds exactly these characters. */
bool holden_view_is(struct holden_view view, const char *text);

/* The word for a number of the enumeration, or NULL for an unknown one. */
const char *holden_word(const struct holden_enum *enumeration, uint32_t number);

/* The number for a word. 0, or -EINVAL (unknown). */
int holden_number(const struct holden_enum *enumeration, const char *word, uint32_t *number);

/* Explicit little-endian numbers, for the frame header and the codec. */
static inline void holden_put16(uint8_t *at, uint16_t value) {
    at[0] = (uint8_t)value;
    at[1] = (uint8_t)(value >> 8);
}
static inline void holden_put32(uint8_t *at, uint32_t value) {
    holden_put16(at, (uint16_t)value);
    holden_put16(at + 2, (uint16_t)(value >> 16));
}
static inline void holden_put64(uint8_t *at, uint64_t value) {
    holden_put32(at, (uint32_t)value);
    holden_put32(at + 4, (uint32_t)(value >> 32));
}
static inline uint16_t holden_get16(const uint8_t *at) {
    return (uint16_t)(at[0] | at[1] << 8);
}
static inline uint32_t holden_get32(const uint8_t *at) {
    return holden_get16(at) | (uint32_t)holden_get16(at + 2) << 16;
}
static inline uint64_t holden_get64(const uint8_t *at) {
    return holden_get32(at) | (uint64_t)holden_get32(at + 4) << 32;
}
