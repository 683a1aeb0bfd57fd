#include "monitor/replay.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#define SECOND UINT64_C(1000000)

static bool tell(struct replay *replay, const struct recording_entry *entry) {
    return fleet_tell(replay->fleet, entry->agent, (enum tiding)entry->tiding, entry->body,
                      entry->time);
}

/* Tells all up to the time shown. */
static bool catch_up(struct replay *replay) {
    struct recording_entry entry;
    bool changed = false;
    while (recording_due(&replay->recording) <= replay->at &&
           recording_next(&replay->recording, &entry) == 0)
        changed |= tell(replay, &entry);
    return changed;
}

int replay_open(struct replay *replay, const char *path, struct fleet *fleet,
                char why[RECORDING_WHY]) {
    const char *paths[FLEET_MOST];
    *replay = (struct replay){.fleet = fleet, .speed = 1};
    int r = recording_open(&replay->recording, path, why);
    if (r < 0)
        return r;
    for (size_t i = 0; i < replay->recording.count; i++)
        paths[i] = replay->recording.paths[i];
    fleet_name(fleet, paths, replay->recording.count);
    for (size_t i = 0; i < fleet->count; i++) {
        fleet->feeds[i].interval = replay->recording.interval;
        fleet->feeds[i].status = FEED_WAITING;
    }
    replay->ticked = feed_now();
    replay->at = replay->recording.first;
    catch_up(replay);
    return 0;
}

bool replay_work(struct replay *replay, uint64_t now) {
    double passed = (double)(now - replay->ticked) * replay->speed;
    replay->ticked = now;
    if (replay->paused || replay->at >= replay->recording.last)
        return false;
    replay->at += (uint64_t)passed;
    if (replay->at > replay->recording.last)
        replay->at = replay->recording.last;
    return catch_up(replay);
}

uint64_t replay_deadline(const struct replay *replay) {
    uint64_t due = recording_due(&replay->recording);
    if (replay->paused || due == UINT64_MAX)
        return UINT64_MAX;
    double left = due > replay->at ? (double)(due - replay->at) / replay->speed : 0;
    return replay->ticked + (uint64_t)left + 1;
}

void replay_seek(struct replay *replay, uint64_t time) {
    const struct recording *recording = &replay->recording;
    time = time < recording->first ? recording->first : time;
    time = time > recording->last ? recording->last : time;
    if (time < replay->at) {
        recording_rewind(&replay->recording);
        fleet_forget(replay->fleet);
    }
    replay->at = time;
    catch_up(replay);
}

int replay_step(struct replay *replay) {
    struct recording_entry entry;
    int r;
    while ((r = recording_next(&replay->recording, &entry)) == 0) {
        tell(replay, &entry);
        replay->at = entry.time;
        if (entry.tiding == TIDING_END)
            return 0;
    }
    return r;
}

void replay_finish(struct replay *replay) {
    uint64_t told = 0;
    for (size_t i = 0; i < replay->fleet->count; i++)
        told += replay->fleet->feeds[i].samples;
    while (told < replay->recording.samples && replay_step(replay) == 0)
        told++;
}

void replay_faster(struct replay *replay, bool up) {
    double speed = up ? replay->speed * 2 : replay->speed / 2;
    if (speed >= REPLAY_SLOWEST && speed <= REPLAY_FASTEST)
        replay->speed = speed;
}

void replay_print(const struct replay *replay, char text[RECORDING_WHY]) {
    uint64_t at = (replay->at - replay->recording.first) / SECOND;
    uint64_t whole = (replay->recording.last - replay->recording.first) / SECOND;
    char speed[24];
    snprintf(speed, sizeof(speed), "%gx", replay->speed);
    snprintf(text, RECORDING_WHY, "replay %" PRIu64 ":%02u of %" PRIu64 ":%02u, %s%s", at / 60,
             (unsigned)(at % 60), whole / 60, (unsigned)(whole % 60),
             replay->paused ? "paused" : speed,
             replay->recording.cut ? "; the file was cut" : "");
}

void replay_close(struct replay *replay) {
    recording_close(&replay->recording);
}
