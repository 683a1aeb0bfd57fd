/* The comparisons of conditions: <, <=, =, ==, !=, >=, > (systemd.unit(5)). */
#pragma once

#include <stdbool.h>

enum condition_order {
    ORDER_NONE, /* there is none: the whole is the value */
    ORDER_LESS,
    ORDER_MOST,
    ORDER_EQUAL,
    ORDER_UNEQUAL,
    ORDER_LEAST,
    ORDER_GREATER,
};

/* Takes the comparison that *text begins with, and the white space behind it. */
enum condition_order condition_order(const char **text);

/* Whether it holds of two values that compare so: less than, equal to or greater than 0. */
bool condition_ordered(int compared, enum condition_order order);
