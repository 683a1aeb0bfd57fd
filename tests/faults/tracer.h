/* Follows keeper, agent and their children from one system call to the next (ptrace(2)), counts the
 * calls, and makes one of them fail or kills who makes it. What strace -e inject does, except that
 * it tells the processes apart that strace -f counts alike, costs no program per try, and lets
 * close(2) close. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "calls.h"

enum { TRACER_CALLS = 192, TRACER_PROCESSES = 64 };

/* Who makes a call. */
enum role {
    ROLE_KEEPER,
    ROLE_AGENT,  /* the agent proper */
    ROLE_NEXT,   /* one that the keeper starts meanwhile */
    ROLE_CHILD,  /* a child of the keeper, until its exec */
    ROLE_LOOKUP, /* a child of the agent, which looks up a group */
    ROLES,
    ROLE_UNKNOWN = ROLES,
};

/* One call of one role: its `number`th since tracer_begin() fails with `error`, or 0: kills. */
struct target {
    enum role role;
    const struct call *call;
    unsigned number;
    int error;
};

struct traced {
    pid_t pid;
    enum role role;
    long call;    /* that it is in */
    int error;    /* that this one is to return, or 0 */
    bool stopped; /* and waits until it is known who it is */
};

struct tracer {
    struct traced processes[TRACER_PROCESSES];
    size_t count;
    struct target target;                   /* call NULL: only count */
    bool hit;                               /* it has happened */
    unsigned counts[ROLES][TRACER_CALLS];   /* [role][index in calls] */
    long unknown;                           /* a call that has no row, or -1 */
};

extern const char *const role_words[ROLES];

/* Forgets all counts and aims at `target`, NULL: at nothing. */
void tracer_begin(struct tracer *tracer, const struct target *target);

/* Attaches to a process that runs; its next call is its first. 0 or -errno. */
int tracer_attach(struct tracer *tracer, pid_t pid, enum role role);

/* Lets all go that are followed. */
void tracer_end(struct tracer *tracer);

/* Waits for one thing to happen to somebody followed or to a child of the caller. The pid of a
 * child that ended and was not followed, with its wait status; 0: something else; -ETIMEDOUT.
 * SIGCHLD must be blocked. */
pid_t tracer_turn(struct tracer *tracer, int milliseconds, int *status);
