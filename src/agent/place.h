/* Where a process's cgroup is, and what is done with it: nobody else puts its path together. */
#pragma once

#include <stddef.h>

#include "agent/process.h"

/* The longest path that place_path() makes, with its end. */
enum { PLACE_MOST = 128 };

/* The path of the process's cgroup below the one that the agent divides, into `path` of PLACE_MOST
 * bytes. */
void place_path(const struct process *process, char path[PLACE_MOST]);

/* The same with where that is in the file system, into `path` of `space` bytes. What does not fit
 * is left out. */
void place_whole_path(const struct process *process, char *path, size_t space);

/* The process whose cgroup `path` (below the one that is divided; a '/' or the line's end follows)
 * is, or is below. NULL: none. */
struct process *place_find(const struct agent *agent, const char *path);

/* Makes, opens, removes it: cgroup_make(), cgroup_open(), cgroup_remove(). A descriptor is the
 * caller's. */
int place_make(const struct process *process, int *directory);
int place_open(const struct process *process, int *directory);
int place_remove(const struct process *process);
