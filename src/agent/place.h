/* Where a process's cgroup is, and what is done with it: nobody else puts its path together. */
#pragma once

#include "agent/process.h"
#include "agent/slice.h"

/* The longest paths that place_path() and place_whole_path() make, with their ends. */
enum { PLACE_MOST = SLICE_PATH + 128, PLACE_WHOLE_MOST = 4096 + 4096 + PLACE_MOST };

/* The path of the process's cgroup below the one that the agent divides, into `path` of PLACE_MOST
 * bytes. */
void place_path(const struct process *process, char path[PLACE_MOST]);

/* The same with where that is in the file system, into `path` of PLACE_WHOLE_MOST bytes. */
void place_whole_path(const struct process *process, char path[PLACE_WHOLE_MOST]);

/* What the cgroup of a process with these settings has of the hierarchy, in *hierarchy: not to be
 * closed. */
void place_hierarchy(const struct agent *agent, const struct holden_properties *properties,
                     struct hierarchy *hierarchy);

/* The process whose cgroup `path` (below the one that is divided; a '/' or the line's end follows)
 * is, or is below. NULL: none. */
struct process *place_find(const struct agent *agent, const char *path);

/* Makes it where the settings say, and the slices around it where they are not there. 0 with
 * *directory, owned by the caller, and process->has_cgroup; or refused with *failure filled and
 * nothing made. */
int place_make(struct process *process, const struct holden_properties *properties, int *directory,
               struct failure *failure);

/* For a process of an earlier agent that may have one: it is known where, and its slice is in use;
 * nothing is made. 0 or -errno. */
int place_recover(struct process *process, const struct holden_properties *properties);

/* Opens it. 0 with *directory, owned by the caller; -ENOENT; -errno. */
int place_open(const struct process *process, int *directory);

/* Removes it with those below, and leaves its slice. 0, also where it is not there: then it has
 * none any more; -EBUSY while processes are left; -errno. */
int place_remove(struct process *process);
