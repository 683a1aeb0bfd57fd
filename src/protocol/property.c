#include "protocol/property.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>

#include "common/cleanup.h"

#define IS_LIVE true
#define IS_FIXED false
#define PROPERTY(Name, member, tag, wire, n, of, SYNTAX, least, most, HOME, CHANGE, where, what) \
    [HOLDEN_FIELD_properties_##member] = {.name = #Name,                      \
                                          .file = (where),                    \
                                          .doc = (what),                      \
                                          .minimum = (least),                 \
                                          .maximum = (most),                  \
                                          .syntax = HOLDEN_SYNTAX_##SYNTAX,   \
                                          .home = HOLDEN_HOME_##HOME,         \
                                          .live = IS_##CHANGE},
static const struct holden_property rows[] = {
#include "protocol/properties.def"
};
_Static_assert(ARRAY_SIZE(rows) == HOLDEN_PROPERTIES, "one row, one index");

const struct holden_limit holden_limits[HOLDEN_LIMITS] = {
#define PROPERTY(...)
#define LIMIT(Name, member, tag, SYNTAX, RESOURCE, doc) \
    {HOLDEN_INDEX(properties, member), RESOURCE},
#include "protocol/properties.def"
};

const struct holden_property *holden_property(size_t index) {
    return &rows[index];
}

int holden_property_find(const char *name, size_t *index) {
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (strcmp(rows[i].name, name) == 0) {
            *index = i;
            return 0;
        }
    return -ENOENT;
}

bool holden_property_of_slice(size_t index) {
    bool limit = rows[index].home == HOLDEN_HOME_CGROUP && strcmp(rows[index].file, "bpf") != 0 &&
                 index != HOLDEN_INDEX(properties, oom_policy);
    return limit || index == HOLDEN_INDEX(properties, disable_controllers);
}
