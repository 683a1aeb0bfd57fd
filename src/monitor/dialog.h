/* The questions that the live screen asks, and what follows from the answers. */
#pragma once

#include "monitor/live.h"

/* Does the action to the selected process, after a yes where the action asks for one. */
void dialog_act(struct live *live, enum action action);

/* Asks for new limits for the selected process. */
void dialog_constrain(struct live *live);

/* Asks for a part of a name; the table follows while it is typed. */
void dialog_filter(struct live *live);

/* Whether a dialog has the keyboard. */
bool dialog_is_open(const struct live *live);

/* Takes a key while a dialog is open. */
void dialog_key(struct live *live, int key);
