#include "calls.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>

#define FAILS(call, ...) {SYS_##call, #call, {__VA_ARGS__}, false},
#define FAILS_DONE(call, ...) {SYS_##call, #call, {__VA_ARGS__}, true},
#define CANNOT(call, why) {SYS_##call, #call, {0}, false},

const struct call calls[] = {
#include "calls.def"
};
const size_t calls_count = sizeof(calls) / sizeof(calls[0]);

const struct call *calls_find(long number) {
    for (size_t i = 0; i < calls_count; i++)
        if (calls[i].number == number)
            return &calls[i];
    return NULL;
}

const struct call *calls_named(const char *name) {
    for (size_t i = 0; i < calls_count; i++)
        if (strcmp(calls[i].name, name) == 0)
            return &calls[i];
    return NULL;
}
