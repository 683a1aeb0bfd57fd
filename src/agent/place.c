#include "agent/place.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/agent.h"

void place_path(const struct process *process, char path[PLACE_MOST]) {
    cgroup_name(process->id, process->name, path, PLACE_MOST);
}

void place_whole_path(const struct process *process, char *path, size_t space) {
    char below[PLACE_MOST];
    place_path(process, below);
    snprintf(path, space, "%s/%s", process->agent->hierarchy.path, below);
}

struct process *place_find(const struct agent *agent, const char *path) {
    char own[PLACE_MOST];
    struct process *process = process_by_id(&agent->processes, strtoull(path, NULL, 10));
    if (!process)
        return NULL;
    place_path(process, own);
    size_t size = strlen(own);
    return strncmp(path, own, size) == 0 && strchr("/\n", path[size]) ? process : NULL;
}

int place_make(const struct process *process, int *directory) {
    char path[PLACE_MOST];
    place_path(process, path);
    return cgroup_make(&process->agent->hierarchy, path, directory);
}

int place_open(const struct process *process, int *directory) {
    char path[PLACE_MOST];
    place_path(process, path);
    return cgroup_open(&process->agent->hierarchy, path, directory);
}

int place_remove(const struct process *process) {
    char path[PLACE_MOST];
    place_path(process, path);
    return cgroup_remove(&process->agent->hierarchy, path);
}
