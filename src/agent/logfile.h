/* A process's own log: a file that it appends to by itself, whose head is given back past a size,
 * so that it stays bounded with nobody in the data path. */
#pragma once

#include "agent/process.h"

/* Opens the log for appending, making it, for the child's standard streams. 0 with *fd, the
 * caller's; -errno. */
int logfile_open(struct process *process, int *fd);

/* Begins to look after its size: after the first write since, and then as long as it grows. */
void logfile_watch(struct process *process);

/* It was written to: called by the watch. */
void logfile_written(struct process *process);

/* Opens it for reading. 0 with *fd, the caller's; -ENOENT; -errno. */
int logfile_read(const struct process *process, int *fd);

/* Appends its last lines, at most `most` bytes of them, to `out`. */
void logfile_tail(const struct process *process, size_t most, struct buffer *out);
