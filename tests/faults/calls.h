/* The system calls that may be made to fail, from calls.def. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { CALL_ERRORS = 9 };

struct call {
    long number;
    const char *name;
    const int errors[CALL_ERRORS]; /* up to the first 0 */
    bool done;                     /* it is made, and fails nevertheless */
};

extern const struct call calls[];
extern const size_t calls_count;

/* The row of the system call with that number or name, or NULL. */
const struct call *calls_find(long number);
const struct call *calls_named(const char *name);
