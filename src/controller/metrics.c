/* The verb metrics: figures of the agent and of all living processes, as Prometheus and others read
 * them. A family of metrics has its samples together, so all processes are asked for first. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/log.h"
#include "common/unit.h"
#include "controller/command.h"
#include "controller/exposition.h"
#include "controller/listing.h"
#include "controller/session.h"

static const struct metric {
    const char *name;
    enum metric_type type;
    enum metric_unit unit;
    size_t field; /* of the record `usage` */
    const char *doc;
} metrics[] = {
#define METRIC(name, type, unit, member, doc) \
    {#name, METRIC_##type, METRIC_##unit, HOLDEN_INDEX(usage, member), doc},
#include "controller/metrics.def"
};

enum { DEVICES_MOST = 16, STATES = 16 };

/* What is kept of a process. */
struct row {
    char name[68], slice[256], id[24], user[16];
    struct holden_usage usage;
    uint64_t started, restarts, memory_limit, tasks_limit;
    bool has_memory_limit, has_tasks_limit;
    struct holden_device_io devices[DEVICES_MOST];
    size_t device_count;
};

struct rows {
    struct buffer list; /* struct row */
    uint64_t states[STATES]; /* how many there are of each */
    bool failed;             /* no memory */
};

static void rows_free(struct rows *rows) {
    buffer_free(&rows->list);
}

static const struct row *row_at(const struct rows *rows, size_t i) {
    return (const struct row *)(const void *)buffer_bytes(&rows->list) + i;
}

static size_t row_count(const struct rows *rows) {
    return rows->list.size / sizeof(struct row);
}

static void keep(char *text, size_t space, struct holden_view view) {
    snprintf(text, space, "%.*s", (int)view.size, view.data);
}

static void take_devices(struct row *row, const struct holden_process *process) {
    struct holden_repeated left = process->device;
    struct holden_nested nested;
    struct holden_fault fault;
    while (HOLDEN_HAS(process, process, device) && row->device_count < DEVICES_MOST &&
           holden_next_record(&left, &nested))
        if (holden_decode(&holden_record_device_io, nested.bytes.data, nested.bytes.size,
                          &row->devices[row->device_count], &fault) == 0)
            row->device_count++;
}

static void take(void *into, const struct holden_process *process) {
    struct rows *rows = into;
    struct row row = {.started = process->started,
                      .restarts = process->restarts,
                      .memory_limit = process->memory_limit,
                      .tasks_limit = process->tasks_limit,
                      .has_memory_limit = HOLDEN_HAS(process, process, memory_limit) &&
                                          process->memory_limit != UNIT_INFINITY,
                      .has_tasks_limit = HOLDEN_HAS(process, process, tasks_limit) &&
                                         process->tasks_limit != UNIT_INFINITY};
    if (process->state < STATES)
        rows->states[process->state]++;
    if (HOLDEN_HAS(process, process, ended))
        return;
    keep(row.name, sizeof(row.name), process->name);
    if (HOLDEN_HAS(process, process, slice))
        keep(row.slice, sizeof(row.slice), process->slice);
    snprintf(row.id, sizeof(row.id), "%" PRIu64, process->id);
    snprintf(row.user, sizeof(row.user), "%" PRIu32, process->user);
    listing_usage(process, &row.usage);
    take_devices(&row, process);
    rows->failed |= buffer_append(&rows->list, &row, sizeof(row)) < 0;
}

/* A sample that has the process's name for its label. */
static void put(struct exposition *e, const struct row *row, uint64_t value) {
    exposition_begin(e);
    exposition_label(e, "name", holden_view(row->name));
    exposition_end(e, value);
}

static void print_usage(struct exposition *e, const struct rows *rows,
                        const struct metric *metric) {
    exposition_family(e, "holden_process", metric->name, metric->type, metric->unit, metric->doc);
    for (size_t i = 0; i < row_count(rows); i++) {
        const struct row *row = row_at(rows, i);
        uint64_t value;
        if (!holden_has(&row->usage, metric->field))
            continue;
        memcpy(&value,
               (const uint8_t *)&row->usage + holden_record_usage.fields[metric->field].offset,
               sizeof(value));
        put(e, row, value);
    }
}

static void print_device(struct exposition *e, const struct rows *rows, bool written) {
    exposition_family(e, "holden_process", written ? "device_written" : "device_read",
                      METRIC_COUNTER, METRIC_BYTES,
                      written ? "Bytes written to each block device"
                              : "Bytes read from each block device");
    for (size_t i = 0; i < row_count(rows); i++) {
        const struct row *row = row_at(rows, i);
        for (size_t d = 0; d < row->device_count; d++) {
            char name[32];
            snprintf(name, sizeof(name), "%" PRIu32 ":%" PRIu32, row->devices[d].major,
                     row->devices[d].minor);
            exposition_begin(e);
            exposition_label(e, "name", holden_view(row->name));
            exposition_label(e, "device", holden_view(name));
            exposition_end(e, written ? row->devices[d].written : row->devices[d].read);
        }
    }
}

/* What a process is, and when it was started; its figures have its name only. */
static void print_identities(struct exposition *e, const struct rows *rows) {
    exposition_family(e, "holden_process", "", METRIC_INFO, METRIC_NONE,
                      "A living process, by its name");
    for (size_t i = 0; i < row_count(rows); i++) {
        const struct row *row = row_at(rows, i);
        exposition_begin(e);
        exposition_label(e, "name", holden_view(row->name));
        exposition_label(e, "id", holden_view(row->id));
        exposition_label(e, "uid", holden_view(row->user));
        exposition_label(e, "slice", holden_view(row->slice));
        exposition_end(e, 1);
    }
    exposition_family(e, "holden_process", "start_time", METRIC_GAUGE, METRIC_SECONDS,
                      "When it was started, since 1970");
    for (size_t i = 0; i < row_count(rows); i++)
        put(e, row_at(rows, i), row_at(rows, i)->started);
    exposition_family(e, "holden_process", "restarts", METRIC_COUNTER, METRIC_NONE,
                      "How often it was started again");
    for (size_t i = 0; i < row_count(rows); i++)
        put(e, row_at(rows, i), row_at(rows, i)->restarts);
}

static void print_limits(struct exposition *e, const struct rows *rows) {
    exposition_family(e, "holden_process", "memory_limit", METRIC_GAUGE, METRIC_BYTES,
                      "MemoryMax in force");
    for (size_t i = 0; i < row_count(rows); i++)
        if (row_at(rows, i)->has_memory_limit)
            put(e, row_at(rows, i), row_at(rows, i)->memory_limit);
    exposition_family(e, "holden_process", "tasks_limit", METRIC_GAUGE, METRIC_NONE,
                      "TasksMax in force");
    for (size_t i = 0; i < row_count(rows); i++)
        if (row_at(rows, i)->has_tasks_limit)
            put(e, row_at(rows, i), row_at(rows, i)->tasks_limit);
}

static void print_processes(struct exposition *e, const struct rows *rows) {
    print_identities(e, rows);
    print_limits(e, rows);
    for (size_t i = 0; i < ARRAY_SIZE(metrics); i++)
        print_usage(e, rows, &metrics[i]);
    print_device(e, rows, false);
    print_device(e, rows, true);
}

/* How many there are in each state, and how many ended for each reason. */
static void print_counts(struct exposition *e, const struct rows *rows,
                         const struct holden_self_state *self) {
    exposition_family(e, "holden", "processes", METRIC_GAUGE, METRIC_NONE,
                      "Processes by state, with the kept records of those that have ended");
    for (size_t i = 0; i < holden_enum_state.count; i++) {
        const struct holden_word *word = &holden_enum_state.words[i];
        exposition_begin(e);
        exposition_label(e, "state", holden_view(word->word));
        exposition_end(e, word->number < STATES ? rows->states[word->number] : 0);
    }
    exposition_family(e, "holden", "ends", METRIC_COUNTER, METRIC_NONE,
                      "Processes that ended since the agent started, by cause");
    struct holden_repeated left = self->ends;
    struct holden_nested nested;
    struct holden_ends ends;
    struct holden_fault fault;
    while (HOLDEN_HAS(self, self_state, ends) && holden_next_record(&left, &nested))
        if (holden_decode(&holden_record_ends, nested.bytes.data, nested.bytes.size, &ends,
                          &fault) == 0) {
            exposition_begin(e);
            exposition_label(e, "cause", holden_view(holden_word(&holden_enum_cause, ends.cause)));
            exposition_end(e, ends.count);
        }
}

static void print_agent(struct exposition *e, const struct holden_self_state *self) {
    const struct {
        const char *name;
        enum metric_type type;
        enum metric_unit unit;
        uint64_t value;
        const char *doc;
    } figures[] = {
        {"starts", METRIC_COUNTER, METRIC_NONE, self->starts, "Starts since the agent started"},
        {"events", METRIC_COUNTER, METRIC_NONE, self->sequence, "Number of the last event"},
        {"audited", METRIC_COUNTER, METRIC_NONE, self->audited,
         "Operations written to the audit trail since the agent started"},
        {"audit_lost", METRIC_COUNTER, METRIC_NONE, self->audit_lost,
         "Operations that the audit trail could not take"},
        {"agent_recoveries", METRIC_COUNTER, METRIC_NONE, self->recoveries,
         "How often the keeper started an agent anew"},
        {"agent_cpu", METRIC_COUNTER, METRIC_SECONDS, self->cpu, "CPU time of the agent"},
        {"agent_uptime", METRIC_GAUGE, METRIC_SECONDS, self->uptime, "Since the agent started"},
        {"agent_resident_memory", METRIC_GAUGE, METRIC_BYTES, self->resident,
         "Memory of agent and keeper"},
        {"agent_history_memory", METRIC_GAUGE, METRIC_BYTES, self->history,
         "Memory of all samples that are kept"},
        {"agent_descriptors", METRIC_GAUGE, METRIC_NONE, self->descriptors,
         "Open descriptors of the agent"},
        {"agent_clients", METRIC_GAUGE, METRIC_NONE, self->clients, "Connected clients"},
    };
    exposition_family(e, "holden", "agent", METRIC_INFO, METRIC_NONE, "The agent that answers");
    exposition_begin(e);
    exposition_label(e, "version", self->version);
    exposition_label(e, "cgroup", self->cgroup);
    exposition_end(e, 1);
    for (size_t i = 0; i < ARRAY_SIZE(figures); i++) {
        exposition_family(e, "holden", figures[i].name, figures[i].type, figures[i].unit,
                          figures[i].doc);
        exposition_begin(e);
        exposition_end(e, figures[i].value);
    }
}

static int ask_self(struct session *session, struct exposition *e, const struct rows *rows) {
    struct holden_self request = {0};
    struct holden_self_state self;
    int status = session_call(session, HOLDEN_MESSAGE_self, &request, HOLDEN_MESSAGE_self_state,
                              &self, "cannot ask for the agent's state");
    if (status != STATUS_DONE)
        return status;
    print_agent(e, &self);
    print_counts(e, rows, &self);
    return STATUS_DONE;
}

static int ask(struct session *session, struct exposition *e) {
    _cleanup_(rows_free) struct rows rows = {.failed = false};
    struct holden_list request = {0};
    HOLDEN_SET(&request, list, ended, true);
    HOLDEN_SET(&request, list, usage, true);
    int status = listing_ask(session, &request, "cannot list", take, &rows);
    if (status == STATUS_DONE && rows.failed) {
        log_error("cannot list: out of memory");
        return STATUS_FAILED;
    }
    if (status == STATUS_DONE)
        status = ask_self(session, e, &rows);
    if (status != STATUS_DONE)
        return status;
    print_processes(e, &rows);
    exposition_finish(e);
    return STATUS_DONE;
}

/* In one step: whoever reads it meanwhile reads all of the last one or all of this one. */
static int write_file(struct output *output, const char *path) {
    int r = output->error;
    if (r == 0)
        r = file_replace(AT_FDCWD, path, buffer_bytes(&output->buffer), output->buffer.size, 0644);
    buffer_free(&output->buffer);
    if (r == 0)
        return STATUS_DONE;
    log_error("cannot write %s: %s", path, strerror(-r));
    return STATUS_FAILED;
}

int verb_metrics(struct command *command) {
    _cleanup_(session_close) struct session session = {.client.connection.fd = -1};
    const char *file = command->options.textfile;
    struct exposition exposition = {.output = &command->output, .classic = file != NULL};
    int status = session_open(&session, &command->options);
    if (status == STATUS_DONE)
        status = ask(&session, &exposition);
    return status == STATUS_DONE && file ? write_file(&command->output, file) : status;
}
