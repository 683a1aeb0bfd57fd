/* Limits of slices: set, kept in the state directory, and taken away. */
#pragma once

#include "agent/slice.h"
#include "common/buffer.h"

struct slice_change {
    struct holden_view name;
    const struct holden_properties *wanted;
    bool replace;   /* in place of all that it has */
    bool dry_run;
};

/* Sets limits of a slice, which is made where it is not there. The named limits as they were and as
 * they are (or would be) go to *before and *after; values of variable length in them live in
 * `memory`, an array of two buffers that the caller frees. 0; or refused with *failure filled and
 * nothing changed. */
int slice_limits_set(struct agent *agent, const struct slice_change *change,
                     struct holden_properties *before, struct holden_properties *after,
                     struct buffer *memory, struct failure *failure);

/* Takes all of them away, and so the slice where it is empty. 0; or refused with *failure filled.
 */
int slice_limits_reset(struct agent *agent, struct holden_view name, struct failure *failure);

/* The limits that are set, as they are in force. Values of variable length live in the slice and in
 * `memory`, which the caller frees. */
void slice_limits_read(const struct slice *slice, struct holden_properties *now,
                       struct buffer *memory);

/* Before processes are recovered: reads what is kept. 0 or -errno. */
int slice_limits_recover(struct agent *agent);

/* And afterwards: makes what is missing, and has each limit in force that is kept. */
void slice_limits_settle(struct agent *agent);
