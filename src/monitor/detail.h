/* What is known of the selected process beside its row: its settings and the end of its log. */
#pragma once

#include "common/buffer.h"
#include "protocol/message.h"

/* So much of the end of a log is kept. */
enum { DETAIL_LOG = 16384, DETAIL_TEXT = 256, DETAIL_LOG_HEADER = 8 };

struct detail {
    uint64_t id;                      /* of the process; 0: nothing is known */
    uint64_t memory_high, memory_max; /* bytes; U64_MAX where there is none */
    uint64_t quota;                   /* CPUQuota=, microseconds per second; U64_MAX: none */
    char explanation[DETAIL_TEXT];    /* why it ended, or what it says of itself; or empty */
    uint64_t log_id;                  /* the process whose log follows; 0: none */
    struct buffer log;                /* whole lines, but for the first; owned */
};

/* Takes a message `process` with everything. 0 or -EBADMSG. */
int detail_take(struct detail *detail, struct holden_view body);

/* Makes and takes the body of TIDING_LOG: the process's id (u64), then the end of its log as text.
 * 0, -ENOMEM, -EBADMSG. */
int detail_put_log(uint64_t id, struct holden_view text, struct buffer *body);
int detail_take_log(struct detail *detail, struct holden_view body);

/* Moves *at, which begins at log.size, to the start of the line before it and shows that line
 * without its end. False where there is none. */
bool detail_line_before(const struct detail *detail, size_t *at, struct holden_view *line);

/* Frees what is held. */
void detail_free(struct detail *detail);
