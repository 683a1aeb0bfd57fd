#include "controller/batch.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "protocol/message.h"

/* Answers wait in the agent's bounded queue while requests are being sent; so many fit everywhere.
 * */
enum { WINDOW = 64 };

struct progress {
    struct command *command;
    const struct batch *batch;
    int count;
    int answered;
    int queued;      /* requests sent: request N is for item queue[N - 1] */
    int outstanding; /* of them not answered yet */
    int next;        /* first item not yet asked for */
    int *queue;      /* owned */
    int *results;    /* owned; exit statuses, or UNANSWERED */
};

enum { UNANSWERED = -1 };

static void progress_free(struct progress *progress) {
    free(progress->queue);
    free(progress->results);
}

static int progress_init(struct progress *progress, struct command *command,
                         const struct batch *batch) {
    size_t count = (size_t)command->count;
    *progress = (struct progress){.command = command,
                                  .batch = batch,
                                  .count = command->count,
                                  .queue = calloc(count, sizeof(int)),
                                  .results = calloc(count, sizeof(int))};
    if (!progress->queue || !progress->results) {
        log_error("out of memory");
        return STATUS_FAILED;
    }
    for (int i = 0; i < command->count; i++)
        progress->results[i] = UNANSWERED;
    return STATUS_DONE;
}

static void answer(struct progress *progress, int item, int status) {
    progress->results[item] = status;
    progress->answered++;
}

/* What can be no name is refused before there is need of an agent. */
static void check_targets(struct progress *progress) {
    for (int i = 0; i < progress->count; i++) {
        const char *target = progress->command->arguments[i];
        int status = progress->batch->slices ? command_check_target_or_slice(target)
                                             : command_check_target(target);
        if (status != STATUS_DONE)
            answer(progress, i, status);
    }
}

/* Asks for further items as far as the window allows. */
static int ask_more(struct progress *progress, struct session *session) {
    while (progress->next < progress->count && progress->outstanding < WINDOW) {
        int item = progress->next++;
        const char *name = progress->command->arguments[item];
        if (progress->results[item] != UNANSWERED)
            continue;
        progress->queue[progress->queued++] = item;
        progress->outstanding++;
        int status = progress->batch->ask(session, &progress->command->options, name);
        if (status != STATUS_DONE)
            return status;
    }
    return STATUS_DONE;
}

static void take(struct progress *progress, const struct holden_reply *reply) {
    const struct batch *batch = progress->batch;
    char what[128], skipped[SESSION_SKIPPED];
    uint32_t id = reply->frame.id;
    if (id == 0 || id > (uint32_t)progress->queued ||
        progress->results[progress->queue[id - 1]] != UNANSWERED)
        return;
    int item = progress->queue[id - 1];
    const char *name = progress->command->arguments[item];
    progress->outstanding--;
    if (reply->frame.type == batch->answer) {
        answer(progress, item, batch->report(progress->command, name, reply));
        return;
    }
    if (session_skipped(reply, name, skipped)) {
        output_printf(&progress->command->output, "%s\n", skipped);
        answer(progress, item, STATUS_DONE);
        return;
    }
    struct holden_error error;
    snprintf(what, sizeof(what), "cannot %s %s", batch->action, name);
    int status = session_take(reply, HOLDEN_MESSAGE_error, &error, what);
    if (status == STATUS_DONE)
        status = session_refused(&error, what);
    if (progress->command->options.json && reply->frame.type == HOLDEN_MESSAGE_error) {
        output_printf(&progress->command->output, "{\"name\":\"%s\",\"error\":", name);
        output_object(&progress->command->output, &holden_record_error, &error);
        output_text(&progress->command->output, "}\n");
    }
    answer(progress, item, status == STATUS_DONE ? STATUS_FAILED : status);
}

static int run(struct progress *progress, struct session *session) {
    while (progress->answered < progress->count) {
        struct holden_reply reply;
        int status = ask_more(progress, session);
        if (status == STATUS_DONE)
            status = session_next(session, &reply);
        if (status != STATUS_DONE)
            return status;
        take(progress, &reply);
    }
    for (int i = 0; i < progress->count; i++)
        if (progress->results[i] != STATUS_DONE)
            return progress->results[i];
    return STATUS_DONE;
}

int batch_run(struct command *command, const struct batch *batch) {
    _cleanup_(progress_free) struct progress progress;
    int status = progress_init(&progress, command, batch);
    if (status != STATUS_DONE)
        return status;
    check_targets(&progress);
    if (progress.answered == progress.count)
        return progress.results[0];
    _cleanup_(session_close) struct session session = {.client.connection.fd = -1};
    status = session_open(&session, &command->options);
    return status == STATUS_DONE ? run(&progress, &session) : status;
}
