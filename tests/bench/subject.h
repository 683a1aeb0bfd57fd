/* The agent that is measured: bin/agent with a socket, a state directory and a cgroup of its own.
 */
#pragma once

#include "protocol/client.h"

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

struct subject {
    char directory[64];            /* made for it, in memory */
    char socket[80];
    char cgroup[PATH_MAX];
    pid_t keeper;                  /* bin/agent */
    pid_t core;                    /* bin/agent-core */
    struct holden_client client;   /* a connection that stays open */
};

/* Memory of a process, bytes: /proc/PID/smaps_rollup, proc(5). */
struct subject_memory {
    uint64_t resident;             /* all of it, shared with others or not */
    uint64_t anonymous;            /* of it the process's own, not backed by a file */
    uint64_t dirty;                /* Private_Dirty: written to, and nobody else's */
    uint64_t clean; /* Private_Clean: pages of files that nobody else has mapped now */
};

/* Starts `programs`/agent in cgroup `cgroup` (a directory, made where it is missing) and connects.
 * `config` is the text of its configuration, or NULL for none. 0, and *subject is to be ended with
 * subject_close(); or -errno after a line on stderr. */
int subject_open(const char *programs, const char *cgroup, const char *config,
                 struct subject *subject);

/* Ends the agent, which stops all of its processes, and removes what was made. 0, or -errno where
 * something is left, or -EPROTO where the agent did not end with 0. */
int subject_close(struct subject *subject);

/* Another connection. 0 or -errno. Closed with holden_client_close(). */
int subject_connect(const struct subject *subject, struct holden_client *client);

/* One ping there and back. 0 or -errno. */
int subject_ping(struct holden_client *client);

/* Adds up keeper and agent. 0 or -errno. */
int subject_memory(const struct subject *subject, struct subject_memory *memory);

/* How often keeper and agent together have been switched to and from, by their own wish or not:
 * the context switches of /proc/PID/status. 0 or -errno. */
int subject_switches(const struct subject *subject, uint64_t *switches);
