/* The exit statuses, the controller's own: see holden_exit_status() for those of an agent's answer. */
#pragma once

enum status {
    STATUS_DONE = 0,
    STATUS_FAILED = 1,        /* the agent, or this machine, failed */
    STATUS_USAGE = 2,         /* the command line makes no sense, or not on this terminal */
    STATUS_NO_AGENT = 3,      /* no agent there */
    STATUS_NOT_PERMITTED = 5, /* the caller may not talk to the agent */
};
