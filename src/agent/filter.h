/* System call filters: compiled once per profile in the agent, handed to children as bytes. */
#pragma once

#include <stddef.h>

#include "agent/program.h"
#include "daemon/failure.h"

/* A compiled filter, shared by all processes with the same profile. */
struct filter {
    struct filter *next;      /* owned by the cache */
    unsigned references;
    struct holden_view key;   /* owned: the encoded properties that it was made from */
    struct program program;   /* owned */
    size_t first;             /* its instructions from here on are those of restrict.h */
    struct program asking;    /* owned: the same for a process whose refusals are told (talk.h) */
};

/* All compiled filters of one agent, the one asked for last first: those in use, and a few that are
 * not, for the next start with the same profile. */
struct filters {
    struct filter *first;
    size_t count;
    size_t spare; /* of them without a reference */
};

/* Most filters that are kept without a reference. */
enum { FILTERS_SPARE = 16 };

/* The filter that the properties ask for, from the cache or compiled now: one program, joined from
 * what forbids calls (SystemCallFilter, SystemCallErrorNumber, SystemCallArchitectures; or
 * SeccompProfile), what forbids deeds (restrict.h), and what logs (SystemCallLog). *out is NULL
 * where they ask for none.
 *
 * SystemCallFilter is read as calls_fold() says; what it forbids ends the process, or fails with
 * SystemCallErrorNumber. With it or SystemCallArchitectures, calls of architectures that the latter
 * does not name (the native one is always allowed, and alone unless others are named) end the
 * process, x32 included. SeccompProfile is read as profile_compile() says, and excludes those
 * three.
 *
 * 0 with one reference, given back by filter_release(); or refused with *failure filled. */
int filter_get(struct filters *filters, const struct holden_properties *properties,
               struct filter **out, struct failure *failure);

/* Gives one reference back; NULL is allowed. */
void filter_release(struct filters *filters, struct filter *filter);

/* Frees all filters, whoever still refers to them. */
void filters_free(struct filters *filters);

/* The name of a system call number of this machine's native architecture, into `name` of `space`
 * bytes ("syscall 999" where it has none). Returns `name`. For exit records. */
const char *filter_call_name(int number, char *name, size_t space);

/* The same, without a substitute: false, and `name` untouched, where the number has no name. */
bool filter_call_known(int number, char *name, size_t space);
