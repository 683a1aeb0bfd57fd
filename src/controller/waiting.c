#include "controller/waiting.h"

#include <stdio.h>

#include "common/log.h"
#include "controller/ending.h"

int waiting_resume(struct waiting *waiting, struct session *session) {
    struct holden_wait message = {0};
    int status = session_reopen(session);
    if (status != STATUS_DONE)
        return status;
    HOLDEN_SET(&message, wait, name, holden_view(waiting->name));
    return session_ask(session, HOLDEN_MESSAGE_wait, &message, NULL, 0, &waiting->request);
}

int waiting_take(const struct waiting *waiting, const struct holden_reply *reply,
                 struct holden_exited *exited) {
    char what[96];
    if (reply->frame.id != waiting->request || reply->frame.type == HOLDEN_MESSAGE_started)
        return 0;
    snprintf(what, sizeof(what), "cannot wait for %s", waiting->name);
    int status = session_take(reply, HOLDEN_MESSAGE_exited, exited, what);
    if (status != STATUS_DONE)
        return -status;
    if (exited->id == waiting->id)
        return 1;
    log_error("cannot wait for %s: it was lost when the agent restarted", waiting->name);
    return -STATUS_FAILED;
}

int waiting_end(struct waiting *waiting, struct session *session, struct holden_exited *exited) {
    for (;;) {
        struct holden_reply reply;
        bool lost;
        int status = session_next_or_lost(session, &reply, &lost);
        if (lost)
            status = waiting_resume(waiting, session);
        if (status != STATUS_DONE)
            return status;
        int r = lost ? 0 : waiting_take(waiting, &reply, exited);
        if (r != 0)
            return r < 0 ? -r : STATUS_DONE;
    }
}

void waiting_print(struct output *output, const struct holden_exited *exited) {
    output_printf(output, "%.*s: ", (int)exited->name.size, exited->name.data);
    if (ending_print(exited, &output->buffer) < 0)
        output->error = -1;
    output_text(output, "\n");
}
