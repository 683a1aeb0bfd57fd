/* Settings that are command lines, such as ExecStartPre=: read when they are given, and turned into
 * words once the environment is known, whose variables they may name. */
#pragma once

#include "controller/exec_line.h"
#include "controller/settings.h"

/* Adds a command to a setting of syntax EXEC; `of_start` says that it is written in ExecStart=.
 * `command` must live as long as the settings. 0 or -ENOMEM. */
int exec_setting_add(struct settings *settings, size_t index, const struct exec_command *command,
                     bool of_start);

/* Puts the variables of the environment into every command: for settings_finish(), once. 0 or
 * -ENOMEM. */
int exec_setting_finish(struct settings *settings);
