/* The environment of a process: Environment=, PassEnvironment= and EnvironmentFile= of
 * systemd.exec(5). */
#pragma once

#include "controller/settings.h"

/* Adds the assignments of one Environment= value. 0, or as settings_assign(). */
int environment_assign(struct settings *settings, const char *value);

/* Adds a variable that everything else replaces. 0 or -ENOMEM. */
int environment_base(struct settings *settings, const char *name, const char *value);

/* Whether the bytes before '=' are a variable's name. False without '='. */
bool environment_valid(struct holden_view assignment);

/* Makes one list without repetitions of all that was given: the base, PassEnvironment=,
 * Environment=, EnvironmentFile=, each replacing what came before. 0; or a negative error with
 * settings->wrong set. */
int environment_finish(struct settings *settings);

/* Appends an assignment as Environment= takes it, quoted where it has to be. 0 or -ENOMEM. */
int environment_print(struct holden_view assignment, struct buffer *out);
