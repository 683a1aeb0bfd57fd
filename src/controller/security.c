/* The verb security: what a process or a unit could do beyond its work, line by line. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "controller/exposure.h"
#include "controller/listing.h"
#include "controller/syntax.h"
#include "controller/table.h"
#include "controller/unit.h"
#include "protocol/dynamic_user.h"

/* What is judged, and how it came out. */
struct judged {
    struct command *command;
    const char *name;
    bool known;     /* there was something to judge */
    unsigned worst; /* the highest sum of all */
};

static void print_json(struct output *output, const char *name,
                       const struct exposure_subject *subject) {
    struct exposure exposure;
    for (size_t i = 0; exposure_at(i, subject, &exposure); i++) {
        output_printf(output, "{\"good\":%s", exposure.level == 0 ? "true" : "false");
        output_member(output, "name", holden_view(name));
        output_member(output, "setting", holden_view(exposure.setting));
        output_member(output, "of", holden_view(exposure.of));
        output_printf(output, ",\"exposure\":%.2f", exposure_share(&exposure) / 100.0);
        output_member(output, "text", holden_view(exposure.text));
        output_member(output, "remedy", holden_view(exposure.remedy));
        output_text(output, "}\n");
    }
    unsigned sum = exposure_sum(subject);
    output_printf(output, "{\"sum\":%.1f", sum / 10.0);
    output_member(output, "name", holden_view(name));
    output_member(output, "word", holden_view(exposure_word(sum)));
    output_text(output, "}\n");
}

static enum output_style style_of(unsigned sum) {
    return sum >= 75 ? OUTPUT_BAD : sum >= 50 ? OUTPUT_WARN : OUTPUT_GOOD;
}

static void print_table(struct output *output, const char *name,
                        const struct exposure_subject *subject) {
    static const struct table_column columns[] = {
        {"", false}, {"SETTING", false}, {"EXPOSURE", true}, {"WHAT", false}, {"BETTER", false},
    };
    _cleanup_(table_free) struct table table;
    struct exposure exposure;
    char share[16];
    table_init(&table, columns, ARRAY_SIZE(columns));
    for (size_t i = 0; exposure_at(i, subject, &exposure); i++) {
        bool good = exposure.level == 0;
        unsigned hundredths = exposure_share(&exposure);
        snprintf(share, sizeof(share), "%u.%02u", hundredths / 100, hundredths % 100);
        table_text(&table, good ? OUTPUT_GOOD : OUTPUT_BAD, good ? "+" : "-");
        table_text(&table, OUTPUT_PLAIN, exposure.setting);
        table_text(&table, OUTPUT_PLAIN, good ? "" : share);
        table_text(&table, good ? OUTPUT_DIM : OUTPUT_PLAIN, exposure.text);
        table_text(&table, OUTPUT_PLAIN, exposure.remedy);
    }
    table_print(&table, output);
    unsigned sum = exposure_sum(subject);
    output_text(output, "\n");
    output_style(output, style_of(sum));
    output_safe(output, holden_view(name));
    output_printf(output, ": exposure %u.%u of 10, %s\n", sum / 10, sum % 10, exposure_word(sum));
    output_style(output, OUTPUT_PLAIN);
}

static void judge(struct judged *judged, const struct exposure_subject *subject) {
    struct output *output = &judged->command->output;
    unsigned sum = exposure_sum(subject);
    judged->known = true;
    judged->worst = sum > judged->worst ? sum : judged->worst;
    if (judged->command->options.json)
        print_json(output, judged->name, subject);
    else
        print_table(output, judged->name, subject);
}

static void take_process(void *into, const struct holden_process *process) {
    struct holden_properties properties = {0};
    struct holden_fault fault;
    if (HOLDEN_HAS(process, process, properties) &&
        holden_decode(&holden_record_properties, process->properties.bytes.data,
                      process->properties.bytes.size, &properties, &fault) < 0)
        return;
    const struct exposure_subject subject = {&properties, process->user};
    judge(into, &subject);
}

static int judge_process(struct judged *judged) {
    _cleanup_(session_close) struct session session = {.client.connection.fd = -1};
    struct holden_list request = {0};
    struct holden_view name = holden_view(judged->name);
    char what[128];
    int status = command_check_target(judged->name);
    if (status == STATUS_DONE)
        status = session_open(&session, &judged->command->options);
    if (status != STATUS_DONE)
        return status;
    HOLDEN_SET(&request, list, name, (struct holden_repeated){.count = 1, .items = &name});
    HOLDEN_SET(&request, list, ended, true);
    HOLDEN_SET(&request, list, detail, true);
    snprintf(what, sizeof(what), "cannot judge %s", judged->name);
    return listing_ask(&session, &request, what, take_process, judged);
}

static int refuse(const struct unit *unit) {
    for (const struct unit_finding *at = unit->findings; at; at = at->next) {
        _cleanup_(buffer_free) struct buffer line = {0};
        if (at->kind == UNIT_REFUSED && unit_finding_print(at, &line) == 0)
            log_error("%.*s", (int)line.size, (const char *)buffer_bytes(&line));
    }
    return STATUS_FAILED;
}

static int judge_unit(struct judged *judged) {
    _cleanup_(unit_free) struct unit unit;
    if (unit_read(&unit, judged->name, NULL, judged->command->options.socket) < 0) {
        log_error("out of memory");
        return STATUS_FAILED;
    }
    if (unit.refused)
        return refuse(&unit);
    if (unit.file.paths.name.slice) {
        log_error("%s is a slice, which runs nothing; name the services in it", judged->name);
        return STATUS_USAGE;
    }
    holden_dynamic_user_imply(&unit.launch.settings.properties);
    const struct exposure_subject subject = {&unit.launch.settings.properties, geteuid()};
    judge(judged, &subject);
    return STATUS_DONE;
}

/* A name of a process has no slash, and hardly ever this end. */
static bool is_file(const char *argument) {
    const char *end = strrchr(argument, '.');
    return strchr(argument, '/') || (end && strcmp(end, ".service") == 0);
}

int verb_security(struct command *command) {
    const struct options *options = &command->options;
    struct judged judged = {.command = command};
    int worst = STATUS_DONE;
    output_inspect(&command->output, options->no_color);
    for (int i = 0; i < command->count; i++) {
        judged.name = command->arguments[i];
        if (i > 0 && judged.known && !options->json)
            output_text(&command->output, "\n");
        int status = is_file(judged.name) ? judge_unit(&judged) : judge_process(&judged);
        worst = worst == STATUS_DONE ? status : worst;
        if (status == STATUS_NO_AGENT)
            break;
    }
    bool above = options->has_threshold && judged.known && judged.worst > options->threshold;
    return worst == STATUS_DONE && above ? STATUS_FAILED : worst;
}
