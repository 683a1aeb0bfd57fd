#include "monitor/row.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"

static const char *const stall_words[ROW_STALLS] = {
    [ROW_STALL_CPU] = "cpu", [ROW_STALL_MEMORY] = "mem", [ROW_STALL_IO] = "io",
};

/* Which counter each rate comes from. Times are in microseconds, so that a percent is 100 of them
 * per microsecond passed; amounts are per second. */
static const struct {
    size_t field;   /* index in the record `usage` */
    size_t counter; /* offset in struct holden_usage */
    size_t rate;    /* offset in struct row_rates */
    double scale;   /* per microsecond passed */
} sources[] = {
#define SOURCE(member, into, factor)                                            \
    {HOLDEN_INDEX(usage, member), offsetof(struct holden_usage, member),        \
     offsetof(struct row_rates, into), factor}
    SOURCE(cpu, cpu, 100),
    SOURCE(throttled, throttled, 100),
    SOURCE(io_read, read, 1e6),
    SOURCE(io_written, written, 1e6),
    SOURCE(stall_cpu, stall[ROW_STALL_CPU], 100),
    SOURCE(stall_memory, stall[ROW_STALL_MEMORY], 100),
    SOURCE(stall_io, stall[ROW_STALL_IO], 100),
#undef SOURCE
};

static uint64_t counter(const struct holden_usage *usage, size_t offset) {
    uint64_t value;
    memcpy(&value, (const char *)usage + offset, sizeof(value));
    return value;
}

/* A counter that went back belongs to another start of the process: nothing is known yet. */
static struct row_rates rates_between(const struct holden_usage *from,
                                      const struct holden_usage *to) {
    struct row_rates rates;
    double passed = (double)(to->at - from->at);
    for (size_t i = 0; i < ARRAY_SIZE(sources); i++) {
        uint64_t before = counter(from, sources[i].counter);
        uint64_t now = counter(to, sources[i].counter);
        bool known = from->at && to->at > from->at && holden_has(from, sources[i].field) &&
                     holden_has(to, sources[i].field) && now >= before;
        double rate = known ? (double)(now - before) * sources[i].scale / passed : NAN;
        memcpy((char *)&rates + sources[i].rate, &rate, sizeof(rate));
    }
    return rates;
}

static void take_usage(struct row *row, const struct holden_usage *usage, uint64_t span) {
    row->usage = *usage;
    if (row->base.at && usage->at >= row->base.at && usage->at - row->base.at < span)
        return;
    row->rates = rates_between(&row->base, usage);
    row->base = *usage;
}

static int keep_body(struct row *row, const uint8_t *body, size_t size) {
    if (size > row->space) {
        uint8_t *larger = realloc(row->body, size);
        if (!larger)
            return -ENOMEM;
        row->body = larger;
        row->space = (uint32_t)size;
    }
    memcpy(row->body, body, size);
    row->size = (uint32_t)size;
    return 0;
}

/* The view of the same bytes in the row's own copy of the message. */
static struct holden_view own(const struct row *row, const uint8_t *body, struct holden_view view) {
    if (!view.data)
        return view;
    return (struct holden_view){(const char *)row->body + (view.data - (const char *)body),
                                view.size};
}

static void take_process(struct row *row, const struct holden_process *process) {
    row->id = process->id;
    row->pid = HOLDEN_HAS(process, process, pid) ? process->pid : 0;
    row->user = process->user;
    row->state = process->state;
    row->frozen = HOLDEN_HAS(process, process, frozen) && process->frozen;
    row->runtime = process->runtime;
    row->restarts = HOLDEN_HAS(process, process, restarts) ? process->restarts : 0;
    row->memory_limit = HOLDEN_HAS(process, process, memory_limit) ? process->memory_limit
                                                                   : UINT64_MAX;
    row->tasks_limit = HOLDEN_HAS(process, process, tasks_limit) ? process->tasks_limit
                                                                 : UINT64_MAX;
}

int row_update(struct row *row, const struct holden_process *process, const uint8_t *body,
               size_t size, uint64_t span) {
    struct holden_usage usage = {0};
    struct holden_fault fault;
    if (HOLDEN_HAS(process, process, usage) &&
        holden_decode(&holden_record_usage, process->usage.bytes.data, process->usage.bytes.size,
                      &usage, &fault) < 0)
        return -EBADMSG;
    int r = keep_body(row, body, size);
    if (r < 0)
        return r;
    take_process(row, process);
    row->name = own(row, body, process->name);
    row->dynamic_user = HOLDEN_HAS(process, process, dynamic_user)
                            ? own(row, body, process->dynamic_user)
                            : (struct holden_view){0};
    row->command = HOLDEN_HAS(process, process, command) ? own(row, body, process->command)
                                                         : (struct holden_view){0};
    row->slice = HOLDEN_HAS(process, process, slice) ? own(row, body, process->slice)
                                                     : (struct holden_view){0};
    take_usage(row, &usage, span);
    return 0;
}

void row_free(struct row *row) {
    free(row->body);
    history_free(&row->history);
    *row = (struct row){0};
}

bool row_lives(const struct row *row) {
    return row->state < HOLDEN_state_EXITED;
}

double row_io(const struct row *row) {
    return row->rates.read + row->rates.written;
}

double row_stall(const struct row *row, enum row_stall *which) {
    double worst = NAN;
    for (unsigned i = 0; i < ROW_STALLS; i++) {
        if (isnan(row->rates.stall[i]) || row->rates.stall[i] <= worst)
            continue;
        worst = row->rates.stall[i];
        if (which)
            *which = i;
    }
    return worst;
}

const char *row_stall_word(enum row_stall which) {
    return stall_words[which];
}

double row_memory_share(const struct row *row) {
    if (row->memory_limit == UINT64_MAX || !HOLDEN_HAS(&row->usage, usage, memory))
        return NAN;
    return row->memory_limit ? (double)row->usage.memory / (double)row->memory_limit : 1;
}

double row_tasks_share(const struct row *row) {
    if (row->tasks_limit == UINT64_MAX || !HOLDEN_HAS(&row->usage, usage, tasks))
        return NAN;
    return row->tasks_limit ? (double)row->usage.tasks / (double)row->tasks_limit : 1;
}

uint64_t row_key(const struct row *row) {
    return (uint64_t)row->agent << 56 ^ row->id;
}

void row_metrics(const struct row *row, double values[METRICS]) {
    const struct holden_usage *usage = &row->usage;
    values[METRIC_CPU] = row->rates.cpu;
    values[METRIC_THROTTLED] = row->rates.throttled;
    values[METRIC_MEMORY] = HOLDEN_HAS(usage, usage, memory) ? (double)usage->memory : NAN;
    values[METRIC_IO] = row_io(row);
    values[METRIC_TASKS] = HOLDEN_HAS(usage, usage, tasks) ? (double)usage->tasks : NAN;
    values[METRIC_STALL] = row_stall(row, NULL);
}

int row_remember(struct row *row, uint64_t time) {
    double values[METRICS];
    row_metrics(row, values);
    return history_put(&row->history, time, values);
}
