/* A page of HTML about processes, with charts, that needs no network and runs no script. */
#pragma once

#include "monitor/series.h"

struct page {
    const struct series_list *list;
    struct fleet *fleet;        /* for events */
    const char *source;         /* a recording, or the agents' sockets */
    uint64_t first, last;       /* what is shown: microseconds since 1970 */
};

/* More processes are not shown, but counted: those that used least CPU time. */
enum { PAGE_PROCESSES = 50 };

/* Appends the whole page. 0 or -ENOMEM. */
int page_put(const struct page *page, struct buffer *out);
