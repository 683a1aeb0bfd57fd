/* A row as one line of JSON: everything that the agent told of the process, under the names of the
 * protocol's message `process` (amounts in bytes, times in microseconds), and beside that
 *
 *   "rates"    what it does per second, counted between two samples:
 *     "cpu"           percent of one CPU
 *     "throttled"     percent of the time held back by CPUQuota=
 *     "io_read"       bytes per second
 *     "io_written"    bytes per second
 *     "stall_cpu", "stall_memory", "stall_io"
 *                     percent of the time in which some task waited for that
 *   "user_name" the name of the user that it runs as, or the number as text
 *   "sample"    the number of the sample, from 1
 *   "time"      when the sample was whole: microseconds since 1970
 *   "socket"    the agent's socket
 *
 * What is not known is left out: rates in a first sample, usage that the machine does not tell. */
#pragma once

#include "monitor/feed.h"
#include "monitor/user.h"

/* Appends the line, with its newline. 0, -ENOMEM or -EBADMSG. */
int record_put(const struct row *row, const struct feed *feed, struct users *users,
               struct buffer *out);
