#include "agent/slice_limits.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/agent.h"
#include "agent/limits.h"
#include "agent/overlay.h"
#include "agent/user_slice.h"
#include "common/cleanup.h"
#include "common/log.h"
#include "protocol/property.h"

static int open_cgroup(const struct slice *slice, int *directory) {
    char path[SLICE_PATH];
    slice_path(holden_view(slice->name), path);
    return cgroup_open(&slice->agent->hierarchy, path, directory);
}

static int check(const struct agent *agent, const struct slice_change *change,
                 struct failure *failure) {
    struct hierarchy own;
    bool any = change->replace;
    int r = slice_check(change->name, failure);
    if (r < 0)
        return r;
    if (holden_view_is(change->name, "-.slice"))
        return failure_set(failure, HOLDEN_code_INVALID, "Slice",
                           "-.slice is the agent's own cgroup, whose limits are set by who started "
                           "the agent");
    for (size_t i = 0; i < HOLDEN_PROPERTIES; i++) {
        if (!holden_has(change->wanted, i))
            continue;
        any = true;
        if (!holden_property_of_slice(i))
            return failure_set(failure, HOLDEN_code_INVALID, holden_property(i)->name,
                               "it is of a process, not of a slice");
    }
    if (!any)
        return failure_set(failure, HOLDEN_code_INVALID, NULL, "no limit is named");
    slice_hierarchy(agent, change->name, false, &own);
    return limits_check(&own, change->wanted, failure);
}

static uint32_t disables(const struct holden_properties *settings) {
    return HOLDEN_HAS(settings, properties, disable_controllers) ? settings->disable_controllers
                                                                 : 0;
}

/* A limit inside would be gone with its controller. */
static int check_disabled(const struct slice *slice, const struct holden_properties *old,
                          const struct holden_properties *merged, struct failure *failure) {
    unsigned own = 1 + (slice->settings != NULL);
    if (disables(old) == disables(merged) || slice->users <= own)
        return 0;
    return failure_set(failure, HOLDEN_code_WRONG_STATE, "DisableControllers",
                       "%s is not empty; what it disables can be changed only while nothing is in "
                       "it", slice->name);
}

/* What is in force of those in `which`; what nobody has set is as in a fresh cgroup. */
static int read_named(const struct slice *slice, const struct holden_properties *which,
                      struct holden_properties *out, struct buffer *memory) {
    struct holden_properties all = {0}, now = {0}, settings;
    _cleanup_close_ int directory = -1;
    limits_default(which, &all);
    slice_settings(slice, &settings);
    overlay(&all, &settings, NULL);
    if (slice->made && open_cgroup(slice, &directory) == 0)
        limits_read(directory, which, &now, memory);
    overlay(&all, &now, NULL);
    *out = (struct holden_properties){0};
    overlay(out, &all, which);
    return overlay_own(out, memory);
}

/* Has `to` in force where `from` was, or a part of both. */
static int enforce(const struct slice *slice, const struct holden_properties *from,
                   const struct holden_properties *to, struct failure *failure) {
    struct hierarchy own, below;
    struct holden_properties gone = *from;
    _cleanup_close_ int directory = -1;
    int r = open_cgroup(slice, &directory);
    if (r < 0)
        return failure_errno(failure, -r, "cgroup", "cannot open the cgroup of %s", slice->name);
    /* A list may be without a device that it had. */
    for (size_t i = 0; i < HOLDEN_PROPERTIES; i++)
        if (holden_has(to, i) && !holden_record_properties.fields[i].repeated)
            holden_unmark(&gone, i);
    slice_hierarchy(slice->agent, holden_view(slice->name), false, &own);
    slice_hierarchy(slice->agent, holden_view(slice->name), true, &below);
    r = limits_lift(&own, directory, &gone, failure);
    if (r == 0)
        r = limits_apply(&own, directory, to, failure);
    if (r == 0)
        hierarchy_enable(directory, below.disabled);
    return r;
}

static int write_down(struct slice *slice, const struct holden_properties *settings,
                      const struct holden_properties *before) {
    struct holden_kept_slice kept = {0};
    HOLDEN_SET(&kept, kept_slice, name, holden_view(slice->name));
    HOLDEN_SET(&kept, kept_slice, properties, (struct holden_nested){.value = settings});
    if (before)
        HOLDEN_SET(&kept, kept_slice, before, (struct holden_nested){.value = before});
    return store_write_slice(&slice->agent->store, &kept);
}

/* The settings in memory; one that has some has one user for that. 0 or -errno. */
static int keep(struct slice *slice, const struct holden_properties *settings) {
    _cleanup_(buffer_free) struct buffer encoded = {0};
    uint8_t *fresh = NULL;
    int r = settings ? holden_encode(&holden_record_properties, settings, &encoded) : 0;
    if (r < 0 || (settings && !(fresh = malloc(encoded.size + 1))))
        return r < 0 ? r : -ENOMEM;
    if (encoded.size > 0)
        memcpy(fresh, buffer_bytes(&encoded), encoded.size);
    slice->users += settings != NULL;
    slice->users -= slice->settings != NULL;
    free(slice->settings);
    slice->settings = fresh;
    slice->settings_size = encoded.size;
    return 0;
}

static void go_back(struct slice *slice, bool made, const struct holden_properties *merged,
                    const struct holden_properties *old) {
    struct failure ignored;
    if (made)
        enforce(slice, merged, old, &ignored);
    if (!slice->settings)
        store_forget_slice(&slice->agent->store, slice->name);
    else if (write_down(slice, old, NULL) < 0)
        log_warning("%s: that its limits stay as they were could not be written down", slice->name);
}

/* Written down first: should the agent die half-way, the next one completes it. */
static int change_to(struct slice *slice, const struct holden_properties *merged,
                     const struct holden_properties *old, struct failure *failure) {
    bool made = slice->made, had = slice->settings;
    int r = write_down(slice, merged, had ? old : NULL);
    if (r == 0)
        r = keep(slice, merged);
    if (r < 0) {
        go_back(slice, false, merged, old);
        return failure_errno(failure, -r, "record", "cannot write down the limits of %s",
                             slice->name);
    }
    r = made ? enforce(slice, old, merged, failure) : slice_raise(slice, failure);
    if (r < 0) {
        keep(slice, had ? old : NULL);
        go_back(slice, made, merged, old);
        return r;
    }
    if (had && write_down(slice, merged, NULL) < 0)
        log_warning("%s: that the change of its limits is complete could not be written down",
                    slice->name);
    return 0;
}

int slice_limits_set(struct agent *agent, const struct slice_change *change,
                     struct holden_properties *before, struct holden_properties *after,
                     struct buffer *memory, struct failure *failure) {
    struct holden_properties old, merged = {0}, named = {0};
    _cleanup_(buffer_free) struct buffer own = {0};
    struct slice *slice;
    int r = check(agent, change, failure);
    if (r < 0)
        return r;
    r = slice_take(agent, change->name, &slice);
    if (r < 0)
        return slice_refuse(r, failure);
    slice_settings(slice, &old);
    r = overlay_own(&old, &own);
    overlay(change->replace ? &named : &merged, &old, NULL);
    overlay(&merged, change->wanted, NULL);
    overlay(&named, change->wanted, NULL);
    if (r == 0)
        r = read_named(slice, &named, before, &memory[0]);
    r = r < 0 ? failure_errno(failure, -r, NULL, "cannot keep what holds now")
              : check_disabled(slice, &old, &merged, failure);
    if (r == 0 && !change->dry_run)
        r = change_to(slice, &merged, &old, failure);
    if (r == 0 && (change->dry_run || read_named(slice, &named, after, &memory[1]) < 0))
        *after = *change->wanted;
    slice_leave(slice);
    return r;
}

int slice_limits_reset(struct agent *agent, struct holden_view name, struct failure *failure) {
    struct holden_properties old, none = {0};
    _cleanup_(buffer_free) struct buffer own = {0};
    struct failure ignored;
    int r = slice_check(name, failure);
    if (r < 0)
        return r;
    struct slice *slice = slice_find(agent, name);
    if (!slice || !slice->settings)
        return failure_set(failure, HOLDEN_code_NO_PROCESS, NULL,
                           "no limits are set for slice %.*s; `slices` shows all", (int)name.size,
                           name.data);
    slice->users++;
    user_slice_limits(slice, &none);
    slice_settings(slice, &old);
    r = overlay_own(&old, &own);
    r = r < 0 ? failure_errno(failure, -r, NULL, "cannot keep what holds now")
              : check_disabled(slice, &old, &none, failure);
    if (r == 0 && (r = enforce(slice, &old, &none, failure)) < 0)
        enforce(slice, &none, &old, &ignored);
    /* Only then: until it is written down, the next agent has the limits in force again. */
    if (r == 0) {
        keep(slice, NULL);
        store_forget_slice(&agent->store, slice->name);
        if (disables(&old))
            r = enforce(slice, &none, &none, failure);
    }
    slice_leave(slice);
    return r;
}

void slice_limits_read(const struct slice *slice, struct holden_properties *now,
                       struct buffer *memory) {
    struct holden_properties kernel = {0};
    _cleanup_close_ int directory = -1;
    slice_settings(slice, now);
    if (slice->made && open_cgroup(slice, &directory) == 0)
        limits_read(directory, now, &kernel, memory);
    overlay(now, &kernel, NULL);
}

/* ---- recovery ---- */

static int copy(struct holden_view bytes, uint8_t **out, size_t *size) {
    *out = malloc(bytes.size + 1);
    if (!*out)
        return -ENOMEM;
    if (bytes.size > 0)
        memcpy(*out, bytes.data, bytes.size);
    *size = bytes.size;
    return 0;
}

static int found(struct agent *agent, const struct holden_kept_slice *kept) {
    struct slice *slice = NULL;
    int r = slice_take(agent, kept->name, &slice);
    if (r < 0 || !slice)
        return r;
    r = copy(kept->properties.bytes, &slice->settings, &slice->settings_size);
    if (r == 0 && HOLDEN_HAS(kept, kept_slice, before))
        r = copy(kept->before.bytes, &slice->before, &slice->before_size);
    return r;
}

int slice_limits_recover(struct agent *agent) {
    return store_read_slices(&agent->store, agent, found);
}

/* What a change that was not completed was to take away. */
static void complete(struct slice *slice) {
    struct holden_properties settings, before;
    struct holden_fault fault;
    struct failure failure;
    slice_settings(slice, &settings);
    if (holden_decode(&holden_record_properties, slice->before, slice->before_size, &before,
                      &fault) == 0 &&
        enforce(slice, &before, &settings, &failure) < 0)
        log_warning("slice %s: %s", slice->name, failure.text);
    if (write_down(slice, &settings, NULL) < 0)
        log_warning("%s: that the change of its limits is complete could not be written down",
                    slice->name);
    free(TAKE_POINTER(slice->before));
}

void slice_limits_settle(struct agent *agent) {
    struct slice *slice;
    struct failure failure;
    LIST_FOREACH(slice, &agent->slices.list, entry) {
        if (slice_raise(slice, &failure) < 0)
            log_warning("slice %s: %s", slice->name, failure.text);
        if (slice->before)
            complete(slice);
    }
}
