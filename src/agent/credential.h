/* Credentials: secrets that a process reads from files in a directory of its own
 * (SetCredential=, systemd.exec(5)). All such directories are in one, "credentials" beside the
 * agent's socket: a ramfs, which is never swapped out, mounted such that nobody can write to it;
 * the agent writes by a mount of the same that is nowhere. Where nothing may be mounted it is a
 * directory as others. Each is called after its process, and belongs to its user, who alone can
 * read it. */
#pragma once

#include <stdbool.h>

#include "agent/identity.h"
#include "agent/process.h"

enum { CREDENTIALS_MOST = 1 << 20 }; /* bytes of all names and contents of one process */

struct credentials {
    int directory; /* owned; -1 until one is needed */
    char *path;    /* owned; NULL where there can be none */
    bool used;     /* the directory is there */
};

/* Finds out where they are to be: in the directory of the socket. Makes nothing yet. */
void credentials_open(struct credentials *credentials, const char *socket);

/* Closes it. `remove` takes away the directory of them, with what is mounted there. */
void credentials_close(struct credentials *credentials, bool remove);

/* Removes the directories of processes that are not alive: before there are new ones. */
void credentials_sweep(struct agent *agent);

/* Checks names and sizes. 0; or refused with *failure. */
int credential_check(const struct holden_properties *properties, struct failure *failure);

/* Makes the process's directory anew, for the user in `identity`, if it has credentials; its path
 * goes to `path` of `space` bytes, else "". 0; or refused with *failure, and nothing is left. */
int credential_make(struct process *process, const struct holden_properties *properties,
                    const struct identity *identity, char *path, size_t space,
                    struct failure *failure);

/* The path of the process's directory, made before, if it has credentials, else "". */
void credential_find(const struct process *process, const struct holden_properties *properties,
                     char *path, size_t space);

/* Overwrites and removes the process's directory, if it is there. */
void credential_remove(struct process *process);

/* Replaces the contents in `properties` by their sizes: they are for the process alone. Returns
 * what the new list points to, to be freed after use; NULL where there is none, or no memory (then
 * the list is taken out). */
void *credential_redact(struct holden_properties *properties);
