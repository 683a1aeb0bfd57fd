/* Two walks over the same tables: structs to TLVs and TLVs to structs. Nothing here knows a
 * message. */
#include "protocol/codec.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

bool holden_has(const void *message, size_t index) {
    const uint64_t *present = message;
    return present[index / 64] >> (index % 64) & 1;
}

void holden_mark(void *message, size_t index) {
    uint64_t *present = message;
    present[index / 64] |= UINT64_C(1) << (index % 64);
}

void holden_unmark(void *message, size_t index) {
    uint64_t *present = message;
    present[index / 64] &= ~(UINT64_C(1) << (index % 64));
}

struct holden_view holden_view(const char *text) {
    return (struct holden_view){text, strlen(text)};
}

bool holden_view_is(struct holden_view view, const char *text) {
    return view.size == strlen(text) && memcmp(view.data, text, view.size) == 0;
}

const char *holden_word(const struct holden_enum *enumeration, uint32_t number) {
    for (size_t i = 0; i < enumeration->count; i++)
        if (enumeration->words[i].number == number)
            return enumeration->words[i].word;
    return NULL;
}

int holden_number(const struct holden_enum *enumeration, const char *word, uint32_t *number) {
    for (size_t i = 0; i < enumeration->count; i++)
        if (strcmp(enumeration->words[i].word, word) == 0) {
            *number = enumeration->words[i].number;
            return 0;
        }
    return -EINVAL;
}

/* ---- encoding ---- */

static int encode_record(const struct holden_record *record, const void *message, unsigned depth,
                         struct buffer *out);

static int put_tlv(struct buffer *out, uint16_t tag, const void *bytes, size_t size) {
    uint8_t *room;
    if (size > UINT32_MAX)
        return -EINVAL;
    int r = buffer_reserve(out, HOLDEN_TLV_HEADER + size, &room);
    if (r < 0)
        return r;
    holden_put16(room, tag);
    holden_put32(room + 2, (uint32_t)size);
    if (size > 0)
        memcpy(room + HOLDEN_TLV_HEADER, bytes, size);
    buffer_added(out, HOLDEN_TLV_HEADER + size);
    return 0;
}

static int put_nested(const struct holden_field *field, const struct holden_nested *nested,
                      unsigned depth, struct buffer *out) {
    if (!nested->value)
        return nested->bytes.size > field->bound && field->bound > 0
                   ? -EINVAL
                   : put_tlv(out, field->tag, nested->bytes.data, nested->bytes.size);
    int r = put_tlv(out, field->tag, NULL, 0);
    if (r < 0)
        return r;
    size_t before = out->size;
    r = encode_record(field->record, nested->value, depth + 1, out);
    if (r < 0)
        return r;
    size_t size = out->size - before;
    if ((field->bound > 0 && size > field->bound) || size > UINT32_MAX)
        return -EINVAL;
    holden_put32(buffer_bytes(out) + before - 4, (uint32_t)size);
    return 0;
}

static int put_view(const struct holden_field *field, const struct holden_view *view,
                    struct buffer *out) {
    if (view->size > field->bound)
        return -EINVAL;
    if (field->type == HOLDEN_TYPE_STRING && view->size > 0 && memchr(view->data, 0, view->size))
        return -EINVAL;
    return put_tlv(out, field->tag, view->data, view->size);
}

static int put_value(const struct holden_field *field, const void *member, unsigned depth,
                     struct buffer *out) {
    uint8_t number[8];
    uint32_t narrow;
    uint64_t wide;
    switch ((enum holden_type)field->type) {
    case HOLDEN_TYPE_ENUM:
    case HOLDEN_TYPE_U32:
    case HOLDEN_TYPE_FD:
        memcpy(&narrow, member, sizeof(narrow));
        if (field->type == HOLDEN_TYPE_ENUM && !holden_word(field->enumeration, narrow))
            return -EINVAL;
        holden_put32(number, narrow);
        return put_tlv(out, field->tag, number, 4);
    case HOLDEN_TYPE_U64:
    case HOLDEN_TYPE_I64:
        memcpy(&wide, member, sizeof(wide));
        holden_put64(number, wide);
        return put_tlv(out, field->tag, number, 8);
    case HOLDEN_TYPE_BOOL:
        number[0] = *(const bool *)member;
        return put_tlv(out, field->tag, number, 1);
    case HOLDEN_TYPE_STRING:
    case HOLDEN_TYPE_BYTES:
        return put_view(field, member, out);
    case HOLDEN_TYPE_RECORD:
        return put_nested(field, member, depth, out);
    }
    return -EINVAL;
}

size_t holden_size(enum holden_type type) {
    switch (type) {
    case HOLDEN_TYPE_STRING:
    case HOLDEN_TYPE_BYTES: return sizeof(struct holden_view);
    case HOLDEN_TYPE_RECORD: return sizeof(struct holden_nested);
    case HOLDEN_TYPE_U64:
    case HOLDEN_TYPE_I64: return sizeof(uint64_t);
    case HOLDEN_TYPE_BOOL: return sizeof(bool);
    case HOLDEN_TYPE_U32:
    case HOLDEN_TYPE_ENUM:
    case HOLDEN_TYPE_FD: return sizeof(uint32_t);
    }
    return 0;
}

/* A list that was itself decoded goes out again as the bytes that it came as. */
static int put_list(const struct holden_field *field, const struct holden_repeated *list,
                    unsigned depth, struct buffer *out) {
    if (list->items) {
        const uint8_t *item = list->items;
        size_t step = holden_size(field->type);
        for (uint32_t i = 0; i < list->count; i++, item += step) {
            int r = put_value(field, item, depth, out);
            if (r < 0)
                return r;
        }
        return 0;
    }
    struct holden_repeated left = *list;
    struct holden_view view;
    while (holden_next(&left, HOLDEN_TYPE_BYTES, &view)) {
        int r = put_tlv(out, field->tag, view.data, view.size);
        if (r < 0)
            return r;
    }
    return 0;
}

static int encode_record(const struct holden_record *record, const void *message, unsigned depth,
                         struct buffer *out) {
    if (depth > HOLDEN_DEPTH_MAX)
        return -EMSGSIZE;
    for (size_t i = 0; i < record->count; i++) {
        const struct holden_field *field = &record->fields[i];
        const uint8_t *member = (const uint8_t *)message + field->offset;
        if (!holden_has(message, i)) {
            if (field->required)
                return -EINVAL;
            continue;
        }
        int r = field->repeated ? put_list(field, (const void *)member, depth, out)
                                : put_value(field, member, depth, out);
        if (r < 0)
            return r;
    }
    return 0;
}

int holden_encode(const struct holden_record *record, const void *message, struct buffer *out) {
    size_t before = out->size;
    int r = encode_record(record, message, 0, out);
    if (r < 0)
        out->size = before;
    return r;
}

/* ---- decoding ---- */

/* A TLV as read: the cursor never runs past what is left. */
static int take_tlv(const uint8_t **at, const uint8_t *end, uint16_t *tag,
                    struct holden_view *value) {
    size_t left = (size_t)(end - *at);
    if (left < HOLDEN_TLV_HEADER)
        return -EBADMSG;
    size_t size = holden_get32(*at + 2);
    if (size > left - HOLDEN_TLV_HEADER)
        return -EBADMSG;
    *tag = holden_get16(*at);
    *value = (struct holden_view){(const char *)*at + HOLDEN_TLV_HEADER, size};
    *at += HOLDEN_TLV_HEADER + size;
    return 0;
}

static int decode_record(const struct holden_record *record, const uint8_t *bytes, size_t size,
                         void *message, unsigned depth, struct holden_fault *fault);

/* The largest struct that a nested record decodes into while it is being checked. */
enum { SCRATCH = 4096 };

static const char *check_nested(const struct holden_field *field, struct holden_view value,
                                unsigned depth, struct holden_fault *fault) {
    uint64_t scratch[SCRATCH / sizeof(uint64_t)];
    if (depth + 1 > HOLDEN_DEPTH_MAX || field->record->size > sizeof(scratch))
        return "nested too deep";
    if (decode_record(field->record, (const uint8_t *)value.data, value.size, scratch, depth + 1,
                      fault) < 0)
        return "";
    return NULL;
}

/* NULL, or what is wrong with the value; "" where *fault says it already. */
static const char *check_value(const struct holden_field *field, struct holden_view value,
                               unsigned depth, struct holden_fault *fault) {
    const uint8_t *at = (const uint8_t *)value.data;
    switch ((enum holden_type)field->type) {
    case HOLDEN_TYPE_U32:
    case HOLDEN_TYPE_FD: return value.size == 4 ? NULL : "not 4 bytes";
    case HOLDEN_TYPE_ENUM:
        if (value.size != 4)
            return "not 4 bytes";
        return holden_word(field->enumeration, holden_get32(at)) ? NULL : "no such value";
    case HOLDEN_TYPE_U64:
    case HOLDEN_TYPE_I64: return value.size == 8 ? NULL : "not 8 bytes";
    case HOLDEN_TYPE_BOOL: return value.size == 1 && at[0] <= 1 ? NULL : "neither 0 nor 1";
    case HOLDEN_TYPE_STRING:
        if (value.size > 0 && memchr(value.data, 0, value.size))
            return "a NUL in a string";
        return value.size <= field->bound ? NULL : "too long";
    case HOLDEN_TYPE_BYTES: return value.size <= field->bound ? NULL : "too long";
    case HOLDEN_TYPE_RECORD:
        if (field->bound > 0 && value.size > field->bound)
            return "too long";
        return check_nested(field, value, depth, fault);
    }
    return "no such type";
}

static void store_value(const struct holden_field *field, struct holden_view value, void *member) {
    const uint8_t *at = (const uint8_t *)value.data;
    switch ((enum holden_type)field->type) {
    case HOLDEN_TYPE_U32:
    case HOLDEN_TYPE_FD:
    case HOLDEN_TYPE_ENUM: *(uint32_t *)member = holden_get32(at); break;
    case HOLDEN_TYPE_U64:
    case HOLDEN_TYPE_I64: *(uint64_t *)member = holden_get64(at); break;
    case HOLDEN_TYPE_BOOL: *(bool *)member = at[0]; break;
    case HOLDEN_TYPE_STRING:
    case HOLDEN_TYPE_BYTES: *(struct holden_view *)member = value; break;
    case HOLDEN_TYPE_RECORD:
        *(struct holden_nested *)member = (struct holden_nested){.bytes = value};
        break;
    }
}

/* Senders write fields in table order, so the search starts behind the last hit. */
static size_t find_field(const struct holden_record *record, uint16_t tag, size_t hint) {
    for (size_t i = hint; i < record->count; i++)
        if (record->fields[i].tag == tag)
            return i;
    for (size_t i = 0; i < hint; i++)
        if (record->fields[i].tag == tag)
            return i;
    return record->count;
}

static const char *decode_field(const struct holden_record *record, size_t index, void *message,
                                struct holden_view value, const uint8_t *start, const uint8_t *end,
                                unsigned depth, struct holden_fault *fault) {
    const struct holden_field *field = &record->fields[index];
    void *member = (uint8_t *)message + field->offset;
    const char *wrong = check_value(field, value, depth, fault);
    if (wrong)
        return wrong;
    bool again = holden_has(message, index);
    holden_mark(message, index);
    if (!field->repeated) {
        if (again)
            return "given twice";
        store_value(field, value, member);
        return NULL;
    }
    struct holden_repeated *list = member;
    if (!again)
        *list = (struct holden_repeated){.tag = field->tag, .at = start};
    list->count++;
    list->end = end;
    return NULL;
}

static int decode_record(const struct holden_record *record, const uint8_t *bytes, size_t size,
                         void *message, unsigned depth, struct holden_fault *fault) {
    memset(message, 0, record->size);
    const uint8_t *at = bytes;
    const uint8_t *end = size > 0 ? bytes + size : bytes;
    size_t hint = 0;
    while (at < end) {
        const uint8_t *start = at;
        uint16_t tag;
        struct holden_view value;
        if (take_tlv(&at, end, &tag, &value) < 0) {
            *fault = (struct holden_fault){record->name, NULL, "cut short"};
            return -EBADMSG;
        }
        size_t index = find_field(record, tag, hint);
        if (index == record->count)
            continue;
        hint = index;
        const char *wrong = decode_field(record, index, message, value, start, at, depth, fault);
        if (wrong && *wrong)
            *fault = (struct holden_fault){record->name, record->fields[index].name, wrong};
        if (wrong)
            return -EBADMSG;
    }
    for (size_t i = 0; i < record->count; i++)
        if (record->fields[i].required && !holden_has(message, i)) {
            *fault = (struct holden_fault){record->name, record->fields[i].name, "missing"};
            return -EBADMSG;
        }
    return 0;
}

int holden_decode(const struct holden_record *record, const void *bytes, size_t size, void *message,
                  struct holden_fault *fault) {
    return decode_record(record, bytes, size, message, 0, fault);
}

static bool next_item(struct holden_repeated *list, enum holden_type type, void *element) {
    size_t size = holden_size(type);
    if (list->count == 0)
        return false;
    memcpy(element, list->items, size);
    list->items = (const uint8_t *)list->items + size;
    list->count--;
    return true;
}

bool holden_next(struct holden_repeated *list, enum holden_type type, void *element) {
    if (list->items)
        return next_item(list, type, element);
    while (list->count > 0 && list->at < list->end) {
        uint16_t tag;
        struct holden_view value;
        if (take_tlv(&list->at, list->end, &tag, &value) < 0)
            return false;
        if (tag != list->tag)
            continue;
        list->count--;
        const struct holden_field field = {.type = (uint8_t)type};
        store_value(&field, value, element);
        return true;
    }
    return false;
}

const void *holden_nested_value(const struct holden_record *record,
                                const struct holden_nested *nested, void *space) {
    struct holden_fault fault;
    if (nested->value)
        return nested->value;
    return holden_decode(record, nested->bytes.data, nested->bytes.size, space, &fault) < 0 ? NULL
                                                                                            : space;
}
