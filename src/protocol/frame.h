/* The frame: a fixed header of 20 bytes, then a body of TLVs.
 *
 *   0 magic 'H' 'd'   2 version   3 flags (0)   4 type u16   6 reserved u16 (0)
 *   8 body length u32   12 request id u32   16 node u32 */
#pragma once

#include <sys/types.h>

#include "protocol/message.h"

enum {
    HOLDEN_VERSION = 1,
    HOLDEN_FRAME_HEADER = 20,
    HOLDEN_FRAME_MAX = 4 << 20, /* header and body */
};

struct holden_frame {
    uint16_t type;  /* enum holden_message */
    uint32_t id;    /* chosen by the client; replies carry it back */
    uint32_t node;  /* 0: this agent; otherwise for a gateway to route by */
    uint32_t size;  /* bytes of body */
};

/* Appends one whole frame: the header and `message`, described by its type's row. 0; -EMSGSIZE past
 * HOLDEN_FRAME_MAX, or as holden_encode(). On failure `out` holds what it held. */
int holden_frame_put(struct buffer *out, uint16_t type, uint32_t id, const void *message);

/* Reads a header. 0; -EAGAIN while fewer than HOLDEN_FRAME_HEADER bytes are there; -EPROTO for a
 * wrong magic, flags or reserved bits; -EPROTONOSUPPORT for another version; -EMSGSIZE for a frame
 * over the bound. frame->id is set whenever the bytes are there, for the answer. */
int holden_frame_get(const uint8_t *bytes, size_t size, struct holden_frame *frame);
