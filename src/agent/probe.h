/* Trying a program before going over to it. */
#pragma once

#include <stddef.h>

enum { PROBE_LIMIT = 5000 /* milliseconds */ };

/* Runs the program at `path` with the arguments of `argv` (its first is taken as it is) and
 * --probe, in a child of its own that is ended after PROBE_LIMIT. A keeper finds its agent-core,
 * which loads its libraries, reads the configuration and says that it could start; anything else
 * is no agent. Waits for it, so it is nothing for a loop. 0; or -errno, and one line in `why`: what
 * it did in place of that. */
int probe(const char *path, char *const *argv, char *why, size_t space);
