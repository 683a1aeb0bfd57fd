#include "common/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct arena_block {
    struct arena_block *next;
    size_t used;
    size_t space;
    alignas(max_align_t) unsigned char bytes[];
};

enum { BLOCK = 4000 };

static struct arena_block *block_with(struct arena *arena, size_t size) {
    struct arena_block *first = arena->first;
    if (first && size <= first->space - first->used)
        return first;
    size_t space = size > BLOCK ? size : BLOCK;
    struct arena_block *block = calloc(1, sizeof(*block) + space);
    if (!block)
        return NULL;
    block->next = first;
    block->space = space;
    arena->first = block;
    return block;
}

void *arena_take(struct arena *arena, size_t size) {
    size_t step = alignof(max_align_t);
    if (size > SIZE_MAX / 2)
        return NULL;
    size = (size + step - 1) / step * step;
    struct arena_block *block = block_with(arena, size);
    if (!block)
        return NULL;
    void *memory = block->bytes + block->used;
    block->used += size;
    return memory;
}

char *arena_copy(struct arena *arena, const char *text, size_t size) {
    char *copy = arena_take(arena, size + 1);
    if (copy && size > 0)
        memcpy(copy, text, size);
    return copy;
}

void arena_free(struct arena *arena) {
    while (arena->first) {
        struct arena_block *block = arena->first;
        arena->first = block->next;
        free(block);
    }
}
