/* Scope-bound release of what a function holds, so that no error path needs a goto. */
#pragma once

#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(function) __attribute__((cleanup(function)))
#define _cleanup_free_ _cleanup_(cleanup_free)
#define _cleanup_close_ _cleanup_(cleanup_close)

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* Frees the memory that the variable at `pointer` names. Used through _cleanup_free_ only. */
static inline void cleanup_free(void *pointer) {
    void *memory;
    __builtin_memcpy(&memory, pointer, sizeof(memory));
    free(memory);
}

/* Closes the descriptor in `*fd` unless it is negative. Used through _cleanup_close_ only. */
static inline void cleanup_close(const int *fd) {
    if (*fd >= 0)
        close(*fd);
}

/* Hands the pointer in `variable` to the caller and leaves NULL behind: ownership moves out of the
 * scope that would have freed it. */
#define TAKE_POINTER(variable)                  \
    ({                                          \
        __typeof__(variable) taken = (variable); \
        (variable) = NULL;                      \
        taken;                                  \
    })

/* The same for a descriptor; -1 stays behind. */
static inline int take_fd(int *fd) {
    int taken = *fd;
    *fd = -1;
    return taken;
}
#define TAKE_FD(variable) take_fd(&(variable))
