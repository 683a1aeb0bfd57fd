/* The verb verify: reads unit files as apply does, and shows what they come to. */
#include <errno.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "controller/syntax.h"
#include "controller/table.h"
#include "controller/unit.h"

/* One setting and where it came from; `first` says that it is the first of several lines. */
struct row {
    const char *name;
    struct holden_view value;
    const struct unit_origin *origin; /* NULL: a default of unit files */
};

typedef int print_row(void *into, const struct unit *unit, const struct row *row);

static int each_property(const struct unit *unit, print_row *print, void *into) {
    const struct holden_properties *properties = &unit->launch.settings.properties;
    int r = 0;
    for (size_t i = 0; r == 0 && i < HOLDEN_PROPERTIES; i++) {
        _cleanup_(buffer_free) struct buffer value = {0};
        if (!holden_has(properties, i))
            continue;
        r = syntax_print(properties, i, NULL, &value);
        const struct row row = {holden_property(i)->name,
                                {(const char *)buffer_bytes(&value), value.size},
                                unit->origins[i]};
        if (r == 0)
            r = print(into, unit, &row);
    }
    return r;
}

static int each_row(const struct unit *unit, print_row *print, void *into) {
    int r = 0;
    for (const struct unit_value *at = unit->values; r == 0 && at; at = at->next) {
        const struct row row = {at->name, holden_view(at->value), &at->origin};
        r = print(into, unit, &row);
    }
    return r < 0 ? r : each_property(unit, print, into);
}

/* "FILE:LINE, FILE:LINE", in the order of the lines. */
static int print_origins(const struct unit_origin *origin, struct buffer *out) {
    if (!origin)
        return 0;
    int r = print_origins(origin->next, out);
    return r < 0 ? r
                 : buffer_printf(out, "%s%s:%u", origin->next ? ", " : "", origin->file,
                                 origin->line);
}

static int table_row(void *into, const struct unit *unit, const struct row *row) {
    (void)unit;
    struct table *table = into;
    _cleanup_(buffer_free) struct buffer from = {0};
    int r = row->origin ? print_origins(row->origin, &from)
                        : buffer_printf(&from, "default of a unit");
    if (r < 0)
        return r;
    table_text(table, OUTPUT_PLAIN, row->name);
    table_view(table, OUTPUT_DIM,
               (struct holden_view){(const char *)buffer_bytes(&from), from.size});
    table_view(table, OUTPUT_PLAIN, row->value);
    return 0;
}

static int json_row(void *into, const struct unit *unit, const struct row *row) {
    struct output *output = into;
    _cleanup_(buffer_free) struct buffer from = {0};
    output_printf(output, "{\"unit\":\"%s\",\"name\":\"%s\"", unit->launch.shown, row->name);
    output_member(output, "value", row->value);
    int r = print_origins(row->origin, &from);
    output_member(output, "from",
                  (struct holden_view){(const char *)buffer_bytes(&from), from.size});
    output_text(output, "}\n");
    return r;
}

static void json_finding(struct output *output, const char *unit,
                         const struct unit_finding *finding) {
    static const char *const verdicts[] = {
        [UNIT_IGNORED] = "ignored", [UNIT_WARNED] = "warned", [UNIT_REFUSED] = "refused",
    };
    output_printf(output, "{\"verdict\":\"%s\"", verdicts[finding->kind]);
    output_member(output, "file", holden_view(finding->file ? finding->file : unit));
    output_printf(output, ",\"line\":%u", finding->line);
    output_member(output, "directive", holden_view(finding->name));
    output_member(output, "why", holden_view(finding->why));
    output_text(output, "}\n");
}

/* What is refused goes to standard error, the rest below the table. */
static int print_finding(struct command *command, const struct unit_finding *finding) {
    _cleanup_(buffer_free) struct buffer line = {0};
    if (unit_finding_print(finding, &line) < 0)
        return -ENOMEM;
    struct holden_view view = {(const char *)buffer_bytes(&line), line.size};
    bool refused = finding->kind == UNIT_REFUSED ||
                   (finding->kind == UNIT_WARNED && command->options.strict);
    if (refused) {
        output_flush(&command->output);
        log_error("%.*s", (int)view.size, view.data);
        return 0;
    }
    output_style(&command->output, finding->kind == UNIT_WARNED ? OUTPUT_WARN : OUTPUT_DIM);
    output_safe(&command->output, view);
    output_style(&command->output, OUTPUT_PLAIN);
    output_text(&command->output, "\n");
    return 0;
}

static int print_table(struct command *command, const struct unit *unit) {
    static const struct table_column columns[] = {
        {"SETTING", false}, {"FROM", false}, {"VALUE", false},
    };
    _cleanup_(table_free) struct table table;
    table_init(&table, columns, ARRAY_SIZE(columns));
    int r = each_row(unit, table_row, &table);
    if (r == 0)
        table_print(&table, &command->output);
    for (const struct unit_finding *at = unit->findings; r == 0 && at; at = at->next)
        r = print_finding(command, at);
    if (r == 0 && unit->unmet)
        output_printf(&command->output, "not started now: %s\n", unit->unmet);
    return r;
}

static int print_json(struct command *command, const struct unit *unit, const char *argument) {
    int r = each_row(unit, json_row, &command->output);
    for (const struct unit_finding *at = unit->findings; r == 0 && at; at = at->next)
        json_finding(&command->output, argument, at);
    return r;
}

static int verify(struct command *command, const char *argument) {
    _cleanup_(unit_free) struct unit unit;
    int r = unit_read(&unit, argument, NULL, command->options.socket);
    if (r == 0 && command->options.json)
        r = print_json(command, &unit, argument);
    else if (r == 0)
        r = print_table(command, &unit);
    if (r < 0) {
        log_error("out of memory");
        return STATUS_FAILED;
    }
    return unit.refused || (command->options.strict && unit.warned) ? STATUS_FAILED : STATUS_DONE;
}

int verb_verify(struct command *command) {
    int status = STATUS_DONE;
    output_inspect(&command->output, command->options.no_color);
    for (int i = 0; i < command->count; i++) {
        if (command->count > 1 && !command->options.json)
            output_printf(&command->output, "%s%s:\n", i ? "\n" : "", command->arguments[i]);
        int one = verify(command, command->arguments[i]);
        status = one != STATUS_DONE ? one : status;
    }
    return status;
}
