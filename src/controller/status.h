/* The exit statuses of the command line. holden_exit_status() gives those that an agent's answer
 * leads to. */
#pragma once

enum status {
    STATUS_DONE = 0,
    STATUS_FAILED = 1,        /* the agent, or this machine, refused or failed */
    STATUS_USAGE = 2,         /* the command line makes no sense */
    STATUS_NO_AGENT = 3,      /* no agent there, or it went away */
    STATUS_NO_PROCESS = 4,    /* no process of that name */
    STATUS_NOT_PERMITTED = 5, /* the caller has no right to that */
};
