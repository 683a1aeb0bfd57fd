/* Memory for what is read piece by piece, such as a command line or a file: handed out piecewise,
 * released at once. */
#pragma once

#include <stddef.h>

struct arena {
    struct arena_block *first; /* owned; the newest */
};

/* `size` zeroed bytes, aligned for anything, that live until arena_free(). NULL without memory. */
void *arena_take(struct arena *arena, size_t size);

/* A copy of `size` bytes with a NUL behind them, that lives as long. NULL without memory. */
char *arena_copy(struct arena *arena, const char *text, size_t size);

/* Releases everything; the arena is empty and usable afterwards. */
void arena_free(struct arena *arena);
