#include "agent/overlay.h"

#include <string.h>

#include "common/cleanup.h"
#include "protocol/property.h"

static size_t member_size(const struct holden_field *field) {
    return field->repeated ? sizeof(struct holden_repeated)
                           : holden_size((enum holden_type)field->type);
}

void overlay(struct holden_properties *to, const struct holden_properties *from,
             const struct holden_properties *only) {
    for (size_t i = 0; i < HOLDEN_PROPERTIES; i++) {
        const struct holden_field *field = &holden_record_properties.fields[i];
        if (!holden_has(from, i) || (only && !holden_has(only, i)))
            continue;
        memcpy((uint8_t *)to + field->offset, (const uint8_t *)from + field->offset,
               member_size(field));
        holden_mark(to, i);
    }
}

int overlay_own(struct holden_properties *properties, struct buffer *memory) {
    _cleanup_(buffer_free) struct buffer encoded = {0};
    struct holden_fault fault;
    int r = holden_encode(&holden_record_properties, properties, &encoded);
    if (r < 0)
        return r;
    buffer_free(memory);
    *memory = encoded;
    encoded = (struct buffer){0};
    return holden_decode(&holden_record_properties, buffer_bytes(memory), memory->size, properties,
                         &fault);
}
