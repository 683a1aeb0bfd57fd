/* A row as one line of comma-separated values (RFC 4180), amounts in bytes, times in microseconds,
 * rates as in record.h. What is not known is empty; what would steer a terminal is a question
 * mark. */
#pragma once

#include "monitor/feed.h"
#include "monitor/user.h"

/* Appends the line of titles. 0 or -ENOMEM. */
int csv_put_titles(struct buffer *out);

/* Appends the line of a row. 0 or -ENOMEM. */
int csv_put(const struct row *row, const struct feed *feed, struct users *users,
            struct buffer *out);
