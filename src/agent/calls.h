/* Sets of system calls, as SystemCallFilter= and SystemCallLog= name them. */
#pragma once

#include "daemon/failure.h"

struct call {
    int number;     /* as libseccomp numbers it, one of another architecture negative */
    uint32_t error; /* as the record `names` has it */
};

struct calls {
    bool given;       /* the lists ask for a filter */
    bool allow;       /* the set is what is allowed or logged; otherwise what is not */
    struct call *list; /* owned */
    size_t count;
    size_t space;
};

/* Folds the lists of SystemCallFilter= into one set, as systemd.exec(5) has it: the first decides
 * which kind it is, later ones add names of that kind and take away those of the other, an empty
 * one starts anew. A name with an error, behind ~ only, is in the set in either kind, and what it
 * comes to is that error. A set's name (@…) stands for its calls, of which those that libseccomp
 * does not know are passed over. What is allowed always contains systemd's @default. 0 with *calls,
 * released by calls_free(); or refused with *failure filled: a name that libseccomp does not know,
 * too many names, errors that are none, or a set that forbids execve(2), with which nothing could
 * be started. */
int calls_fold(struct holden_repeated lists, struct calls *calls, struct failure *failure);

/* The same for SystemCallLog=: @default is not added, no name has an error, and every set will do.
 */
int calls_fold_log(struct holden_repeated lists, struct calls *calls, struct failure *failure);

/* Releases the set. */
void calls_free(struct calls *calls);

/* The numbers of a set's calls in a set of their own: those that libseccomp knows. 0 with *calls,
 * released by calls_free(); or -ENOMEM. */
int calls_of_set(const char *name, struct calls *calls);
