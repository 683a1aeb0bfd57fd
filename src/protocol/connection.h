/* One end of a stream socket that carries frames and descriptors: the only place that calls
 * sendmsg(2) and recvmsg(2), for clients and the agent alike. Nothing here blocks unless the socket
 * does. */
#pragma once

#include "protocol/frame.h"

enum {
    HOLDEN_FDS_MAX = 64,         /* received and not yet claimed, a connection */
    HOLDEN_FDS_PER_SEND = 16,    /* that go out with one frame */
};

/* A descriptor and the byte of the stream, counted from its beginning, that it travels with. When
 * sent, that is the first byte of its frame; when received, the last byte that came with it. A
 * frame with descriptors is sent by a sendmsg(2) of its own, so both lie in that frame. */
struct holden_passed {
    size_t at;
    int fd;
};

struct holden_connection {
    int fd;                      /* owned */
    struct buffer in;            /* received, not yet taken */
    struct buffer out;           /* queued, not yet sent */
    struct holden_passed *incoming; /* received and not yet claimed, oldest first; owned */
    struct holden_passed *outgoing; /* queued, oldest first; owned */
    uint32_t incoming_count;
    uint32_t outgoing_count;
    size_t taken;                /* bytes of input taken since the beginning */
    size_t sent;                 /* bytes of output sent since the beginning */
};

/* Takes over the connected socket `fd`. The connection is released by holden_connection_close(). */
void holden_connection_open(struct holden_connection *connection, int fd);

/* Closes the socket, all descriptors held for it, and frees its buffers. */
void holden_connection_close(struct holden_connection *connection);

/* Reads once what the socket has. The number of bytes read, at least 1; 0 at the end of the stream;
 * -EAGAIN where there is nothing; -EMFILE where more descriptors came than HOLDEN_FDS_MAX (the
 * surplus is closed); -errno. */
ssize_t holden_connection_receive(struct holden_connection *connection);

/* Looks at the frame at the head of the input. 0 with *frame and *body, which stay valid until
 * holden_connection_taken(); -EAGAIN while it is not whole; otherwise as holden_frame_get(). */
int holden_connection_peek(struct holden_connection *connection, struct holden_frame *frame,
                           const uint8_t **body);

/* Moves the descriptors that came with the frame last peeked at into `fds`, oldest first; the
 * caller then owns them. Returns how many, at most `space`. */
size_t holden_connection_take_fds(struct holden_connection *connection,
                                  const struct holden_frame *frame, int *fds, size_t space);

/* Drops the frame last peeked at, and closes those of its descriptors that were not taken. */
void holden_connection_taken(struct holden_connection *connection,
                             const struct holden_frame *frame);

/* Queues a frame; `fds` (at most HOLDEN_FDS_PER_SEND) leave with it and are duplicated here: the
 * caller keeps its own. 0, -EINVAL, -ENOMEM, -EMFILE, or as holden_frame_put(). */
int holden_connection_put(struct holden_connection *connection, uint16_t type, uint32_t id,
                          const void *message, const int *fds, size_t count);

/* Sends what is queued, as far as the socket takes it. 0 when all is sent; -EAGAIN when the socket
 * is full and bytes remain; -errno. */
int holden_connection_send(struct holden_connection *connection);
