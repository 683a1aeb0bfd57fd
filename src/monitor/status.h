/* The exit statuses, the controller's own, and what is said on stderr before those that tell of the
 * agent. */
#pragma once

#include <stdint.h>

enum status {
    STATUS_DONE = 0,
    STATUS_FAILED = 1,        /* the agent, or this machine, failed */
    STATUS_USAGE = 2,         /* the command line makes no sense, or not on this terminal */
    STATUS_NO_AGENT = 3,      /* no agent there */
    STATUS_NOT_PERMITTED = 5, /* the caller may not talk to the agent */
};

/* Say in one line that there is no agent at the socket `path` (`error`: -errno of connect), that it
 * refused (`code`: HOLDEN_code_*), or that it does not answer. The exit status. */
int status_absent(const char *path, int error);
int status_refused(const char *path, uint32_t code, const char *reason);
int status_silent(const char *path);
