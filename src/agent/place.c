#include "agent/place.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/agent.h"
#include "agent/user_slice.h"

void place_path(const struct process *process, char path[PLACE_MOST]) {
    char slice[SLICE_PATH] = "", own[128];
    if (process->slice)
        slice_path(holden_view(process->slice->name), slice);
    cgroup_name(process->id, process->name, own, sizeof(own));
    snprintf(path, PLACE_MOST, "%s%s%s", slice, *slice ? "/" : "", own);
}

void place_whole_path(const struct process *process, char path[PLACE_WHOLE_MOST]) {
    char below[PLACE_MOST];
    place_path(process, below);
    snprintf(path, PLACE_WHOLE_MOST, "%s/%s", process->agent->hierarchy.path, below);
}

/* It is valid, or the process would not have been taken. */
static struct holden_view asked_slice(const struct holden_properties *properties) {
    return HOLDEN_HAS(properties, properties, slice) ? properties->slice : holden_view("-.slice");
}

void place_hierarchy(const struct agent *agent, const struct holden_properties *properties,
                     struct hierarchy *hierarchy) {
    slice_hierarchy(agent, asked_slice(properties), true, hierarchy);
}

/* Slices come first; the name of a process's cgroup never ends as theirs. */
struct process *place_find(const struct agent *agent, const char *path) {
    char own[PLACE_MOST];
    const char *name = path;
    for (size_t size; name_is_slice(name, size = strcspn(name, "/\n")) && name[size] == '/';)
        name += size + 1;
    struct process *process = process_by_id(&agent->processes, strtoull(name, NULL, 10));
    if (!process)
        return NULL;
    place_path(process, own);
    size_t size = strlen(own);
    return strncmp(path, own, size) == 0 && strchr("/\n", path[size]) ? process : NULL;
}

static void leave(struct process *process) {
    slice_leave(process->slice);
    process->slice = NULL;
}

int place_make(struct process *process, const struct holden_properties *properties, int *directory,
               struct failure *failure) {
    char path[PLACE_MOST];
    leave(process);
    int r = slice_take(process->agent, asked_slice(properties), &process->slice);
    if (r < 0)
        return slice_refuse(r, failure);
    r = user_slice_check(process->slice, failure);
    if (r == 0)
        r = slice_raise(process->slice, failure);
    place_path(process, path);
    if (r == 0 && (r = cgroup_make(&process->agent->hierarchy, path, directory)) < 0)
        r = failure_errno(failure, -r, "cgroup", "cannot make cgroup %s/%s",
                          process->agent->hierarchy.path, path);
    if (r < 0)
        leave(process);
    else
        process->has_cgroup = true;
    return r;
}

int place_recover(struct process *process, const struct holden_properties *properties) {
    struct holden_view name = asked_slice(properties);
    process->has_cgroup = true;
    return name_slice_valid(name.data, name.size)
               ? slice_take(process->agent, name, &process->slice)
               : 0;
}

int place_open(const struct process *process, int *directory) {
    char path[PLACE_MOST];
    place_path(process, path);
    return cgroup_open(&process->agent->hierarchy, path, directory);
}

int place_remove(struct process *process) {
    char path[PLACE_MOST];
    place_path(process, path);
    int r = cgroup_remove(&process->agent->hierarchy, path);
    if (r < 0 && r != -ENOENT)
        return r;
    process->has_cgroup = false;
    leave(process);
    return 0;
}
