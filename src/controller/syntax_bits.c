/* CoredumpFilter= and SecureBits=, as systemd.exec(5) has them: bits by name. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/spelling.h"
#include "controller/syntax.h"

enum { USUAL = 0x33, ALL = 0x1ff, WORD_SPACE = 32 };

/* Names by their bits. */
struct set {
    const char *const *names;
    uint32_t count;
};

/* core(5). */
static const char *const kinds[] = {
    "private-anonymous", "shared-anonymous", "private-file-backed", "shared-file-backed",
    "elf-headers",       "private-huge",     "shared-huge",         "private-dax",
    "shared-dax",
};
static const struct set core = {kinds, ARRAY_SIZE(kinds)};

/* capabilities(7). */
static const char *const secure_names[] = {
    "noroot",    "noroot-locked",    "no-setuid-fixup", "no-setuid-fixup-locked",
    "keep-caps", "keep-caps-locked",
};
static const struct set secure = {secure_names, ARRAY_SIZE(secure_names)};

/* The bit of that name, or 0. */
static uint32_t find(const struct set *set, struct holden_view word) {
    for (uint32_t i = 0; i < set->count; i++)
        if (holden_view_is(word, set->names[i]))
            return UINT32_C(1) << i;
    return 0;
}

static int print(const struct set *set, uint32_t mask, struct buffer *out) {
    int r = 0;
    for (uint32_t i = 0; r == 0 && i < set->count; i++)
        if (mask >> i & 1)
            r = buffer_printf(out, "%s%s", mask & ((UINT32_C(1) << i) - 1) ? " " : "",
                              set->names[i]);
    return r;
}

/* One word as bits. 0, -EINVAL or -ERANGE. */
static int parse_kind(struct holden_view word, uint32_t *bits) {
    char text[WORD_SPACE], *end;
    if (word.size >= sizeof(text))
        return -EINVAL;
    memcpy(text, word.data, word.size);
    text[word.size] = '\0';
    *bits = holden_view_is(word, "all")       ? ALL
            : holden_view_is(word, "default") ? USUAL
                                              : find(&core, word);
    if (*bits || !isxdigit((unsigned char)*text))
        return *bits ? 0 : -EINVAL;
    unsigned long mask = strtoul(text, &end, 16);
    if (*end)
        return -EINVAL;
    *bits = (uint32_t)mask;
    return mask <= ALL ? 0 : -ERANGE;
}

/* What is given adds up. */
int syntax_parse_coredump_filter(struct settings *settings, size_t index, const char *value) {
    uint32_t mask = settings_has(settings, index) ? settings->properties.coredump_filter : 0;
    struct holden_view word;
    while (syntax_word(&value, &word)) {
        uint32_t bits;
        int r = parse_kind(word, &bits);
        if (r < 0)
            return r;
        mask |= bits;
    }
    return settings_set(settings, index, &mask);
}

int syntax_print_coredump_filter(size_t index, const void *value, struct buffer *out) {
    uint32_t mask = *(const uint32_t *)value;
    (void)index;
    return mask == 0 ? buffer_append(out, "0", 1) : print(&core, mask, out);
}

static int refuse_bit(struct settings *settings, size_t index, struct holden_view view) {
    char word[WORD_SPACE] = "";
    memcpy(word, view.data, view.size < sizeof(word) ? view.size : sizeof(word) - 1);
    struct spelling spelling = {.wanted = word};
    for (uint32_t i = 0; i < secure.count; i++)
        spelling_offer(&spelling, secure.names[i]);
    return settings_refuse(settings, "%s=%s: there is no such bit%s%s",
                           holden_property(index)->name, word,
                           spelling.best[0] ? "; did you mean " : "", spelling.best);
}

/* Likewise. */
int syntax_parse_secure_bits(struct settings *settings, size_t index, const char *value) {
    uint32_t mask = settings_has(settings, index) ? settings->properties.secure_bits : 0;
    struct holden_view word;
    while (syntax_word(&value, &word)) {
        uint32_t bit = find(&secure, word);
        if (bit == 0)
            return refuse_bit(settings, index, word);
        mask |= bit;
    }
    return settings_set(settings, index, &mask);
}

int syntax_print_secure_bits(size_t index, const void *value, struct buffer *out) {
    (void)index;
    return print(&secure, *(const uint32_t *)value, out);
}
