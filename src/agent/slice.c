#include "agent/slice.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/limits.h"
#include "agent/overlay.h"
#include "agent/user_slice.h"
#include "common/cleanup.h"

int slice_check(struct holden_view name, struct failure *failure) {
    return name_slice_valid(name.data, name.size)
               ? 0
               : failure_set(failure, HOLDEN_code_INVALID, "Slice",
                             "\"%.*s\" is no name of a slice: " NAME_SLICE_RULE,
                             (int)(name.size < 80 ? name.size : 80), name.data);
}

void slice_path(struct holden_view name, char path[SLICE_PATH]) {
    size_t used = 0, part;
    path[0] = '\0';
    for (unsigned i = 0; (part = name_slice_part(name.data, name.size, i)) > 0; i++)
        used += (size_t)snprintf(path + used, SLICE_PATH - used, "%s%.*s.slice", i ? "/" : "",
                                 (int)part, name.data);
}

static struct slice *find_part(const struct agent *agent, const char *name, size_t part) {
    struct slice *slice;
    LIST_FOREACH(slice, &agent->slices.list, entry)
        if (strncmp(slice->name, name, part) == 0 && strcmp(slice->name + part, ".slice") == 0)
            return slice;
    return NULL;
}

struct slice *slice_find(const struct agent *agent, struct holden_view name) {
    return find_part(agent, name.data, name.size - strlen(".slice"));
}

static struct slice *new(struct agent *agent, struct slice *parent, const char *name, size_t part) {
    struct slice *slice = calloc(1, sizeof(*slice));
    if (!slice || asprintf(&slice->name, "%.*s.slice", (int)part, name) < 0) {
        free(slice);
        return NULL;
    }
    slice->agent = agent;
    slice->parent = parent;
    if (parent)
        parent->users++;
    LIST_INSERT_HEAD(&agent->slices.list, slice, entry);
    agent->slices.count++;
    return slice;
}

int slice_take(struct agent *agent, struct holden_view name, struct slice **out) {
    struct slice *slice = NULL, *parent = NULL;
    size_t part;
    for (unsigned i = 0; (part = name_slice_part(name.data, name.size, i)) > 0; i++) {
        bool full = agent->slices.count >= SLICES_MOST;
        slice = find_part(agent, name.data, part);
        if (!slice && !full)
            slice = new(agent, parent, name.data, part);
        if (!slice) {
            if (parent) {
                parent->users++;
                slice_leave(parent);
            }
            return full ? -E2BIG : -ENOMEM;
        }
        parent = slice;
    }
    if (slice)
        slice->users++;
    *out = slice;
    return 0;
}

int slice_refuse(int error, struct failure *failure) {
    return error == -E2BIG ? failure_set(failure, HOLDEN_code_TOO_MANY, "Slice",
                                         "there are %d slices already", SLICES_MOST)
                           : failure_errno(failure, -error, "Slice", "cannot make another slice");
}

void slice_settings(const struct slice *slice, struct holden_properties *settings) {
    struct holden_properties own;
    struct holden_fault fault;
    user_slice_limits(slice, settings);
    if (slice->settings && holden_decode(&holden_record_properties, slice->settings,
                                         slice->settings_size, &own, &fault) == 0)
        overlay(settings, &own, NULL);
}

static unsigned disabled_by(const struct slice *slice) {
    struct holden_properties settings = {0};
    if (slice)
        slice_settings(slice, &settings);
    return HOLDEN_HAS(&settings, properties, disable_controllers) ? settings.disable_controllers
                                                                  : 0;
}

void slice_hierarchy(const struct agent *agent, struct holden_view name, bool inside,
                     struct hierarchy *view) {
    size_t part;
    *view = agent->hierarchy;
    for (unsigned i = 0; (part = name_slice_part(name.data, name.size, i)) > 0; i++)
        if (inside || part + strlen(".slice") < name.size)
            view->disabled |= disabled_by(find_part(agent, name.data, part));
    view->controllers &= ~view->disabled;
}

/* An empty directory is taken away again: it would be one without its limits. */
static int make_cgroup(struct slice *slice, const char *path, struct failure *failure) {
    struct agent *agent = slice->agent;
    struct holden_properties settings;
    struct hierarchy own, below;
    _cleanup_close_ int directory = -1;
    int r = cgroup_make(&agent->hierarchy, path, &directory);
    if (r == -EEXIST)
        r = cgroup_open(&agent->hierarchy, path, &directory);
    if (r < 0)
        return failure_errno(failure, -r, "Slice", "cannot make cgroup %s/%s",
                             agent->hierarchy.path, path);
    slice_settings(slice, &settings);
    slice_hierarchy(agent, holden_view(slice->name), false, &own);
    slice_hierarchy(agent, holden_view(slice->name), true, &below);
    r = limits_apply(&own, directory, &settings, failure);
    if (r < 0)
        unlinkat(agent->hierarchy.root, path, AT_REMOVEDIR);
    else
        hierarchy_enable(directory, below.disabled);
    return r;
}

int slice_raise(struct slice *slice, struct failure *failure) {
    char path[SLICE_PATH];
    if (!slice || slice->made)
        return 0;
    int r = slice_raise(slice->parent, failure);
    if (r < 0)
        return r;
    slice_path(holden_view(slice->name), path);
    r = make_cgroup(slice, path, failure);
    slice->made = r == 0;
    return r;
}

static void drop(struct slice *slice) {
    LIST_REMOVE(slice, entry);
    slice->agent->slices.count--;
    free(slice->settings);
    free(slice->before);
    free(slice->name);
    free(slice);
}

/* Only what is empty goes: what else may be in it is nobody's to end but the administrator's. */
static void lower(const struct slice *slice) {
    char path[SLICE_PATH];
    slice_path(holden_view(slice->name), path);
    if (slice->made)
        unlinkat(slice->agent->hierarchy.root, path, AT_REMOVEDIR);
}

void slice_leave(struct slice *slice) {
    while (slice && --slice->users == 0) {
        struct slice *parent = slice->parent;
        lower(slice);
        drop(slice);
        slice = parent;
    }
}

uint64_t slice_count(const struct slice *slice) {
    const struct process *process;
    uint64_t count = 0;
    TAILQ_FOREACH(process, &slice->agent->processes.order, order)
        for (const struct slice *at = process->slice; at; at = at->parent)
            count += at == slice;
    return count;
}

/* Those around come after those in them. */
void slices_close(struct agent *agent, bool remove) {
    struct slice *slice, *next;
    bool any = true;
    while (any) {
        any = false;
        for (slice = LIST_FIRST(&agent->slices.list); slice; slice = next) {
            next = LIST_NEXT(slice, entry);
            if (slice->users > (slice->settings != NULL))
                continue;
            if (remove) {
                lower(slice);
                store_forget_slice(&agent->store, slice->name);
            }
            if (slice->parent)
                slice->parent->users--;
            drop(slice);
            any = true;
        }
    }
}
