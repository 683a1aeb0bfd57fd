/* A list to choose from, at the left of the screen, over the table. */
#pragma once

#include "monitor/live.h"

/* Opens the menu of signals for the selected process, and of columns to sort by. */
void menu_signals(struct live *live);
void menu_columns(struct live *live);

/* Whether a menu has the keyboard. */
bool menu_is_open(const struct live *live);

/* Takes a key while a menu is open: Up, Down, the first letter of an item, Enter, Esc. */
void menu_key(struct live *live, int key);

/* Draws it into the lines from `row` on. */
void menu_paint(struct live *live, int row, int lines);
