#include "controller/quoting.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"

static int put_byte(struct buffer *item, unsigned byte) {
    uint8_t value = (uint8_t)byte;
    return buffer_append(item, &value, 1);
}

/* A character of Unicode as UTF-8. */
static int put_character(struct buffer *item, uint32_t c) {
    if (c == 0 || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
        return -EINVAL;
    if (c < 0x80)
        return put_byte(item, c);
    int r = 0;
    unsigned tail = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    static const uint8_t lead[] = {0, 0xc0, 0xe0, 0xf0};
    r = put_byte(item, lead[tail] | c >> (6 * tail));
    while (r == 0 && tail-- > 0)
        r = put_byte(item, 0x80 | (c >> (6 * tail) & 0x3f));
    return r;
}

/* Exactly `count` digits of the base. */
static int take_digits(const char **at, unsigned count, int base, uint32_t *number) {
    char digits[9] = "";
    char *end;
    for (unsigned i = 0; i < count; i++) {
        if (!isxdigit((unsigned char)(*at)[i]))
            return -EINVAL;
        digits[i] = (*at)[i];
    }
    *number = (uint32_t)strtoul(digits, &end, base);
    if (*end)
        return -EINVAL;
    *at += count;
    return 0;
}

/* The character for what follows a backslash; *at stands on it. */
static int take_escape(const char **at, struct buffer *item) {
    static const char letters[] = "abfnrtv\\\"'s";
    static const char stand_for[] = "\a\b\f\n\r\t\v\\\"' ";
    static const struct { char letter; unsigned digits; } wide[] = {{'x', 2}, {'u', 4}, {'U', 8}};
    const char *simple = **at ? strchr(letters, **at) : NULL;
    uint32_t number;
    if (simple) {
        ++*at;
        return put_byte(item, (unsigned char)stand_for[simple - letters]);
    }
    for (size_t i = 0; i < ARRAY_SIZE(wide); i++)
        if (**at == wide[i].letter) {
            ++*at;
            int r = take_digits(at, wide[i].digits, 16, &number);
            if (r < 0)
                return r;
            return wide[i].digits > 2 ? put_character(item, number)
                                      : number ? put_byte(item, number) : -EINVAL;
        }
    int r = take_digits(at, 3, 8, &number);
    return r < 0 ? r : number == 0 || number > 0xff ? -EINVAL : put_byte(item, number);
}

/* What a backslash in front of *at stands for, by the mode. */
static int take_backslash(const char **at, enum quoting_mode mode, struct buffer *item) {
    const char *before = *at;
    if (mode == QUOTING_VALUE) {
        char c = **at;
        *at += c != '\0';
        return c ? put_byte(item, (unsigned char)c) : 0;
    }
    int r = take_escape(at, item);
    if (r != -EINVAL || mode == QUOTING_STRICT)
        return r;
    *at = before;
    return put_byte(item, '\\');
}

int quoting_item(const char **at, enum quoting_mode mode, struct buffer *item) {
    char quote = '\0';
    *at += strspn(*at, QUOTING_SPACE);
    if (!**at)
        return 0;
    while (**at && (quote || !strchr(QUOTING_SPACE, **at))) {
        char c = *(*at)++;
        int r = 0;
        if (c == '\\')
            r = take_backslash(at, mode, item);
        else if (quote ? c == quote : c == '"' || c == '\'')
            quote = quote ? '\0' : c;
        else
            r = put_byte(item, (unsigned char)c);
        if (r < 0)
            return r;
    }
    return quote && mode != QUOTING_VALUE ? -EINVAL : 1;
}

int quoting_unescape(const char *text, struct buffer *out) {
    int r = 0;
    while (r == 0 && *text) {
        char c = *text++;
        r = c == '\\' ? take_backslash(&text, QUOTING_STRICT, out)
                      : put_byte(out, (unsigned char)c);
    }
    return r;
}

int quoting_append(struct buffer *out, const char *text, size_t size) {
    int r = 0;
    for (size_t i = 0; r == 0 && i < size; i++) {
        unsigned char c = (unsigned char)text[i];
        bool plain = c > 0x20 && c < 0x7f && c != '"' && c != '\'' && c != '\\';
        r = plain ? put_byte(out, c) : buffer_printf(out, "\\x%02x", c);
    }
    return r;
}
