/* What the live screen looks like. */
#pragma once

#include "monitor/live.h"

/* Draws everything; nothing but the layout and the scroll position of `live` changes. */
void screen_paint(struct live *live, uint64_t now);
