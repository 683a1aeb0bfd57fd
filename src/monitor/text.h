/* Text for a terminal: what it shows, and how wide that is. */
#pragma once

#include <stdbool.h>

#include "protocol/codec.h"

/* Whether the locale in force writes UTF-8 (nl_langinfo(3)). */
bool text_is_utf8(void);

/* Appends formatted text to `text`, which has `space` bytes and stays terminated; what does not fit
 * is cut. */
void text_add(char *text, size_t space, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Copies as much of `text` as takes at most `columns` columns of a terminal to `out` (`space`
 * bytes, always terminated) and returns how many it takes. Nothing in it can steer a terminal:
 * characters that do not print, and bytes that are none, are shown as '?'; those without width are
 * left out. What does not fit is cut, and the last column shows that (… or +). */
unsigned text_fit(struct holden_view text, unsigned columns, bool utf8, char *out, size_t space);

/* The columns that the text takes when it is shown as above, at most `most`. */
unsigned text_width(struct holden_view text, unsigned most, bool utf8);
