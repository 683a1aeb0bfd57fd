/* The selected process beside the table: graphs of its last ten minutes, its last events, the end
 * of its log. */
#pragma once

#include "monitor/live.h"

/* How many lines of a terminal of that height it takes; 0 where there is no room. */
int pane_lines(int height);

/* Draws it into so many lines from `row` on. */
void pane_paint(struct live *live, int row, int lines);
