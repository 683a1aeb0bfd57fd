/* One process, as the agent told of it last, and what it does per second: the difference between
 * two samples of its counters. */
#pragma once

#include "monitor/history.h"
#include "protocol/message.h"

/* The causes of a stall, in the order of row_stall_word(). */
enum row_stall { ROW_STALL_CPU, ROW_STALL_MEMORY, ROW_STALL_IO, ROW_STALLS };

/* Per second of real time; NAN where the machine does not tell, or nobody can know yet. */
struct row_rates {
    double cpu;               /* percent of one CPU */
    double throttled;         /* percent of the time held back by CPUQuota= */
    double read;              /* bytes per second */
    double written;           /* bytes per second */
    double stall[ROW_STALLS]; /* percent of the time in which some task waited */
};

struct row {
    uint64_t id;
    unsigned agent;           /* which of the agents tells of it; the first is 0 */
    uint64_t seen;            /* the sample that told of it last; the model's */
    uint32_t pid;             /* 0 where it has none */
    uint32_t user;
    uint32_t state;           /* HOLDEN_state_* */
    bool frozen;
    uint64_t runtime;         /* microseconds */
    uint64_t restarts;
    uint64_t memory_limit;    /* bytes; U64_MAX where there is none */
    uint64_t tasks_limit;     /* U64_MAX where there is none */
    struct holden_usage usage;
    struct holden_usage base; /* the older sample that the rates are counted from */
    struct row_rates rates;
    struct history history;
    struct holden_view name;
    struct holden_view command;
    struct holden_view dynamic_user; /* the name of its user, where that is made up */
    struct holden_view slice;        /* empty: none */
    uint8_t *body;            /* the message; owned; the views point into it */
    uint32_t size;            /* of it, in bytes */
    uint32_t space;           /* allocated for it */
    uint32_t mark;            /* what was said of it last; of use to lines.h only */
};

/* Takes what a `process` message says, decoded from the `size` bytes at `body`, which are copied.
 * The rates are counted anew where the sample before them is at least `span` microseconds old,
 * otherwise they stay. A row begins as zeroes. 0; -EBADMSG, -ENOMEM: the row is as it was. */
int row_update(struct row *row, const struct holden_process *process, const uint8_t *body,
               size_t size, uint64_t span);

/* Frees what the row owns. */
void row_free(struct row *row);

/* Whether the process is on its way, thus can be acted on; not so once it has ended. */
bool row_lives(const struct row *row);

/* Bytes per second read and written; NAN where unknown. */
double row_io(const struct row *row);

/* The worst of the stalls, in percent, and in *which (may be NULL) what it waited for; NAN where
 * unknown. */
double row_stall(const struct row *row, enum row_stall *which);

/* "cpu", "mem", "io". */
const char *row_stall_word(enum row_stall which);

/* The part of its memory limit that the process uses, 0 to 1 and above; NAN without a limit. The
 * same for its tasks. */
double row_memory_share(const struct row *row);
double row_tasks_share(const struct row *row);

/* A number that no other row has, whichever agent tells of it. Never 0. */
uint64_t row_key(const struct row *row);

/* What is kept of it, as it is now; NAN for what is not known. */
void row_metrics(const struct row *row, double values[METRICS]);

/* What is true of it at `time` (microseconds since 1970) goes into its history. 0 or -ENOMEM. */
int row_remember(struct row *row, uint64_t time);
