/* Running a command joined to the caller, for verbs that do more with it. */
#pragma once

#include "controller/command.h"
#include "controller/waiting.h"

/* Does what `run` does. The command's exit status, or why there is none, said. Where `ended` is not
 * NULL, it then names the process; its name is empty where none was started. */
int run_command(struct command *command, struct waiting *ended);
