/* A file of tidings, to be told again.
 *
 *   header  "HldnRec\n", version u32, size of what follows u32: interval u64 (microseconds),
 *           count of agents u32, for each the size of its socket's path u32 and the path
 *   entry   size of the body u32, tiding u16, agent u16, time u64 (microseconds since 1970), body
 *   end     an entry with the tiding RECORDING_END and no body
 *
 * Numbers are little-endian. A file without an end was cut: what is before the cut counts. */
#pragma once

#include <sys/types.h>

#include "monitor/fleet.h"

enum {
    RECORDING_VERSION = 1,
    RECORDING_HEADER = 16, /* bytes before what the header's size counts */
    RECORDING_ENTRY = 16,  /* bytes before the body */
    RECORDING_BODY = 8 << 20,
    RECORDING_PATH = 128,
    RECORDING_END = 0xffff,
    RECORDING_WHY = 512,
};
#define RECORDING_MAGIC "HldnRec\n"

struct recording_entry {
    uint16_t tiding;
    uint16_t agent;
    uint64_t time;
    struct holden_view body; /* valid until the next one is read */
};

struct recording {
    int fd;                  /* owned */
    uint64_t interval;
    size_t count;            /* of agents */
    char paths[FLEET_MOST][RECORDING_PATH];
    off_t begin, end;        /* where entries begin; behind the last whole one */
    off_t at;                /* of the next entry */
    uint64_t first, last;    /* when the first sample was whole, and the last entry came */
    uint64_t samples;        /* whole ones */
    bool cut;                /* it has no end */
    struct buffer body;
};

/* Opens the file, and looks through it once. 0; -errno with `why`, one line for people, where it is
 * no recording, a newer one, or has no whole sample. Released by recording_close(). */
int recording_open(struct recording *recording, const char *path, char why[RECORDING_WHY]);

/* Reads the next entry. 0; -ENODATA at the end; -errno. */
int recording_next(struct recording *recording, struct recording_entry *entry);

/* The time of the next entry; U64_MAX at the end. */
uint64_t recording_due(const struct recording *recording);

/* Goes back to the first entry. */
void recording_rewind(struct recording *recording);

/* Closes the file. */
void recording_close(struct recording *recording);
