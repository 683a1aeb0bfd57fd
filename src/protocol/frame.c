#include "protocol/frame.h"

#include <errno.h>
#include <string.h>

int holden_frame_put(struct buffer *out, uint16_t type, uint32_t id, const void *message) {
    const struct holden_message_row *row = holden_message(type);
    if (!row)
        return -EINVAL;
    size_t before = out->size;
    uint8_t *header;
    int r = buffer_reserve(out, HOLDEN_FRAME_HEADER, &header);
    if (r < 0)
        return r;
    memset(header, 0, HOLDEN_FRAME_HEADER);
    buffer_added(out, HOLDEN_FRAME_HEADER);
    r = holden_encode(row->record, message, out);
    if (r == 0 && out->size - before > HOLDEN_FRAME_MAX)
        r = -EMSGSIZE;
    if (r < 0) {
        out->size = before;
        return r;
    }
    header = buffer_bytes(out) + before;
    header[0] = 'H';
    header[1] = 'd';
    header[2] = HOLDEN_VERSION;
    holden_put16(header + 4, type);
    holden_put32(header + 8, (uint32_t)(out->size - before - HOLDEN_FRAME_HEADER));
    holden_put32(header + 12, id);
    return 0;
}

int holden_frame_get(const uint8_t *bytes, size_t size, struct holden_frame *frame) {
    if (size < HOLDEN_FRAME_HEADER)
        return -EAGAIN;
    frame->type = holden_get16(bytes + 4);
    frame->size = holden_get32(bytes + 8);
    frame->id = holden_get32(bytes + 12);
    frame->node = holden_get32(bytes + 16);
    if (bytes[0] != 'H' || bytes[1] != 'd')
        return -EPROTO;
    if (bytes[2] != HOLDEN_VERSION)
        return -EPROTONOSUPPORT;
    if (bytes[3] != 0 || holden_get16(bytes + 6) != 0)
        return -EPROTO;
    if (frame->size > HOLDEN_FRAME_MAX - HOLDEN_FRAME_HEADER)
        return -EMSGSIZE;
    return 0;
}
