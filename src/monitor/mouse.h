/* What the mouse does: a click selects a process, sorts by a title or presses a key of the foot;
 * the wheel scrolls. */
#pragma once

#include "monitor/live.h"

/* Does what the click or turn of the wheel means that terminal_key() told of last. The key of the
 * foot that was clicked (terminal.h), or TERMINAL_NONE. */
int mouse_press(struct live *live);
