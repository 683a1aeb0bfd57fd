/* The verb monitor: becomes the monitor, which is a program of its own. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "controller/command.h"

/* Tries the program of that name in the directory of this one. */
static void try_beside(const char *name, char *const *arguments) {
    char path[PATH_MAX];
    ssize_t size = readlink("/proc/self/exe", path, sizeof(path) - 64);
    if (size < 0)
        return;
    path[size] = '\0';
    char *slash = strrchr(path, '/');
    if (!slash)
        return;
    snprintf(slash + 1, 64, "%s", name);
    execv(path, arguments);
}

/* Built, it is called monitor and lies beside bin/controller; installed, holden-monitor. */
int verb_monitor(struct command *command) {
    char *arguments[16];
    size_t count = 0;
    if (command->count > 10) {
        log_error("monitor: too many arguments");
        return STATUS_USAGE;
    }
    arguments[count++] = (char *)"monitor";
    if (command->options.socket) {
        arguments[count++] = (char *)"--socket";
        arguments[count++] = (char *)command->options.socket;
    }
    if (command->options.json)
        arguments[count++] = (char *)"--json";
    if (command->options.no_color)
        setenv("NO_COLOR", "1", 1);
    for (int i = 0; i < command->count; i++)
        arguments[count++] = command->arguments[i];
    arguments[count] = NULL;
    try_beside("holden-monitor", arguments);
    try_beside("monitor", arguments);
    execvp("holden-monitor", arguments);
    log_error("cannot find the monitor beside this program or as holden-monitor in the PATH: %s",
              strerror(errno));
    return STATUS_FAILED;
}
