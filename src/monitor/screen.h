/* What the live screen looks like. */
#pragma once

#include "monitor/live.h"

/* Draws everything; nothing but the layout, the places and the scroll positions of `live`
 * changes. */
void screen_paint(struct live *live, uint64_t now);

/* The key whose name the foot of the screen shows at that column, or TERMINAL_NONE. */
int screen_key_at(const struct live *live, int at);
