#include "protocol/call_set.h"

#include <string.h>

#include "common/cleanup.h"

static const struct holden_call_set rows[] = {
#define SET(name, doc, calls) {(name), (doc), (calls)},
#include "protocol/call_sets.def"
};

const struct holden_call_set *holden_call_set(size_t index) {
    return index < ARRAY_SIZE(rows) ? &rows[index] : NULL;
}

const struct holden_call_set *holden_call_set_find(const char *name) {
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (strcmp(rows[i].name, name) == 0)
            return &rows[i];
    return NULL;
}

bool holden_call_set_next(const char **calls, struct holden_view *name) {
    size_t size = strcspn(*calls, " ");
    *name = (struct holden_view){*calls, size};
    *calls += size;
    *calls += **calls == ' ';
    return size > 0;
}
