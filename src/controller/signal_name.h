/* Signals by name and number (signal(7)). */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Reads "SIGTERM", "TERM", "15", "SIGRTMIN", "RTMIN+3" or "RTMAX-1", whatever the case of the
 * letters. 0, or -EINVAL. */
int signal_parse(const char *text, uint32_t *number);

/* "SIGTERM", "SIGRTMIN+3", or "signal 99" for a number that is none, into `text` of `space` bytes.
 * Returns `text`. */
char *signal_print(uint32_t number, char *text, size_t space);
