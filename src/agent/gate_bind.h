/* SocketBindAllow= and SocketBindDeny= as programs of the kernel's, by systemd.resource-control(5):
 * what is asked at each bind(2). */
#pragma once

#include "agent/bytecode.h"
#include "protocol/message.h"

/* Appends what the properties ask for of sockets of IPv4, or IPv6; nothing where they may be bound
 * to anything. 0; -EBADMSG for what is no rule; -errno. */
int gate_bind_four(const struct holden_properties *properties, struct bytecode *program);
int gate_bind_six(const struct holden_properties *properties, struct bytecode *program);
