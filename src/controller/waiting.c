#include "controller/waiting.h"

#include <stdio.h>

#include "controller/ending.h"

int waiting_take(const struct waiting *waiting, const struct holden_reply *reply,
                 struct holden_exited *exited) {
    char what[96];
    if (reply->frame.id != waiting->request || reply->frame.type == HOLDEN_MESSAGE_started)
        return 0;
    snprintf(what, sizeof(what), "cannot wait for %s", waiting->name);
    int status = session_take(reply, HOLDEN_MESSAGE_exited, exited, what);
    return status == STATUS_DONE ? 1 : -status;
}

int waiting_end(const struct waiting *waiting, struct session *session,
                struct holden_exited *exited) {
    for (;;) {
        struct holden_reply reply;
        int status = session_next(session, &reply);
        if (status != STATUS_DONE)
            return status;
        int r = waiting_take(waiting, &reply, exited);
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
