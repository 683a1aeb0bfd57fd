/* The state directory: one record a process, written by rename, and the logs. Everything in it
 * belongs to root and to nobody else. */
#pragma once

#include <sys/types.h>

#include "common/buffer.h"
#include "daemon/failure.h"
#include "protocol/message.h"

struct agent;
struct process;

struct store {
    int root;         /* owned descriptors */
    int records;      /* DIR/records: one file an id */
    int logs;         /* DIR/logs: likewise */
    uid_t owner;      /* the agent's user, to whom all of it belongs */
    char *path;       /* owned */
    char boot[37];
    uint64_t next_id; /* the next process's id */
    bool has_nodes;   /* nodes_make() has made them */
    uint64_t reserved; /* ids below this are reserved on disk, so that a crash never reuses one */
};

/* Opens the directory, making it (0700) where it is missing. 0; or refused with *failure filled. */
int store_open(struct store *store, const char *path, struct failure *failure);

/* Closes it. `remove` removes what is in it, and the directory if it is then empty. */
void store_close(struct store *store, bool remove);

/* A new id, above all earlier ones of this state directory. 0 with *id; -errno. */
int store_new_id(struct store *store, uint64_t *id);

/* Writes the process's record as it is now. 0 or -errno (the old record stays). */
int store_write(struct store *store, const struct process *process);

/* Removes the process's record alone. */
void store_forget(struct store *store, const struct process *process);

/* Removes the process's record and log. */
void store_remove(struct store *store, const struct process *process);

/* Keeps a fact for later agents: *fact becomes true where it was once true in this directory. 0; or
 * -errno where that cannot be kept, or cannot be told: then *fact stays as it is. */
int store_remember(struct store *store, const char *name, bool *fact);

/* Reads every record and hands it over in the order of ids; `kept` and its views are valid during
 * the call only. What cannot be believed (record_fault(), store.c) is moved aside to "refused/",
 * with a line each that says why, and never deleted. 0; what `found` returned, if not 0; -errno. */
int store_read(struct store *store, struct agent *agent,
               int (*found)(struct agent *agent, const struct holden_kept *kept));

/* Writes and removes what is kept of a slice. 0 or -errno (what was kept stays). */
int store_write_slice(struct store *store, const struct holden_kept_slice *slice);
void store_forget_slice(struct store *store, const char *name);

/* Reads what is kept of every slice, as store_read() does. */
int store_read_slices(struct store *store, struct agent *agent,
                      int (*found)(struct agent *agent, const struct holden_kept_slice *kept));

/* Moves a file of the state directory's root aside in the same way. */
void store_set_aside(struct store *store, const char *name, const char *why);

/* Whether a record of that id was refused, now or by an earlier agent, and is still there. */
bool store_refused(const struct store *store, uint64_t id);

/* Removes what an agent that died left half done: records half written, and logs of starts that
 * were never written down. Before there are new ones. */
void store_sweep(const struct agent *agent);
