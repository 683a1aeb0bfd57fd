/* Mount options as people write them: comma-separated words. */
#pragma once

#include <stdint.h>

#include "protocol/codec.h"

/* Takes out those of mount(8) that are bits of the mount, in *flags (PLAN_MOUNT_RDONLY, NOSUID,
 * NODEV, NOEXEC), and appends the others, which are the file system's own, to the string `rest`,
 * each with a comma before it: that has room for one byte more than `options` has. */
void mount_option_take(struct holden_view options, uint32_t *flags, char *rest);
