/* Reads a process's log through a descriptor of its file, whose head may be a hole, punched where
 * the log had grown too long: at any time, also while it is being read. */
#pragma once

#include <sys/types.h>

#include "controller/printer.h"

struct log_reader {
    struct printer *printer; /* borrowed */
    const char *name;        /* of the process, borrowed */
    int fd;                  /* the log; owned; -1: none */
    off_t at;                /* read so far */
};

/* Moves to the first whole line that is left, or to the last `lines` lines. 0 or -errno. */
int log_reader_start(struct log_reader *reader);
int log_reader_last(struct log_reader *reader, uint64_t lines);

/* Prints all that is there, and says what is gone that had not been read. 0 or -errno. */
int log_reader_print(struct log_reader *reader);

/* Closes the log. */
void log_reader_close(struct log_reader *reader);
