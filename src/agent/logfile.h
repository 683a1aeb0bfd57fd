/* A process's own log: a file that it appends to by itself, whose head is given back past a size,
 * so that it stays bounded with nobody in the data path. */
#pragma once

#include "agent/process.h"

/* Whether a log can be kept within `most` bytes where the state directory is: 0, or -EOPNOTSUPP
 * where the file system cannot give back a file's head. */
int logfile_check(struct agent *agent, uint64_t most);

/* Opens the log for appending, making it, for the child's standard streams. 0 with *fd, the
 * caller's; -EOPNOTSUPP as above; -errno. */
int logfile_open(struct process *process, int *fd);

/* Begins to look after its size: after the first write since, and then as long as it grows. */
void logfile_watch(struct process *process);

/* It has ended, and no watch may tell of what it wrote last: its log is looked at once more where
 * there is more of it than at the last look. */
void logfile_ended(struct process *process);

/* It was written to, or its bound has changed: called by the watch. */
void logfile_written(struct process *process);

/* The trimmer is done: `result` is 0, and the first `size` bytes are given back; or -errno. */
void logfile_trimmed(struct process *process, uint64_t size, int result);

/* Opens it for reading. 0 with *fd, the caller's; -ENOENT; -errno. */
int logfile_read(const struct process *process, int *fd);

/* Appends its last ten lines, at most `most` bytes of them, to `out`: what can be had without
 * waiting for the disk or for whoever is writing. */
void logfile_tail(const struct process *process, size_t most, struct buffer *out);
