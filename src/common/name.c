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

bool name_valid(const char *name, size_t size) {
    if (size == 0 || size > NAME_MAX_SIZE || name[0] == '-' || name[0] == '.')
        return false;
    for (size_t i = 0; i < size; i++)
        if (!is_letter(name[i]) && !is_digit(name[i]) &&
            (name[i] == '\0' || !strchr("_.@:-", name[i])))
            return false;
    return !name_is_pid(name, size);
}
