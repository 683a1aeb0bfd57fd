/* The end of a process: its status comes from the keeper, its last figures from its cgroup; it has
 * ended when the cgroup is empty and gone. Then the record is written, the kernel's own memory of
 * the status is released, and whoever waits is told. */
#pragma once

#include "agent/process.h"

/* The pidfd is readable: the main process has ended. Asks the keeper how. */
int finish_on_end(sd_event_source *source, int fd, uint32_t events, void *data);

/* The keeper's answer to that. */
void finish_status(struct agent *agent, const struct keeper_reply *reply);

/* The keeper has reaped the process with that id: who stopped it is told. */
void finish_released(struct agent *agent, uint64_t id);

/* A process that the keeper could not clone: undoes everything and refuses. */
void finish_unborn(struct process *process);

/* If the main process has ended and nothing is left in the cgroup: the end. */
void finish_if_empty(struct process *process);

/* The main process ended while nobody could see how (recovery): goes on as if the keeper had said
 * so. */
void finish_unseen(struct process *process);

/* Starts an ended process again, in place: its waiters are told as for a first start. */
void finish_start_again(struct process *process);

/* Launches a process in state STARTING that has run before; where that cannot be, it has failed and
 * its record says why. */
void finish_launch(struct process *process);

/* Fills a message with how the process ended. */
void finish_describe(const struct process *process, struct holden_exited *message);

/* Removes the oldest records of ended processes past KeepRecords=. */
void finish_forget_old(struct agent *agent);

/* Whether nothing is in the cgroup of the process, or it has none. */
bool finish_is_empty(const struct process *process);
