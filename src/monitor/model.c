#include "monitor/model.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"

void model_free(struct model *model) {
    for (size_t i = 0; i < model->count; i++) {
        row_free(model->rows[i]);
        free(model->rows[i]);
    }
    free(model->rows);
    *model = (struct model){0};
}

/* Where the row with this id is, or would be. Ids grow, so that it is most often the end. */
static size_t place(const struct model *model, uint64_t id) {
    size_t low = 0;
    size_t high = model->count;
    if (high > 0 && model->rows[high - 1]->id < id)
        return high;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (model->rows[middle]->id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct row *model_find(const struct model *model, uint64_t id) {
    size_t at = place(model, id);
    return at < model->count && model->rows[at]->id == id ? model->rows[at] : NULL;
}

static int reserve(struct model *model) {
    if (model->count < model->space)
        return 0;
    size_t space = model->space ? model->space * 2 : 64;
    struct row **rows = realloc(model->rows, space * sizeof(struct row *));
    if (!rows)
        return -ENOMEM;
    model->rows = rows;
    model->space = space;
    return 0;
}

static int add(struct model *model, struct row *row) {
    int r = reserve(model);
    if (r < 0)
        return r;
    size_t at = place(model, row->id);
    memmove(model->rows + at + 1, model->rows + at, (model->count - at) * sizeof(struct row *));
    model->rows[at] = row;
    model->count++;
    return 0;
}

void model_begin(struct model *model) {
    model->sample++;
}

static void cleanup_row(struct row **row) {
    if (*row)
        row_free(*row);
    free(*row);
}

int model_tell(struct model *model, const struct holden_process *process, const uint8_t *body,
               size_t size, uint64_t span) {
    struct row *known = model_find(model, process->id);
    if (known) {
        known->seen = model->sample;
        return row_update(known, process, body, size, span);
    }
    _cleanup_(cleanup_row) struct row *row = calloc(1, sizeof(*row));
    if (!row)
        return -ENOMEM;
    int r = row_update(row, process, body, size, span);
    row->agent = model->agent;
    if (r == 0)
        r = add(model, row);
    if (r < 0)
        return r;
    TAKE_POINTER(row)->seen = model->sample;
    return 0;
}

static void count_in(struct model_totals *totals, const struct row *row) {
    if (row->frozen)
        totals->frozen++;
    else if (row->state < MODEL_STATES)
        totals->states[row->state]++;
    if (!row_lives(row))
        return;
    if (HOLDEN_HAS(&row->usage, usage, memory)) {
        totals->memory += row->usage.memory;
        totals->has_memory = true;
    }
    if (!isnan(row->rates.cpu))
        totals->cpu = (isnan(totals->cpu) ? 0 : totals->cpu) + row->rates.cpu;
}

struct model_totals model_totals(const struct model *model) {
    struct model_totals totals = {.cpu = NAN};
    for (size_t i = 0; i < model->count; i++)
        count_in(&totals, model->rows[i]);
    return totals;
}

/* Removes the row at `at` of the array, which is left with a hole there. */
static void drop(struct model *model, size_t at) {
    row_free(model->rows[at]);
    free(model->rows[at]);
    model->rows[at] = NULL;
}

void model_end(struct model *model) {
    size_t kept = 0;
    for (size_t i = 0; i < model->count; i++)
        if (model->rows[i]->seen != model->sample)
            drop(model, i);
        else
            model->rows[kept++] = model->rows[i];
    model->count = kept;
}

void model_remember(struct model *model, uint64_t time) {
    for (size_t i = 0; i < model->count; i++)
        if (row_lives(model->rows[i]))
            row_remember(model->rows[i], time);
}

static void forget(struct model *model, uint64_t id) {
    size_t at = place(model, id);
    drop(model, at);
    model->count--;
    memmove(model->rows + at, model->rows + at + 1, (model->count - at) * sizeof(struct row *));
}

/* What an event says of its row. */
static void take_event(struct row *row, const struct holden_event *event) {
    if (HOLDEN_HAS(event, event, state))
        row->state = event->state;
    if (HOLDEN_HAS(event, event, pid))
        row->pid = event->pid;
    if (event->kind == HOLDEN_event_kind_FROZEN)
        row->frozen = true;
    if (event->kind == HOLDEN_event_kind_THAWED || !row_lives(row))
        row->frozen = false;
}

bool model_event(struct model *model, const struct holden_event *event) {
    struct row *row = HOLDEN_HAS(event, event, id) ? model_find(model, event->id) : NULL;
    if (!row)
        return false;
    if (event->kind == HOLDEN_event_kind_FORGOTTEN)
        forget(model, event->id);
    else
        take_event(row, event);
    return true;
}
