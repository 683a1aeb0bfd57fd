/* What `start` and `run` have in common: the request, made from the command line. */
#pragma once

#include "controller/command.h"
#include "controller/session.h"
#include "controller/settings.h"

struct launch {
    struct settings settings;
    struct holden_start start;  /* ready to send */
    const char *shown;          /* what messages call it: its name, or the command's last part */
};

/* Makes the request. STATUS_DONE; STATUS_USAGE after a line on stderr. Released by launch_free().
 * */
int launch_prepare(struct launch *launch, const struct command *command, bool attached);
void launch_free(struct launch *launch);

/* Writes "cannot start NAME" into `text`, which is returned. */
char *launch_complaint(const struct launch *launch, char text[160]);

/* Resolves the -p options into `settings`. STATUS_DONE; STATUS_USAGE after a line on stderr. */
int launch_settings(struct settings *settings, const struct options *options);
