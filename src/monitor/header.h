/* The lines about the machine above the table: CPU with a mark for each core, memory, IO, stall. */
#pragma once

#include "monitor/machine.h"
#include "monitor/terminal.h"

/* How many lines of the terminal it takes, at most `most`; 0 where nothing is known. */
int header_lines(const struct machine *machine, const struct terminal *terminal, int most);

/* Draws it into so many lines from `row` on. What finds no room is left out. */
void header_paint(const struct machine *machine, struct terminal *terminal, int row, int lines);
