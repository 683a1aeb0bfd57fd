/* Sending a start and telling how it went, for the verbs that start things. */
#pragma once

#include "controller/launch.h"

/* Sends the request and prints "started NAME (pid N)"; with `wait`, which the request must ask for
 * too, waits for the end and tells it as `start --wait` does. STATUS_DONE; what went wrong, said;
 * with `wait` the status that the process ended with. */
int start_send(struct command *command, const struct launch *launch, struct session *session,
               bool wait);
