/* The exit statuses, the controller's own, and what is said on stderr before those that tell of the
 * agent. */
#pragma once

#include "monitor/recorder.h"
#include "monitor/replay.h"

enum status {
    STATUS_DONE = 0,
    STATUS_FAILED = 1,        /* the agent, or this machine, failed */
    STATUS_USAGE = 2,         /* the command line makes no sense, or not on this terminal */
    STATUS_NO_AGENT = 3,      /* no agent there */
    STATUS_NOT_PERMITTED = 5, /* the caller may not talk to the agent */
};

/* Say in one line that the agent of the feed cannot be talked to (there is none, or it refuses: see
 * feed->error and feed->code), or that it does not answer. The exit status. */
int status_absent(const struct feed *feed);
int status_silent(const char *path);

/* Open a recording to be told again, or to be written, as replay_open() and recorder_open(); what
 * fails is said in one line. The exit status. */
int status_replay(struct replay *replay, const char *path, struct fleet *fleet);
int status_record(struct recorder *recorder, const char *path, uint64_t interval,
                  struct fleet *fleet);

/* Closes what was recorded, if anything. The exit status: `status`, unless the recording failed. */
int status_recorded(struct recorder *recorder, int status);
