/* The agent proper, bin/agent-core, as the keeper sees it: a child that is started again. */
#pragma once

#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "agent/keeper_attic.h"
#include "agent/keeper_upgrade.h"
#include "agent/plan.h"

struct keeper_core {
    char *const *argv;
    char *keeper;             /* the path of our own executable: the value of `variable` */
    char variable[PATH_MAX];  /* HOLDEN_AGENT=PATH, part of the environment */
    char program[PATH_MAX];   /* agent-core beside it */
    char recoveries[40];      /* HOLDEN_RECOVERIES=N, part of the environment */
    struct keeper_upgrade upgrade;
    struct keeper_attic attic;
    dev_t device;             /* of our own executable as it was when we started */
    ino_t inode;
    pid_t pid;                /* 0 while none runs */
    int channel;              /* our end; -1 while none runs */
    bool recovered;           /* this one has said KEEPER_RECOVERED */
    bool established;         /* one has: there may be children to keep */
    unsigned starts;
    unsigned crashes;         /* in a row, each soon after its start */
    uint64_t started;         /* milliseconds, CLOCK_MONOTONIC */
    struct plan_report *reports;
    int memory;               /* the memfd that they are in; -1 until there is one */
};

/* Milliseconds of CLOCK_MONOTONIC. */
uint64_t keeper_core_clock(void);

/* Finds agent-core beside our own executable, or beside what had its name when the first keeper of
 * this process was started, where it has been `resumed`. 0; or -errno after one line on stderr.
 * `argv` stays the caller's. */
int keeper_core_find(struct keeper_core *core, char *const *argv, bool resumed);

/* Becomes agent-core, for --check and --probe; returns only on failure, after a line on stderr. */
void keeper_core_become(struct keeper_core *core);

/* Takes over the reports that the program before us (keeper_process_succeed()) had in this memfd,
 * unless they are of another size; the descriptor is closed then. */
void keeper_core_resume(struct keeper_core *core, int memory);

/* Starts agent-core with a channel of its own, the reports that all of them share, the listening
 * socket and the one for sd_notify(3) (-1: none), which both stay the caller's: the one that has
 * worked, or the one on disk where there is none, or an upgrade is wanted. 0; or -errno, and
 * none runs. */
int keeper_core_start(struct keeper_core *core, int listening, int notify);

/* Collects agent-core if it has ended, waiting for that where `end` is set (then it is killed,
 * should it still live). True when it has, with *info as waitid(2) has it; then none runs. */
bool keeper_core_collect(struct keeper_core *core, bool end, siginfo_t *info);

/* What its end means, said in one line on stderr. The exit status with which the keeper is to end;
 * or -1 and in *delay the milliseconds after which agent-core is to be started again. */
int keeper_core_judge(struct keeper_core *core, const siginfo_t *info, uint64_t *delay);

/* The same for one that could not be started: -error is why. */
uint64_t keeper_core_delay(struct keeper_core *core, int error);

/* It has said KEEPER_RECOVERED. */
void keeper_core_recovered(struct keeper_core *core);

/* Whether another file now has our own executable's name: an upgrade. */
bool keeper_core_replaced(const struct keeper_core *core);
