/* StandardInputText= and StandardInputData=, by systemd.exec(5): both add to what standard input
 * holds, which is sent as StandardInputData=. */
#include <errno.h>
#include <string.h>

#include "common/cleanup.h"
#include "controller/quoting.h"
#include "controller/specifier.h"
#include "controller/syntax.h"

#define DATA HOLDEN_INDEX(properties, standard_input_data)

enum { MOST = 1 << 20, BITS = 6 };

static int add(struct settings *settings, size_t index, const struct buffer *more) {
    const struct holden_view *before = settings_member(settings, DATA);
    size_t used = settings_has(settings, DATA) ? before->size : 0;
    if (used + more->size > MOST)
        return settings_refuse(settings, "%s=: standard input would hold more than 1M",
                               holden_property(index)->name);
    char *all = arena_take(&settings->arena, used + more->size + 1);
    if (!all)
        return -ENOMEM;
    if (used > 0)
        memcpy(all, before->data, used);
    if (more->size > 0)
        memcpy(all + used, buffer_bytes(more), more->size);
    return settings_set(settings, DATA, &(struct holden_view){all, used + more->size});
}

/* Unescaped first, then with its specifiers replaced. */
int syntax_parse_input_text(struct settings *settings, size_t index, const char *value) {
    _cleanup_(buffer_free) struct buffer plain = {0};
    _cleanup_(buffer_free) struct buffer text = {0};
    if (!*value) {
        settings_reset(settings, DATA);
        return 0;
    }
    int r = quoting_unescape(value, &plain);
    if (r == -EINVAL)
        return settings_refuse(settings, "%s=%.200s: an unknown \\ sequence",
                               holden_property(index)->name, value);
    if (r == 0)
        r = buffer_append(&plain, "", 1);
    const char *written = (const char *)buffer_bytes(&plain);
    if (r == 0)
        r = settings->specifier ? specifier_expand(settings->specifier, written, &text)
                                : buffer_append(&text, written, plain.size - 1);
    if (r < 0)
        return r == -ENOMEM ? r
                            : settings_refuse(settings, "%s=%.200s: a specifier has no value here",
                                              holden_property(index)->name, value);
    r = buffer_append(&text, "\n", 1);
    return r < 0 ? r : add(settings, index, &text);
}

/* The six bits of a character of Base64 (RFC 4648), or -1. */
static int bits_of(char c) {
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c ? strchr(alphabet, c) : NULL;
    return at ? (int)(at - alphabet) : -1;
}

/* Four characters are three bytes; the last may be padded. White space means nothing. */
static int decode(const char *text, struct buffer *out) {
    uint32_t held = 0;
    unsigned count = 0, padding = 0;
    int r = 0;
    for (; r == 0 && *text; text++) {
        int bits = bits_of(*text);
        if (strchr(" \t\r\n", *text))
            continue;
        if (*text == '=' && count >= 2)
            padding++;
        else if (bits < 0 || padding > 0)
            return -EINVAL;
        held = held << BITS | (bits < 0 ? 0 : (uint32_t)bits);
        if (++count < 4)
            continue;
        const uint8_t bytes[] = {(uint8_t)(held >> 16), (uint8_t)(held >> 8), (uint8_t)held};
        if (padding > 2 || (padding > 0 && bytes[3 - padding] != 0))
            return -EINVAL;
        r = buffer_append(out, bytes, 3 - padding);
        held = count = 0;
        if (r == 0 && padding > 0)
            return text[1 + strspn(text + 1, " \t\r\n")] ? -EINVAL : 0;
    }
    return r < 0 || count == 0 ? r : -EINVAL;
}

int syntax_parse_input_data(struct settings *settings, size_t index, const char *value) {
    _cleanup_(buffer_free) struct buffer bytes = {0};
    if (!*value) {
        settings_reset(settings, DATA);
        return 0;
    }
    int r = decode(value, &bytes);
    return r < 0 ? r : add(settings, index, &bytes);
}

int syntax_print_input_data(size_t index, const void *value, struct buffer *out) {
    const struct holden_view *data = value;
    (void)index;
    return buffer_printf(out, "(%zu bytes)", data->size);
}
