#include "common/name.h"

#include <string.h>

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool name_is_pid(const char *name, size_t size) {
    size_t digits = 0;
    while (digits < size && is_digit(name[digits]))
        digits++;
    return size > 0 && digits == size;
}

enum { SUFFIX = sizeof(".slice") - 1 };

bool name_is_slice(const char *name, size_t size) {
    return size > SUFFIX && memcmp(name + size - SUFFIX, ".slice", SUFFIX) == 0;
}

size_t name_slice_part(const char *name, size_t size, unsigned number) {
    size_t end = size - SUFFIX;
    if (end == 1 && name[0] == '-')
        return 0;
    for (size_t i = 0; i <= end; i++)
        if ((i == end || name[i] == '-') && number-- == 0)
            return i;
    return 0;
}

bool name_slice_valid(const char *name, size_t size) {
    if (size > NAME_SLICE_MOST || !name_is_slice(name, size) || name[0] == '.')
        return false;
    size_t end = size - SUFFIX, path = 0, part;
    if (end == 1 && name[0] == '-')
        return true;
    for (size_t i = 0; i < end; i++) {
        bool dash = name[i] == '-' && i > 0 && i + 1 < end && name[i + 1] != '-';
        if (!is_letter(name[i]) && !is_digit(name[i]) && !dash &&
            (name[i] == '\0' || !strchr("_.:\\", name[i])))
            return false;
    }
    for (unsigned i = 0; (part = name_slice_part(name, size, i)) > 0; i++)
        path += part + SUFFIX + 1;
    return path <= NAME_SLICE_PATH_MOST;
}

bool name_valid(const char *name, size_t size) {
    if (size == 0 || size > NAME_MAX_SIZE || name[0] == '-' || name[0] == '.')
        return false;
    for (size_t i = 0; i < size; i++)
        if (!is_letter(name[i]) && !is_digit(name[i]) &&
            (name[i] == '\0' || !strchr("_.@:-", name[i])))
            return false;
    return !name_is_pid(name, size);
}
