/* Users and groups, by the name service of whoever runs the controller: the agent asks none. */
#pragma once

#include "controller/settings.h"

/* A group's number from its name, or from the number itself. 0; or -EINVAL with settings->wrong
 * set. */
int identity_group(struct settings *settings, size_t index, const char *name, uint32_t *gid);

/* Looks up User= with its groups; adds HOME, USER, LOGNAME and SHELL to the environment's base;
 * puts the home directory in place of ~ in WorkingDirectory=. 0; or a negative error with
 * settings->wrong set. */
int identity_finish(struct settings *settings);

/* Whether the process will run as root: by User=, otherwise as the caller. */
bool identity_is_root(const struct settings *settings);
