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

/* Unmaps the code that has run so far, most of which was for the start only: what is needed again
 * comes back from the page cache. */
void keeper_process_shrink(void);

/* What a successor takes over. */
struct keeper_legacy {
    int socket;
    int lock;
    int reports; /* -1 from a program that kept none */
};

/* Replaces this program by the one at `path`; `resume` becomes part of the environment, and the
 * descriptors stay open. Returns only on failure, with -errno. */
int keeper_process_succeed(const char *path, char *const *argv, char resume[64],
                           struct keeper_legacy legacy);

/* Whether keeper_process_succeed() made this program; then its descriptors, close-on-exec again. */
bool keeper_process_resumed(struct keeper_legacy *legacy);
