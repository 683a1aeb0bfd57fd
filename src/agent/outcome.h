/* Why a process ended, worked out from its status, its last figures and who did what. */
#pragma once

#include "agent/process.h"

/* Sets the cause and its explanation in words from what is known: outcome.code and status, usage, a
 * stop under way, a failed start. Called once, before the final state is set. */
void outcome_explain(struct process *process);

/* "SIGTERM", or "signal 99" for one without a name, into `text` of `space` bytes, which is
 * returned.
 * */
const char *outcome_signal(int number, char *text, size_t space);

/* How it went, in the words of $SERVICE_RESULT (systemd.exec(5)): for one whose end has been
 * explained, else "success". Static. */
const char *outcome_result(const struct process *process);
