#include "monitor/status.h"

#include <errno.h>
#include <string.h>

#include "common/log.h"
#include "protocol/message.h"

static int no_agent(const char *path, int error) {
    if (error == -EACCES || error == -EPERM) {
        log_error("cannot reach the agent at %s: %s; only root and members of group holden may",
                  path, strerror(-error));
        return STATUS_NOT_PERMITTED;
    }
    if (error == -ENAMETOOLONG)
        log_error("cannot reach the agent at %s: a socket's path has at most 107 bytes", path);
    else
        log_error(
            "no agent at %s: %s; start one, or name its socket with --socket or $HOLDEN_SOCKET",
            path, strerror(-error));
    return STATUS_NO_AGENT;
}

int status_absent(const struct feed *feed) {
    if (!feed->code)
        return no_agent(feed->path, feed->error);
    log_error("the agent at %s refuses: %s", feed->path, feed->reason);
    return holden_exit_status(feed->code);
}

int status_silent(const char *path) {
    log_error("the agent at %s does not answer", path);
    return STATUS_FAILED;
}

int status_replay(struct replay *replay, const char *path, struct fleet *fleet) {
    char why[RECORDING_WHY];
    if (replay_open(replay, path, fleet, why) == 0)
        return STATUS_DONE;
    log_error("%s", why);
    return STATUS_FAILED;
}

static int cannot_record(const char *path, int error) {
    log_error("cannot record to %s: %s", path, strerror(-error));
    return STATUS_FAILED;
}

int status_record(struct recorder *recorder, const char *path, uint64_t interval,
                  struct fleet *fleet) {
    int r = recorder_open(recorder, path, interval, fleet);
    return r < 0 ? cannot_record(path, r) : STATUS_DONE;
}

int status_recorded(struct recorder *recorder, int status) {
    int r = recorder_close(recorder);
    return r < 0 ? cannot_record(recorder->path, r) : status;
}
