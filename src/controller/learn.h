/* What `learn` is made of beside the verb. */
#pragma once

#include "controller/command.h"
#include "protocol/message.h"

/* Writes an OCI profile that allows these system calls, those of the profile at `path` where there
 * is one, and those of options->merge; with options->engine also what container engines need.
 * STATUS_DONE, or STATUS_FAILED after a line on stderr. */
int learn_write(const char *path, const struct options *options, struct holden_repeated calls);

/* Runs the command again and again, its output thrown away: without any capability, and if it then
 * ends otherwise than with all, without one after the other of them. Prints the settings that leave
 * those that it needs. An exit status, after a line on stderr where it is not STATUS_DONE. */
int learn_capabilities(struct command *command);
