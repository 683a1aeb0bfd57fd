/* RestrictNamespaces= and RestrictAddressFamilies=, by systemd.exec(5). */
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>

#include "common/cleanup.h"
#include "common/spelling.h"
#include "controller/syntax.h"

enum { WORD_SPACE = 32, FAMILIES_MOST = 64 };

static const struct row {
    const char *name;
    uint32_t value;
} namespaces[] = {
    {"cgroup", CLONE_NEWCGROUP}, {"ipc", CLONE_NEWIPC},   {"net", CLONE_NEWNET},
    {"mnt", CLONE_NEWNS},        {"pid", CLONE_NEWPID},   {"user", CLONE_NEWUSER},
    {"uts", CLONE_NEWUTS},
};

/* The first name of a number is the one that is printed. */
static const struct row families[] = {
#define FAMILY(name) {#name, name},
#include "protocol/families.def"
};

static int look_up(const struct row *rows, size_t count, struct holden_view name,
                   uint32_t *value) {
    for (size_t i = 0; i < count; i++)
        if (holden_view_is(name, rows[i].name)) {
            *value = rows[i].value;
            return 0;
        }
    return -ENOENT;
}

int syntax_family(struct holden_view name, uint32_t *family) {
    return look_up(families, ARRAY_SIZE(families), name, family);
}

uint32_t syntax_namespace(const char *name) {
    uint32_t kind = 0;
    look_up(namespaces, ARRAY_SIZE(namespaces), holden_view(name), &kind);
    return kind;
}

static int refuse(struct settings *settings, size_t index, const struct row *rows, size_t count,
                  const char *what, const char *word) {
    struct spelling spelling = {.wanted = word};
    for (size_t i = 0; i < count; i++)
        spelling_offer(&spelling, rows[i].name);
    return settings_refuse(settings, "%s=%s: there is no such %s%s%s", holden_property(index)->name,
                           word, what, spelling.best[0] ? "; did you mean " : "", spelling.best);
}

static int find(struct settings *settings, size_t index, const struct row *rows, size_t count,
                const char *what, struct holden_view view, uint32_t *value) {
    char word[WORD_SPACE] = "";
    memcpy(word, view.data, view.size < sizeof(word) ? view.size : sizeof(word) - 1);
    int r = look_up(rows, count, view, value);
    return r < 0 ? refuse(settings, index, rows, count, what, word) : 0;
}

static uint32_t every_namespace(void) {
    uint32_t all = 0;
    for (size_t i = 0; i < ARRAY_SIZE(namespaces); i++)
        all |= namespaces[i].value;
    return all;
}

/* The first list sets what is allowed; later ones add to it, or with ~ take away. */
int syntax_parse_namespaces(struct settings *settings, size_t index, const char *value) {
    bool before = settings_has(settings, index);
    uint32_t mask = 0;
    uint32_t *member = settings_member(settings, index);
    struct holden_view word;
    bool all;
    if (syntax_read_boolean(value, &all) == 0) {
        mask = all ? 0 : every_namespace();
        return settings_set(settings, index, &mask);
    }
    bool inverted = *value == '~';
    for (value += inverted; syntax_word(&value, &word);) {
        uint32_t one = 0;
        int r = find(settings, index, namespaces, ARRAY_SIZE(namespaces), "namespace", word, &one);
        if (r < 0)
            return r;
        mask |= one;
    }
    uint32_t start = before ? *member : inverted ? every_namespace() : 0;
    mask = inverted ? start & ~mask : start | mask;
    return settings_set(settings, index, &mask);
}

/* The families given so far; the list has room for all that there are. */
static struct holden_families *families_of(struct settings *settings, size_t index) {
    struct holden_nested *nested = settings_member(settings, index);
    if (settings_has(settings, index))
        return (struct holden_families *)(uintptr_t)nested->value;
    struct holden_families *made = arena_take(&settings->arena, sizeof(*made));
    uint32_t *list = arena_take(&settings->arena, FAMILIES_MOST * sizeof(*list));
    if (!made || !list)
        return NULL;
    HOLDEN_SET(made, families, family, (struct holden_repeated){.count = 0, .items = list});
    return made;
}

static void change(struct holden_families *families_, uint32_t family, bool add) {
    uint32_t *list = (uint32_t *)(uintptr_t)families_->family.items;
    uint32_t at = 0;
    while (at < families_->family.count && list[at] != family)
        at++;
    bool there = at < families_->family.count;
    if (add && !there && at < FAMILIES_MOST)
        list[families_->family.count++] = family;
    else if (!add && there)
        list[at] = list[--families_->family.count];
}

/* The first list decides whether it is of what is allowed or of what is forbidden; later ones of
 * the other kind take away. */
int syntax_parse_families(struct settings *settings, size_t index, const char *value) {
    bool none = strcmp(value, "none") == 0;
    if (none)
        settings_reset(settings, index);
    bool first = !settings_has(settings, index);
    struct holden_families *set = families_of(settings, index);
    struct holden_view word;
    if (!set)
        return -ENOMEM;
    bool inverted = *value == '~';
    if (first && inverted)
        HOLDEN_SET(set, families, inverted, true);
    for (value += inverted; !none && syntax_word(&value, &word);) {
        uint32_t family = 0;
        int r = find(settings, index, families, ARRAY_SIZE(families), "address family", word,
                     &family);
        if (r < 0)
            return r;
        change(set, family, inverted == set->inverted);
    }
    return settings_set(settings, index, &(struct holden_nested){.value = set});
}

int syntax_print_namespaces(size_t index, const void *value, struct buffer *out) {
    uint32_t mask = *(const uint32_t *)value & every_namespace();
    (void)index;
    if (mask == 0 || mask == every_namespace())
        return buffer_printf(out, "%s", mask ? "no" : "yes");
    int r = 0;
    bool first = true;
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(namespaces); i++)
        if (mask & namespaces[i].value) {
            r = buffer_printf(out, "%s%s", first ? "" : " ", namespaces[i].name);
            first = false;
        }
    return r;
}

static const char *family_name(uint32_t number) {
    for (size_t i = 0; i < ARRAY_SIZE(families); i++)
        if (families[i].value == number)
            return families[i].name;
    return NULL;
}

int syntax_print_families(size_t index, const void *value, struct buffer *out) {
    struct holden_families decoded;
    const struct holden_families *set =
        holden_nested_value(&holden_record_families, value, &decoded);
    (void)index;
    if (!set)
        return 0;
    if (!set->inverted && set->family.count == 0)
        return buffer_printf(out, "none");
    int r = set->inverted ? buffer_printf(out, "~") : 0;
    uint32_t family;
    bool first = true;
    for (struct holden_repeated left = set->family; r == 0 && holden_next_u32(&left, &family);
         first = false) {
        const char *name = family_name(family);
        r = buffer_printf(out, "%s", first ? "" : " ");
        if (r == 0)
            r = name ? buffer_printf(out, "%s", name) : buffer_printf(out, "%u", family);
    }
    return r;
}
