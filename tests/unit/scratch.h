/* A directory for one test, in /tmp. All assert by themselves. */
#pragma once

#include <stddef.h>

struct scratch {
    char path[32];
    int directory; /* open for the functions that take one */
};

/* Makes the directory. */
void scratch_open(struct scratch *scratch);

/* Removes it with everything in it. */
void scratch_close(struct scratch *scratch);

/* Makes the file in it hold this text, and nothing else. */
void scratch_write(const struct scratch *scratch, const char *name, const char *text);

/* The text of a file in it, a final newline removed, in `text`, which is returned. NULL: no such
 * file. */
const char *scratch_read(const struct scratch *scratch, const char *name, char *text, size_t space);

/* Makes a directory in it. */
void scratch_make(const struct scratch *scratch, const char *name);

/* How many descriptors this process has open. */
unsigned scratch_descriptors(void);
