/* The verb events: what happened, in the agent's own numbering. Followed across restarts of the
 * agent. */
#include <inttypes.h>
#include <stdio.h>

#include "common/cleanup.h"
#include "controller/command.h"
#include "controller/session.h"
#include "controller/signal_name.h"
#include "protocol/message.h"

/* "failed (pid 12, status 3, out-of-memory)" */
static void print_facts(struct output *output, const struct holden_event *event) {
    char signal[32];
    const char *between = " (";
    if (HOLDEN_HAS(event, event, pid)) {
        output_printf(output, "%spid %u", between, event->pid);
        between = ", ";
    }
    if (HOLDEN_HAS(event, event, status)) {
        output_printf(output, "%sstatus %u", between, event->status);
        between = ", ";
    }
    if (HOLDEN_HAS(event, event, signal)) {
        output_printf(output, "%s%s", between, signal_print(event->signal, signal, sizeof(signal)));
        between = ", ";
    }
    if (HOLDEN_HAS(event, event, cause) && event->cause != HOLDEN_cause_NONE &&
        event->cause != HOLDEN_cause_EXITED && event->cause != HOLDEN_cause_SIGNALLED) {
        output_printf(output, "%s%s", between, holden_word(&holden_enum_cause, event->cause));
        between = ", ";
    }
    if (HOLDEN_HAS(event, event, uid)) {
        output_printf(output, "%sby uid %u", between, event->uid);
        between = ", ";
    }
    output_text(output, *between == ',' ? ")" : "");
}

static void print_event(struct output *output, const struct holden_event *event) {
    const char *what = event->kind == HOLDEN_event_kind_STATE && HOLDEN_HAS(event, event, state)
                           ? holden_word(&holden_enum_state, event->state)
                           : holden_word(&holden_enum_event_kind, event->kind);
    output_time(output, event->time);
    output_printf(output, " #%" PRIu64 " ", event->sequence);
    if (HOLDEN_HAS(event, event, name)) {
        output_style(output, OUTPUT_BOLD);
        output_safe(output, event->name);
        output_style(output, OUTPUT_PLAIN);
        output_text(output, " ");
    }
    output_text(output, what);
    if (HOLDEN_HAS(event, event, missed))
        output_printf(output, " %" PRIu64 " events", event->missed);
    print_facts(output, event);
    if (HOLDEN_HAS(event, event, text) && event->text.size > 0) {
        output_text(output, ": ");
        output_safe(output, event->text);
    }
    output_text(output, "\n");
}

static int subscribe(struct session *session, const struct options *options) {
    struct holden_subscribe request = {0};
    if (options->has_since)
        HOLDEN_SET(&request, subscribe, since, options->since);
    if (options->follow)
        HOLDEN_SET(&request, subscribe, follow, true);
    return session_ask(session, HOLDEN_MESSAGE_subscribe, &request, NULL, 0, NULL);
}

static int take_event(struct command *command, const struct holden_reply *reply) {
    struct holden_event event;
    int status = session_take(reply, HOLDEN_MESSAGE_event, &event, "cannot show events");
    if (status != STATUS_DONE)
        return status;
    if (command->options.json)
        output_json(&command->output, &holden_record_event, &event);
    else
        print_event(&command->output, &event);
    return STATUS_DONE;
}

int verb_events(struct command *command) {
    const struct options *options = &command->options;
    _cleanup_(session_close) struct session session = {.client.connection.fd = -1};
    int status = session_open(&session, options);
    output_inspect(&command->output, options->no_color);
    if (status == STATUS_DONE)
        status = subscribe(&session, options);
    while (status == STATUS_DONE) {
        struct holden_reply reply;
        if (!session_has_frame(&session) && output_flush(&command->output) < 0)
            return STATUS_FAILED;
        status = session_next(&session, &reply);
        if (status == STATUS_DONE && reply.frame.type == HOLDEN_MESSAGE_end)
            return STATUS_DONE;
        if (status == STATUS_DONE)
            status = take_event(command, &reply);
    }
    return status;
}
