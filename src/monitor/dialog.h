/* The questions that the live screen asks, and what follows from the answers. */
#pragma once

#include "monitor/live.h"

/* Does the action to the selected process, after a yes where the action asks for one. */
void dialog_act(struct live *live, enum action action);

/* Whether the action means something for the selected process, which stays selected from now on;
 * says why not. */
bool dialog_is_possible(struct live *live, enum action action);

/* Sends the signal to the selected process, after a yes. */
void dialog_signal(struct live *live, int signal);

/* Asks for new limits for the selected process. What they would change is shown first. */
void dialog_constrain(struct live *live);

/* Asks whether the limits that were tried last on the process of that key and name are to be set,
 * now that it is said what they change. */
void dialog_apply(struct live *live, uint64_t target, const char *name);

/* Takes the last change of limits back. */
void dialog_undo(struct live *live);

/* Asks for a part of a name; the table follows while it is typed. */
void dialog_filter(struct live *live);

/* Whether a dialog has the keyboard. */
bool dialog_is_open(const struct live *live);

/* Takes a key while a dialog is open. */
void dialog_key(struct live *live, int key);
