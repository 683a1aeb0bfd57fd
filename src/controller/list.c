/* The verbs that show many processes or slices: list, stats, slices.
 *
 * A plain list does not ask for usage: reading it costs the agent several files a process, and a
 * list of thousands shall stay instant. */
#include <string.h>

#include "common/cleanup.h"
#include "common/unit.h"
#include "controller/listing.h"
#include "controller/table.h"
#include "controller/user_name.h"

static const struct table_column list_columns[] = {
    {"NAME", false}, {"ID", true}, {"PID", true}, {"USER", false}, {"SLICE", false},
    {"STATE", false}, {"TIME", true}, {"COMMAND", false},
};
/* Its place in these and the next, where it is shown if some process is in one. */
enum { SLICE_COLUMN = 4 };

static const struct table_column usage_columns[] = {
    {"NAME", false}, {"ID", true}, {"PID", true}, {"USER", false}, {"SLICE", false},
    {"STATE", false}, {"CPU", true}, {"MEMORY", true}, {"TASKS", true}, {"TIME", true},
    {"COMMAND", false},
};

static const struct table_column stats_columns[] = {
    {"NAME", false},  {"PID", true},  {"CPU", true},     {"CPU%", true},  {"THROTTLED", true},
    {"MEMORY", true}, {"PEAK", true}, {"LIMIT", true},   {"SWAP", true},  {"TASKS", true},
    {"LIMIT", true},  {"READ", true}, {"WRITTEN", true}, {"RECEIVED", true}, {"SENT", true},
    {"STALL", true}, {"STATE", false},
};
/* Their places in these, where they are shown if some process is counted. */
enum { NETWORK_COLUMNS = 1 << 13 | 1 << 14 };

static const struct table_column slice_columns[] = {
    {"NAME", false}, {"PROCESSES", true}, {"CPU", true}, {"MEMORY", true}, {"LIMIT", true},
    {"TASKS", true}, {"LIMIT", true}, {"LIMITS", false},
};

struct rows {
    struct command *command;
    struct table table;
    struct user_names users;
    void (*print)(struct rows *rows, const struct holden_process *process);
};

static void rows_free(struct rows *rows) {
    table_free(&rows->table);
    user_names_free(&rows->users);
}

static void put_limit(struct table *table, bool known, uint64_t number, bool size) {
    if (!known || number == UNIT_INFINITY)
        table_text(table, OUTPUT_PLAIN, known ? "none" : "-");
    else if (size)
        table_size(table, true, number);
    else
        table_number(table, number);
}

static void put_identity(struct rows *rows, const struct holden_process *process) {
    enum output_style style;
    const char *user = user_name(&rows->users, process->user);
    const char *state = listing_state(process, &style);
    table_view(&rows->table, OUTPUT_PLAIN, process->name);
    table_number(&rows->table, process->id);
    table_count(&rows->table, HOLDEN_HAS(process, process, pid), process->pid);
    if (HOLDEN_HAS(process, process, dynamic_user))
        table_view(&rows->table, OUTPUT_PLAIN, process->dynamic_user);
    else
        table_text(&rows->table, OUTPUT_PLAIN, user ? user : "?");
    bool sliced = HOLDEN_HAS(process, process, slice);
    table_view(&rows->table, OUTPUT_PLAIN, sliced ? process->slice : holden_view("-"));
    if (sliced)
        rows->table.hidden &= ~(1U << SLICE_COLUMN);
    table_text(&rows->table, style, state);
}

static void print_listed(struct rows *rows, const struct holden_process *process) {
    put_identity(rows, process);
    table_time(&rows->table, true, process->runtime);
    table_view(&rows->table, OUTPUT_PLAIN, process->command);
}

static void print_used(struct rows *rows, const struct holden_process *process) {
    struct holden_usage usage;
    listing_usage(process, &usage);
    put_identity(rows, process);
    table_time(&rows->table, HOLDEN_HAS(&usage, usage, cpu), usage.cpu);
    table_size(&rows->table, HOLDEN_HAS(&usage, usage, memory), usage.memory);
    table_count(&rows->table, HOLDEN_HAS(&usage, usage, tasks), usage.tasks);
    table_time(&rows->table, true, process->runtime);
    table_view(&rows->table, OUTPUT_PLAIN, process->command);
}

/* Share of one CPU since its start. */
static void put_share(struct table *table, const struct holden_usage *usage, uint64_t runtime) {
    char text[32] = "-";
    if (HOLDEN_HAS(usage, usage, cpu) && runtime > 0)
        unit_format_percent((uint64_t)((unsigned __int128)usage->cpu * 1000 / runtime * 10), text,
                            sizeof(text));
    table_text(table, OUTPUT_PLAIN, text);
}

static void print_stats(struct rows *rows, const struct holden_process *process) {
    struct table *table = &rows->table;
    struct holden_usage usage;
    enum output_style style;
    const char *state = listing_state(process, &style);
    listing_usage(process, &usage);
    table_view(table, OUTPUT_PLAIN, process->name);
    table_count(table, HOLDEN_HAS(process, process, pid), process->pid);
    table_time(table, HOLDEN_HAS(&usage, usage, cpu), usage.cpu);
    put_share(table, &usage, process->runtime);
    table_time(table, HOLDEN_HAS(&usage, usage, throttled), usage.throttled);
    table_size(table, HOLDEN_HAS(&usage, usage, memory), usage.memory);
    table_size(table, HOLDEN_HAS(&usage, usage, memory_peak), usage.memory_peak);
    put_limit(table, HOLDEN_HAS(process, process, memory_limit), process->memory_limit, true);
    table_size(table, HOLDEN_HAS(&usage, usage, swap), usage.swap);
    table_count(table, HOLDEN_HAS(&usage, usage, tasks), usage.tasks);
    put_limit(table, HOLDEN_HAS(process, process, tasks_limit), process->tasks_limit, false);
    table_size(table, HOLDEN_HAS(&usage, usage, io_read), usage.io_read);
    table_size(table, HOLDEN_HAS(&usage, usage, io_written), usage.io_written);
    table_size(table, HOLDEN_HAS(&usage, usage, ip_ingress), usage.ip_ingress);
    table_size(table, HOLDEN_HAS(&usage, usage, ip_egress), usage.ip_egress);
    if (HOLDEN_HAS(&usage, usage, ip_ingress))
        table->hidden &= ~(unsigned)NETWORK_COLUMNS;
    table_time(table,
             HOLDEN_HAS(&usage, usage, stall_cpu) || HOLDEN_HAS(&usage, usage, stall_memory) ||
                 HOLDEN_HAS(&usage, usage, stall_io),
             usage.stall_cpu + usage.stall_memory + usage.stall_io);
    table_text(table, style, state);
}

static void take_process(void *into, const struct holden_process *process) {
    struct rows *rows = into;
    if (rows->command->options.json)
        output_json(&rows->command->output, &holden_record_process, process);
    else
        rows->print(rows, process);
}

static int show(struct rows *rows, const struct holden_list *request, const char *what) {
    struct command *command = rows->command;
    _cleanup_(session_close) struct session session = {.client.connection.fd = -1};
    int status = session_open(&session, &command->options);
    if (status == STATUS_DONE)
        status = listing_ask(&session, request, what, take_process, rows);
    if (status != STATUS_DONE || command->options.json)
        return status;
    output_inspect(&command->output, command->options.no_color);
    table_print(&rows->table, &command->output);
    return status;
}

int verb_list(struct command *command) {
    _cleanup_(rows_free) struct rows rows = {.command = command, .print = print_listed};
    struct holden_list request = {0};
    table_init(&rows.table, list_columns, ARRAY_SIZE(list_columns));
    if (command->options.usage) {
        table_init(&rows.table, usage_columns, ARRAY_SIZE(usage_columns));
        rows.print = print_used;
        HOLDEN_SET(&request, list, usage, true);
    }
    rows.table.hidden = 1U << SLICE_COLUMN;
    if (command->options.ended)
        HOLDEN_SET(&request, list, ended, true);
    return show(&rows, &request, "cannot list");
}

int verb_stats(struct command *command) {
    _cleanup_(rows_free) struct rows rows = {.command = command, .print = print_stats};
    _cleanup_free_ struct holden_view *names = calloc((size_t)command->count + 1, sizeof(*names));
    struct holden_list request = {0};
    if (!names)
        return STATUS_FAILED;
    for (int i = 0; i < command->count; i++) {
        if (command_check_target(command->arguments[i]) != STATUS_DONE)
            return STATUS_USAGE;
        names[i] = holden_view(command->arguments[i]);
    }
    table_init(&rows.table, stats_columns, ARRAY_SIZE(stats_columns));
    rows.table.hidden = NETWORK_COLUMNS;
    HOLDEN_SET(&request, list, usage, true);
    if (command->count > 0) {
        HOLDEN_SET(&request, list, ended, true);
        HOLDEN_SET(&request, list, name,
                   (struct holden_repeated){.count = (uint32_t)command->count, .items = names});
    }
    return show(&rows, &request, "cannot show");
}

static void take_slice(void *into, const struct holden_slice *slice) {
    struct rows *rows = into;
    struct holden_process process;
    struct holden_usage usage;
    if (rows->command->options.json) {
        output_json(&rows->command->output, &holden_record_slice, slice);
        return;
    }
    listing_slice(slice, &process);
    listing_usage(&process, &usage);
    table_view(&rows->table, OUTPUT_PLAIN, slice->name);
    table_number(&rows->table, slice->processes);
    table_time(&rows->table, HOLDEN_HAS(&usage, usage, cpu), usage.cpu);
    table_size(&rows->table, HOLDEN_HAS(&usage, usage, memory), usage.memory);
    put_limit(&rows->table, HOLDEN_HAS(slice, slice, memory_limit), slice->memory_limit, true);
    table_count(&rows->table, HOLDEN_HAS(&usage, usage, tasks), usage.tasks);
    put_limit(&rows->table, HOLDEN_HAS(slice, slice, tasks_limit), slice->tasks_limit, false);
    table_text(&rows->table, OUTPUT_PLAIN, slice->kept ? "set" : "-");
}

int verb_slices(struct command *command) {
    _cleanup_(rows_free) struct rows rows = {.command = command};
    _cleanup_(session_close) struct session session = {.client.connection.fd = -1};
    struct holden_list_slices request = {0};
    table_init(&rows.table, slice_columns, ARRAY_SIZE(slice_columns));
    int status = session_open(&session, &command->options);
    if (status == STATUS_DONE)
        status = listing_ask_slices(&session, &request, "cannot list", take_slice, &rows);
    if (status != STATUS_DONE || command->options.json)
        return status;
    output_inspect(&command->output, command->options.no_color);
    table_print(&rows.table, &command->output);
    return status;
}
