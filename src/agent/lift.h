/* The rights of a single command: what the prefixes + and ! of its command line lift of the
 * process's settings (systemd.service(5), "Command lines"). What goes for a whole cgroup stays, and
 * so do namespaces of network, IPC, host name and process ids, RootDirectory=, and mounts that
 * show something. */
#pragma once

#include "protocol/message.h"

/* Takes what these rights (enum holden_exec_rights_values) lift of the identity out of the
 * properties: the user and groups. */
void lift_identity(uint32_t rights, struct holden_properties *properties);

/* The same with all else that they lift: capabilities, resource limits, no_new_privs, and mounts
 * that hide paths or make them read-only. */
void lift_sandbox(uint32_t rights, struct holden_properties *properties);

/* Whether they lift the system call filter. */
bool lift_filter(uint32_t rights);
