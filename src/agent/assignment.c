#include "agent/assignment.h"

#include <string.h>

bool assignment_made(const struct holden_properties *properties, const char *variable) {
    struct holden_repeated left = properties->environment;
    struct holden_view view;
    size_t size = strlen(variable);
    while (HOLDEN_HAS(properties, properties, environment) && holden_next_view(&left, &view))
        if (view.size > size && view.data[size] == '=' && memcmp(view.data, variable, size) == 0)
            return true;
    return false;
}
