/* Going over to the programs on disk, and back where the new ones do not come to work. A program
 * that has recovered is held open, so that it can be started again whatever becomes of its file. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "agent/keeper_process.h"
#include "agent/keeper_socket.h"

struct keeper_core;

enum {
    KEEPER_UPGRADE_WHY = 400,
    KEEPER_UPGRADE_PATIENCE = 30000, /* milliseconds that a new agent-core gets to recover */
};

struct keeper_upgrade {
    int proven;   /* the agent-core that was the last to recover; -1: none has */
    int trial;    /* one that has not yet; -1: none is tried */
    int previous; /* the keeper before this one, until its agent-core has recovered; or -1 */
    int asker;    /* the client that asked, to be answered when it is over; or -1 */
    bool wanted;  /* the next start takes what is on disk */
    bool back;    /* the next start goes back to `previous` */
    char answer[KEEPER_UPGRADE_WHY + 40]; /* HOLDEN_REEXEC=ID:WHY, part of the environment */
};

/* Begins without anything, or with what the keeper before this one left (NULL: nothing). */
void keeper_upgrade_open(struct keeper_upgrade *upgrade, const struct keeper_legacy *legacy);

/* Takes over the connection of who asked, and the id of their request. */
void keeper_upgrade_ask(struct keeper_upgrade *upgrade, int asker, uint64_t id);

/* Where another keeper is to go on, becomes it; it must have passed probe(). Returns where none is
 * to, or where it cannot: that is said, and the old programs are what is started next. */
void keeper_upgrade_become(struct keeper_core *core, char resume[KEEPER_RESUME],
                           const struct keeper_socket *socket);

/* Opens the agent-core that is to be started next, if it is a new one. The descriptor, which stays
 * here; or -errno. */
int keeper_upgrade_program(struct keeper_upgrade *upgrade, const char *path);

/* Whether the agent-core that runs would be given up for one that has worked. */
bool keeper_upgrade_on_trial(const struct keeper_upgrade *upgrade);

/* Gives it up; `why` is what the client will read. */
void keeper_upgrade_refuse(struct keeper_upgrade *upgrade, const char *why);

/* It has recovered: it is what is gone back to from now on, and has answered who asked. */
void keeper_upgrade_prove(struct keeper_upgrade *upgrade);

/* Whether another file than the one that has worked now has the name `path`. */
bool keeper_upgrade_offered(const struct keeper_upgrade *upgrade, const char *path);
