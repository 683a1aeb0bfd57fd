/* What a process has written to the journal, or the agent of its operations: read by
 * journalctl(1), since this program does not link libsystemd. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "protocol/codec.h"

/* Microseconds by which a line may come later than its process ended. */
enum { JOURNAL_LAG = 5000000 };

struct journal_query {
    struct holden_view identifier; /* SYSLOG_IDENTIFIER=, of lines that came by a stream; or */
    const char *const *matches;    /* FIELD=value that entries have, up to NULL; of those */
    const char *field;             /* this one is printed */
    uint64_t since;                /* microseconds since 1970 */
    uint64_t until;                /* likewise; 0: no end */
    uint64_t lines;                /* only the last so many, the newest first; UINT64_MAX: all */
    bool follow;                   /* go on as more comes; `lines` is not looked at */
};

struct journal {
    pid_t pid; /* of journalctl; 0: none */
    int fd;    /* what it prints, one line an entry; or -1 */
};

/* Starts journalctl. 0; -ENOENT where there is none; -errno. Its own complaints go to standard
 * error unless `quiet`. Released by journal_close(). */
int journal_open(struct journal *journal, const struct journal_query *query, bool quiet);

/* Appends all that it prints to `out`. 0 or -errno. */
int journal_read(struct journal *journal, struct buffer *out);

/* Takes the last line, with its end, off what is left of lines that came the newest first. False:
 * there is none. */
bool journal_next_line(struct holden_view *left, struct holden_view *line);

/* Waits until the journal has written down what had been sent to it (journalctl --sync); only root
 * can have that. Says nothing where it fails. */
void journal_sync(void);

/* Waits for its end once all that it prints has been read. Its exit status. */
int journal_wait(struct journal *journal);

/* Ends it where it has not been waited for. */
void journal_close(struct journal *journal);
