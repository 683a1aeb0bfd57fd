#include "agent/child_system.h"

#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "common/cleanup.h"

/* Passes each of the options on, "name" or "name=value". */
static int set_options(int context, char *options) {
    for (char *next; options && *options; options = next) {
        size_t size = strcspn(options, ",");
        next = options + size + (options[size] == ',');
        options[size] = '\0';
        char *value = strchr(options, '=');
        if (value)
            *value++ = '\0';
        if (*options && fsconfig(context, value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG, options,
                                 value, 0) < 0)
            return -1;
    }
    return 0;
}

int child_system_make(struct child_system *system) {
    _cleanup_close_ int context = fsopen(system->type, FSOPEN_CLOEXEC);
    if (context < 0 || fsconfig(context, FSCONFIG_SET_STRING, "source", system->source, 0) < 0 ||
        set_options(context, system->own) < 0)
        return -1;
    system->refused = set_options(context, system->options) < 0;
    if (system->refused || fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
        return -1;
    return fsmount(context, FSMOUNT_CLOEXEC, system->attributes);
}
