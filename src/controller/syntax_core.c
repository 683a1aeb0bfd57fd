/* CoredumpFilter=, as systemd.exec(5) has it: bits of core(5) by name. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

#include "common/cleanup.h"
#include "controller/syntax.h"

enum { USUAL = 0x33, ALL = 0x1ff };

/* By their bits. */
static const char *const kinds[] = {
    "private-anonymous", "shared-anonymous", "private-file-backed", "shared-file-backed",
    "elf-headers",       "private-huge",     "shared-huge",         "private-dax",
    "shared-dax",
};

/* One word as bits. 0, -EINVAL or -ERANGE. */
static int parse_word(struct holden_view word, uint32_t *bits) {
    char text[32], *end;
    if (word.size >= sizeof(text))
        return -EINVAL;
    memcpy(text, word.data, word.size);
    text[word.size] = '\0';
    *bits = holden_view_is(word, "all") ? ALL : holden_view_is(word, "default") ? USUAL : 0;
    for (uint32_t i = 0; i < ARRAY_SIZE(kinds); i++)
        if (holden_view_is(word, kinds[i]))
            *bits = UINT32_C(1) << i;
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
        int r = parse_word(word, &bits);
        if (r < 0)
            return r;
        mask |= bits;
    }
    return settings_set(settings, index, &mask);
}

int syntax_print_coredump_filter(size_t index, const void *value, struct buffer *out) {
    uint32_t mask = *(const uint32_t *)value;
    (void)index;
    if (mask == 0)
        return buffer_append(out, "0", 1);
    int r = 0;
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(kinds); i++)
        if (mask >> i & 1)
            r = buffer_printf(out, "%s%s", mask & ((1U << i) - 1) ? " " : "", kinds[i]);
    return r;
}
