/* How a process ended, in words and as an exit status: the same wherever it is told. */
#pragma once

#include "protocol/message.h"

/* Appends, for one line, such as "exited with status 3", "ended by SIGKILL (out of memory: …)". */
int ending_print(const struct holden_exited *exited, struct buffer *out);

/* The ending of a process, as `exited` would tell it; meaningless while it lives. */
struct holden_exited ending_of(const struct holden_process *process);

/* What a program that stands for the process exits with: its status, 128 + n for signal n, or
 * STATUS_FAILED where it never ran or nobody saw its end. */
int ending_status(const struct holden_exited *exited);

/* Whether there is more to say than the exit status shows by itself. */
bool ending_needs_words(const struct holden_exited *exited);
