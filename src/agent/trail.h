/* The audit trail: one line for each operation, in the journal or in a file of the agent's own that
 * is only ever appended to and gives its head back past AuditMax=. Nothing that fails here holds up
 * or refuses what the line is about: it is counted, and said once. */
#pragma once

#include "protocol/message.h"

struct agent;
struct config;

struct trail {
    bool open;        /* there is one: Audit= is not none */
    int journal;      /* owned: a socket for entries; -1: none wanted */
    int file;         /* owned; -1: not opened yet */
    bool torn;        /* the last line of the file has no end */
    bool failing;     /* it was said that lines are lost, and none was taken since */
    uint64_t given;   /* bytes of the file's head that are given back */
    uint64_t lines;   /* written since this agent started */
    uint64_t lost;    /* that could not be */
};

/* Whether a file that `config` names, and nothing but a file, could be written to; it is made. 0 or
 * -errno. */
int trail_try(const struct agent *agent, const struct config *config);

/* Goes over to where the configuration, which has been read anew, says; what was counted stays. */
void trail_renew(struct agent *agent);

/* Opens it as Audit= and AuditFile= say. */
void trail_open(struct agent *agent);
void trail_close(struct trail *trail);

/* Writes down an operation; what it holds is put so that no byte of it can end the line or a field.
 */
void trail_write(struct agent *agent, const struct holden_operation *operation);

/* Where it is. 0 with *fd a descriptor for reading the file, the caller's, or -1 where there is
 * none, and *journal, whether some of it may be in the journal; -errno. */
int trail_place(const struct agent *agent, int *fd, bool *journal);
