/* A recording that is told to a fleet again: at its own pace, faster or slower, from any time on,
 * or standing still. */
#pragma once

#include "monitor/recording.h"

struct replay {
    struct recording recording;
    struct fleet *fleet;   /* borrowed */
    uint64_t at;           /* the time that is shown: microseconds since 1970 */
    uint64_t ticked;       /* when `at` was moved last: feed_now() */
    double speed;          /* times its own pace */
    bool paused;
};

/* The speeds that replay_faster() goes through. */
#define REPLAY_SLOWEST 0.125
#define REPLAY_FASTEST 64.0

/* Opens the file and names the fleet's agents after it; shows its first sample. As
 * recording_open(). Released by replay_close(). */
int replay_open(struct replay *replay, const char *path, struct fleet *fleet,
                char why[RECORDING_WHY]);

/* Moves on to `now` (feed_now()). Returns whether a user sees a difference. */
bool replay_work(struct replay *replay, uint64_t now);

/* When replay_work() is wanted; U64_MAX where nothing moves. */
uint64_t replay_deadline(const struct replay *replay);

/* Shows another time, as far as the recording goes. */
void replay_seek(struct replay *replay, uint64_t time);

/* Tells up to the end of the next sample. 0; -ENODATA where there is none; -errno. */
int replay_step(struct replay *replay);

/* Tells up to the end of the last sample: nothing of one that is not whole. From the beginning. */
void replay_finish(struct replay *replay);

/* Twice as fast, or (not `up`) half as fast. */
void replay_faster(struct replay *replay, bool up);

/* "replay 1:05 of 10:00, 2x" or "…, paused"; and that it was cut. */
void replay_print(const struct replay *replay, char text[RECORDING_WHY]);

/* Closes the recording. */
void replay_close(struct replay *replay);
