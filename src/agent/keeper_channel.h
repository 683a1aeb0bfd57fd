/* The channel between keeper and agent: one packet is one message. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "agent/plan.h"

/* What was received. It is several pages large but only touched as far as messages reach. */
struct keeper_packet {
    _Alignas(16) unsigned char bytes[KEEPER_PACKET_MAX];
    int fds[PLAN_FDS_MAX];
    unsigned count; /* descriptors */
};

/* Receives one message. Its size; 0 when the agent is gone; -EAGAIN when there is none, or no
 * memory for it now; -EPROTO for one that is too large. The descriptors are close-on-exec, to be
 * given to keeper_packet_close(); where there was no room for all of them, there are none. */
ssize_t keeper_packet_receive(struct keeper_packet *packet, int channel);

/* Closes the packet's descriptors. */
void keeper_packet_close(struct keeper_packet *packet);

/* Sends the answer, with `fd` unless it is negative; waits while the agent has not read earlier
 * ones, or the kernel has no memory for it. An agent that is gone is no failure: its successor will
 * ask for itself. Where it cannot be sent for another reason, the channel is shut down, which ends
 * the agent: its successor recovers. */
void keeper_reply_send(const struct keeper_reply *reply, int channel, int fd);
