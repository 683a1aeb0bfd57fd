/* Text of the user's, as it may stand in a message: short, and without what could steer a terminal.
 * */
#pragma once

enum { WORDS_SHOWN = 100 };

/* Copies `text` into `shown`, cut with "…" where it is too long; control characters, and in what is
 * not UTF-8 all that is not ASCII, as '?'. Returns `shown`. */
char *words_show(const char *text, char shown[WORDS_SHOWN]);
