/* From a plan to a process. */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "agent/child.h"
#include "agent/keeper_channel.h"

/* Starts what the packet of `size` bytes plans, and fills *reply (KEEPER_SPAWNED). `own` is what
 * every child needs to know of the keeper. Returns the child's pidfd, the caller's; or -1 with
 * reply->error set. In the child it does not return. */
int keeper_spawn(struct keeper_packet *packet, size_t size, const struct child_origin *own,
                 struct keeper_reply *reply);
