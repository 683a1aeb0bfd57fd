/* Paths that symbolic links cannot lead astray. */
#pragma once

#include <stdbool.h>

/* Whether a symbolic link is on the way to the path, as far as it exists: 1, 0, or -1 and errno. */
int child_path_has_link(const char *path);

/* Writes what the path comes to once every symbolic link on its way is followed; what does not
 * exist is taken as it is written. `to` has room for PATH_MAX bytes. 0, or -1 with errno. */
int child_path_resolve(const char *path, char *to);

/* Opens the path by O_PATH, but follows no symbolic link, not even on the way (ELOOP). The
 * descriptor, which is close-on-exec, or -1 with errno. */
int child_path_open(const char *path);

/* Makes the path with all that is missing on its way: directories with mode 0755, and at its end a
 * directory, or an empty file. Follows no symbolic link. Returns what child_path_open() does. */
int child_path_make(const char *path, bool directory);
