/* Sending a start and telling how it went, for the verbs that start things. */
#pragma once

#include "controller/launch.h"

/* How long it is waited for. Where that is more than its start, the request must ask for `wait`. */
enum start_until {
    START_RUNS,  /* STATUS_DONE once it is started */
    START_ENDS,  /* the status that it ended with, as `start --wait` has it */
    START_IS_WELL, /* STATUS_DONE where its end counts as success, else STATUS_FAILED */
};

/* Sends the request and prints "started NAME (pid N)", then how it ended, if that is waited for.
 * What went wrong, said; else as above. */
int start_send(struct command *command, const struct launch *launch, struct session *session,
               enum start_until until);
