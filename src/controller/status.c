/* The verb status: everything about one process, alive or ended, or one slice, in one place. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/cleanup.h"
#include "common/unit.h"
#include "controller/ending.h"
#include "controller/journal.h"
#include "controller/listing.h"
#include "controller/syntax.h"
#include "controller/user_name.h"

enum { LAST_LINES = 10, LAST_BYTES = 8192 };

struct view {
    struct command *command;
    struct output *output;
    struct user_names users;
    unsigned shown;
};

static void label(struct view *view, const char *name) {
    output_printf(view->output, "  %-13s", name);
}

/* "SIZE, peak SIZE, …": a part of a line, with what separates it from the part before. */
static void part(struct view *view, bool *first, const char *name, const char *text) {
    output_printf(view->output, "%s%s%s%s", *first ? "" : ", ", name, *name ? " " : "", text);
    *first = false;
}

static void size_part(struct view *view, bool *first, bool known, const char *name, uint64_t size) {
    char text[32];
    if (known)
        part(view, first, name, unit_format_size_short(size, text, sizeof(text)));
}

static void time_part(struct view *view, bool *first, bool known, const char *name, uint64_t time) {
    char text[64];
    if (known)
        part(view, first, name, unit_format_time_short(time, text, sizeof(text)));
}

static void number_part(struct view *view, bool *first, bool known, const char *name,
                        uint64_t number) {
    char text[32];
    snprintf(text, sizeof(text), "%" PRIu64, number);
    if (known)
        part(view, first, name, number == UNIT_INFINITY ? "none" : text);
}

static void moment(struct view *view, const char *name, uint64_t microseconds) {
    time_t seconds = (time_t)(microseconds / 1000000);
    struct tm broken;
    char text[64] = "?";
    if (localtime_r(&seconds, &broken))
        strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S %Z", &broken);
    label(view, name);
    output_printf(view->output, "%s\n", text);
}

static bool has_ended(const struct holden_process *process) {
    return process->state == HOLDEN_state_EXITED || process->state == HOLDEN_state_FAILED ||
           process->state == HOLDEN_state_STOPPED;
}

static void print_headline(struct view *view, const struct holden_process *process) {
    enum output_style style;
    char text[64];
    const char *state = listing_state(process, &style);
    output_style(view->output, OUTPUT_BOLD);
    output_safe(view->output, process->name);
    output_style(view->output, OUTPUT_PLAIN);
    output_text(view->output, ": ");
    output_style(view->output, style);
    if (!has_ended(process))
        output_text(view->output, state);
    struct holden_exited exited = ending_of(process);
    if (has_ended(process) && ending_print(&exited, &view->output->buffer) < 0)
        view->output->error = -1;
    output_style(view->output, OUTPUT_PLAIN);
    if (process->state == HOLDEN_state_RUNNING && HOLDEN_HAS(process, process, cause))
        output_text(view->output, " without its main process, which has ended,");
    output_printf(view->output, "%s %s\n", has_ended(process) ? "; ran" : " for",
                  unit_format_time_short(process->runtime, text, sizeof(text)));
}

static void print_stuck(struct view *view, const struct holden_process *process) {
    if (!HOLDEN_HAS(process, process, stuck))
        return;
    label(view, "Stuck");
    output_safe(view->output, process->stuck);
    output_text(view->output, "\n");
}

/* What it has said by sd_notify(3). */
static void print_statement(struct view *view, const struct holden_process *process) {
    struct holden_statement said;
    struct holden_fault fault;
    if (!HOLDEN_HAS(process, process, statement) ||
        holden_decode(&holden_record_statement, process->statement.bytes.data,
                      process->statement.bytes.size, &said, &fault) < 0)
        return;
    if (said.state == HOLDEN_notify_state_RELOADING || said.state == HOLDEN_notify_state_STOPPING) {
        label(view, "It says");
        output_printf(view->output, "%s\n", holden_word(&holden_enum_notify_state, said.state));
    }
    if (said.text.size > 0) {
        label(view, "Status");
        output_safe(view->output, said.text);
        output_text(view->output, "\n");
    }
    if (said.error > 0) {
        const char *text = strerrordesc_np((int)said.error);
        label(view, "Error");
        output_printf(view->output, "%u (%s)\n", said.error, text ? text : "unknown");
    }
    if (said.bus_error.size > 0) {
        label(view, "Bus error");
        output_safe(view->output, said.bus_error);
        output_text(view->output, "\n");
    }
}

static void print_cgroup(struct view *view, const struct holden_process *process) {
    if (!HOLDEN_HAS(process, process, cgroup))
        return;
    label(view, "Cgroup");
    output_safe(view->output, process->cgroup);
    output_text(view->output, "\n");
}

static void print_identity(struct view *view, const struct holden_process *process) {
    const char *owner = user_name(&view->users, process->owner);
    const char *user = user_name(&view->users, process->user);
    struct holden_view argument;
    label(view, "Command");
    bool first = true;
    for (struct holden_repeated left = process->argument; holden_next_view(&left, &argument);
         first = false) {
        output_text(view->output, first ? "" : " ");
        output_safe(view->output, argument);
    }
    output_text(view->output, "\n");
    label(view, "Identity");
    output_printf(view->output, "id %" PRIu64, process->id);
    if (HOLDEN_HAS(process, process, pid))
        output_printf(view->output, ", pid %u", process->pid);
    output_text(view->output, ", runs as ");
    if (HOLDEN_HAS(process, process, dynamic_user)) {
        output_safe(view->output, process->dynamic_user);
        output_printf(view->output, " (%u, made up)", process->user);
    } else
        output_text(view->output, user ? user : "?");
    output_printf(view->output, ", started by %s\n", owner ? owner : "?");
    if (HOLDEN_HAS(process, process, slice)) {
        label(view, "Slice");
        output_safe(view->output, process->slice);
        output_text(view->output, "\n");
    }
    print_cgroup(view, process);
    moment(view, "Started", process->started);
    if (HOLDEN_HAS(process, process, ended))
        moment(view, "Ended", process->ended);
    if (HOLDEN_HAS(process, process, restarts) && process->restarts > 0) {
        label(view, "Restarts");
        output_printf(view->output, "%" PRIu64 "\n", process->restarts);
    }
}

/* Prints a line's label and end around what `USAGE_PART` rows print; nothing where none is known.
 * */
static void print_resources(struct view *view, const struct holden_process *process) {
    struct holden_usage usage;
    listing_usage(process, &usage);
    bool first = true;
#define KNOWN(member) HOLDEN_HAS(&usage, usage, member)
    label(view, "CPU");
    time_part(view, &first, KNOWN(cpu), "", usage.cpu);
    time_part(view, &first, KNOWN(cpu_user), "user", usage.cpu_user);
    time_part(view, &first, KNOWN(cpu_system), "system", usage.cpu_system);
    time_part(view, &first, KNOWN(throttled) && usage.throttled > 0, "throttled", usage.throttled);
    output_text(view->output, first ? "unknown\n" : "\n");
    first = true;
    label(view, "Memory");
    size_part(view, &first, KNOWN(memory) && !has_ended(process), "", usage.memory);
    size_part(view, &first, KNOWN(memory_peak), "peak", usage.memory_peak);
    size_part(view, &first, KNOWN(swap) && usage.swap > 0, "swap", usage.swap);
    size_part(view, &first,
              HOLDEN_HAS(process, process, memory_limit) && process->memory_limit != UNIT_INFINITY,
              "limit", process->memory_limit);
    number_part(view, &first, KNOWN(oom_kills) && usage.oom_kills > 0,
                "ended for want of it:", usage.oom_kills);
    output_text(view->output, first ? "unknown\n" : "\n");
    first = true;
    label(view, "Tasks");
    number_part(view, &first, KNOWN(tasks) && !has_ended(process), "", usage.tasks);
    number_part(view, &first, KNOWN(tasks_peak), "peak", usage.tasks_peak);
    number_part(view, &first,
                HOLDEN_HAS(process, process, tasks_limit) && process->tasks_limit != UNIT_INFINITY,
                "limit", process->tasks_limit);
    number_part(view, &first, KNOWN(tasks_refused) && usage.tasks_refused > 0, "refused",
                usage.tasks_refused);
    output_text(view->output, first ? "unknown\n" : "\n");
    first = true;
    label(view, "IO");
    size_part(view, &first, KNOWN(io_read), "read", usage.io_read);
    size_part(view, &first, KNOWN(io_written), "written", usage.io_written);
    output_text(view->output, first ? "unknown\n" : "\n");
    first = true;
    if (KNOWN(ip_ingress) || KNOWN(ip_egress)) {
        label(view, "Network");
        size_part(view, &first, KNOWN(ip_ingress), "received", usage.ip_ingress);
        size_part(view, &first, KNOWN(ip_egress), "sent", usage.ip_egress);
        number_part(view, &first, KNOWN(ip_ingress_packets), "packets received",
                    usage.ip_ingress_packets);
        number_part(view, &first, KNOWN(ip_egress_packets), "packets sent",
                    usage.ip_egress_packets);
        output_text(view->output, "\n");
    }
    first = true;
    label(view, "Stalled");
    time_part(view, &first, KNOWN(stall_cpu), "for CPU", usage.stall_cpu);
    time_part(view, &first, KNOWN(stall_memory), "for memory", usage.stall_memory);
    time_part(view, &first, KNOWN(stall_io), "for IO", usage.stall_io);
    output_text(view->output, first ? "unknown\n" : "\n");
#undef KNOWN
}

static void print_settings(struct view *view, const struct holden_process *process) {
    struct holden_properties properties;
    struct holden_fault fault;
    if (!HOLDEN_HAS(process, process, properties) ||
        holden_decode(&holden_record_properties, process->properties.bytes.data,
                      process->properties.bytes.size, &properties, &fault) < 0)
        return;
    const char *name = "Settings";
    for (size_t i = 0; i < HOLDEN_PROPERTIES; i++) {
        _cleanup_(buffer_free) struct buffer value = {0};
        if (!holden_has(&properties, i) || syntax_print(&properties, i, NULL, &value) < 0)
            continue;
        label(view, name);
        name = "";
        output_printf(view->output, "%s=", holden_property(i)->name);
        output_safe(view->output,
                    (struct holden_view){(const char *)buffer_bytes(&value), value.size});
        output_text(view->output, "\n");
    }
}

static void print_refusals(struct view *view, const struct holden_process *process) {
    struct holden_nested nested;
    const char *name = "Refused";
    for (struct holden_repeated left = process->refusal; holden_next_record(&left, &nested);) {
        struct holden_refusal decoded;
        const struct holden_refusal *refusal =
            holden_nested_value(&holden_record_refusal, &nested, &decoded);
        if (!refusal)
            continue;
        label(view, name);
        name = "";
        output_safe(view->output, refusal->call);
        output_text(view->output, "(");
        output_safe(view->output, refusal->arguments);
        output_text(view->output, ") by ");
        output_safe(view->output, refusal->program);
        const char *error = strerrorname_np((int)refusal->error);
        output_printf(view->output, ": %s, %" PRIu64 " time%s; ",
                      !HOLDEN_HAS(refusal, refusal, error) ? "ended" : error ? error : "an error",
                      refusal->times, refusal->times == 1 ? "" : "s");
        output_safe(view->output, refusal->remedy);
        output_text(view->output, " would allow it\n");
    }
    if (process->refused_further > 0) {
        label(view, name);
        output_printf(view->output, "%" PRIu64 " calls of further kinds\n",
                      process->refused_further);
    }
}

static void print_last_lines(struct view *view, struct holden_view text) {
    if (text.size > 0 && text.data[text.size - 1] == '\n')
        text.size--;
    const char *name = "Last output";
    while (text.size > 0) {
        const char *end = memchr(text.data, '\n', text.size);
        size_t size = end ? (size_t)(end - text.data) : text.size;
        label(view, name);
        name = "";
        output_safe(view->output, (struct holden_view){text.data, size});
        output_text(view->output, "\n");
        size += end != NULL;
        text = (struct holden_view){text.data + size, text.size - size};
    }
}

static bool leads_to_journal(bool set, const struct holden_nested *value) {
    struct holden_stream stream;
    struct holden_fault fault;
    return set &&
           holden_decode(&holden_record_stream, value->bytes.data, value->bytes.size, &stream,
                         &fault) == 0 &&
           stream.kind == HOLDEN_stream_kind_JOURNAL;
}

/* What it wrote to the journal is not the agent's to read, which waits for nothing. Where
 * journalctl is missing, or may not tell, there is nothing to show. */
static void print_last_of_journal(struct view *view, const struct holden_process *process) {
    struct holden_properties p;
    struct holden_fault fault;
    if (!HOLDEN_HAS(process, process, properties) ||
        holden_decode(&holden_record_properties, process->properties.bytes.data,
                      process->properties.bytes.size, &p, &fault) < 0 ||
        (!leads_to_journal(HOLDEN_HAS(&p, properties, standard_output), &p.standard_output) &&
         !leads_to_journal(HOLDEN_HAS(&p, properties, standard_error), &p.standard_error)))
        return;
    bool named = HOLDEN_HAS(&p, properties, syslog_identifier) && p.syslog_identifier.size > 0;
    struct journal_query query = {
        .identifier = named ? p.syslog_identifier : process->name,
        .since = process->started,
        .until = HOLDEN_HAS(process, process, ended) ? process->ended + JOURNAL_LAG : 0,
        .lines = LAST_LINES};
    struct journal journal;
    _cleanup_(buffer_free) struct buffer read = {0}, lines = {0};
    journal_sync();
    if (journal_open(&journal, &query, true) < 0)
        return;
    int r = journal_read(&journal, &read);
    journal_close(&journal);
    struct holden_view left = {(const char *)buffer_bytes(&read), read.size}, line;
    while (r == 0 && journal_next_line(&left, &line))
        r = buffer_append(&lines, line.data, line.size);
    size_t shown = lines.size < LAST_BYTES ? lines.size : LAST_BYTES;
    print_last_lines(view, (struct holden_view){
        (const char *)buffer_bytes(&lines) + lines.size - shown, shown});
}

static void take_process(void *into, const struct holden_process *process) {
    struct view *view = into;
    if (view->command->options.json) {
        output_json(view->output, &holden_record_process, process);
        return;
    }
    if (view->shown++ > 0)
        output_text(view->output, "\n");
    print_headline(view, process);
    print_stuck(view, process);
    print_statement(view, process);
    print_identity(view, process);
    print_resources(view, process);
    print_settings(view, process);
    print_refusals(view, process);
    if (process->output.size > 0)
        print_last_lines(view, process->output);
    else
        print_last_of_journal(view, process);
}

static void take_slice(void *into, const struct holden_slice *slice) {
    struct view *view = into;
    struct holden_process process;
    if (view->command->options.json) {
        output_json(view->output, &holden_record_slice, slice);
        return;
    }
    if (view->shown++ > 0)
        output_text(view->output, "\n");
    listing_slice(slice, &process);
    output_style(view->output, OUTPUT_BOLD);
    output_safe(view->output, slice->name);
    output_style(view->output, OUTPUT_PLAIN);
    output_printf(view->output, ": %" PRIu64 " process%s%s\n", slice->processes,
                  slice->processes == 1 ? "" : "es", slice->kept ? ", limits are set" : "");
    print_cgroup(view, &process);
    print_resources(view, &process);
    print_settings(view, &process);
}

static int show_slice(struct view *view, struct session *session, const char *name) {
    struct holden_list_slices request = {0};
    struct holden_view view_of_name = holden_view(name);
    char what[320];
    HOLDEN_SET(&request, list_slices, name,
               (struct holden_repeated){.count = 1, .items = &view_of_name});
    snprintf(what, sizeof(what), "cannot show %s", name);
    return listing_ask_slices(session, &request, what, take_slice, view);
}

static int show(struct view *view, struct session *session, const char *name) {
    struct holden_list request = {0};
    struct holden_view view_of_name = holden_view(name);
    char what[128];
    if (command_check_target_or_slice(name) != STATUS_DONE)
        return STATUS_USAGE;
    if (command_is_slice(name))
        return show_slice(view, session, name);
    HOLDEN_SET(&request, list, name, (struct holden_repeated){.count = 1, .items = &view_of_name});
    HOLDEN_SET(&request, list, ended, true);
    HOLDEN_SET(&request, list, usage, true);
    HOLDEN_SET(&request, list, detail, true);
    snprintf(what, sizeof(what), "cannot show %s", name);
    return listing_ask(session, &request, what, take_process, view);
}

static void view_free(struct view *view) {
    user_names_free(&view->users);
}

int verb_status(struct command *command) {
    _cleanup_(session_close) struct session session = {.client.connection.fd = -1};
    _cleanup_(view_free) struct view view = {.command = command, .output = &command->output};
    int status = session_open(&session, &command->options);
    int worst = status;
    output_inspect(&command->output, command->options.no_color);
    for (int i = 0;
         i < command->count && status != STATUS_NO_AGENT && worst != STATUS_NOT_PERMITTED; i++) {
        status = show(&view, &session, command->arguments[i]);
        if (worst == STATUS_DONE)
            worst = status;
    }
    return worst;
}
