/* A growing run of bytes: written at its end, consumed at its start. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct buffer {
    uint8_t *data; /* owned; NULL while nothing is held */
    size_t start;  /* bytes already consumed */
    size_t size;   /* bytes held, counted from start */
    size_t space;  /* bytes allocated */
};

/* Releases the memory; the buffer is empty and usable afterwards. */
void buffer_free(struct buffer *buffer);

/* Where the bytes of a buffer are that holds none: C allows to copy 0 bytes from there, and none at
 * all from NULL. */
extern const uint8_t buffer_nothing[];

/* The first of buffer->size held bytes, never NULL; valid until the buffer is changed. */
static inline uint8_t *buffer_bytes(const struct buffer *buffer) {
    return buffer->data ? buffer->data + buffer->start : (uint8_t *)(uintptr_t)buffer_nothing;
}

/* Makes room for `more` bytes behind the held ones and returns in *room where they go; what is
 * written there counts once buffer_added() says so. 0, or -ENOMEM (nothing changed). */
int buffer_reserve(struct buffer *buffer, size_t more, uint8_t **room);

/* Counts `size` bytes, written to the reserved room, as held. */
void buffer_added(struct buffer *buffer, size_t size);

/* buffer_append() where there may be no room yet. */
int buffer_append_growing(struct buffer *buffer, const void *bytes, size_t size);

/* Appends a copy of `size` bytes. 0, or -ENOMEM (nothing changed). */
static inline int buffer_append(struct buffer *buffer, const void *bytes, size_t size) {
    if (size == 0 || size > buffer->space - buffer->start - buffer->size)
        return buffer_append_growing(buffer, bytes, size);
    memcpy(buffer->data + buffer->start + buffer->size, bytes, size);
    buffer->size += size;
    return 0;
}

/* Appends formatted text without its terminating NUL. 0, or -ENOMEM (nothing changed). */
int buffer_printf(struct buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Drops the first `size` held bytes. An emptied buffer that had grown past 1 KiB gives its memory
 * back, so that an idle peer costs nothing. */
void buffer_consume(struct buffer *buffer, size_t size);
