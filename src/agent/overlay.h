/* Settings laid over settings. */
#pragma once

#include "common/buffer.h"
#include "protocol/message.h"

/* Takes over each property that `from` has and, where `only` is not NULL, that `only` has too. What
 * they point to stays where it is. */
void overlay(struct holden_properties *to, const struct holden_properties *from,
             const struct holden_properties *only);

/* Moves lists and bytes among the settings to memory of their own, in place of what is in `memory`,
 * which the caller frees when they are not needed any more. 0 or -errno, with nothing moved. */
int overlay_own(struct holden_properties *properties, struct buffer *memory);
