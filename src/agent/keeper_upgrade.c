#include "agent/keeper_upgrade.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/keeper_core.h"
#include "agent/probe.h"
#include "common/cleanup.h"
#include "common/log.h"

#define VARIABLE "HOLDEN_REEXEC="

static void drop(int *fd) {
    cleanup_close(fd);
    *fd = -1;
}

void keeper_upgrade_open(struct keeper_upgrade *upgrade, const struct keeper_legacy *legacy) {
    *upgrade = (struct keeper_upgrade){
        .proven = legacy ? legacy->core : -1,
        .trial = -1,
        .previous = legacy ? legacy->keeper : -1,
        .asker = legacy ? legacy->asker : -1,
        .wanted = legacy && legacy->keeper >= 0,
    };
    const char *answer = upgrade->asker >= 0 ? getenv("HOLDEN_REEXEC") : NULL;
    snprintf(upgrade->answer, sizeof(upgrade->answer), VARIABLE "%s", answer ? answer : "");
    putenv(upgrade->answer);
}

void keeper_upgrade_ask(struct keeper_upgrade *upgrade, int asker, uint64_t id) {
    drop(&upgrade->asker);
    upgrade->asker = asker;
    snprintf(upgrade->answer, sizeof(upgrade->answer), VARIABLE "%" PRIu64 ":", id);
}

void keeper_upgrade_refuse(struct keeper_upgrade *upgrade, const char *why) {
    drop(&upgrade->trial);
    upgrade->wanted = false;
    upgrade->back = upgrade->previous >= 0;
    char *colon = strchr(upgrade->answer, ':');
    if (colon)
        snprintf(colon + 1, KEEPER_UPGRADE_WHY, "%s", why);
}

/* One that was tried and found good; what it is to leave again is kept for it. */
static int become(struct keeper_core *core, int program, int previous, char resume[KEEPER_RESUME],
                  struct keeper_legacy *legacy) {
    legacy->keeper = previous;
    legacy->core = core->upgrade.proven;
    legacy->asker = core->upgrade.asker;
    legacy->reports = core->memory;
    keeper_attic_leave(&core->attic, previous < 0, legacy);
    return keeper_process_succeed(program, core->argv, resume, legacy);
}

static int go_back(struct keeper_core *core, char resume[KEEPER_RESUME],
                   struct keeper_legacy *legacy) {
    int r = become(core, core->upgrade.previous, -1, resume, legacy);
    log_error("cannot go back to the old keeper, going on with the new one: %s", strerror(-r));
    drop(&core->upgrade.previous);
    core->upgrade.back = false;
    return r;
}

static int go_over(struct keeper_core *core, char resume[KEEPER_RESUME],
                   struct keeper_legacy *legacy) {
    char why[KEEPER_UPGRADE_WHY];
    int r = probe(core->keeper, core->argv, why, sizeof(why));
    if (r == 0) {
        _cleanup_close_ int own = open("/proc/self/exe", O_PATH | O_CLOEXEC);
        _cleanup_close_ int next = open(core->keeper, O_PATH | O_CLOEXEC);
        r = own < 0 || next < 0 ? -errno : become(core, next, own, resume, legacy);
        snprintf(why, sizeof(why), "%s cannot start: %s", core->keeper, strerror(-r));
    }
    log_error("%s; going on with the old one", why);
    keeper_upgrade_refuse(&core->upgrade, why);
    return r;
}

void keeper_upgrade_become(struct keeper_core *core, char resume[KEEPER_RESUME],
                           const struct keeper_socket *socket) {
    struct keeper_legacy legacy = {
        .socket = socket->next >= 0 ? socket->next : socket->fd,
        .lock = socket->lock,
        .notify = socket->notify.fd};
    bool over = core->upgrade.wanted && core->upgrade.previous < 0 && keeper_core_replaced(core);
    /* It is left the socket that may hold something, and makes another for the name. */
    if (core->upgrade.back || over)
        keeper_notify_forsake(&socket->notify, socket->path);
    if (core->upgrade.back)
        go_back(core, resume, &legacy);
    else if (over)
        go_over(core, resume, &legacy);
}

int keeper_upgrade_program(struct keeper_upgrade *upgrade, const char *path) {
    drop(&upgrade->trial);
    if (upgrade->proven >= 0 && !upgrade->wanted)
        return upgrade->proven;
    upgrade->trial = open(path, O_PATH | O_CLOEXEC);
    return upgrade->trial < 0 ? -errno : upgrade->trial;
}

bool keeper_upgrade_on_trial(const struct keeper_upgrade *upgrade) {
    return upgrade->wanted && upgrade->proven >= 0;
}

void keeper_upgrade_prove(struct keeper_upgrade *upgrade) {
    if (upgrade->trial >= 0) {
        drop(&upgrade->proven);
        upgrade->proven = TAKE_FD(upgrade->trial);
    }
    upgrade->wanted = false;
    drop(&upgrade->previous);
    drop(&upgrade->asker);
    snprintf(upgrade->answer, sizeof(upgrade->answer), VARIABLE);
}

bool keeper_upgrade_offered(const struct keeper_upgrade *upgrade, const char *path) {
    struct stat proven, now;
    return upgrade->proven >= 0 && fstat(upgrade->proven, &proven) == 0 && stat(path, &now) == 0 &&
           (now.st_dev != proven.st_dev || now.st_ino != proven.st_ino);
}
