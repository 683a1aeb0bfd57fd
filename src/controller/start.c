/* The verb start. */
#include <errno.h>
#include <stdio.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "controller/ending.h"
#include "controller/start.h"
#include "controller/waiting.h"

static void print_started(struct command *command, const struct holden_started *started) {
    if (command->options.json)
        output_json(&command->output, &holden_record_started, started);
    else
        output_printf(&command->output, "started %.*s (pid %u)\n", (int)started->name.size,
                      started->name.data, started->pid);
}

/* Says how it ended, and exits as it did, or by whether that is well. */
static int report_end(struct command *command, const struct holden_exited *exited,
                      enum start_until until) {
    int status = ending_status(exited);
    if (command->options.json)
        output_json(&command->output, &holden_record_exited, exited);
    else if (status != STATUS_DONE || ending_needs_words(exited))
        waiting_print(&command->output, exited);
    if (until == START_IS_WELL)
        return exited->state == HOLDEN_state_EXITED || exited->state == HOLDEN_state_RUNNING
                   ? STATUS_DONE
                   : STATUS_FAILED;
    return status;
}

static int wait_for_end(struct command *command, struct session *session, uint32_t id,
                        const struct holden_started *started, enum start_until until) {
    struct waiting waiting = {.id = started->id, .request = id};
    struct holden_exited exited;
    snprintf(waiting.name, sizeof(waiting.name), "%.*s", (int)started->name.size,
             started->name.data);
    output_flush(&command->output);
    int status = waiting_end(&waiting, session, &exited);
    return status == STATUS_DONE ? report_end(command, &exited, until) : status;
}

int start_send(struct command *command, const struct launch *launch, struct session *session,
               enum start_until until) {
    char complaint[160], skipped[SESSION_SKIPPED];
    struct holden_started started;
    struct holden_reply reply;
    uint32_t id;
    int status = session_ask(session, HOLDEN_MESSAGE_start, &launch->start, NULL, 0, &id);
    if (status == STATUS_DONE)
        status = session_next(session, &reply);
    if (status == STATUS_DONE && session_skipped(&reply, launch->shown, skipped)) {
        output_printf(&command->output, "%s\n", skipped);
        return STATUS_DONE;
    }
    if (status == STATUS_DONE)
        status = session_take(&reply, HOLDEN_MESSAGE_started, &started,
                              launch_complaint(launch, complaint));
    if (status != STATUS_DONE)
        return status;
    print_started(command, &started);
    return until == START_RUNS ? STATUS_DONE
                               : wait_for_end(command, session, id, &started, until);
}

int verb_start(struct command *command) {
    _cleanup_(launch_free) struct launch launch = {0};
    int status = launch_prepare(&launch, command, false);
    if (status != STATUS_DONE)
        return status;
    const struct holden_properties *properties = &launch.settings.properties;
    bool wait = command->options.wait ||
                (HOLDEN_HAS(properties, properties, service_type) &&
                 properties->service_type == HOLDEN_service_type_ONESHOT);
    if (wait)
        HOLDEN_SET(&launch.start, start, wait, true);
    _cleanup_(session_close) struct session session = {.client.connection.fd = -1};
    status = session_open(&session, &command->options);
    return status == STATUS_DONE
               ? start_send(command, &launch, &session, wait ? START_ENDS : START_RUNS)
               : status;
}
