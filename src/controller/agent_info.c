/* The verbs about the agent itself: ping, doctor, self, reexec. */
#include <stdio.h>
#include <time.h>

#include "common/cleanup.h"
#include "common/unit.h"
#include "controller/agent_info.h"
#include "controller/command.h"
#include "controller/session.h"
#include "controller/table.h"
#include "protocol/message.h"

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_nsec / 1000;
}

int verb_ping(struct command *command) {
    _cleanup_(session_close) struct session session = {.client.connection.fd = -1};
    struct holden_ping ping = {0};
    struct holden_pong pong;
    char text[32];
    int status = session_open(&session, &command->options);
    if (status != STATUS_DONE)
        return status;
    uint64_t before = now();
    status = session_call(&session, HOLDEN_MESSAGE_ping, &ping, HOLDEN_MESSAGE_pong, &pong,
                          "cannot ping");
    uint64_t taken = now() - before;
    if (status != STATUS_DONE)
        return status;
    if (command->options.json)
        output_json(&command->output, &holden_record_pong, &pong);
    else
        output_printf(&command->output, "agent %.*s (pid %u) answers in %s\n",
                      (int)pong.version.size, pong.version.data, pong.pid,
                      unit_format_time_short(taken ? taken : 1, text, sizeof(text)));
    return STATUS_DONE;
}

int agent_info_reload(struct command *command) {
    _cleanup_(session_close) struct session session = {.client.connection.fd = -1};
    struct holden_reload_agent request = {0};
    struct holden_done done;
    int status = session_open(&session, &command->options);
    if (status == STATUS_DONE)
        status = session_call(&session, HOLDEN_MESSAGE_reload_agent, &request,
                              HOLDEN_MESSAGE_done, &done, "cannot reload the agent");
    if (status == STATUS_DONE)
        output_text(&command->output,
                    command->options.json ? "{\"done\":\"reloaded\"}\n" : "agent reloaded\n");
    return status;
}

int verb_reexec(struct command *command) {
    _cleanup_(session_close) struct session session = {.client.connection.fd = -1};
    struct holden_reexec request = {0};
    struct holden_done done;
    int status = session_open(&session, &command->options);
    if (status == STATUS_DONE)
        status = session_call(&session, HOLDEN_MESSAGE_reexec, &request, HOLDEN_MESSAGE_done, &done,
                              "cannot replace the agent");
    if (status == STATUS_DONE)
        output_text(&command->output,
                    command->options.json ? "{\"done\":\"replaced\"}\n" : "agent replaced\n");
    return status;
}

static void print_check(struct table *table, const struct holden_check *check) {
    static const enum output_style styles[] = {
        [HOLDEN_severity_OK] = OUTPUT_GOOD, [HOLDEN_severity_LIMITED] = OUTPUT_WARN,
        [HOLDEN_severity_MISSING] = OUTPUT_BAD,
    };
    table_view(table, OUTPUT_PLAIN, check->name);
    table_text(table, styles[check->severity], holden_word(&holden_enum_severity, check->severity));
    table_view(table, OUTPUT_PLAIN, check->detail);
    const struct { const char *title; struct holden_view text; } more[] = {
        {"costs: ", check->cost}, {"do: ", check->remedy},
    };
    for (size_t i = 0; i < ARRAY_SIZE(more); i++) {
        char line[1100];
        if (more[i].text.size == 0)
            continue;
        int size = snprintf(line, sizeof(line), "%s%.*s", more[i].title, (int)more[i].text.size,
                            more[i].text.data);
        table_text(table, OUTPUT_PLAIN, "");
        table_text(table, OUTPUT_PLAIN, "");
        table_view(table, OUTPUT_PLAIN, (struct holden_view){line, (size_t)size});
    }
}

int verb_doctor(struct command *command) {
    static const struct table_column columns[] = {
        {"WHAT", false}, {"STATE", false}, {"DETAIL", false}};
    _cleanup_(session_close) struct session session = {.client.connection.fd = -1};
    _cleanup_(table_free) struct table table;
    struct holden_doctor request = {0};
    struct holden_reply reply;
    struct holden_check check;
    table_init(&table, columns, ARRAY_SIZE(columns));
    int status = session_open(&session, &command->options);
    if (status == STATUS_DONE)
        status = session_ask(&session, HOLDEN_MESSAGE_doctor, &request, NULL, 0, NULL);
    if (status == STATUS_DONE)
        status = session_next(&session, &reply);
    while (status == STATUS_DONE && reply.frame.type != HOLDEN_MESSAGE_end) {
        status = session_take(&reply, HOLDEN_MESSAGE_check, &check, "cannot examine the machine");
        if (status != STATUS_DONE)
            break;
        if (command->options.json)
            output_json(&command->output, &holden_record_check, &check);
        else
            print_check(&table, &check);
        status = session_next(&session, &reply);
    }
    if (status != STATUS_DONE || command->options.json)
        return status;
    output_inspect(&command->output, command->options.no_color);
    /* A remedy that is cut off is none. */
    command->output.width = 0;
    table_print(&table, &command->output);
    return STATUS_DONE;
}

static void print_self(struct output *output, const struct holden_self_state *self) {
    char text[64];
    output_printf(output, "version:      %.*s\n", (int)self->version.size, self->version.data);
    output_printf(output, "agent:        pid %u, up %s, %lu CPU ms\n", self->pid,
                  unit_format_time_short(self->uptime, text, sizeof(text)),
                  (unsigned long)(self->cpu / 1000));
    output_printf(output, "keeper:       pid %u, started an agent anew %lu times\n", self->keeper,
                  (unsigned long)self->recoveries);
    output_printf(output, "socket:       %.*s\n", (int)self->socket.size, self->socket.data);
    output_printf(output, "state:        %.*s\n", (int)self->state_directory.size,
                  self->state_directory.data);
    output_printf(output, "cgroup:       %.*s\n", (int)self->cgroup.size, self->cgroup.data);
    output_printf(output, "processes:    %lu living, %lu kept records, %lu started\n",
                  (unsigned long)self->processes, (unsigned long)self->records,
                  (unsigned long)self->starts);
    output_printf(output, "clients:      %lu\n", (unsigned long)self->clients);
    output_printf(output, "last event:   %lu\n", (unsigned long)self->sequence);
    output_printf(output, "memory:       %s resident, agent and keeper\n",
                  unit_format_size_short(self->resident, text, sizeof(text)));
    output_printf(output, "descriptors:  %lu\n", (unsigned long)self->descriptors);
    output_printf(output, "filters:      %lu compiled\n", (unsigned long)self->filters);
    output_printf(output, "audit trail:  %lu operations, %lu lost\n", (unsigned long)self->audited,
                  (unsigned long)self->audit_lost);
    if (HOLDEN_HAS(self, self_state, history_most)) {
        char most[64];
        output_printf(output, "history:      %s of at most %s, %lu processes looked at\n",
                      unit_format_size_short(self->history, text, sizeof(text)),
                      unit_format_size_short(self->history_most, most, sizeof(most)),
                      (unsigned long)self->sampled);
    }
    struct holden_repeated users = self->user;
    struct holden_nested nested;
    struct holden_user_use use;
    struct holden_fault fault;
    while (HOLDEN_HAS(self, self_state, user) && holden_next_record(&users, &nested))
        if (holden_decode(&holden_record_user_use, nested.bytes.data, nested.bytes.size, &use,
                          &fault) == 0)
            output_printf(output, "user %-9u %lu connections, %s waiting, %lu refused\n", use.uid,
                          (unsigned long)use.connections,
                          unit_format_size_short(use.queued, text, sizeof(text)),
                          (unsigned long)use.refused);
}

int verb_self(struct command *command) {
    _cleanup_(session_close) struct session session = {.client.connection.fd = -1};
    struct holden_self request = {0};
    struct holden_self_state self;
    int status = session_open(&session, &command->options);
    if (status == STATUS_DONE)
        status = session_call(&session, HOLDEN_MESSAGE_self, &request, HOLDEN_MESSAGE_self_state,
                              &self, "cannot ask for its state");
    if (status != STATUS_DONE)
        return status;
    if (command->options.json)
        output_json(&command->output, &holden_record_self_state, &self);
    else
        print_self(&command->output, &self);
    return STATUS_DONE;
}
