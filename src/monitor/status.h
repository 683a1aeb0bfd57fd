/* The exit statuses, the controller's own, and what is said on stderr before those that tell of the
 * agent. */
#pragma once

#include "monitor/feed.h"

enum status {
    STATUS_DONE = 0,
    STATUS_FAILED = 1,        /* the agent, or this machine, failed */
    STATUS_USAGE = 2,         /* the command line makes no sense, or not on this terminal */
    STATUS_NO_AGENT = 3,      /* no agent there */
    STATUS_NOT_PERMITTED = 5, /* the caller may not talk to the agent */
};

/* Say in one line that the agent of the feed cannot be talked to (there is none, or it refuses, with
 * feed->error or feed->code), or that it does not answer. The exit status. */
int status_absent(const struct feed *feed);
int status_silent(const char *path);
