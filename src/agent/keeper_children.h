/* The keeper's children. Mains were started by a plan or adopted by a recovering agent: each stays
 * a zombie until the agent has written its end down. All others are orphans, reaped as they end. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "agent/plan.h"

enum {
    KEEPER_PIDS = 4194304,    /* PID_MAX_LIMIT of 64-bit kernels */
    KEEPER_PAGE = 4096,
};

/* One bit per pid. Pages that no pid has touched are never backed by memory, which is why it begins
 * on a page of its own. */
struct keeper_children {
    _Alignas(KEEPER_PAGE) uint64_t mains[KEEPER_PIDS / 64];
};

/* Makes `pid` a main. */
void keeper_children_add(struct keeper_children *children, pid_t pid);

/* Forgets all mains and gives the memory back; the processes are untouched. */
void keeper_children_forget(struct keeper_children *children);

/* Answers KEEPER_STATUS for reply->pid: the end of a main as waitid(2) has it, which stays there to
 * be asked again; or reply->error. */
void keeper_children_status(const struct keeper_children *children, struct keeper_reply *reply);

/* Reaps a main that has ended. One that has not becomes an orphan. */
void keeper_children_release(struct keeper_children *children, pid_t pid);

/* Makes `pid` a main if it is a child, dead or alive. Whether it is. */
bool keeper_children_adopt(struct keeper_children *children, pid_t pid);

/* Makes `pid` a main that is none of ours yet, should it become a child: its parent ends before it.
 */
void keeper_children_expect(struct keeper_children *children, pid_t pid);

/* Reaps `pid` if it is an orphan that has ended. */
void keeper_children_reap(const struct keeper_children *children, pid_t pid);

enum keeper_sweep {
    KEEPER_SWEEP_DONE,    /* no child is waiting to be reaped */
    KEEPER_SWEEP_REAPED,  /* one orphan was; there may be more */
    KEEPER_SWEEP_BLOCKED, /* a main is to be released first */
};

/* Reaps the first orphan that has ended, among all children: 65 ns for each one that lives. */
enum keeper_sweep keeper_children_sweep(const struct keeper_children *children);
