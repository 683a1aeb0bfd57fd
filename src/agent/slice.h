/* Slices (systemd.slice(5)): cgroups between the one that the agent divides and those of processes,
 * as their names say, a-b.slice in a.slice. One is there as long as something is in it, or limits
 * are set for it (slice_limits.h). */
#pragma once

#include <sys/queue.h>

#include "agent/cgroup.h"
#include "common/name.h"

struct agent;
struct process;

struct slice {
    LIST_ENTRY(slice) entry;
    struct agent *agent;
    struct slice *parent;  /* NULL: right below the cgroup that is divided */
    char *name;            /* owned: a-b.slice */
    unsigned users;        /* processes in it, slices in it, and one more where limits are set */
    bool made;             /* its cgroup is there, with its limits */
    uint8_t *settings;     /* owned: its limits, encoded; NULL: none were set */
    size_t settings_size;
    uint8_t *before;       /* owned: of an earlier agent: what a change that was not completed was
                            * to replace, encoded; or NULL */
    size_t before_size;
};

struct slices {
    LIST_HEAD(slice_list, slice) list;
    size_t count;
};

/* How many there can be. */
enum { SLICES_MOST = 1000 };

/* The longest path that slice_path() makes, with its end. */
enum { SLICE_PATH = NAME_SLICE_PATH_MOST + 1 };

/* Refuses what is no name of a slice, with *failure filled. 0 where it is one. */
int slice_check(struct holden_view name, struct failure *failure);

/* The path of its cgroup below the one that is divided: a.slice/a-b.slice; "" for -.slice and for
 * no name. Into `path` of SLICE_PATH bytes. */
void slice_path(struct holden_view name, char path[SLICE_PATH]);

/* The slice of that (valid) name, or NULL where it is not there. */
struct slice *slice_find(const struct agent *agent, struct holden_view name);

/* The slice of that (valid) name, made where it is not there, but without its cgroup; one user
 * more. *out is NULL for -.slice. 0; -E2BIG past SLICES_MOST; -ENOMEM. */
int slice_take(struct agent *agent, struct holden_view name, struct slice **out);

/* Says that error of slice_take(). Returns what failure_set() does. */
int slice_refuse(int error, struct failure *failure);

/* Makes its cgroup and those around it, with their limits, where that is not done. 0; or refused
 * with *failure filled. NULL is none. */
int slice_raise(struct slice *slice, struct failure *failure);

/* One user less: without any it goes, and so do those around it. NULL is none. */
void slice_leave(struct slice *slice);

/* What the cgroups in the slice of that (valid) name have: *view becomes the agent's hierarchy
 * without what DisableControllers= takes away; not to be closed. `inside` false: what the slice
 * itself has. */
void slice_hierarchy(const struct agent *agent, struct holden_view name, bool inside,
                     struct hierarchy *view);

/* The limits that are set for it, over those that the configuration gives a user's; none without.
 * Views stay valid while they are not replaced. */
void slice_settings(const struct slice *slice, struct holden_properties *settings);

/* How many processes that are there are in it and in slices in it. */
uint64_t slice_count(const struct slice *slice);

/* At the agent's end: frees all; `remove` says whether their cgroups go. */
void slices_close(struct agent *agent, bool remove);
