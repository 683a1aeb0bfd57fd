/* What stands in place of what is inaccessible: an empty node of each type, with no rights, in a
 * directory of the state directory. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct store;

/* Makes them where they are missing, and writes the path of their directory to `path`. 0, or
 * -errno. */
int nodes_make(struct store *store, char *path, size_t space);

/* Removes them and their directory, if they are there. */
void nodes_remove(int root);
