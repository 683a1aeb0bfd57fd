#include "common/buffer.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SMALL 256U
#define KEEP 1024U

const uint8_t buffer_nothing[1];

void buffer_free(struct buffer *buffer) {
    free(buffer->data);
    *buffer = (struct buffer){0};
}

int buffer_reserve(struct buffer *buffer, size_t more, uint8_t **room) {
    if (more > SIZE_MAX / 4 - buffer->size)
        return -ENOMEM;
    size_t need = buffer->size + more;
    if (buffer->start > 0 && buffer->start + need > buffer->space) {
        memmove(buffer->data, buffer->data + buffer->start, buffer->size);
        buffer->start = 0;
    }
    if (buffer->start + need > buffer->space) {
        size_t space = buffer->space ? buffer->space : SMALL;
        while (space < need)
            space *= 2;
        uint8_t *data = realloc(buffer->data, space);
        if (!data)
            return -ENOMEM;
        buffer->data = data;
        buffer->space = space;
    }
    *room = buffer_bytes(buffer) + buffer->size;
    return 0;
}

void buffer_added(struct buffer *buffer, size_t size) {
    buffer->size += size;
}

int buffer_append_growing(struct buffer *buffer, const void *bytes, size_t size) {
    uint8_t *room;
    int r = buffer_reserve(buffer, size, &room);
    if (r < 0)
        return r;
    if (size > 0)
        memcpy(room, bytes, size);
    buffer->size += size;
    return 0;
}

int buffer_printf(struct buffer *buffer, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length < 0)
        return -EINVAL;
    uint8_t *room;
    int r = buffer_reserve(buffer, (size_t)length + 1, &room);
    if (r < 0)
        return r;
    va_start(arguments, format);
    vsnprintf((char *)room, (size_t)length + 1, format, arguments);
    va_end(arguments);
    buffer->size += (size_t)length;
    return 0;
}

void buffer_consume(struct buffer *buffer, size_t size) {
    buffer->start += size;
    buffer->size -= size;
    if (buffer->size > 0)
        return;
    buffer->start = 0;
    if (buffer->space > KEEP)
        buffer_free(buffer);
}
