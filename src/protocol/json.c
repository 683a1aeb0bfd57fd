#include "protocol/json.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

/* The length of the UTF-8 sequence at `at`, or 0 where there is none (Unicode 15, table 3-7). */
static size_t sequence(const unsigned char *at, size_t left) {
    static const struct { unsigned char low, high, second_low, second_high, size; } rows[] = {
        {0x00, 0x7f, 0x00, 0x00, 1}, {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (at[0] < rows[i].low || at[0] > rows[i].high)
            continue;
        size_t size = rows[i].size;
        if (size > left ||
            (size > 1 && (at[1] < rows[i].second_low || at[1] > rows[i].second_high)))
            return 0;
        for (size_t n = 2; n < size; n++)
            if (at[n] < 0x80 || at[n] > 0xbf)
                return 0;
        return size;
    }
    return 0;
}

bool holden_json_is_utf8(struct holden_view text) {
    const unsigned char *at = (const unsigned char *)text.data;
    for (size_t left = text.size; left > 0;) {
        size_t size = sequence(at, left);
        if (size == 0)
            return false;
        at += size;
        left -= size;
    }
    return true;
}

static int put_character(const unsigned char *at, size_t size, struct buffer *out) {
    if (size == 0)
        return buffer_append(out, "\xef\xbf\xbd", 3);
    if (size > 1 || (at[0] >= 0x20 && at[0] != '"' && at[0] != '\\' && at[0] != 0x7f))
        return buffer_append(out, at, size);
    if (at[0] == '\n')
        return buffer_append(out, "\\n", 2);
    if (at[0] == '"' || at[0] == '\\')
        return buffer_printf(out, "\\%c", at[0]);
    return buffer_printf(out, "\\u%04x", at[0]);
}

int holden_json_string(struct holden_view text, struct buffer *out) {
    int r = buffer_append(out, "\"", 1);
    const unsigned char *at = (const unsigned char *)text.data;
    for (size_t left = text.size; r == 0 && left > 0;) {
        size_t size = sequence(at, left);
        r = put_character(at, size, out);
        at += size ? size : 1;
        left -= size ? size : 1;
    }
    return r < 0 ? r : buffer_append(out, "\"", 1);
}

static int put_nested(const struct holden_record *record, const struct holden_nested *nested,
                      struct buffer *out) {
    if (nested->value)
        return holden_json(record, nested->value, out);
    uint64_t scratch[512];
    struct holden_fault fault;
    if (record->size > sizeof(scratch))
        return -ENOMEM;
    int r = holden_decode(record, nested->bytes.data, nested->bytes.size, scratch, &fault);
    return r < 0 ? r : holden_json(record, scratch, out);
}

static int put_value(const struct holden_field *field, const void *member, struct buffer *out) {
    switch ((enum holden_type)field->type) {
    case HOLDEN_TYPE_U32:
    case HOLDEN_TYPE_FD: return buffer_printf(out, "%" PRIu32, *(const uint32_t *)member);
    case HOLDEN_TYPE_U64: return buffer_printf(out, "%" PRIu64, *(const uint64_t *)member);
    case HOLDEN_TYPE_I64: return buffer_printf(out, "%" PRId64, *(const int64_t *)member);
    case HOLDEN_TYPE_BOOL:
        return buffer_printf(out, "%s", *(const bool *)member ? "true" : "false");
    case HOLDEN_TYPE_STRING:
    case HOLDEN_TYPE_BYTES: return holden_json_string(*(const struct holden_view *)member, out);
    case HOLDEN_TYPE_ENUM: {
        const char *word = holden_word(field->enumeration, *(const uint32_t *)member);
        return holden_json_string(holden_view(word ? word : "?"), out);
    }
    case HOLDEN_TYPE_RECORD: return put_nested(field->record, member, out);
    }
    return -EINVAL;
}

static int put_repeated(const struct holden_field *field, struct holden_repeated list,
                        struct buffer *out) {
    union {
        struct holden_nested nested;
        struct holden_view view;
        uint64_t number;
    } element;
    int r = buffer_append(out, "[", 1);
    for (bool first = true; r == 0 && holden_next(&list, field->type, &element); first = false) {
        if (!first)
            r = buffer_append(out, ",", 1);
        if (r == 0)
            r = put_value(field, &element, out);
    }
    return r < 0 ? r : buffer_append(out, "]", 1);
}

int holden_json(const struct holden_record *record, const void *message, struct buffer *out) {
    int r = buffer_append(out, "{", 1);
    bool first = true;
    for (size_t i = 0; r == 0 && i < record->count; i++) {
        const struct holden_field *field = &record->fields[i];
        const void *member = (const uint8_t *)message + field->offset;
        if (!holden_has(message, i))
            continue;
        r = buffer_printf(out, "%s\"%s\":", first ? "" : ",", field->name);
        first = false;
        if (r == 0)
            r = field->repeated ? put_repeated(field, *(const struct holden_repeated *)member, out)
                                : put_value(field, member, out);
    }
    return r < 0 ? r : buffer_append(out, "}", 1);
}
