/* A process: what was asked for, what it is doing, and how it ended; and the table of all of them,
 * living and ended, in the order of their ids. */
#pragma once

#include <sys/queue.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

#include "agent/phase.h"
#include "agent/plan.h"
#include "agent/stuck.h"
#include "daemon/failure.h"
#include "protocol/message.h"

struct agent;
struct peer;
struct filter;
struct trim_job;
struct dynamic_user;
struct slice;
struct statement;
struct samples;

/* Of the bits for the calls that a process has made (SystemCallLearn=). */
enum { LEARNED_BYTES = 128 };

/* What a client waits for. */
enum waiter_kind {
    WAITER_START,   /* `started`, or why not */
    WAITER_EXIT,    /* `exited` */
    WAITER_STOP,    /* `done` when nothing is left */
    WAITER_RELOAD,  /* `done` when ExecReload= has ended well, or why not */
};

/* Why a process is RUNNING though its main one has ended (linger.h). Kept in records. */
enum stay {
    STAY_NONE,
    STAY_CGROUP, /* others of its cgroup run on */
    STAY_EXITED, /* RemainAfterExit= */
};

/* A promise to answer request `id` of `peer`; in the lists of both. */
struct waiter {
    LIST_ENTRY(waiter) of_process;
    LIST_ENTRY(waiter) of_peer;
    struct process *process;
    struct peer *peer;
    uint32_t id;
    enum waiter_kind kind;
};

/* How a process ended. */
struct outcome {
    uint32_t cause;        /* enum holden_cause_values */
    int code;              /* CLD_EXITED, CLD_KILLED, CLD_DUMPED; 0 where unknown */
    int status;            /* exit status or signal */
    char *explanation;     /* owned; in words */
};

/* A start under way: between the plan's way to the keeper and the end of its status pipe. */
struct launch {
    uint32_t report;       /* index of its struct plan_report */
    int pipe;              /* reading end of the status pipe, or -1 once it has ended */
    uint64_t delay;        /* without a pipe (resume.c): microseconds until the next look */
    sd_event_source *source; /* the pipe, or the next look */
    bool ended;            /* the status pipe has ended: the report says what happened */
    bool ready;            /* it has said READY=1 before that was known */
    pid_t named;           /* and MAINPID=; or 0 */
    struct failure failure; /* why it cannot be started, once that is known */
};

/* A command beside the main one that runs, or is about to (beside.h). */
struct beside {
    LIST_ENTRY(beside) entry;
    struct process *process;
    enum phase phase;
    uint32_t step;         /* which of the phase's commands */
    bool chosen;           /* no plan for it has been sent: what was launched has ended */
    bool late;             /* nothing of its phase follows: its time is over, or a stop has begun */
    bool leaving;          /* its pidfd says that it has ended; the keeper is asked how */
    struct launch *launch;
    pid_t pid;             /* 0 until it is cloned */
    int pidfd;             /* owned, or -1 */
    sd_event_source *end;  /* the pidfd */
    uint64_t deadline;     /* when it is late: CLOCK_MONOTONIC; UINT64_MAX: never */
    sd_event_source *timer;
};

/* What it takes until a process that runs is ready (readiness.h). */
struct readiness {
    bool notifies;         /* Type=notify; else forking */
    sd_event_source *look; /* the next look for the successor */
    uint64_t delay;        /* microseconds until the one after that */
    pid_t successor;       /* the keeper is asked about it; or 0 */
    int pidfd;             /* its; owned, or -1 */
    char why[256];         /* what it lacks so far, in words; or empty */
};

/* A stop under way. */
struct stopping {
    sd_event_source *timer;
    uint64_t deadline;     /* when all of it is killed: CLOCK_MONOTONIC; UINT64_MAX: never */
    uint64_t timeout;      /* from when it is asked until then, microseconds; UINT64_MAX: never */
    int signal;            /* the last that asked it to stop */
    bool asked;            /* and that was sent */
    bool overdue;          /* the time to comply ran out */
    bool last;             /* FinalKillSignal= has been sent */
    unsigned kills;        /* how often cgroup.kill has been written */
    char stuck[STUCK_WORDS]; /* why that has not helped; empty where it may yet */
    bool said;             /* by the process itself, and nobody has asked for it */
    bool triggered;        /* cause WATCHDOG: it has said WATCHDOG=trigger */
    bool mixed;            /* KillMode=mixed: the rest ends with the main process */
    int64_t by;            /* the user who asked, or -1: the agent itself */
    uint32_t cause;        /* why, for the record */
    bool restart;          /* start it again once it is gone */
    uint64_t restart_token; /* of the request for that, or 0 */
};

/* A constraint that ends by itself, or that is not complete. */
struct temporary {
    sd_event_source *timer; /* NULL until it is complete */
    uint64_t until;        /* CLOCK_MONOTONIC; 0: it is to stay once it is complete */
    uint8_t *before;       /* owned: encoded properties to go back to */
    size_t size;
};

struct process {
    TAILQ_ENTRY(process) order;
    TAILQ_ENTRY(process) ending;  /* while it has ended */
    LIST_ENTRY(process) by_id;
    LIST_ENTRY(process) by_name;
    LIST_ENTRY(process) by_pid;   /* while pid > 0 */
    LIST_ENTRY(process) by_token; /* while token > 0 */
    struct agent *agent;
    uint64_t id;
    char *name;                   /* owned */
    uint8_t *request; /* owned: the `start` it was made from, encoded, as it now holds */
    size_t request_size;
    uint64_t token;               /* of that `start`, or 0 */
    uint64_t restart_token;       /* of its last restart, or 0 */
    const uint32_t state;         /* written by state.c alone */
    bool frozen;
    bool child;                   /* the keeper has it as its child, and so its status */
    bool has_cgroup;
    struct slice *slice;          /* with it: the slice that it is in, or NULL (place.h) */
    bool leaving;                 /* its pidfd says that it has ended; the keeper is asked how */
    bool main_ended;              /* its status is known; others of its cgroup may be left */
    bool ran;                     /* its exec took place */
    bool recorded;                /* and that is written down */
    bool unproven;                /* recovered: whether the pid is its own is not known yet */
    bool has_init;                /* PrivatePIDs=: its main process is process 1 of its namespace */
    bool remain;                  /* RemainAfterExit= */
    bool counts_ip;               /* IPAccounting= */
    bool by_cgroup;               /* ExitType=cgroup, or Type=forking without a main process */
    enum stay stays;              /* its main process has ended, and it goes on */
    bool remains;                 /* remains.h has to look at it when it has ended */
    bool terminal;                /* standard input is to be the controlling terminal */
    int passed[3];                /* standard streams that came with the request, or -1; owned */
    bool has_log;
    uid_t owner;
    gid_t owner_gid;
    uid_t user;
    struct dynamic_user *dynamic_user; /* the user that was made up for it, or NULL */
    pid_t pid;                    /* 0 when there is none */
    pid_t last_pid;               /* the same, or the one that it had */
    int pidfd;
    sd_event_source *end;         /* the pidfd */
    sd_event_source *limit;       /* RuntimeMaxSec= */
    sd_event_source *watchdog;    /* while it is watched (watchdog.h), or NULL */
    sd_event_source *log_look;    /* its log was written to: its size is looked at soon */
    struct trim_job *log_job;     /* its log's head is being given back */
    uint32_t step;                /* of its sequence: which command this launch is of */
    uint32_t steps;               /* how many there are before the main one */
    bool step_chosen;             /* and no plan for it has been sent: what was launched has ended */
    sd_event_source *start_limit; /* TimeoutStartSec= */
    struct launch *launch;
    struct beside *beside;        /* while there is one */
    uint32_t commands;            /* the phases that have commands: bit N for enum phase N */
    uint32_t over;                /* of those of beside.h the ones that have had their turn */
    char *complaint;              /* owned: how the first of its commands failed; or NULL */
    struct readiness *readiness;  /* it runs, but is not ready */
    struct statement *statement;  /* owned: what it has said of itself, or NULL */
    struct stopping *stopping;
    struct temporary *temporary;
    struct filter *filter;
    int listener;                 /* of its filter, or -1; this and the next three are talk.c's */
    unsigned heard;               /* refused calls that were answered in the span of time that */
    uint64_t heard_since;         /* began then */
    LIST_ENTRY(process) muted;    /* of struct talk, while `is_muted` */
    bool is_muted;
    struct denials *denials;      /* owned: what its filter has refused, or NULL */
    uint8_t *learned;             /* owned: bit N for call N, LEARNED_BYTES; or NULL */
    int cgroup_watch;             /* inotify watch of cgroup.events, or -1 */
    int log_watch;
    unsigned log_pace;            /* how soon after a write the log is looked at, microseconds */
    bool log_failed;              /* that it cannot be kept bounded has been said */
    uint64_t log_seen;            /* its size, when it was looked at last */
    uint64_t log_given;           /* how much of its head has been given back, as far as known */
    uint64_t started_realtime, started_monotonic;
    uint64_t ended_realtime, ended_monotonic;
    uint64_t known;               /* CLOCK_BOOTTIME by which its pid was known to be its own */
    uint64_t restarts;
    int64_t killed_by;            /* the user who last sent it a signal, or -1 */
    int killed_with;              /* that signal */
    struct outcome outcome;
    struct samples *samples;      /* of what it uses (sampler.h), or NULL */
    struct holden_usage *usage;   /* owned: final figures, once it has ended */
    LIST_HEAD(, waiter) waiters;
};

LIST_HEAD(process_bucket, process);
TAILQ_HEAD(process_order, process);

struct processes {
    struct process_order order;
    struct process_order endings; /* those that have ended, the first that did at the head */
    struct process_bucket *by_id, *by_name, *by_pid, *by_token; /* owned, `buckets` each */
    LIST_HEAD(, beside) besides;
    size_t buckets;
    size_t count;                 /* all */
    size_t alive;
    size_t ended;
};

/* Makes an empty table. 0 or -ENOMEM. */
int processes_init(struct processes *table);

/* Frees the table and every process in it; nothing is stopped. */
void processes_free(struct processes *table);

/* Adds a new process with this id (above all others) and name, which is copied, in state STARTING.
 * 0 with *out, which the table owns; or -ENOMEM. */
int process_new(struct agent *agent, uint64_t id, struct holden_view name, struct process **out);

/* Takes it out of the table and frees it: sources, waiters, descriptors, memory. */
void process_free(struct process *process);

/* Releases a launch and gives its report back. NULL is none. */
void process_drop_launch(struct agent *agent, struct launch *launch);

/* Release what a start, a stop or a temporary constraint under way holds, if there is one. */
void process_launched(struct process *process);
void process_stopped(struct process *process);
void process_permanent(struct process *process);

/* Sets or, with 0, clears the pid by which it is found. */
void process_set_pid(struct process *process, pid_t pid);

/* Keeps the request that it was made from, of `size` bytes, and finds its token in it. Takes over
 * `request`. */
void process_set_request(struct process *process, uint8_t *request, size_t size);

/* The same with what is still to be encoded; what it points to may be in the old request. 0 or
 * -errno (nothing changed). */
int process_keep_request(struct process *process, const struct holden_start *start);

/* The process that this user has started with that token, or NULL. */
struct process *process_by_token(const struct processes *table, uint64_t token, uid_t owner);

/* Puts a process that has ended among the others, by when, or takes it out: for state.c. */
void process_set_ended(struct process *process, bool ended);

/* The process with that id, or NULL. */
struct process *process_by_id(const struct processes *table, uint64_t id);

/* The process with that name: the living one, else the one that ended last, or NULL. */
struct process *process_by_name(const struct processes *table, struct holden_view name);

/* The process that a client means: a pid where the text is all digits, else a name. NULL: none. */
struct process *process_by_text(const struct processes *table, struct holden_view text);

/* The next process after the one with that id, in the order of ids, or NULL. */
struct process *process_after(const struct processes *table, uint64_t id);

/* Whether it is in a state in which something of it is or will be there. */
bool process_alive(const struct process *process);

/* Decodes the request that it was made from, and unless NULL its properties; the views stay valid
 * while the request is not replaced. Cannot fail: it was encoded here. */
void process_request(const struct process *process, struct holden_start *start,
                     struct holden_properties *properties);

/* What its lines in the journal are found by: SyslogIdentifier=, or its name. */
struct holden_view process_identifier(const struct process *process,
                                      const struct holden_properties *properties);

/* Replaces the properties in its request. 0 or -errno (nothing changed). */
int process_replace_properties(struct process *process, const struct holden_properties *properties);
