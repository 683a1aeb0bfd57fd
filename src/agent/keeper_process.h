/* The keeper's own process: what it makes of the one it was given, and how it hands it on to its
 * successor, the keeper of an upgrade, which keeps the children: they belong to the process. */
#pragma once

#include <stdbool.h>

/* Opens /dev/null for each of 0, 1 and 2 that is closed, so that nothing else gets their numbers.
 */
void keeper_process_open_streams(void);

/* Blocks every signal, with default dispositions, and becomes a child subreaper. The signalfd of
 * the signals that matter, the caller's; or -errno after one line on stderr. */
int keeper_process_open_signals(void);


enum { KEEPER_RESUME = 176, KEEPER_ATTIC_FDS = 4 };

/* Descriptors that one keeper leaves to the next; -1: none. */
struct keeper_legacy {
    int socket;  /* the listening one */
    int lock;    /* of the socket */
    int keeper;  /* the program that was the keeper before, to go back to */
    int core;    /* the agent-core that has worked with it */
    int asker;   /* the client that asked for the upgrade */
    int reports; /* memfd: see KEEPER_FD_REPORTS */
    int notify;  /* see KEEPER_FD_NOTIFY; a keeper that knows of none leaves none */
    int attic[KEEPER_ATTIC_FDS]; /* see keeper_attic.h */
};

/* Replaces this program by the open one; `resume` becomes part of the environment, and what is left
 * to it stays open. Returns only on failure, with -errno. */
int keeper_process_succeed(int program, char *const *argv, char resume[KEEPER_RESUME],
                           const struct keeper_legacy *legacy);

/* Whether keeper_process_succeed() made this program; then what it was left, close-on-exec again.
 */
bool keeper_process_resumed(struct keeper_legacy *legacy);
