/* The verb apply: starts what unit files of services say, and sets limits by those of slices. All
 * are read before the first is started, so that a file that is refused starts nothing. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "controller/start.h"
#include "controller/unit.h"

struct units {
    struct unit *list; /* owned */
    int count;
};

static void units_free(struct units *units) {
    for (int i = 0; i < units->count; i++)
        unit_free(&units->list[i]);
    free(units->list);
}

static int say(const struct unit_finding *finding, bool strict) {
    _cleanup_(buffer_free) struct buffer line = {0};
    if (finding->kind == UNIT_IGNORED)
        return 0;
    if (unit_finding_print(finding, &line) < 0)
        return -ENOMEM;
    if (finding->kind == UNIT_REFUSED || strict)
        log_error("%.*s", (int)line.size, (const char *)buffer_bytes(&line));
    else
        log_warning("%.*s", (int)line.size, (const char *)buffer_bytes(&line));
    return 0;
}

/* Reads one unit and says what there is to say. STATUS_DONE if it may be started. */
static int read_one(struct command *command, const char *argument, struct unit *unit) {
    bool strict = command->options.strict;
    int r = unit_read(unit, argument, command->options.name, command->options.socket);
    for (const struct unit_finding *at = unit->findings; r == 0 && at; at = at->next)
        r = say(at, strict);
    if (r < 0) {
        log_error("out of memory");
        return STATUS_FAILED;
    }
    return unit->refused || (strict && unit->warned) ? STATUS_FAILED : STATUS_DONE;
}

static int read_all(struct command *command, struct units *units) {
    int status = STATUS_DONE;
    units->list = calloc((size_t)command->count, sizeof(*units->list));
    if (!units->list) {
        log_error("out of memory");
        return STATUS_FAILED;
    }
    for (; units->count < command->count; units->count++) {
        int one = read_one(command, command->arguments[units->count],
                           &units->list[units->count]);
        status = one != STATUS_DONE ? one : status;
    }
    return status;
}

/* In place of what was set for it before. */
static int limit_slice(struct command *command, const struct unit *unit, struct session *session) {
    struct holden_limit_slice request = {0};
    struct holden_constrained answer;
    char what[320];
    HOLDEN_SET(&request, limit_slice, name, holden_view(unit->launch.shown));
    HOLDEN_SET(&request, limit_slice, properties,
               (struct holden_nested){.value = &unit->launch.settings.properties});
    HOLDEN_SET(&request, limit_slice, replace, true);
    snprintf(what, sizeof(what), "cannot limit %s", unit->launch.shown);
    int status = session_call(session, HOLDEN_MESSAGE_limit_slice, &request,
                              HOLDEN_MESSAGE_constrained, &answer, what);
    if (status == STATUS_DONE && command->options.json)
        output_json(&command->output, &holden_record_constrained, &answer);
    else if (status == STATUS_DONE)
        output_printf(&command->output, "limited %s\n", unit->launch.shown);
    return status;
}

static int start_one(struct command *command, struct unit *unit, struct session *session) {
    if (unit->unmet) {
        output_printf(&command->output, "skipped %s: %s\n", unit->launch.shown, unit->unmet);
        return STATUS_DONE;
    }
    if (unit->file.paths.name.slice)
        return limit_slice(command, unit, session);
    int status = start_send(command, &unit->launch, session,
                            unit->oneshot ? START_IS_WELL : START_RUNS);
    /* A command that may fail may also be one that cannot be executed. */
    return unit->oneshot && unit->ignore_failure && status == STATUS_FAILED ? STATUS_DONE : status;
}

int verb_apply(struct command *command) {
    _cleanup_(units_free) struct units units = {0};
    if (command->options.name && command->count > 1) {
        log_error("apply: --name is for one file");
        return STATUS_USAGE;
    }
    int status = read_all(command, &units);
    if (status != STATUS_DONE)
        return status;
    _cleanup_(session_close) struct session session = {.client.connection.fd = -1};
    status = session_open(&session, &command->options);
    for (int i = 0; status != STATUS_NO_AGENT && i < units.count; i++) {
        int one = start_one(command, &units.list[i], &session);
        status = one != STATUS_DONE ? one : status;
    }
    return status;
}
