/* Writes all that is told into a file (recording.h), a sample at a time. */
#pragma once

#include "monitor/fleet.h"

struct recorder {
    const char *path;   /* borrowed */
    int fd;             /* owned; -1: none */
    int error;          /* why nothing is written any more, -errno; or 0 */
    uint64_t time;      /* of the last tiding */
    struct buffer out;
};

/* Makes the file, or empties it, and listens to the fleet, whose agents are named, from now on. 0,
 * or -errno. */
int recorder_open(struct recorder *recorder, const char *path, uint64_t interval,
                  struct fleet *fleet);

/* Writes the end of the file and closes it. 0, or -errno of this or of what could not be written
 * before. */
int recorder_close(struct recorder *recorder);
