/* Settings of the network that a process may reach: IPAddressAllow=, IPAddressDeny=, by
 * systemd.resource-control(5). */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "controller/syntax.h"
#include "controller/words.h"

enum { WORD_MOST = 64, NAMES_MOST = 2 };

/* Names for addresses of both families. */
static const struct {
    const char *name;
    const char *prefixes[NAMES_MOST];
} names[] = {
    {"any", {"0.0.0.0/0", "::/0"}},
    {"localhost", {"127.0.0.0/8", "::1/128"}},
    {"link-local", {"169.254.0.0/16", "fe80::/64"}},
    {"multicast", {"224.0.0.0/4", "ff00::/8"}},
};

struct address {
    uint8_t bytes[16];
    size_t size;
    uint32_t bits;
};

/* Only the bits that count are left: "10.1.2.3/8" is "10.0.0.0/8". */
static void cut(struct address *address) {
    for (size_t i = 0; i < address->size; i++) {
        uint32_t left = address->bits > i * 8 ? address->bits - (uint32_t)i * 8 : 0;
        address->bytes[i] &= (uint8_t)(left >= 8 ? 0xff : 0xff00 >> left);
    }
}

/* 0; -EINVAL; -ERANGE for more bits than there are. */
static int parse(const char *word, struct address *address) {
    char text[WORD_MOST], *end;
    size_t size = strcspn(word, "/");
    if (size >= sizeof(text))
        return -EINVAL;
    memcpy(text, word, size);
    text[size] = '\0';
    *address = (struct address){.size = strchr(text, ':') ? 16 : 4};
    if (inet_pton(address->size == 16 ? AF_INET6 : AF_INET, text, address->bytes) != 1)
        return -EINVAL;
    address->bits = (uint32_t)address->size * 8;
    if (word[size] == '/') {
        if (word[size + 1] < '0' || word[size + 1] > '9')
            return -EINVAL;
        unsigned long bits = strtoul(word + size + 1, &end, 10);
        if (*end)
            return -EINVAL;
        if (bits > address->bits)
            return -ERANGE;
        address->bits = (uint32_t)bits;
    }
    cut(address);
    return 0;
}

static bool listed(const struct holden_prefixes *list, const struct address *address) {
    const struct holden_nested *items = list->prefix.items;
    for (uint32_t i = 0; i < list->prefix.count; i++) {
        const struct holden_prefix *prefix = items[i].value;
        if (prefix->bits == address->bits && prefix->address.size == address->size &&
            memcmp(prefix->address.data, address->bytes, address->size) == 0)
            return true;
    }
    return false;
}

static int add(struct settings *settings, struct holden_prefixes *list, const char *word) {
    struct address address;
    struct holden_nested *items;
    int r = parse(word, &address);
    if (r < 0 || listed(list, &address))
        return r;
    struct holden_prefix *prefix = arena_take(&settings->arena, sizeof(*prefix));
    const char *bytes = arena_copy(&settings->arena, (const char *)address.bytes, address.size);
    r = prefix && bytes ? syntax_grow(settings, &list->prefix, &items) : -ENOMEM;
    if (r < 0)
        return r;
    HOLDEN_SET(prefix, prefix, address, (struct holden_view){bytes, address.size});
    HOLDEN_SET(prefix, prefix, bits, address.bits);
    items[list->prefix.count] = (struct holden_nested){.value = prefix};
    HOLDEN_SET(list, prefixes, prefix,
               (struct holden_repeated){.count = list->prefix.count + 1, .items = items});
    return 0;
}

/* The list is the one that syntax_parse_addresses() has set. */
static int take_word(struct settings *settings, size_t index, char *word) {
    const struct holden_nested *nested = settings_member(settings, index);
    struct holden_prefixes *list = (void *)(uintptr_t)nested->value;
    char shown[WORDS_SHOWN];
    int r;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (strcmp(word, names[i].name) == 0) {
            r = add(settings, list, names[i].prefixes[0]);
            return r < 0 ? r : add(settings, list, names[i].prefixes[1]);
        }
    r = add(settings, list, word);
    if (r == -ERANGE)
        return settings_refuse(settings, "%s=%s: an address has no more than %d bits",
                               holden_property(index)->name, words_show(word, shown),
                               strchr(word, ':') ? 128 : 32);
    return r;
}

/* Lists add up, an empty value is the empty list. */
int syntax_parse_addresses(struct settings *settings, size_t index, const char *value) {
    const struct holden_nested *nested = settings_member(settings, index);
    const struct holden_prefixes *before = nested->value;
    struct holden_prefixes *list = arena_take(&settings->arena, sizeof(*list));
    if (!list)
        return -ENOMEM;
    if (*value && before)
        *list = *before;
    settings_set(settings, index, &(struct holden_nested){.value = list});
    return syntax_each_word(settings, index, value, take_word);
}

static int print_prefix(const void *item, struct buffer *out) {
    const struct holden_prefix *prefix = item;
    char text[INET6_ADDRSTRLEN];
    if ((prefix->address.size != 4 && prefix->address.size != 16) ||
        !inet_ntop(prefix->address.size == 4 ? AF_INET : AF_INET6, prefix->address.data, text,
                   sizeof(text)))
        return 0;
    return buffer_printf(out, "%s/%u", text, prefix->bits);
}

int syntax_print_addresses(size_t index, const void *value, struct buffer *out) {
    struct holden_prefixes decoded;
    struct holden_prefix space;
    const struct holden_prefixes *list =
        holden_nested_value(&holden_record_prefixes, value, &decoded);
    (void)index;
    return list ? syntax_print_records(list->prefix, &holden_record_prefix, &space, " ",
                                       print_prefix, out)
                : 0;
}
