#include "agent/landlock.h"

#include "common/cleanup.h"
#include "protocol/property.h"

static const struct row {
    size_t index;
    uint32_t access;
} rows[] = {
    {HOLDEN_INDEX(properties, landlock_read_only_paths), PLAN_ACCESS_READ},
    {HOLDEN_INDEX(properties, landlock_read_write_paths), PLAN_ACCESS_READ | PLAN_ACCESS_WRITE},
    {HOLDEN_INDEX(properties, landlock_exec_paths), PLAN_ACCESS_READ | PLAN_ACCESS_EXEC},
};

/* A + means below RootDirectory=, where all of these paths are anyway. */
static void take_prefix(struct landlock_rule *rule, char prefix) {
    if (rule->path.size == 0 || rule->path.data[0] != prefix)
        return;
    rule->optional |= prefix == '-';
    rule->path.data++;
    rule->path.size--;
}

bool landlock_next(struct landlock_walk *walk, struct landlock_rule *rule) {
    for (; walk->at < ARRAY_SIZE(rows); walk->at++, walk->within = false) {
        const struct row *row = &rows[walk->at];
        if (!holden_has(walk->properties, row->index))
            continue;
        if (!walk->within)
            walk->left = *(const struct holden_repeated *)((const uint8_t *)walk->properties +
                             holden_record_properties.fields[row->index].offset);
        walk->within = true;
        *rule = (struct landlock_rule){.property = holden_property(row->index)->name,
                                       .access = row->access};
        if (!holden_next_view(&walk->left, &rule->path))
            continue;
        take_prefix(rule, '-');
        take_prefix(rule, '+');
        return true;
    }
    return false;
}

bool landlock_wanted(const struct holden_properties *properties) {
    struct landlock_walk walk = {.properties = properties};
    struct landlock_rule rule;
    return landlock_next(&walk, &rule);
}
