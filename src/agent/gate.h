/* What a process may reach beyond its files: programs (bytecode.h) that the kernel asks for every
 * process of the cgroup, made from the properties that systemd.resource-control(5) has for it. A
 * process that has none of these properties has no program, and pays nothing. */
#pragma once

#include "daemon/failure.h"
#include "protocol/message.h"

/* Attaches to the cgroup, in the place of what is there, the programs that the properties present
 * in `changed` have a part in, made from `all` that the process has; or takes them off where they
 * would allow everything. Each is looked for afterwards. What a property only implies besides
 * (PrivateDevices=) is passed over where the kernel lets the agent attach nothing.
 * 0; or refused with *failure filled, naming the property. Nothing is undone here. */
int gate_apply(int cgroup, const struct holden_properties *changed,
               const struct holden_properties *all, struct failure *failure);

/* Takes the marks in *now, settings of a process, off those whose program is not in force. */
void gate_read(int cgroup, struct holden_properties *now);

/* Sets in *usage what has passed by IPAccounting= so far; nothing where that is not in force. */
void gate_count(int cgroup, struct holden_usage *usage);

/* Sets in *out, for every such property present in `which` but not there, what holds where it is
 * not set. */
void gate_default(const struct holden_properties *which, struct holden_properties *out);

/* Whether the kernel lets this agent have such programs. 0 or -errno of bpf(2). */
int gate_possible(void);
