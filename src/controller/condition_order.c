#include "controller/condition_order.h"

#include <string.h>

#include "common/cleanup.h"

/* The longer ones first. */
static const struct { const char *text; enum condition_order order; } rows[] = {
    {"<=", ORDER_MOST},  {">=", ORDER_LEAST},    {"==", ORDER_EQUAL}, {"!=", ORDER_UNEQUAL},
    {"<", ORDER_LESS},   {">", ORDER_GREATER},   {"=", ORDER_EQUAL},
};

enum condition_order condition_order(const char **text) {
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        size_t size = strlen(rows[i].text);
        if (strncmp(*text, rows[i].text, size) != 0)
            continue;
        *text += size + strspn(*text + size, " \t");
        return rows[i].order;
    }
    return ORDER_NONE;
}

bool condition_ordered(int compared, enum condition_order order) {
    switch (order) {
    case ORDER_LESS: return compared < 0;
    case ORDER_MOST: return compared <= 0;
    case ORDER_EQUAL: return compared == 0;
    case ORDER_UNEQUAL: return compared != 0;
    case ORDER_LEAST: return compared >= 0;
    case ORDER_GREATER: return compared > 0;
    case ORDER_NONE: break;
    }
    return false;
}
