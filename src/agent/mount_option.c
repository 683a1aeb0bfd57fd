#include "agent/mount_option.h"

#include <string.h>

#include "agent/plan.h"
#include "common/cleanup.h"

static const struct {
    const char *word;
    uint32_t set, clear;
} words[] = {
    {"ro", PLAN_MOUNT_RDONLY, 0},         {"rw", 0, PLAN_MOUNT_RDONLY},
    {"nosuid", PLAN_MOUNT_NOSUID, 0},     {"suid", 0, PLAN_MOUNT_NOSUID},
    {"nodev", PLAN_MOUNT_NODEV, 0},       {"dev", 0, PLAN_MOUNT_NODEV},
    {"noexec", PLAN_MOUNT_NOEXEC, 0},     {"exec", 0, PLAN_MOUNT_NOEXEC},
};

static bool take_bits(struct holden_view word, uint32_t *flags) {
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (holden_view_is(word, words[i].word)) {
            *flags = (*flags | words[i].set) & ~words[i].clear;
            return true;
        }
    return false;
}

void mount_option_take(struct holden_view options, uint32_t *flags, char *rest) {
    char *end = rest + strlen(rest);
    while (options.size > 0) {
        const char *comma = memchr(options.data, ',', options.size);
        size_t size = comma ? (size_t)(comma - options.data) : options.size;
        struct holden_view word = {options.data, size};
        if (size > 0 && !take_bits(word, flags)) {
            *end++ = ',';
            end = mempcpy(end, word.data, size);
        }
        size += comma != NULL;
        options = (struct holden_view){options.data + size, options.size - size};
    }
    *end = '\0';
}
