#include "agent/constrain.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "agent/agent.h"
#include "agent/attributes.h"
#include "agent/gate.h"
#include "agent/launch.h"
#include "agent/limits.h"
#include "agent/logfile.h"
#include "agent/machine.h"
#include "agent/overlay.h"
#include "agent/place.h"
#include "agent/state.h"
#include "common/cleanup.h"
#include "common/log.h"
#include "protocol/property.h"

/* What holds for properties that nobody has set. */
static void defaults(const struct process *process, struct holden_properties *p) {
    HOLDEN_SET(p, properties, runtime_max, UINT64_MAX);
    HOLDEN_SET(p, properties, timeout_stop, process->agent->config.timeout_stop);
    HOLDEN_SET(p, properties, kill_signal, SIGTERM);
    HOLDEN_SET(p, properties, kill_mode, HOLDEN_kill_mode_CONTROL_GROUP);
    HOLDEN_SET(p, properties, log_max, process->agent->config.log_max);
}

static int check(const struct process *process, const struct holden_properties *wanted,
                 struct failure *failure) {
    if (process->state != HOLDEN_state_RUNNING)
        return failure_set(failure, HOLDEN_code_WRONG_STATE, NULL,
                           "%s is %s; only a running process can be constrained", process->name,
                           holden_word(&holden_enum_state, process->state));
    bool any = false;
    for (size_t i = 0; i < HOLDEN_PROPERTIES; i++) {
        const struct holden_property *property = holden_property(i);
        if (!holden_has(wanted, i))
            continue;
        any = true;
        if (!property->live)
            return failure_set(
                failure, HOLDEN_code_INVALID, property->name,
                "%s= cannot be changed while the process runs; start it anew with it",
                property->name);
    }
    if (!any)
        return failure_set(failure, HOLDEN_code_INVALID, NULL, "no limit is named");
    if (HOLDEN_HAS(wanted, properties, log_max) && process->has_log &&
        logfile_check(process->agent, wanted->log_max) < 0)
        return failure_set(failure, HOLDEN_code_UNSUPPORTED, "LogMax",
                           "the file system of %s cannot give back a file's head",
                           process->agent->store.path);
    struct holden_start start;
    struct holden_properties properties;
    struct hierarchy hierarchy;
    process_request(process, &start, &properties);
    place_hierarchy(process->agent, &properties, &hierarchy);
    return limits_check(&hierarchy, wanted, failure);
}

/* The named limits as they are now, in `memory`. 0 or -errno. */
static int read_named(const struct process *process, int directory,
                      const struct holden_properties *wanted, struct holden_properties *out,
                      struct buffer *memory) {
    struct holden_start start;
    struct holden_properties request, all = {0}, kernel = {0}, which = *wanted;
    struct attributes_room room;
    process_request(process, &start, &request);
    defaults(process, &all);
    limits_default(wanted, &all);
    gate_default(wanted, &all);
    overlay(&all, &request, NULL);
    attributes_widen(&which);
    limits_read(directory, wanted, &kernel, memory);
    attributes_read(process->pid, &which, &kernel, &room);
    overlay(&all, &kernel, NULL);
    *out = (struct holden_properties){0};
    overlay(out, &all, &which);
    /* Some of it may lie in the process's request, which a change replaces. */
    return overlay_own(out, memory);
}

/* All of the named limits; `wanted` holds over what the process has been given besides. */
static int apply(const struct process *process, int directory,
                 const struct holden_properties *wanted, struct failure *failure) {
    struct holden_start start;
    struct holden_properties all;
    process_request(process, &start, &all);
    overlay(&all, wanted, NULL);
    struct hierarchy hierarchy;
    place_hierarchy(process->agent, &all, &hierarchy);
    int r = limits_apply(&hierarchy, directory, wanted, failure);
    if (r == 0)
        r = gate_apply(directory, wanted, &all, failure);
    return r < 0 ? r : attributes_apply(directory, wanted, &all, failure);
}

void constrain_read(const struct process *process, struct holden_properties *now,
                    struct buffer *memory) {
    struct holden_start start;
    struct holden_properties kernel = {0};
    _cleanup_close_ int directory = -1;
    process_request(process, &start, now);
    if (process_alive(process) && place_open(process, &directory) == 0) {
        limits_read(directory, now, &kernel, memory);
        overlay(now, &kernel, NULL);
        gate_read(directory, now);
    }
}

/* What holds becomes part of the request, and both of the record; or neither. */
static int merge(struct process *process, const struct holden_properties *changed) {
    struct holden_start start;
    struct holden_properties merged;
    process_request(process, &start, &merged);
    overlay(&merged, changed, NULL);
    size_t size = process->request_size;
    uint8_t *spare = malloc(size);
    if (!spare)
        return -ENOMEM;
    memcpy(spare, process->request, size);
    int r = process_replace_properties(process, &merged);
    bool replaced = r == 0, limited = HOLDEN_HAS(changed, properties, runtime_max);
    if (replaced && limited)
        r = launch_limit_runtime(process, changed);
    if (r == 0)
        r = store_write(&process->agent->store, process);
    if (replaced && r < 0) {
        uint8_t *fresh = process->request;
        process->request = spare;
        process->request_size = size;
        spare = fresh;
        process_request(process, &start, &merged);
        if (limited && launch_limit_runtime(process, &merged) < 0)
            log_warning("%s: its time limit could not be taken back", process->name);
    }
    free(spare);
    if (r < 0)
        return r;
    if (HOLDEN_HAS(changed, properties, log_max))
        logfile_written(process);
    return 0;
}

/* Takes back a constraint that was for a time, or that was not completed. */
static void restore(struct process *process) {
    struct temporary *temporary = TAKE_POINTER(process->temporary);
    struct holden_properties before;
    struct holden_fault fault;
    struct failure failure;
    _cleanup_close_ int directory = -1;
    if (holden_decode(&holden_record_properties, temporary->before, temporary->size, &before,
                      &fault) == 0 &&
        place_open(process, &directory) == 0) {
        if (apply(process, directory, &before, &failure) < 0)
            log_warning("%s: a limit could not be taken back: %s", process->name, failure.text);
        if (merge(process, &before) < 0)
            log_warning("%s: that limits were taken back could not be written down", process->name);
        events_action(process, HOLDEN_event_kind_RESTORED, 0, NULL);
    }
    process->temporary = temporary;
    process_permanent(process);
}

static int on_over(sd_event_source *source, uint64_t now, void *data) {
    (void)source;
    (void)now;
    restore(data);
    return 0;
}

static int arm(struct process *process) {
    return sd_event_add_time(process->agent->event, &process->temporary->timer, CLOCK_MONOTONIC,
                             process->temporary->until, 1000, on_over, process);
}

int constrain_resume(struct process *process) {
    if (process->temporary->until > machine_monotonic())
        return arm(process);
    restore(process);
    return 0;
}

/* Keeps what holds now, to go back to. */
static int remember(struct process *process, const struct holden_properties *before,
                    uint64_t duration) {
    struct temporary *temporary = calloc(1, sizeof(*temporary));
    _cleanup_(buffer_free) struct buffer encoded = {0};
    if (!temporary)
        return -ENOMEM;
    int r = duration > INT64_MAX ? -EOVERFLOW
                                 : holden_encode(&holden_record_properties, before, &encoded);
    if (r < 0 || !(temporary->before = malloc(encoded.size + 1))) {
        free(temporary);
        return r < 0 ? r : -ENOMEM;
    }
    if (encoded.size > 0)
        memcpy(temporary->before, buffer_bytes(&encoded), encoded.size);
    temporary->size = encoded.size;
    if (duration > 0)
        temporary->until = machine_monotonic() + duration;
    process->temporary = temporary;
    return 0;
}

/* Applies the limits and makes them part of the record. One that is to stay is complete with that;
 * one for a time is taken back by the timer. */
static int change(struct process *process, const struct constraint *constraint, int directory,
                  struct failure *failure) {
    int r = apply(process, directory, constraint->wanted, failure);
    if (r < 0)
        return r;
    if (constraint->duration == 0)
        process_permanent(process);
    else if ((r = arm(process)) < 0)
        return failure_errno(failure, -r, NULL, "cannot remember to take it back");
    r = merge(process, constraint->wanted);
    return r < 0 ? failure_errno(failure, -r, "record", "cannot write the record of %s",
                                 process->name)
                 : 0;
}

int constrain_apply(struct process *process, const struct constraint *constraint,
                    struct holden_properties *before, struct holden_properties *after,
                    struct buffer *memory, struct failure *failure) {
    const struct holden_properties *wanted = constraint->wanted;
    _cleanup_close_ int directory = -1;
    int r = check(process, wanted, failure);
    if (r < 0)
        return r;
    if (process->temporary && !constraint->dry_run)
        restore(process);
    r = place_open(process, &directory);
    if (r < 0)
        return failure_errno(failure, -r, "cgroup", "cannot open the cgroup of %s", process->name);
    r = read_named(process, directory, wanted, before, &memory[0]);
    if (r < 0)
        return failure_errno(failure, -r, NULL, "cannot keep what holds now");
    r = constraint->duration > 0 ? attributes_check_return(wanted, before, failure) : 0;
    if (r < 0)
        return r;
    if (constraint->dry_run) {
        *after = *wanted;
        return 0;
    }
    /* What holds now is written down first: should the agent die half-way, the next one goes back.
     */
    r = remember(process, before, constraint->duration);
    if (r < 0)
        return failure_errno(failure, -r, NULL, "cannot remember to take it back");
    r = store_write(&process->agent->store, process);
    if (r < 0) {
        process_permanent(process);
        return failure_errno(failure, -r, "record", "cannot write the record of %s", process->name);
    }
    r = change(process, constraint, directory, failure);
    if (r < 0) {
        /* What was in force before is what the kernel took before, so it takes it again. */
        struct failure ignored;
        apply(process, directory, before, &ignored);
        process_permanent(process);
        store_write(&process->agent->store, process);
        return r;
    }
    r = read_named(process, directory, wanted, after, &memory[1]);
    if (r < 0)
        *after = *wanted;
    events_action(process, HOLDEN_event_kind_CONSTRAINED, constraint->by, NULL);
    return 0;
}
