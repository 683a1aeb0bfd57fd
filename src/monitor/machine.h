/* The machine that the monitor runs on: CPU for each core, memory, IO and stall, from the files of
 * proc(5). What is read is text, which can be kept and read again. */
#pragma once

#include "common/buffer.h"
#include "monitor/row.h"

enum { MACHINE_CORES = 256 };

/* The counters of one moment; those that the kernel does not tell are 0. */
struct machine_counters {
    uint64_t time;                  /* microseconds */
    uint64_t busy[MACHINE_CORES];   /* ticks of each core; of all together in busy_all */
    uint64_t whole[MACHINE_CORES];
    uint64_t busy_all, whole_all;
    uint64_t read, written;         /* bytes */
    uint64_t stall[ROW_STALLS];     /* microseconds; see has_stall */
    bool has_io, has_stall;
};

struct machine {
    unsigned cores;                 /* that run now, at most MACHINE_CORES; 0: nothing is known */
    double core[MACHINE_CORES];     /* percent; NAN before there are two samples, like all rates */
    double cpu;                     /* percent of all cores */
    uint64_t memory, memory_left;   /* bytes: all, and what is available */
    uint64_t swap, swap_left;
    double read, written;           /* bytes per second */
    double stall[ROW_STALLS];       /* percent of the time in which some task waited */
    struct machine_counters before; /* the last sample */
};

/* Appends what machine_take() reads to `text`: the lines that matter of /proc/stat, /proc/meminfo,
 * /proc/vmstat and /proc/pressure. A file that is not there is left out. 0 or -ENOMEM. */
int machine_read(struct buffer *text);

/* Takes such a text, read at `time` (microseconds since 1970). Lines that make no sense are passed
 * over. */
void machine_take(struct machine *machine, struct holden_view text, uint64_t time);
