/* Settings of sockets: SocketBindAllow=, SocketBindDeny=, RestrictNetworkInterfaces=, by
 * systemd.resource-control(5). */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "controller/syntax.h"
#include "controller/words.h"

enum { RULES_MOST = 128, PORT_MOST = 65535, PART_MOST = 16, NAME_MOST = 15 };

static const struct part {
    const char *word;
    uint32_t number;
} families[] = {{"ipv4", AF_INET}, {"ipv6", AF_INET6}},
  protocols[] = {{"tcp", IPPROTO_TCP}, {"udp", IPPROTO_UDP}};

enum { PARTS = ARRAY_SIZE(families) };
_Static_assert(ARRAY_SIZE(protocols) == PARTS, "one size for both");

static bool part_of(const struct part parts[PARTS], const char *word, uint32_t *number) {
    for (size_t i = 0; i < PARTS; i++)
        if (strcmp(parts[i].word, word) == 0) {
            *number = parts[i].number;
            return true;
        }
    return false;
}

static int read_port(const char **at, uint32_t *port) {
    char *end;
    if (**at < '0' || **at > '9')
        return -EINVAL;
    unsigned long number = strtoul(*at, &end, 10);
    *at = end;
    *port = number > PORT_MOST ? 0 : (uint32_t)number;
    return *port == 0 ? -ERANGE : 0;
}

static int read_ports(const char *word, struct holden_bind_rule *rule) {
    uint32_t first = 0, last;
    int r = read_port(&word, &first);
    last = first;
    if (r == 0 && *word == '-') {
        word++;
        r = read_port(&word, &last);
    }
    if (r == 0 && *word)
        r = -EINVAL;
    if (r == 0 && last < first)
        r = -ERANGE;
    HOLDEN_SET(rule, bind_rule, first, first);
    HOLDEN_SET(rule, bind_rule, last, last);
    return r;
}

/* Parts come in this order, each at most once. */
static int read_part(const char *word, struct holden_bind_rule *rule, bool last) {
    uint32_t number;
    bool family = HOLDEN_HAS(rule, bind_rule, family);
    bool protocol = HOLDEN_HAS(rule, bind_rule, protocol);
    if (!family && !protocol && part_of(families, word, &number))
        HOLDEN_SET(rule, bind_rule, family, number);
    else if (!protocol && part_of(protocols, word, &number))
        HOLDEN_SET(rule, bind_rule, protocol, number);
    else
        return last ? read_ports(word, rule) : -EINVAL;
    return 0;
}

static int read_rule(const char *value, struct holden_bind_rule *rule) {
    if (strcmp(value, "any") == 0)
        return 0;
    for (;;) {
        char part[PART_MOST];
        size_t size = strcspn(value, ":");
        if (size >= sizeof(part))
            return -EINVAL;
        memcpy(part, value, size);
        part[size] = '\0';
        int r = read_part(part, rule, value[size] == '\0');
        if (r < 0 || value[size] == '\0')
            return r;
        value += size + 1;
    }
}

int syntax_parse_bind_rules(struct settings *settings, size_t index, const char *value) {
    const struct holden_nested *nested = settings_member(settings, index);
    const struct holden_bind_rules *before = nested->value;
    struct holden_bind_rules *list = arena_take(&settings->arena, sizeof(*list));
    struct holden_bind_rule *rule = arena_take(&settings->arena, sizeof(*rule));
    struct holden_nested *items;
    if (!list || !rule)
        return -ENOMEM;
    if (!*value)
        return settings_set(settings, index, &(struct holden_nested){.value = list});
    if (before)
        *list = *before;
    if (list->rule.count == RULES_MOST)
        return settings_refuse(settings, "%s=: more than %d of them",
                               holden_property(index)->name, RULES_MOST);
    int r = read_rule(value, rule);
    if (r < 0)
        return r;
    r = syntax_grow(settings, &list->rule, &items);
    if (r < 0)
        return r;
    items[list->rule.count] = (struct holden_nested){.value = rule};
    HOLDEN_SET(list, bind_rules, rule,
               (struct holden_repeated){.count = list->rule.count + 1, .items = items});
    return settings_set(settings, index, &(struct holden_nested){.value = list});
}

static int print_part(const struct part parts[PARTS], uint32_t number, bool *any,
                      struct buffer *out) {
    for (size_t i = 0; i < PARTS; i++)
        if (parts[i].number == number) {
            int r = buffer_printf(out, "%s%s", *any ? "" : ":", parts[i].word);
            *any = false;
            return r;
        }
    return 0;
}

static int print_rule(const void *item, struct buffer *out) {
    const struct holden_bind_rule *rule = item;
    bool any = true;
    int r = 0;
    if (HOLDEN_HAS(rule, bind_rule, family))
        r = print_part(families, rule->family, &any, out);
    if (r == 0 && HOLDEN_HAS(rule, bind_rule, protocol))
        r = print_part(protocols, rule->protocol, &any, out);
    if (r == 0 && HOLDEN_HAS(rule, bind_rule, first)) {
        r = buffer_printf(out, "%s%u", any ? "" : ":", rule->first);
        any = false;
        if (r == 0 && HOLDEN_HAS(rule, bind_rule, last) && rule->last != rule->first)
            r = buffer_printf(out, "-%u", rule->last);
    }
    return r == 0 && any ? buffer_printf(out, "any") : r;
}

int syntax_print_bind_rules(size_t index, const void *value, struct buffer *out) {
    struct holden_bind_rules decoded;
    struct holden_bind_rule space;
    const struct holden_bind_rules *list =
        holden_nested_value(&holden_record_bind_rules, value, &decoded);
    (void)index;
    return list ? syntax_print_records(list->rule, &holden_record_bind_rule, &space, " ",
                                       print_rule, out)
                : 0;
}

/* ---- interfaces ---- */

/* What the kernel takes for a name (dev_valid_name()), and systemd, for which a number is none. */
static bool is_name(struct holden_view word) {
    bool number = true;
    if (word.size == 0 || word.size > NAME_MOST || holden_view_is(word, ".") ||
        holden_view_is(word, ".."))
        return false;
    for (size_t i = 0; i < word.size; i++) {
        unsigned char c = (unsigned char)word.data[i];
        if (c <= 0x20 || c >= 0x7f || strchr("/:%", c))
            return false;
        number = number && c >= '0' && c <= '9';
    }
    return !number;
}

/* Adds the name to the list or takes it away: items are views. */
static int change(struct settings *settings, struct holden_interfaces *set, struct holden_view name,
                  bool add_it) {
    struct holden_view *names = arena_take(&settings->arena,
                                           (set->name.count + 1) * sizeof(*names));
    const struct holden_view *before = set->name.items;
    uint32_t count = 0;
    if (!names)
        return -ENOMEM;
    for (uint32_t i = 0; i < set->name.count; i++)
        if (before[i].size != name.size || memcmp(before[i].data, name.data, name.size) != 0)
            names[count++] = before[i];
    if (add_it) {
        int r = settings_text(settings, name.data, name.size, &names[count++]);
        if (r < 0)
            return r;
    }
    HOLDEN_SET(set, interfaces, name, (struct holden_repeated){.count = count, .items = names});
    return 0;
}

/* The first list decides whether it is of what may be used or of what may not; later ones of the
 * other kind take away. */
int syntax_parse_interfaces(struct settings *settings, size_t index, const char *value) {
    const struct holden_nested *nested = settings_member(settings, index);
    const struct holden_interfaces *before = nested->value;
    struct holden_interfaces *set = arena_take(&settings->arena, sizeof(*set));
    struct holden_view word;
    if (!set)
        return -ENOMEM;
    bool first = !before || (!before->only && before->name.count == 0);
    if (before && *value)
        *set = *before;
    bool inverted = *value == '~';
    if (*value && first && !inverted)
        HOLDEN_SET(set, interfaces, only, true);
    for (value += inverted; syntax_word(&value, &word);) {
        if (!is_name(word))
            return -EINVAL;
        int r = change(settings, set, word, inverted != set->only);
        if (r < 0)
            return r;
    }
    return settings_set(settings, index, &(struct holden_nested){.value = set});
}

int syntax_print_interfaces(size_t index, const void *value, struct buffer *out) {
    struct holden_interfaces decoded;
    const struct holden_interfaces *set =
        holden_nested_value(&holden_record_interfaces, value, &decoded);
    struct holden_view name;
    (void)index;
    if (!set || (!set->only && set->name.count == 0))
        return 0;
    int r = set->only ? 0 : buffer_printf(out, "~");
    bool first = true;
    for (struct holden_repeated left = set->name; r == 0 && holden_next_view(&left, &name);
         first = false)
        r = buffer_printf(out, "%s%.*s", first ? "" : " ", (int)name.size, name.data);
    return r;
}
