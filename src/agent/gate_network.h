/* IPAddressAllow=, IPAddressDeny= and RestrictNetworkInterfaces= as programs of the kernel's, by
 * systemd.resource-control(5): what a packet meets on its way to a socket of the process, and from
 * it. */
#pragma once

#include "agent/bytecode.h"
#include "protocol/message.h"

/* Appends what the properties ask for of packets that come in, or go out; nothing where they let
 * every packet pass. Interfaces are those that the agent's network namespace has now. 0; -EBADMSG
 * for what is no address; -errno. */
int gate_network_ingress(const struct holden_properties *properties, struct bytecode *program);
int gate_network_egress(const struct holden_properties *properties, struct bytecode *program);
