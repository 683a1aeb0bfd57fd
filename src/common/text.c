#include "common/text.h"

#include <stdint.h>
#include <sys/mman.h>

/* The linker's names for the bounds of the read-only part, before anything that was relocated. */
extern const char __executable_start[];
extern const char etext[];

void text_shrink(void) {
    uintptr_t start = (uintptr_t)__executable_start;
    madvise((void *)start, (uintptr_t)etext - start, MADV_DONTNEED);
}
