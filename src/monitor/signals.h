/* The signals that end the monitor in order, as a descriptor (signalfd(2)). */
#pragma once

#include <stdbool.h>

/* Blocks them, and SIGWINCH: from now on they come through the descriptor, which never blocks. The
 * descriptor, or -errno. */
int signals_open(void);

/* Reads what has come. Returns whether the monitor is to end; in *resized whether the terminal has
 * another size. */
bool signals_read(int fd, bool *resized);
