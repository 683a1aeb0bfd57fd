#include "common/text.h"

#include <link.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

/* The parts that nobody may write to, whole pages of them: what was relocated lies in others. */
static int shrink_object(struct dl_phdr_info *object, size_t size, void *data) {
    (void)size;
    uintptr_t page = *(const uintptr_t *)data;
    for (size_t i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &object->dlpi_phdr[i];
        if (part->p_type != PT_LOAD || part->p_flags & PF_W)
            continue;
        uintptr_t start = (object->dlpi_addr + part->p_vaddr) & -page;
        madvise((void *)start, object->dlpi_addr + part->p_vaddr + part->p_memsz - start,
                MADV_DONTNEED);
    }
    return 0;
}

void text_shrink(void) {
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    dl_iterate_phdr(shrink_object, &page);
}
