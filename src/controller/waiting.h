/* Waiting for the end of one process that was started here. */
#pragma once

#include "controller/output.h"
#include "controller/session.h"
#include "protocol/message.h"

struct waiting {
    char name[68];
    uint64_t id;       /* of the process: its name may be another's later */
    uint32_t request;  /* under which its end is told */
};

/* Waits for `exited`, whose views live until the next call on the session. STATUS_DONE, or what
 * went wrong, said. */
int waiting_end(const struct waiting *waiting, struct session *session,
                struct holden_exited *exited);

/* Takes a reply. 1 with *exited if it is the end waited for; 0 if it is something else; or an exit
 * status as a negative number, what went wrong having been said. */
int waiting_take(const struct waiting *waiting, const struct holden_reply *reply,
                 struct holden_exited *exited);

/* Prints "NAME: exited with status 3". */
void waiting_print(struct output *output, const struct holden_exited *exited);
