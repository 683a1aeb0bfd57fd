#include "controller/unit_name.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/name.h"

static const char suffix[] = ".service";

static bool is_character(char c) {
    return isalnum((unsigned char)c) || (c && strchr(":-_.\\@", c));
}

const char *unit_name_kind(const struct unit_name *name) {
    return name->slice ? "slice" : "service";
}

static int parse_slice(const char *text, size_t size, struct unit_name *name) {
    if (!name_slice_valid(text, size))
        return -EINVAL;
    *name = (struct unit_name){.slice = true};
    memcpy(name->full, text, size);
    memcpy(name->stem, text, size - strlen(".slice"));
    memcpy(name->prefix, name->stem, sizeof(name->stem));
    return 0;
}

int unit_name_parse(const char *text, struct unit_name *name) {
    size_t size = strlen(text);
    if (name_is_slice(text, size))
        return parse_slice(text, size, name);
    size_t stem = size - (sizeof(suffix) - 1);
    if (size >= UNIT_NAME_SIZE || size < sizeof(suffix) || strcmp(text + stem, suffix) != 0)
        return -EINVAL;
    for (size_t i = 0; i < size; i++)
        if (!is_character(text[i]))
            return -EINVAL;
    *name = (struct unit_name){0};
    memcpy(name->full, text, size);
    memcpy(name->stem, text, stem);
    size_t prefix = strcspn(name->stem, "@");
    if (prefix == 0)
        return -EINVAL;
    memcpy(name->prefix, text, prefix);
    name->templated = prefix < stem;
    if (name->templated)
        memcpy(name->instance, text + prefix + 1, stem - prefix - 1);
    return 0;
}

char *unit_name_template(const struct unit_name *name, char *text) {
    size_t size = strlen(name->prefix);
    memcpy(text, name->prefix, size);
    snprintf(text + size, UNIT_NAME_SIZE - size, "@%s", suffix);
    return text;
}

static int take_hex(const char *text, uint8_t *byte) {
    unsigned value;
    if (text[1] != 'x' || !isxdigit((unsigned char)text[2]) || !isxdigit((unsigned char)text[3]) ||
        sscanf(text + 2, "%2x", &value) != 1 || value == 0)
        return -EINVAL;
    *byte = (uint8_t)value;
    return 0;
}

int unit_name_unescape(const char *text, struct buffer *out) {
    int r = 0;
    while (r == 0 && *text) {
        uint8_t byte = *text == '-' ? '/' : (uint8_t)*text;
        bool escape = *text == '\\';
        if (escape)
            r = take_hex(text, &byte);
        if (r == 0)
            r = buffer_append(out, &byte, 1);
        text += escape && r == 0 ? 4 : 1;
    }
    return r;
}
