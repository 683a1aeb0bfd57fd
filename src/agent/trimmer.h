/* Gives the heads of logs back to the file system, in processes of the agent's own making: whoever
 * writes to a file holds its lock for as long as one write(2) takes, which can be seconds, and
 * fallocate(2) waits for it. The agent must not.
 *
 * There is one worker, made when the first head is to go and gone some seconds after the last.
 * Where it does not answer soon, because the log that it has in hand is being written to, another
 * is made for those that wait. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <systemd/sd-event.h>

struct agent;
struct process;
struct trim_job;
struct trim_worker;

struct trimmer {
    struct agent *agent;
    bool able;                           /* the state directory's file system can punch holes */
    TAILQ_HEAD(, trim_job) waiting;      /* in no worker's hands yet */
    LIST_HEAD(, trim_worker) workers;
    sd_event_source *late;               /* somebody waits: another worker is made then */
    sd_event_source *idle;               /* when workers without work may go */
    uint64_t used;                       /* CLOCK_MONOTONIC of the last job, microseconds */
};

/* Makes it ready, without a worker. */
void trimmer_open(struct trimmer *trimmer, struct agent *agent);

/* Whether heads can be given back in the state directory, which is open (fallocate(2),
 * FALLOC_FL_PUNCH_HOLE). A no is not believed for ever: it is found out anew. */
bool trimmer_able(struct trimmer *trimmer);

/* Ends the workers; jobs that wait are dropped. */
void trimmer_close(struct trimmer *trimmer);

/* Has the first `size` bytes of the process's log, open for writing as `fd`, given back. `fd` is
 * the trimmer's from now on. One job a process: logfile_trimmed() is called when it is done, and
 * not before this has returned. 0; or -errno (`fd` is closed, no call follows). */
int trimmer_ask(struct trimmer *trimmer, struct process *process, int fd, uint64_t size);

/* The process is about to go: no call follows. */
void trimmer_forget(struct process *process);
