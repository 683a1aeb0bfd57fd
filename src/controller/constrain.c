/* The verb constrain: limits of a live process, or of a slice. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "common/unit.h"
#include "controller/command.h"
#include "controller/launch.h"
#include "controller/syntax.h"
#include "controller/words.h"

/* The short form: NAME MEMORY_MB CPU_PERCENT. */
static int assign_short(struct settings *settings, const char *property, const char *text,
                        const char *unit) {
    char value[64];
    char shown[WORDS_SHOWN];
    uint64_t number;
    if (unit_parse_count(text, &number) < 0) {
        log_error("'%s': expected a number (of %s), or infinity", words_show(text, shown),
                  *unit == 'M' ? "MB" : "percent");
        return STATUS_USAGE;
    }
    snprintf(value, sizeof(value), "%s%s", text, number == UNIT_INFINITY ? "" : unit);
    if (settings_assign(settings, property, value) == 0)
        return STATUS_DONE;
    log_error("%s", settings->wrong);
    return STATUS_USAGE;
}

/* Whether an empty value of the property is one that can be sent: an empty list. */
static bool reads_empty(const char *text, const char *end) {
    char name[64] = "";
    size_t index;
    memcpy(name, text, (size_t)(end - text) < sizeof(name) ? (size_t)(end - text) : 0);
    return holden_property_find(name, &index) == 0 && syntax_of(index)->reads_empty;
}

/* Only what can be changed live, and something at all. */
static int check(const struct settings *settings, const struct options *options, bool slice) {
    for (size_t i = 0; i < options->property_count; i++) {
        const char *equals = strchr(options->properties[i], '=');
        if (equals && !equals[1] && !reads_empty(options->properties[i], equals)) {
            log_error("%s needs a value; the one that lifts a limit is infinity",
                      options->properties[i]);
            return STATUS_USAGE;
        }
    }
    size_t count = 0;
    for (size_t i = 0; i < HOLDEN_PROPERTIES; i++) {
        if (!settings_has(settings, i))
            continue;
        count++;
        if (slice && !holden_property_of_slice(i)) {
            log_error("%s is of processes; a slice has limits of memory, CPU, tasks and IO only",
                      holden_property(i)->name);
            return STATUS_USAGE;
        }
        if (!slice && !holden_property(i)->live) {
            log_error("%s cannot be changed while a process runs; start it anew with -p",
                      holden_property(i)->name);
            return STATUS_USAGE;
        }
    }
    if (count > 0)
        return STATUS_DONE;
    log_error(
        "no limit given, such as `constrain web 100 50` or `constrain web -p TasksMax=10`");
    return STATUS_USAGE;
}

static int read_limits(struct settings *settings, const struct command *command) {
    int status = STATUS_DONE;
    if (command->count > 1)
        status = assign_short(settings, "MemoryMax", command->arguments[1], "M");
    if (status == STATUS_DONE && command->count > 2)
        status = assign_short(settings, "CPUQuota", command->arguments[2], "%");
    if (status == STATUS_DONE)
        status = launch_settings(settings, &command->options);
    bool slice = command_is_slice(command->arguments[0]);
    return status == STATUS_DONE ? check(settings, &command->options, slice) : status;
}

static void print_value(struct output *output, const struct holden_properties *properties,
                        size_t index) {
    _cleanup_(buffer_free) struct buffer value = {0};
    if (!holden_has(properties, index) || syntax_print(properties, index, ", ", &value) < 0 ||
        value.size == 0)
        output_text(output, "unset");
    else
        output_safe(output, (struct holden_view){(const char *)buffer_bytes(&value), value.size});
}

static int print_changes(struct command *command, const struct holden_constrained *constrained) {
    struct holden_properties before;
    struct holden_properties after;
    struct holden_fault fault;
    if (command->options.json) {
        output_json(&command->output, &holden_record_constrained, constrained);
        return STATUS_DONE;
    }
    if (holden_decode(&holden_record_properties, constrained->before.bytes.data,
                      constrained->before.bytes.size, &before, &fault) < 0 ||
        holden_decode(&holden_record_properties, constrained->after.bytes.data,
                      constrained->after.bytes.size, &after, &fault) < 0)
        return STATUS_FAILED;
    for (size_t i = 0; i < HOLDEN_PROPERTIES; i++) {
        if (!holden_has(&before, i) && !holden_has(&after, i))
            continue;
        output_printf(&command->output, "%s: ", holden_property(i)->name);
        print_value(&command->output, &before, i);
        output_text(&command->output, " -> ");
        print_value(&command->output, &after, i);
        output_text(&command->output, "\n");
    }
    return STATUS_DONE;
}

static int limit_slice(struct command *command, const struct settings *settings) {
    const char *name = command->arguments[0];
    struct holden_limit_slice request = {0};
    struct holden_constrained answer;
    char what[320];
    if (command->options.duration) {
        log_error("constrain: --for is for processes; limits of a slice stay until `reset %s`",
                  name);
        return STATUS_USAGE;
    }
    HOLDEN_SET(&request, limit_slice, name, holden_view(name));
    HOLDEN_SET(&request, limit_slice, properties,
               (struct holden_nested){.value = &settings->properties});
    if (command->options.dry_run)
        HOLDEN_SET(&request, limit_slice, dry_run, true);
    _cleanup_(session_close) struct session session = {.client.connection.fd = -1};
    snprintf(what, sizeof(what), "cannot constrain %s", name);
    int status = session_open(&session, &command->options);
    if (status == STATUS_DONE)
        status = session_call(&session, HOLDEN_MESSAGE_limit_slice, &request,
                              HOLDEN_MESSAGE_constrained, &answer, what);
    return status == STATUS_DONE ? print_changes(command, &answer) : status;
}

static int constrain(struct command *command, struct settings *settings) {
    const struct options *options = &command->options;
    const char *name = command->arguments[0];
    struct holden_constrain request = {0};
    struct holden_constrained answer;
    char what[128];
    HOLDEN_SET(&request, constrain, name, holden_view(name));
    HOLDEN_SET(&request, constrain, properties,
               (struct holden_nested){.value = &settings->properties});
    if (options->dry_run)
        HOLDEN_SET(&request, constrain, dry_run, true);
    if (options->duration)
        HOLDEN_SET(&request, constrain, duration, options->duration);
    _cleanup_(session_close) struct session session = {.client.connection.fd = -1};
    snprintf(what, sizeof(what), "cannot constrain %s", name);
    int status = session_open(&session, options);
    if (status == STATUS_DONE)
        status = session_call(&session, HOLDEN_MESSAGE_constrain, &request,
                              HOLDEN_MESSAGE_constrained, &answer, what);
    return status == STATUS_DONE ? print_changes(command, &answer) : status;
}

int verb_constrain(struct command *command) {
    _cleanup_(settings_free) struct settings settings = {0};
    int status = command_check_target_or_slice(command->arguments[0]);
    if (status == STATUS_DONE)
        status = read_limits(&settings, command);
    if (status != STATUS_DONE)
        return status;
    return command_is_slice(command->arguments[0]) ? limit_slice(command, &settings)
                                                   : constrain(command, &settings);
}
