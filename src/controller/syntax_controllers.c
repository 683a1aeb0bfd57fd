/* Delegate=, DisableControllers= and Slice=, by systemd.resource-control(5). */
#include <errno.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/name.h"
#include "common/spelling.h"
#include "controller/syntax.h"
#include "controller/words.h"

/* Names of cgroup v1, and what systemd does by BPF, which no cgroup is given or denied here. */
static const struct {
    const char *name;
    uint32_t bits;
} others[] = {
    {"cpuacct", 1U << HOLDEN_controller_CPU},
    {"blkio", 1U << HOLDEN_controller_IO},
    {"devices", 0},
    {"bpf-firewall", 0},
    {"bpf-devices", 0},
    {"bpf-foreign", 0},
    {"bpf-socket-bind", 0},
    {"bpf-restrict-network-interfaces", 0},
};

static int find(struct holden_view word, uint32_t *bits) {
    const struct holden_enum *names = &holden_enum_controller;
    for (size_t i = 0; i < names->count; i++)
        if (holden_view_is(word, names->words[i].word)) {
            *bits = UINT32_C(1) << names->words[i].number;
            return 0;
        }
    for (size_t i = 0; i < ARRAY_SIZE(others); i++)
        if (holden_view_is(word, others[i].name)) {
            *bits = others[i].bits;
            return 0;
        }
    return -ENOENT;
}

static int refuse(struct settings *settings, size_t index, struct holden_view view) {
    char word[64] = "", shown[WORDS_SHOWN];
    memcpy(word, view.data, view.size < sizeof(word) ? view.size : sizeof(word) - 1);
    struct spelling spelling = {.wanted = word};
    for (size_t i = 0; i < holden_enum_controller.count; i++)
        spelling_offer(&spelling, holden_enum_controller.words[i].word);
    return settings_refuse(settings, "%s=%s: there is no such controller%s%s",
                           holden_property(index)->name, words_show(word, shown),
                           spelling.best[0] ? "; did you mean " : "", spelling.best);
}

/* The bits of the list, which has a word at least. */
static int read_list(struct settings *settings, size_t index, const char *value, uint32_t *bits) {
    struct holden_view word;
    bool any = false;
    for (; syntax_word(&value, &word); any = true) {
        uint32_t one = 0;
        if (find(word, &one) < 0)
            return refuse(settings, index, word);
        *bits |= one;
    }
    return any ? 0 : -EINVAL;
}

/* A list adds to what was named before; an empty value turns it on and forgets what was named. */
int syntax_parse_delegate(struct settings *settings, size_t index, const char *value) {
    uint32_t bits = *(const uint32_t *)settings_member(settings, index);
    bool all;
    int r = 0;
    if (syntax_read_boolean(value, &all) == 0)
        bits = all ? HOLDEN_DELEGATED | HOLDEN_EVERY_CONTROLLER : 0;
    else if (!*value)
        bits = HOLDEN_DELEGATED;
    else if ((r = read_list(settings, index, value, &bits)) == 0)
        bits |= HOLDEN_DELEGATED;
    return r < 0 ? r : settings_set(settings, index, &bits);
}

int syntax_parse_controllers(struct settings *settings, size_t index, const char *value) {
    uint32_t bits = *(const uint32_t *)settings_member(settings, index);
    int r = read_list(settings, index, value, &bits);
    return r < 0 ? r : settings_set(settings, index, &bits);
}

int syntax_print_controllers(size_t index, const void *value, struct buffer *out) {
    uint32_t bits = *(const uint32_t *)value;
    int r = 0;
    (void)index;
    for (size_t i = 0, count = 0; r == 0 && i < holden_enum_controller.count; i++)
        if (bits & UINT32_C(1) << holden_enum_controller.words[i].number)
            r = buffer_printf(out, "%s%s", count++ ? " " : "",
                              holden_enum_controller.words[i].word);
    return r;
}

int syntax_print_delegate(size_t index, const void *value, struct buffer *out) {
    uint32_t bits = *(const uint32_t *)value;
    if (!(bits & HOLDEN_DELEGATED))
        return buffer_printf(out, "no");
    return bits & HOLDEN_EVERY_CONTROLLER ? buffer_printf(out, "yes")
                                          : syntax_print_controllers(index, value, out);
}

int syntax_parse_slice(struct settings *settings, size_t index, const char *value) {
    struct holden_view view;
    char shown[WORDS_SHOWN];
    if (!name_slice_valid(value, strlen(value)))
        return settings_refuse(settings, "%s=%s: " NAME_SLICE_RULE, holden_property(index)->name,
                               words_show(value, shown));
    int r = settings_text(settings, value, strlen(value), &view);
    return r < 0 ? r : settings_set(settings, index, &view);
}
