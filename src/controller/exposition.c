#include "controller/exposition.h"

#include <inttypes.h>
#include <stdio.h>

static const char *const types[] = {
    [METRIC_COUNTER] = "counter", [METRIC_GAUGE] = "gauge", [METRIC_INFO] = "info"};

static const char *const units[] = {
    [METRIC_NONE] = "", [METRIC_SECONDS] = "seconds", [METRIC_BYTES] = "bytes"};

/* What the name of a sample has behind that of its family. */
static const char *const suffixes[] = {
    [METRIC_COUNTER] = "_total", [METRIC_GAUGE] = "", [METRIC_INFO] = "_info"};

void exposition_family(struct exposition *exposition, const char *prefix, const char *name,
                       enum metric_type type, enum metric_unit unit, const char *doc) {
    exposition->type = type;
    exposition->unit = unit;
    exposition->doc = doc;
    exposition->begun = false;
    snprintf(exposition->name, sizeof(exposition->name), "%s%s%s%s%s", prefix,
             *name ? "_" : "", name, *units[unit] ? "_" : "", units[unit]);
}

/* In the older format a family is called as its samples are, and there is neither info nor a line
 * for the unit. */
static void print_family(const struct exposition *exposition) {
    struct output *output = exposition->output;
    const char *suffix = exposition->classic ? suffixes[exposition->type] : "";
    bool gauge = exposition->classic && exposition->type == METRIC_INFO;
    output_printf(output, "# HELP %s%s %s.\n", exposition->name, suffix, exposition->doc);
    output_printf(output, "# TYPE %s%s %s\n", exposition->name, suffix,
                  types[gauge ? METRIC_GAUGE : exposition->type]);
    if (!exposition->classic && *units[exposition->unit])
        output_printf(output, "# UNIT %s %s\n", exposition->name, units[exposition->unit]);
}

void exposition_begin(struct exposition *exposition) {
    if (!exposition->begun)
        print_family(exposition);
    exposition->begun = true;
    exposition->labelled = false;
    output_printf(exposition->output, "%s%s", exposition->name, suffixes[exposition->type]);
}

/* Both formats demand UTF-8, and a backslash before a quote, a backslash and, as n, an end of line.
 * What is no plain text, which names do not have, is shown as "?". */
static void print_value(struct output *output, struct holden_view value) {
    for (size_t i = 0; i < value.size; i++) {
        unsigned char at = (unsigned char)value.data[i];
        if (at == '\n')
            output_text(output, "\\n");
        else if (at == '"' || at == '\\')
            output_printf(output, "\\%c", at);
        else
            output_printf(output, "%c", at < ' ' || at > '~' ? '?' : at);
    }
}

void exposition_label(struct exposition *exposition, const char *name, struct holden_view value) {
    output_printf(exposition->output, "%s%s=\"", exposition->labelled ? "," : "{", name);
    print_value(exposition->output, value);
    output_text(exposition->output, "\"");
    exposition->labelled = true;
}

void exposition_end(struct exposition *exposition, uint64_t value) {
    enum { SECOND = 1000000 };
    output_text(exposition->output, exposition->labelled ? "} " : " ");
    if (exposition->unit == METRIC_SECONDS)
        output_printf(exposition->output, "%" PRIu64 ".%06" PRIu64 "\n", value / SECOND,
                      value % SECOND);
    else
        output_printf(exposition->output, "%" PRIu64 "\n", value);
}

void exposition_finish(struct exposition *exposition) {
    if (!exposition->classic)
        output_text(exposition->output, "# EOF\n");
}
