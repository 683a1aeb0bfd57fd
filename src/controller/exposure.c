#include "controller/exposure.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/cleanup.h"
#include "common/unit.h"
#include "controller/syntax.h"
#include "protocol/call_set.h"
#include "protocol/dynamic_user.h"
#include "protocol/names.h"

enum { NAME_SPACE = 65 };

struct row;
typedef unsigned judge(const struct row *row, const struct exposure_subject *subject,
                       struct exposure *exposure);

struct row {
    judge *judge;
    const char *name;
    size_t index;
    const char *of;
    unsigned weight;
    const char *can, *cannot;
};

static bool has(const struct row *row, const struct exposure_subject *subject) {
    return holden_has(subject->properties, row->index);
}

static const void *member(const struct row *row, const struct exposure_subject *subject) {
    return (const uint8_t *)subject->properties +
           holden_record_properties.fields[row->index].offset;
}

/* ---- lists of names ---- */

/* Whether an entry of a list means that name: it is it, or a set that it is in. */
static bool means(const char *entry, const char *name) {
    const struct holden_call_set *set = *entry == '@' ? holden_call_set_find(entry) : NULL;
    struct holden_view view;
    if (!set)
        return strcasecmp(entry, name) == 0;
    for (const char *left = set->calls; holden_call_set_next(&left, &view);) {
        char inner[NAME_SPACE];
        snprintf(inner, sizeof(inner), "%.*s", (int)view.size, view.data);
        if (means(inner, name))
            return true;
    }
    return false;
}

/* The first list says whether what no list names is allowed; an empty one forgets those before it:
 * none is allowed then, or where it is of calls, all are. */
static bool list_allows(struct holden_repeated lists, const char *name, bool empty_allows) {
    struct holden_names list;
    bool allowed = true, first = true;
    while (names_next(&lists, &list) > 0) {
        char entry[NAME_SPACE];
        bool inverted = names_inverted(&list), named = false, empty = true;
        for (; names_take(&list, entry, sizeof(entry)); empty = false)
            named = named || means(entry, name);
        if (first || empty)
            allowed = inverted || (empty && empty_allows);
        first = empty && empty_allows;
        if (named)
            allowed = !inverted;
    }
    return allowed;
}

/* ---- an OCI profile ---- */

static bool action_allows(uint32_t action) {
    return action == HOLDEN_seccomp_action_ALLOW || action == HOLDEN_seccomp_action_LOG;
}

static bool rule_names(const struct holden_seccomp_rule *rule, const char *name) {
    struct holden_repeated left = rule->name;
    struct holden_view view;
    while (holden_next_view(&left, &view))
        if (holden_view_is(view, name))
            return true;
    return false;
}

/* A rule with conditions lets the call pass at times, whichever way it is meant. */
static bool profile_allows(const struct holden_nested *nested, const char *name) {
    struct holden_seccomp_profile decoded;
    const struct holden_seccomp_profile *profile =
        holden_nested_value(&holden_record_seccomp_profile, nested, &decoded);
    if (!profile)
        return true;
    bool usual = action_allows(profile->default_action), allowed = usual;
    struct holden_nested one;
    for (struct holden_repeated left = profile->rule; holden_next_record(&left, &one);) {
        struct holden_seccomp_rule space;
        const struct holden_seccomp_rule *rule =
            holden_nested_value(&holden_record_seccomp_rule, &one, &space);
        if (!rule || !rule_names(rule, name))
            continue;
        bool conditional = HOLDEN_HAS(rule, seccomp_rule, argument) && rule->argument.count > 0;
        if (action_allows(rule->action))
            return true;
        allowed = allowed && conditional;
    }
    return allowed;
}

static bool call_allowed(const struct holden_properties *p, const char *name) {
    return list_allows(p->system_call_filter, name, true) &&
           (!HOLDEN_HAS(p, properties, seccomp_profile) ||
            profile_allows(&p->seccomp_profile, name));
}

/* One call of the set, or of a set in it, that is allowed; false where none is. */
static bool find_allowed(const struct holden_properties *p, const struct holden_call_set *set,
                         char call[NAME_SPACE]) {
    struct holden_view view;
    for (const char *left = set->calls; holden_call_set_next(&left, &view);) {
        snprintf(call, NAME_SPACE, "%.*s", (int)view.size, view.data);
        if (*call == '@' ? find_allowed(p, holden_call_set_find(call), call)
                         : call_allowed(p, call))
            return true;
    }
    return false;
}

/* ---- one kind each ---- */

/* Says what would better it, unless nothing is to be bettered. */
static unsigned remedy(struct exposure *exposure, unsigned level, const char *name,
                       const char *value) {
    if (level > 0)
        snprintf(exposure->remedy, sizeof(exposure->remedy), "%s=%s", name, value);
    return level;
}

/* The same for what has to be taken away. */
static unsigned remove_of(const struct row *row, bool allowed, struct exposure *exposure) {
    if (allowed)
        snprintf(exposure->remedy, sizeof(exposure->remedy), "%s=~%s", row->name, row->of);
    return allowed ? EXPOSURE_MOST : 0;
}

static unsigned judge_BOOLEAN(const struct row *row, const struct exposure_subject *subject,
                              struct exposure *exposure) {
    bool yes = has(row, subject) && *(const bool *)member(row, subject);
    return remedy(exposure, yes ? 0 : EXPOSURE_MOST, row->name, "yes");
}

/* `of` is "word:N word:N". */
static unsigned judge_LEVEL(const struct row *row, const struct exposure_subject *subject,
                            struct exposure *exposure) {
    _cleanup_(buffer_free) struct buffer text = {0};
    unsigned level = EXPOSURE_MOST;
    if (has(row, subject) && syntax_print(subject->properties, row->index, " ", &text) == 0) {
        struct holden_view value = {(const char *)buffer_bytes(&text), text.size}, word;
        for (const char *left = row->of; syntax_word(&left, &word);) {
            size_t size = word.size - 2;
            if (size == value.size && memcmp(word.data, value.data, size) == 0)
                level = (unsigned)(word.data[size + 1] - '0');
        }
    }
    char best[32];
    snprintf(best, sizeof(best), "%.*s", (int)strcspn(row->of, ":"), row->of);
    return remedy(exposure, level, row->name, best);
}

static unsigned judge_DENIED(const struct row *row, const struct exposure_subject *subject,
                             struct exposure *exposure) {
    bool given = has(row, subject) && *(const uint32_t *)member(row, subject) != 0;
    return remedy(exposure, given ? EXPOSURE_MOST : 0, row->name, "no");
}

static unsigned judge_GIVEN(const struct row *row, const struct exposure_subject *subject,
                            struct exposure *exposure) {
    bool given = has(row, subject) && *(const uint64_t *)member(row, subject) != UNIT_INFINITY;
    return remedy(exposure, given ? 0 : EXPOSURE_MOST, row->name, "…");
}

static bool runs_as_root(const struct exposure_subject *subject) {
    const struct holden_properties *p = subject->properties;
    struct holden_user user;
    if (holden_user_made_up(p))
        return false;
    return (holden_user_given(p, &user) ? user.uid : subject->user) == 0;
}

static unsigned judge_IDENTITY(const struct row *row, const struct exposure_subject *subject,
                               struct exposure *exposure) {
    return remedy(exposure, runs_as_root(subject) ? EXPOSURE_MOST : 0, row->name, "…");
}

static unsigned judge_MASK(const struct row *row, const struct exposure_subject *subject,
                           struct exposure *exposure) {
    uint32_t mask = has(row, subject) ? *(const uint32_t *)member(row, subject) : 0022;
    unsigned level = (mask & 07) != 07     ? EXPOSURE_MOST
                     : (mask & 070) != 070 ? EXPOSURE_MOST / 2
                                           : 0;
    return remedy(exposure, level, row->name, "0077");
}

/* A user without rights gets none but by executing a program that has some. */
static bool gets_no_capability(const struct exposure_subject *subject) {
    const struct holden_properties *p = subject->properties;
    return !runs_as_root(subject) && p->no_new_privileges &&
           !HOLDEN_HAS(p, properties, ambient_capabilities);
}

static unsigned judge_CAPABILITY(const struct row *row, const struct exposure_subject *subject,
                                 struct exposure *exposure) {
    bool allowed = false;
    struct holden_view word;
    for (const char *left = row->of; !allowed && syntax_word(&left, &word);) {
        char name[NAME_SPACE];
        snprintf(name, sizeof(name), "%.*s", (int)word.size, word.data);
        allowed = list_allows(subject->properties->capability_bounding_set, name, false);
    }
    return remove_of(row, allowed && !gets_no_capability(subject), exposure);
}

static unsigned judge_CALLS(const struct row *row, const struct exposure_subject *subject,
                            struct exposure *exposure) {
    char call[NAME_SPACE];
    const struct holden_call_set *set = holden_call_set_find(row->of);
    return remove_of(row, find_allowed(subject->properties, set, call), exposure);
}

static unsigned judge_ARCHITECTURE(const struct row *row, const struct exposure_subject *subject,
                                   struct exposure *exposure) {
    struct holden_repeated left = subject->properties->system_call_architectures;
    struct holden_view view;
    bool native = has(row, subject) && left.count > 0;
    while (holden_next_view(&left, &view))
        native = native && holden_view_is(view, "native");
    return remedy(exposure, native ? 0 : EXPOSURE_MOST, row->name, "native");
}

static bool family_allowed(const struct holden_families *families, uint32_t family) {
    struct holden_repeated left = families->family;
    uint32_t one;
    bool inverted = HOLDEN_HAS(families, families, inverted) && families->inverted;
    while (holden_next_u32(&left, &one))
        if (one == family)
            return !inverted;
    return inverted;
}

static unsigned judge_FAMILY(const struct row *row, const struct exposure_subject *subject,
                             struct exposure *exposure) {
    struct holden_families decoded;
    const struct holden_families *families =
        has(row, subject)
            ? holden_nested_value(&holden_record_families, member(row, subject), &decoded)
            : NULL;
    bool allowed = !families;
    struct holden_view word;
    for (const char *left = row->of; families && syntax_word(&left, &word);) {
        uint32_t family;
        allowed = allowed || syntax_family(word, &family) < 0 || family_allowed(families, family);
    }
    return remove_of(row, allowed, exposure);
}

static unsigned judge_NAMESPACE(const struct row *row, const struct exposure_subject *subject,
                                struct exposure *exposure) {
    uint32_t kind = syntax_namespace(row->of);
    bool allowed = !has(row, subject) || *(const uint32_t *)member(row, subject) & kind;
    return remove_of(row, allowed, exposure);
}

/* Which families the list has all addresses of, as bits: 1 IPv4, 2 IPv6; and in *other, whether it
 * has any but those of localhost. */
static unsigned whole_families(bool given, const struct holden_nested *nested, bool *other) {
    struct holden_prefixes decoded;
    const struct holden_prefixes *list =
        given ? holden_nested_value(&holden_record_prefixes, nested, &decoded) : NULL;
    struct holden_nested one;
    unsigned whole = 0;
    *other = false;
    for (struct holden_repeated left = list ? list->prefix : (struct holden_repeated){0};
         holden_next_record(&left, &one);) {
        struct holden_prefix space;
        const struct holden_prefix *prefix =
            holden_nested_value(&holden_record_prefix, &one, &space);
        static const uint8_t loopback[16] = {[15] = 1};
        if (!prefix)
            continue;
        bool four = prefix->address.size == 4;
        if (prefix->bits == 0)
            whole |= four ? 1 : 2;
        *other = *other || (four ? prefix->bits < 8 || (uint8_t)prefix->address.data[0] != 127
                                 : prefix->bits < 128 ||
                                       memcmp(prefix->address.data, loopback, 16) != 0);
    }
    return whole;
}

/* As systemd-analyze(1) has it; who has no network needs no list. */
static unsigned judge_ADDRESSES(const struct row *row, const struct exposure_subject *subject,
                                struct exposure *exposure) {
    const struct holden_properties *p = subject->properties;
    bool alone = HOLDEN_HAS(p, properties, private_network) && p->private_network, other, ignored;
    bool denied = whole_families(has(row, subject), member(row, subject), &ignored) == 3;
    bool allowed = HOLDEN_HAS(p, properties, ip_address_allow);
    whole_families(allowed, &p->ip_address_allow, &other);
    return remedy(exposure, alone || (denied && !other) ? 0 : denied ? EXPOSURE_MOST / 2
                                                                    : EXPOSURE_MOST,
                  row->name, "any");
}

/* As gate_device.c of the agent has it: a list closes what it does not name. */
static unsigned judge_DEVICES(const struct row *row, const struct exposure_subject *subject,
                              struct exposure *exposure) {
    const struct holden_properties *p = subject->properties;
    struct holden_devices decoded;
    const struct holden_devices *devices =
        HOLDEN_HAS(p, properties, device_allow)
            ? holden_nested_value(&holden_record_devices, &p->device_allow, &decoded)
            : NULL;
    bool closed = (has(row, subject) && p->device_policy != HOLDEN_device_policy_AUTO) ||
                  (HOLDEN_HAS(p, properties, private_devices) && p->private_devices) ||
                  (devices && devices->device.count > 0);
    return remedy(exposure, closed ? 0 : EXPOSURE_MOST, row->name, "closed");
}

/* ---- all of them ---- */

#define INDEX_OF(Name) INDEX_##Name
enum {
#define PROPERTY(Name, member, ...) INDEX_OF(Name) = HOLDEN_INDEX(properties, member),
#include "protocol/properties.def"
};

static const struct row rows[] = {
#define EXPOSURE(KIND, Property, of, weight, can, cannot) \
    {judge_##KIND, #Property, INDEX_OF(Property), (of), (weight), (can), (cannot)},
#include "controller/exposures.def"
};

bool exposure_at(size_t number, const struct exposure_subject *subject, struct exposure *exposure) {
    if (number >= ARRAY_SIZE(rows))
        return false;
    const struct row *row = &rows[number];
    *exposure = (struct exposure){.weight = row->weight, .setting = row->name,
                                  .of = row->judge == judge_LEVEL ? "" : row->of};
    exposure->level = row->judge(row, subject, exposure);
    exposure->text = exposure->level > 0 ? row->can : row->cannot;
    return true;
}

static unsigned most(void) {
    unsigned sum = 0;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        sum += rows[i].weight * EXPOSURE_MOST;
    return sum;
}

unsigned exposure_share(const struct exposure *exposure) {
    return (exposure->weight * exposure->level * EXPOSURE_TOP * 10 + most() / 2) / most();
}

unsigned exposure_sum(const struct exposure_subject *subject) {
    struct exposure exposure;
    unsigned sum = 0;
    for (size_t i = 0; exposure_at(i, subject, &exposure); i++)
        sum += exposure.weight * exposure.level;
    return (sum * EXPOSURE_TOP + most() - 1) / most();
}

const char *exposure_word(unsigned sum) {
    static const struct { unsigned least; const char *word; } words[] = {
        {100, "DANGEROUS"}, {90, "UNSAFE"}, {75, "EXPOSED"},
        {50, "MEDIUM"},     {10, "OK"},     {1, "SAFE"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (sum >= words[i].least)
            return words[i].word;
    return "PERFECT";
}
