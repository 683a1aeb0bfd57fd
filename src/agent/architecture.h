/* The architectures whose system calls a filter lets through at all. */
#pragma once

#include <seccomp.h>

#include "protocol/message.h"

/* Adds an architecture by systemd's name (SystemCallArchitectures=, systemd.exec(5)) to the filter.
 * One that this machine's kernel cannot run is passed over: its calls never come, and each costs
 * time to compile. 0; -EINVAL for an unknown name; -errno of seccomp_arch_add(3). */
int architecture_add(scmp_filter_ctx filter, struct holden_view name);

/* The same by the name that OCI profiles use ("SCMP_ARCH_X86_64"). */
int architecture_add_oci(scmp_filter_ctx filter, struct holden_view name);

/* The architectures, beside the native one, whose calls this machine's kernel can take: that with
 * the number, from 0. False past the last. */
bool architecture_companion(size_t number, uint32_t *token);
