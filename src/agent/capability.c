#include "agent/capability.h"

#include <ctype.h>
#include <stdio.h>
#include <strings.h>
#include <sys/capability.h>

#include "protocol/names.h"
#include "common/cleanup.h"
#include "common/spelling.h"

/* The table's bound on a name, and a NUL. */
enum { NAME_SPACE = 65 };

/* libcap wants to be freed by its own function. */
static void free_name(char **name) {
    if (*name)
        cap_free(*name);
}

uint64_t capability_all(void) {
    cap_value_t count = cap_max_bits();
    return count >= 64 ? UINT64_MAX : (UINT64_C(1) << count) - 1;
}

static void free_set(cap_t *set) {
    if (*set)
        cap_free(*set);
}

bool capability_held(unsigned number) {
    _cleanup_(free_set) cap_t set = cap_get_proc();
    cap_flag_value_t held = CAP_CLEAR;
    return set && cap_get_flag(set, (cap_value_t)number, CAP_EFFECTIVE, &held) == 0 &&
           held == CAP_SET;
}

const char *capability_name(unsigned number, char *name, size_t space) {
    _cleanup_(free_name) char *known = cap_to_name((cap_value_t)number);
    snprintf(name, space, "%s", known ? known : "unknown");
    for (char *at = name; *at; at++)
        *at = (char)toupper((unsigned char)*at);
    return name;
}

static int refuse(const char *text, const char *step, struct failure *failure) {
    struct spelling spelling = {.wanted = text};
    for (unsigned i = 0; capability_all() >> i & 1; i++) {
        char name[NAME_SPACE];
        spelling_offer(&spelling, capability_name(i, name, sizeof(name)));
    }
    if (spelling.best[0])
        return failure_set(failure, HOLDEN_code_INVALID, step,
                           "unknown capability '%s'; did you mean %s?", text, spelling.best);
    return failure_set(failure, HOLDEN_code_INVALID, step, "unknown capability '%s'", text);
}

/* One name as its bit. */
static int parse(const char *name, const char *step, uint64_t *bit, struct failure *failure) {
    cap_value_t number;
    char known[NAME_SPACE];
    /* cap_from_name(3) stops at the first character that no name has, and likes what is before it.
     */
    if (cap_from_name(name, &number) < 0 ||
        strcasecmp(capability_name((unsigned)number, known, sizeof(known)), name) != 0)
        return refuse(name, step, failure);
    if (!(capability_all() >> number & 1))
        return failure_set(failure, HOLDEN_code_UNSUPPORTED, step,
                           "this kernel does not know the capability '%s'", name);
    *bit = UINT64_C(1) << number;
    return 0;
}

/* All names of one list as one mask. */
static int sum(struct holden_names *list, const char *step, uint64_t *mask,
               struct failure *failure) {
    uint64_t total = 0;
    char name[NAME_SPACE];
    while (names_take(list, name, sizeof(name))) {
        uint64_t bit = 0;
        int r = parse(name, step, &bit, failure);
        if (r < 0)
            return r;
        total |= bit;
    }
    *mask = total;
    return 0;
}

/* The first list replaces what was before, and so does an empty one: by nothing, or with ~ by all.
 */
static uint64_t fold(uint64_t before, bool first, bool inverted, uint64_t named) {
    if (first || named == 0)
        return inverted ? ~named : named;
    return inverted ? before & ~named : before | named;
}

int capability_fold(struct holden_repeated lists, const char *step, uint64_t *mask,
                    struct failure *failure) {
    uint64_t result = 0;
    struct holden_names list;
    int r;
    for (bool first = true; (r = names_next(&lists, &list)) > 0; first = false) {
        uint64_t named = 0;
        r = sum(&list, step, &named, failure);
        if (r < 0)
            return r;
        result = fold(result, first, names_inverted(&list), named);
    }
    if (r < 0)
        return failure_set(failure, HOLDEN_code_INVALID, step, "a list does not decode");
    *mask = result & capability_all();
    return 0;
}
