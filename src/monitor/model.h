/* The processes of one agent, by id, sample after sample. Nothing here knows of terminals or
 * sockets. */
#pragma once

#include "monitor/row.h"

/* How many states there are, and one for those that are frozen. */
enum { MODEL_STATES = HOLDEN_state_STOPPED + 1 };

/* Sums over all rows. */
struct model_totals {
    uint64_t states[MODEL_STATES]; /* frozen ones are counted in `frozen` only */
    uint64_t frozen;
    uint64_t memory;               /* bytes */
    bool has_memory;               /* some process's is known */
    double cpu;                    /* percent of one CPU; NAN where none is known */
};

struct model {
    struct row **rows;       /* sorted by id; owned */
    size_t count;
    size_t space;
    unsigned agent;          /* that tells of them; see struct row */
    uint64_t sample;         /* the number of the sample being told, or told last; from 1 */
};

/* Frees all rows. */
void model_free(struct model *model);

/* A new sample begins: model_tell() for each process follows, then model_end(). */
void model_begin(struct model *model);

/* Takes one `process` message into its row, made where there is none. As row_update(). */
int model_tell(struct model *model, const struct holden_process *process, const uint8_t *body,
               size_t size, uint64_t span);

/* The sample is whole: rows of which it did not tell are removed. */
void model_end(struct model *model);

/* What is true of the living ones at `time` (microseconds since 1970) goes into their histories. */
void model_remember(struct model *model, uint64_t time);

/* Takes an event at once, so that nobody waits for the next sample to see it. Returns whether the
 * rows changed. */
bool model_event(struct model *model, const struct holden_event *event);

/* The sums over all rows as they are now. */
struct model_totals model_totals(const struct model *model);

/* The row with this id, or NULL. The model's. */
struct row *model_find(const struct model *model, uint64_t id);
