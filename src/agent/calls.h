/* Sets of system calls, as SystemCallFilter= names them. */
#pragma once

#include "daemon/failure.h"

struct calls {
    bool given;       /* the lists ask for a filter */
    bool allow;       /* the set is what is allowed; otherwise what is forbidden */
    int *numbers;     /* as libseccomp numbers them, those of other architectures negative; owned */
    size_t count;
    size_t space;
};

/* Folds the lists of SystemCallFilter= into one set, as systemd.exec(5) has it: the first decides
 * which kind it is, later ones add names of that kind and take away those of the other, an empty
 * one starts anew. What is allowed always contains systemd's @default. 0 with *calls, released by
 * calls_free(); or refused with *failure filled: a name that libseccomp does not know, too many
 * names, or a set that forbids execve(2), with which nothing could be started. */
int calls_fold(struct holden_repeated lists, struct calls *calls, struct failure *failure);

/* Releases the set. */
void calls_free(struct calls *calls);
