/* The verbs that do one thing to each NAME: stop, kill, restart, reload, freeze, thaw, reset,
 * wait. */
#include <string.h>

#include "controller/agent_info.h"
#include "controller/batch.h"
#include "controller/ending.h"
#include "controller/waiting.h"
#include "protocol/message.h"

static void print_done(struct command *command, const char *name, const char *done) {
    if (command->options.json)
        output_printf(&command->output, "{\"name\":\"%s\",\"done\":\"%s\"}\n", name, done);
    else
        output_printf(&command->output, "%s %s\n", done, name);
}

static int ask_stop(struct session *session, const struct options *options, const char *name) {
    struct holden_stop message = {0};
    HOLDEN_SET(&message, stop, name, holden_view(name));
    if (options->signal)
        HOLDEN_SET(&message, stop, signal, options->signal);
    if (options->has_timeout)
        HOLDEN_SET(&message, stop, timeout, options->timeout);
    return session_ask(session, HOLDEN_MESSAGE_stop, &message, NULL, 0, NULL);
}

static int ask_kill(struct session *session, const struct options *options, const char *name) {
    struct holden_kill message = {0};
    HOLDEN_SET(&message, kill, name, holden_view(name));
    if (options->signal)
        HOLDEN_SET(&message, kill, signal, options->signal);
    if (options->every)
        HOLDEN_SET(&message, kill, all, true);
    return session_ask(session, HOLDEN_MESSAGE_kill, &message, NULL, 0, NULL);
}

/* The requests that are a name and nothing else. */
#define ASK_BY_NAME(verb)                                                                          \
    static int ask_##verb(struct session *session, const struct options *options,                  \
                          const char *name) {                                                      \
        struct holden_##verb message = {0};                                                        \
        (void)options;                                                                             \
        HOLDEN_SET(&message, verb, name, holden_view(name));                                       \
        return session_ask(session, HOLDEN_MESSAGE_##verb, &message, NULL, 0, NULL);               \
    }
ASK_BY_NAME(restart)
ASK_BY_NAME(freeze)
ASK_BY_NAME(thaw)
ASK_BY_NAME(reload)
ASK_BY_NAME(wait)

static int ask_reset(struct session *session, const struct options *options, const char *name) {
    struct holden_reset message = {0};
    struct holden_reset_slice slice = {0};
    (void)options;
    HOLDEN_SET(&message, reset, name, holden_view(name));
    HOLDEN_SET(&slice, reset_slice, name, holden_view(name));
    return command_is_slice(name)
               ? session_ask(session, HOLDEN_MESSAGE_reset_slice, &slice, NULL, 0, NULL)
               : session_ask(session, HOLDEN_MESSAGE_reset, &message, NULL, 0, NULL);
}

#define REPORT_DONE(verb, done)                                                                    \
    static int report_##verb(struct command *command, const char *name,                            \
                             const struct holden_reply *reply) {                                   \
        (void)reply;                                                                               \
        print_done(command, name, done);                                                           \
        return STATUS_DONE;                                                                        \
    }
REPORT_DONE(stop, "stopped")
REPORT_DONE(kill, "signalled")
REPORT_DONE(freeze, "frozen")
REPORT_DONE(thaw, "thawed")
REPORT_DONE(reload, "reloaded")
REPORT_DONE(reset, "reset")

static int report_restart(struct command *command, const char *name,
                          const struct holden_reply *reply) {
    struct holden_started started;
    int status = session_take(reply, HOLDEN_MESSAGE_started, &started, name);
    if (status == STATUS_DONE && command->options.json)
        output_json(&command->output, &holden_record_started, &started);
    else if (status == STATUS_DONE)
        output_printf(&command->output, "restarted %.*s (pid %u)\n", (int)started.name.size,
                      started.name.data, started.pid);
    return status;
}

static int report_wait(struct command *command, const char *name,
                       const struct holden_reply *reply) {
    struct holden_exited exited;
    int status = session_take(reply, HOLDEN_MESSAGE_exited, &exited, name);
    if (status != STATUS_DONE)
        return status;
    if (command->options.json)
        output_json(&command->output, &holden_record_exited, &exited);
    else
        waiting_print(&command->output, &exited);
    output_flush(&command->output);
    return ending_status(&exited);
}

#define BATCH(verb, answer_)                                                                      \
    int verb_##verb(struct command *command) {                                                    \
        static const struct batch batch = {.action = #verb, .answer = HOLDEN_MESSAGE_##answer_,   \
                                           .ask = ask_##verb, .report = report_##verb};           \
        return batch_run(command, &batch);                                                        \
    }
BATCH(stop, done)
BATCH(kill, done)
BATCH(restart, started)
BATCH(freeze, done)
BATCH(thaw, done)

int verb_reload(struct command *command) {
    static const struct batch batch = {.action = "reload", .answer = HOLDEN_MESSAGE_done,
                                       .ask = ask_reload, .report = report_reload};
    return command->count > 0 ? batch_run(command, &batch) : agent_info_reload(command);
}

int verb_reset(struct command *command) {
    static const struct batch batch = {.action = "reset", .answer = HOLDEN_MESSAGE_done,
                                       .slices = true, .ask = ask_reset, .report = report_reset};
    return batch_run(command, &batch);
}

int verb_wait(struct command *command) {
    static const struct batch batch = {.action = "wait for", .answer = HOLDEN_MESSAGE_exited,
                                       .ask = ask_wait, .report = report_wait};
    return batch_run(command, &batch);
}
